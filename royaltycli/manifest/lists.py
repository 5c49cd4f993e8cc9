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
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _List:
    """A list file as the user named it: what its rows are of, which columns it may have, and what is wrong with it."""

    file: str
    word: str
    columns: tuple[str, ...]
    problems: list[Problem]

    def note(self, line: int, what: str, mend: str) -> None:
        """Notes a problem with a line; with the file as a whole where that is 0."""
        self.problems.append(Problem(Place(self.file, line), what, mend))

    def entry(self, line: int, values: dict[str, object]) -> Entry:
        """What a row says."""
        return Entry(self.word, values, Place(self.file, line), self.problems)


def read_list(
    path: Path, file: str, word: str, columns: tuple[str, ...], problems: list[Problem]
) -> tuple[str, Iterator[Entry]]:
    """The SHA-256 of a list file and its rows, each an entry whose place is its line (of Parquet, its row).

    `file` is how the user named it. What is wrong with the file itself is noted in `problems`.
    """
    listed = _List(file, word, columns, problems)
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        listed.note(0, "the list file's ending is not known", "end its name in .csv, .jsonl or .parquet")
        return "", iter(())
    data = read_regular(path, "the list file", LIST_BYTES)
    if isinstance(data, Refusal):
        listed.note(0, data.what, data.mend)
        return "", iter(())
    return hashlib.sha256(data).hexdigest(), reader(data, listed)


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


def _csv_rows(data: bytes, listed: _List) -> Iterator[Entry]:
    text = decode(data, listed.file, listed.problems)
    if text is None:
        return
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        with large_cells():
            header = next(rows, [])
            if not _header_is_fine(header, 1, listed):
                return
            following = rows.line_num + 1
            for cells in rows:
                line, following = following, rows.line_num + 1
                if not cells:
                    continue
                if len(cells) != len(header):
                    what = f"the row has {len(cells)} cells, but the header has {len(header)}"
                    listed.note(line, what, "a cell that holds a comma must be in quotation marks")
                    continue
                yield listed.entry(
                    line, {key: _cell(key, cell) for key, cell in zip(header, cells, strict=True) if cell}
                )
    except csv.Error as error:
        listed.note(rows.line_num, f"not valid CSV: {error}", "mend the quotation marks of this row")


def _cell(key: str, cell: str) -> object:
    if key == "path":
        return [part.strip() for part in cell.split(";")]
    return parse_cell(cell) if key == "holders" else cell


def _json_rows(data: bytes, listed: _List) -> Iterator[Entry]:
    text = decode(data, listed.file, listed.problems)
    if text is None:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        row = parse_line(line, Place(listed.file, number), '{"id": "my-book", …}', listed.problems)
        if row is not None:
            yield listed.entry(number, _with_holders(row))


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


def _parquet_rows(data: bytes, listed: _List) -> Iterator[Entry]:
    number = 0
    try:
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, pre_buffer=False) as table:
            if unpacked_bytes(table) > LIST_BYTES:
                listed.note(0, f"unpacks to more than {LIST_BYTES:,} bytes", "split the list into several files")
                return
            if not _header_is_fine(table.schema_arrow.names, 0, listed):
                return
            for batch in table.iter_batches(BATCH_ROWS, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    values = {key: _plain_value(value) for key, value in row.items() if value is not None}
                    yield listed.entry(number, _with_holders(values))
    except (OSError, ValueError, pa.ArrowException) as error:
        listed.note(0, f"not valid Parquet after row {number}: {_reason(error)}", "write the file again")


def unpacked_bytes(file: pq.ParquetFile) -> int:
    """What a Parquet file says that it unpacks to."""
    return sum(file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups))


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


def _header_is_fine(names: list[str], line: int, listed: _List) -> bool:
    before, columns = len(listed.problems), listed.columns
    if not names:
        listed.note(line, "the list file has no header", f"name the columns: {', '.join(columns)}")
    if len(names) == 1 and re.search("[;\t|]", names[0]):
        listed.note(line, "the columns are not parted by commas", "save the file as CSV with commas")
        return False
    for name in sorted(set(names)):
        if name not in columns:
            listed.note(line, f"unknown column {shown(name)}", instead(name, columns, "columns"))
        elif names.count(name) > 1:
            listed.note(line, f"column {shown(name)} is given twice", "keep one of them")
    if names and columns[0] not in names:
        listed.note(line, f"there is no column {columns[0]!r}", "add it, with a value in each row")
    return len(listed.problems) == before


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
