"""JSON, JSON Lines and Markdown: one row of a result after another, the columns in their order.

Counts are JSON numbers. Money, shares and seen tokens are exact decimals, and JSON readers make floats
of decimals, so they are texts: `"payout": "43.33"`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa

from royaltycli.report.batches import Tick, batches
from royaltycli.report.csv import plain_texts
from royaltycli.report.numbers import is_number

ROWS_AT_ONCE = 1 << 14
MARKUP = re.compile(r"[\\`*_\[\]<>|~&$]")
"""What would be taken for markup in a Markdown cell; a backslash before it makes it text."""


def write_json(file: BinaryIO, rows: pa.Table, tick: Tick | None = None) -> None:
    """One array of objects, a row a line."""
    file.write(b"[")
    separator = b"\n"
    for row in _rows(rows, tick):
        file.write(separator + _encode(row))
        separator = b",\n"
    file.write(b"\n]\n")


def write_jsonl(file: BinaryIO, rows: pa.Table, tick: Tick | None = None) -> None:
    """One object a line."""
    file.writelines(_encode(row) + b"\n" for row in _rows(rows, tick))


def write_markdown(file: BinaryIO, rows: pa.Table, tick: Tick | None = None) -> None:
    """A Markdown table, numbers to the right."""
    file.write(_line(rows.column_names))
    file.write(_line(["---:" if is_number(field.name, field.type) else "---" for field in rows.schema]))
    for batch in batches(rows, ROWS_AT_ONCE, tick):
        file.writelines(map(_line, zip(*map(_cells, batch.columns), strict=True)))


def _rows(rows: pa.Table, tick: Tick | None) -> Iterator[dict[str, Any]]:
    for batch in batches(rows, ROWS_AT_ONCE, tick):
        yield from batch.to_pylist()


def _encode(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=_exact).encode("utf-8")


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"no JSON for {type(value).__name__}")


def _cells(values: pa.Array) -> list[str]:
    """A column as Markdown cells; what holds no text needs no care."""
    texts: list[str] = plain_texts(values).fill_null("").to_pylist()
    if not pa.types.is_string(values.type):
        return texts
    return [MARKUP.sub(r"\\\g<0>", " ".join(text.split())) for text in texts]


def _line(cells: Sequence[str]) -> bytes:
    return ("| " + " | ".join(cells) + " |\n").encode("utf-8")
