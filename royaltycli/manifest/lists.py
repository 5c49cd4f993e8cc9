"""List files: many sources or holders as the rows of a CSV, JSONL or Parquet file.

The columns have the names of the manifest's keys. Only CSV has no lists: there `holders` is written
`a-rao=70%;press=30%`, `a:2;b:1` or `a;b`, and several paths are parted by `;`. An empty cell is no value.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from royaltycli.errors import Place, Problem
from royaltycli.limits import LIST_BYTES
from royaltycli.manifest.fields import Entry
from royaltycli.manifest.paths import Refusal, read_regular
from royaltycli.manifest.shares import parse_cell
from royaltycli.manifest.wording import Number, instead, kind, shown
from royaltycli.numerals import plain

BATCH_ROWS = 10_000


def read_list(
    path: Path, file: str, word: str, columns: tuple[str, ...], problems: list[Problem]
) -> tuple[str, Iterator[Entry]]:
    """The SHA-256 of a list file and its rows, each an entry whose place is its line (of Parquet, its row).

    `file` is how the user named it. What is wrong with the file itself is noted in `problems`.
    """
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        problems.append(
            Problem(Place(file), "the list file's ending is not known", "end its name in .csv, .jsonl or .parquet")
        )
        return "", iter(())
    data = read_regular(path, "the list file", LIST_BYTES)
    if isinstance(data, Refusal):
        problems.append(Problem(Place(file), data.what, data.mend))
        return "", iter(())
    return hashlib.sha256(data).hexdigest(), reader(data, file, word, columns, problems)


def decode(data: bytes, file: str, problems: list[Problem]) -> str | None:
    """UTF-8 as text, without the mark that some editors put first; notes the first byte that is none."""
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"not valid UTF-8 at byte {error.start + 1} (0x{data[error.start]:02x})"
        problems.append(Problem(Place(file, line), what, "save the file as UTF-8"))
        return None


@contextlib.contextmanager
def large_cells() -> Iterator[None]:
    """While cells of CSV may be of any size, such as one with very many holders."""
    usual = csv.field_size_limit(LIST_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _csv_rows(data: bytes, file: str, word: str, columns: tuple[str, ...], problems: list[Problem]) -> Iterator[Entry]:
    text = decode(data, file, problems)
    if text is None:
        return
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    try:
        with large_cells():
            header = next(rows, [])
            if not _header_is_fine(header, Place(file, 1), columns, problems):
                return
            line = rows.line_num + 1
            for cells in rows:
                place, line = Place(file, line), rows.line_num + 1
                if not cells:
                    continue
                if len(cells) != len(header):
                    what = f"the row has {len(cells)} cells, but the header has {len(header)}"
                    problems.append(Problem(place, what, "a cell that holds a comma must be in quotation marks"))
                    continue
                given = {key: _cell(key, cell) for key, cell in zip(header, cells, strict=True) if cell}
                yield Entry(word, given, place, problems)
    except csv.Error as error:
        what = f"not valid CSV: {error}"
        problems.append(Problem(Place(file, rows.line_num), what, "mend the quotation marks of this row"))


def _cell(key: str, cell: str) -> object:
    if key == "path":
        return [part.strip() for part in cell.split(";")]
    return parse_cell(cell) if key == "holders" else cell


def _json_rows(
    data: bytes, file: str, word: str, _columns: tuple[str, ...], problems: list[Problem]
) -> Iterator[Entry]:
    text = decode(data, file, problems)
    if text is None:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        place = Place(file, number)
        row = parse_line(line, place, '{"id": "my-book", …}', problems)
        if row is not None:
            yield Entry(word, _with_holders(row), place, problems)


def parse_line(line: str, place: Place, example: str, problems: list[Problem]) -> dict[str, object] | None:
    """The object that one line of JSON Lines is, read strictly, with numbers as they are written.

    What is none, gives a key twice, or holds what is no number is noted in `problems`.
    """
    try:
        row = json.loads(line, object_pairs_hook=_object, parse_float=Number, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        problems.append(Problem(place, f"not valid JSON{_reason_in_line(error)}", "write one object a line"))
        return None
    if isinstance(row, dict):
        return row
    what = f"the line must be an object, but is {kind(row)}"
    problems.append(Problem(place, what, f"write one object a line, such as {example}"))
    return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {shown(next(key for key, count in counts.items() if count > 1))} is given twice")
    return row


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _parquet_rows(
    data: bytes, file: str, word: str, columns: tuple[str, ...], problems: list[Problem]
) -> Iterator[Entry]:
    number = 0
    try:
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, pre_buffer=False) as table:
            groups = (table.metadata.row_group(at).total_byte_size for at in range(table.metadata.num_row_groups))
            if sum(groups) > LIST_BYTES:
                what = f"unpacks to more than {LIST_BYTES:,} bytes"
                problems.append(Problem(Place(file), what, "split the list into several files"))
                return
            if not _header_is_fine(table.schema_arrow.names, Place(file), columns, problems):
                return
            for batch in table.iter_batches(BATCH_ROWS, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    values = {key: _plain_value(value) for key, value in row.items() if value is not None}
                    yield Entry(word, _with_holders(values), Place(file, number), problems)
    except (OSError, ValueError, pa.ArrowException) as error:
        what = f"not valid Parquet after row {number}: {_reason(error)}"
        problems.append(Problem(Place(file), what, "write the file again"))


def _with_holders(row: dict[str, object]) -> dict[str, object]:
    holders = row.get("holders")
    return {**row, "holders": parse_cell(holders)} if isinstance(holders, str) else row


def _plain_value(value: object) -> object:
    """A value of Parquet as a manifest has it: exact decimals as they would be written."""
    if isinstance(value, Decimal):
        return Number(plain(value))
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    return value


def _header_is_fine(names: list[str], place: Place, columns: tuple[str, ...], problems: list[Problem]) -> bool:
    before = len(problems)
    if not names:
        problems.append(Problem(place, "the list file has no header", f"name the columns: {', '.join(columns)}"))
    if len(names) == 1 and re.search("[;\t|]", names[0]):
        problems.append(Problem(place, "the columns are not parted by commas", "save the file as CSV with commas"))
        return False
    for name in sorted(set(names)):
        if name not in columns:
            problems.append(Problem(place, f"unknown column {shown(name)}", instead(name, columns, "columns")))
        elif names.count(name) > 1:
            problems.append(Problem(place, f"column {shown(name)} is given twice", "keep one of them"))
    if names and columns[0] not in names:
        problems.append(Problem(place, f"there is no column {columns[0]!r}", "add it, with a value in each row"))
    return len(problems) == before


def _reason_in_line(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f" at column {error.colno}: {error.msg.lower()}"
    return f": {_reason(error)}"


def _reason(error: Exception) -> str:
    """A library's words for what is wrong, as one short clause."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if "sys.set_int_max_str_digits" in str(error):
        return "a number with too many digits"
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
