"""The usage table: the credit of each source, as an exact decimal (docs/policies.md)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from royaltycli.errors import ManifestError, Place, Problem, TableError, reason_of
from royaltycli.limits import LIST_BYTES, NUMBER_DIGITS
from royaltycli.manifest.lists import large_cells, unpacked_bytes
from royaltycli.manifest.paths import open_regular
from royaltycli.manifest.wording import shown
from royaltycli.remote.names import check_here

COLUMNS = ("source_id", "credit")
CREDIT = rf"^[0-9]{{1,{NUMBER_DIGITS}}}(\.[0-9]{{1,{NUMBER_DIGITS}}})?([eE][+-]?[0-9]{{1,2}})?$"
ROWS_NAMED = 100
"""How many wrong rows an error names before it says how many more there are."""


def usage_of(given: str | os.PathLike[str] | pa.Table) -> pa.Table:
    """The usage table that a caller gives: one in hand, such as attribution makes, or a file. Raises as below."""
    return _checked(given, Path("usage")) if isinstance(given, pa.Table) else read_usage(Path(given))


def read_usage(path: Path) -> pa.Table:
    """The columns source_id and credit of a CSV or Parquet file, credits as they are written.

    Raises TableError if there is no such file, or it has no such columns, or credits that are not exact; and
    ManifestError with every row that makes no sense and its line (of Parquet, its row); CallError for one in a store.
    """
    check_here(path, "a usage table")
    readers = {".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TableError(f"the usage table {path} ends in neither .csv nor .parquet; write it as one of them")
    try:
        open_regular(path).close()
        table = reader(path)
    except OSError as error:
        raise TableError(
            f"the usage table {path} cannot be read ({reason_of(error)}); name another with `--usage`"
        ) from error
    except pa.ArrowException as error:
        _check_rows(path)
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise TableError(f"the usage table {path} cannot be read ({reason}); write it again") from error
    return _checked(table, path)


def _checked(table: pa.Table, path: Path) -> pa.Table:
    """The columns of a usage table as texts. `path` is what messages call it."""
    for name in COLUMNS:
        if name not in table.column_names:
            needs = f"it needs {' and '.join(COLUMNS)}, in CSV with commas between"
            raise TableError(f"the usage table {path} has no column {name}; {needs}")
        if table.column_names.count(name) > 1:
            raise TableError(f"the usage table {path} has the column {name} twice; keep one of them")
    usage = pa.table({name: _texts(table[name], name, path) for name in COLUMNS})
    _check_cells(usage, path)
    return usage


def _texts(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """A column as texts. Raises TableError where these would not be exact, or cannot be had."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind):
        raise TableError(
            f"the usage table {path} holds credits as binary floats, which are not exact; write decimals, or text"
        )
    try:
        if not (pa.types.is_nested(kind) or pa.types.is_temporal(kind)):
            texts = column.cast(pa.string())
            texts.validate(full=True)  # that texts are UTF-8, which no reader of Parquet looks at
            return texts
    except pa.ArrowException:
        pass
    raise TableError(
        f"the column {name} of the usage table {path} is of type {kind} and does not become text; write it in UTF-8"
    )


def _csv(path: Path) -> pa.Table:
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=False)
    # A note beside a credit may run over several lines.
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    return arrow_csv.read_csv(path, convert_options=convert, parse_options=parse)


def _parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        if unpacked_bytes(file) > LIST_BYTES:
            raise TableError(
                f"the usage table {path} unpacks to more than {LIST_BYTES:,} bytes; leave other columns out"
            )
        names = file.schema_arrow.names
        return file.read([name for name in COLUMNS if name in names]) if len(set(names)) == len(names) else file.read()


def _check_cells(usage: pa.Table, path: Path) -> None:
    """Raises ManifestError with all rows without a source, or with a credit that is none.

    Sources named twice and unknown ones are found where the table is used, as that costs the most of all.
    """
    named, credit = usage["source_id"], usage["credit"]
    wrong = [
        (row, "it has no source_id", "name the source, or leave the row out")
        for row in _rows(pc.fill_null(pc.equal(named, ""), True))
    ]
    for row in _rows(pc.invert(pc.fill_null(pc.match_substring_regex(credit, CREDIT), False))):
        mend = "write a decimal of zero or more, such as 12 or 0.25"
        wrong.append((row, f"the credit is {shown(credit[row].as_py() or '')}", mend))
    if not wrong:
        return
    wrong.sort()
    lines = _lines(path, {row for row, _, _ in wrong[: ROWS_NAMED + 1]})
    problems = [Problem(Place(os.fspath(path), lines[row]), what, mend) for row, what, mend in wrong[:ROWS_NAMED]]
    if len(wrong) > ROWS_NAMED:
        next_place = Place(os.fspath(path), lines[wrong[ROWS_NAMED][0]])
        rest = f"there is more of this kind from here on ({len(wrong) - ROWS_NAMED:,} times)"
        problems.append(Problem(next_place, rest, "mend the rows above first"))
    raise ManifestError(problems)


def _check_rows(path: Path) -> None:
    """Raises ManifestError with the rows of a CSV file that have more or fewer cells than its header."""
    if path.suffix.lower() != ".csv":
        return
    problems: list[Problem] = []
    header: list[str] = []
    for line, cells in _records(path):
        header = header or cells
        if len(cells) != len(header) and len(problems) < ROWS_NAMED:
            what = f"the row has {len(cells)} cells, but the header has {len(header)}"
            mend = "a cell that holds a comma must be in quotation marks"
            problems.append(Problem(Place(os.fspath(path), line), what, mend))
    if problems:
        raise ManifestError(problems)


def _rows(mask: pa.ChunkedArray) -> list[int]:
    """The numbers of the rows that a mask chooses."""
    found: list[int] = pc.indices_nonzero(mask).to_pylist()
    return found


def _lines(path: Path, rows: Iterable[int]) -> dict[int, int]:
    """On which line each of some rows of a CSV file begins (empty lines are no rows); of Parquet, its number."""
    wanted = set(rows)
    if not wanted or path.suffix.lower() != ".csv":
        return {row: row + 1 for row in wanted}
    return {row: line for row, (line, _) in enumerate(_records(path), -1) if row in wanted}


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row of a CSV file begins, and its cells, of any size; empty lines are no rows."""
    with large_cells(), path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows, line = csv.reader(file), 1
        for cells in rows:
            if cells:
                yield line, cells
            line = rows.line_num + 1
