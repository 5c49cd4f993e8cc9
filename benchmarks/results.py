"""What a benchmark found: small tables on the terminal and, with `--json FILE`, all of them in a file."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

Value = str | int | float | None
Row = Mapping[str, Value]
"""Values by the heading of their column, in the order of the columns; None is left blank."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser of options that shows a benchmark's description as it stands, with the one option that all have."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    return options


def show(rows: Sequence[Row]) -> None:
    """Print a table; texts to the left, numbers to the right."""
    cells = [[*rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    to_left = [isinstance(value, str) for value in rows[0].values()]
    for line in cells:
        padded = [
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, to_left, strict=True)
        ]
        print("  " + "  ".join(padded).rstrip(), flush=True)


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def keep(path: Path | None, benchmark: str, tables: Mapping[str, Sequence[Row]], **about: Value) -> None:
    """Write tables as JSON, with what they were measured on, if there is a place for it."""
    if path is None:
        return
    said = {
        "benchmark": benchmark,
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("royaltycli", "gigatoken", "tiktoken", "pyarrow")},
        **about,
        "tables": {name: list(rows) for name, rows in tables.items()},
    }
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
