"""The formats of a result, and how the name of a file or the kind of output chooses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from royaltycli.errors import CallError
from royaltycli.remote.locations import written

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.report.batches import Tick

ENDINGS = {
    ".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".parquet": "parquet", ".md": "markdown", ".xlsx": "xlsx",
}  # fmt: skip
FORMATS = ("table", *ENDINGS.values())
BINARY = {"parquet": "Parquet", "xlsx": "a workbook", "pdf": "PDF"}
"""Formats that are no text, and so nothing for a terminal, with what they are called."""


def choose_format(asked: str | None, output: Path | None, *, terminal: bool, more: tuple[str, ...] = ()) -> str:
    """The format to write: what was asked for, else by the file's ending, else a table for a terminal and CSV.

    `more` are formats of this one result, each called as its ending is. Raises CallError for an unknown format or
    ending, and for a table that should go into a file.
    """
    formats, endings = (*FORMATS, *more), ENDINGS | {f".{kind}": kind for kind in more}
    if asked is not None and asked not in formats:
        raise CallError(f"format is {asked!r}; it must be one of {', '.join(formats)}")
    if output is None:
        return asked or ("table" if terminal else "csv")
    if asked == "table":
        raise CallError(
            "a table is for the terminal; for a file use `--format markdown`, csv, json, jsonl, parquet or xlsx"
        )
    if asked is not None:
        return asked
    return format_by_ending(output, endings, "use one of them, or say `--format`")


def format_by_ending(output: Path, endings: Mapping[str, str] = ENDINGS, mend: str = "use one of them") -> str:
    """The format of a result by its ending alone. Raises CallError, which says `mend`, for an unknown ending."""
    if output.suffix.lower() not in endings:
        raise CallError(f"{written(output)} has none of the endings {', '.join(endings)}; {mend}")
    return endings[output.suffix.lower()]


def writer(kind: str, rows: pa.Table, *, raw: bool = False, tick: Tick | None = None) -> Callable[[BinaryIO], None]:
    """What writes `rows` to a binary file in one of the formats but `table`; `raw` leaves free text in CSV as it is.

    `tick` is told how many more rows have been written, but of Parquet, which is written as one.
    """
    if kind == "csv":
        from royaltycli.report.csv import write_csv

        return lambda file: write_csv(file, rows, tick, raw=raw)
    if kind == "parquet":
        from royaltycli.storage import write_sealed

        return lambda file: write_sealed(file, rows)
    if kind == "xlsx":
        from royaltycli.report.sheets import write_rows

        return lambda file: write_rows(file, rows, tick)
    from royaltycli.report import text

    writers = {"json": text.write_json, "jsonl": text.write_jsonl, "markdown": text.write_markdown}
    return lambda file: writers[kind](file, rows, tick)
