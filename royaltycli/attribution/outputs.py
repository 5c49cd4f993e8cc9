"""The log of outputs: what a model generated, one output a row of JSON Lines or Parquet.

A row has an `id` and a `text`; and it may have a `weight`, such as the tokens billed or the revenue; the `prompt`;
a `period`; and the `account` that asked for it. Other fields are passed over. An empty text earns nothing, but a
text that is missing is an error, as most often it stands under another name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.corpus.jsonl import read_chunks
from royaltycli.corpus.parquet import is_string, read_columns
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.unpack import reason
from royaltycli.errors import CallError, ManifestError, Place, Problem
from royaltycli.limits import NAME_LENGTH
from royaltycli.manifest.endings import kind_of
from royaltycli.manifest.fields import Entry, amount, any_text
from royaltycli.manifest.fields import text as line_of_text
from royaltycli.manifest.lists import parse_line
from royaltycli.manifest.paths import open_regular
from royaltycli.manifest.patterns import stamp_of
from royaltycli.manifest.wording import Number, named, printable, shown
from royaltycli.numerals import plain
from royaltycli.remote.names import check_here

NAMES, TEXTS, WEIGHT = ("id", "period", "account"), ("text", "prompt"), "weight"
EXAMPLE = '{"id": "1", "text": "…"}'
PROBLEMS_NAMED = 100
"""How many problems an error names. If there is another, no more rows are looked at."""

Row = tuple[Place, Mapping[str, object] | None]
"""Where a row stands, and its values; None if it cannot be read, which has been noted."""


@dataclass(frozen=True, slots=True)
class Output:
    """Something that a model generated: the text, what it counts for, and who asked for it, when and how."""

    id: str
    text: str
    weight: Decimal = Decimal(1)
    prompt: str | None = None
    period: str | None = None
    account: str | None = None


@dataclass(slots=True)
class _Before:
    """What the rows so far were: the line of each id by 16 bytes of a digest, in all 123 to 137 bytes an output.

    `weighted` is whether the first had a weight, and `first` its line; `dateless` whether some had no period.
    """

    lines: dict[bytes, int] = field(default_factory=dict)
    weighted: bool = False
    first: int = 0
    dateless: bool = False


def read_outputs(path: Path, *, period: str | None = None) -> Iterator[Output]:
    """The outputs of a log in their order, or those of one period, with only the ids of all of them in memory.

    All outputs have a weight, or none. Raises CallError if there is no such log, or nothing of that period in it;
    ManifestError with all rows that make no sense, by line (of Parquet, by row), after the outputs before the
    first of them; and DocumentError for a file that is broken.
    """
    file = log_file(path)
    problems: list[Problem] = []
    before, others, found = _Before(), set[str](), False
    rows = _json_rows(file, problems) if file.format == "jsonl" else _parquet_rows(file, period, problems)
    for place, row in rows:
        if len(problems) > PROBLEMS_NAMED:
            break
        output = None if row is None else _output(row, place, before, period, problems)
        if output is None:
            continue
        if period not in (None, output.period):
            if not found:
                others.add(str(output.period))
        elif not problems:
            found = True
            yield output
    if len(problems) > PROBLEMS_NAMED:
        rest = Problem(problems[PROBLEMS_NAMED].place, "more is wrong from here on", "mend the rows above first")
        problems[PROBLEMS_NAMED:] = [rest]
    if problems:
        raise ManifestError(problems)
    if not before.lines:
        if file.format == "parquet":
            what, mend = "it has no outputs", "give it some, each with an id and a text"
        else:
            what, mend = "it has no outputs", f"write one a line, such as {EXAMPLE}"
        raise ManifestError([Problem(Place(file.name), what, mend)])
    if not found:
        raise CallError(
            f"{file.name} has no outputs of the period {shown(str(period))}, only of {named(others)}; name one of those"
        )


def log_file(path: Path) -> File:
    """The file of a log. Raises CallError if it is none, or cannot be opened."""
    check_here(path, "a log of outputs")
    form, compression = kind_of(path.name)
    if form not in ("jsonl", "parquet") or (form == "parquet" and compression):
        endings = ".jsonl, .jsonl.gz, .jsonl.zst and .parquet"
        raise CallError(f"the log of outputs {path} ends in none of {endings}; write it as one of them")
    try:
        with open_regular(path) as opened:
            status = os.fstat(opened.fileno())
    except (OSError, ValueError) as error:  # the latter of a name with a zero byte
        raise CallError(f"the log of outputs {path} cannot be read ({reason(error)}); name another") from error
    name = printable(os.fspath(path))
    return File(name, os.fspath(path), status.st_size, form, compression, 0, stamp_of(status))


def _json_rows(file: File, problems: list[Problem]) -> Iterator[Row]:
    for chunk in read_chunks(Piece(file)):
        for number, line in enumerate(chunk.data.split(b"\n"), chunk.first_line):
            if not line.strip(b" \t\r"):
                continue
            place = Place(file.name, number)
            text = _decode(line, place, problems)
            yield place, None if text is None else parse_line(text, place, EXAMPLE, problems)


def _parquet_rows(file: File, period: str | None, problems: list[Problem]) -> Iterator[Row]:
    number = 0
    for batch in read_columns(file, lambda schema: _columns(file.name, schema, period)):
        for cells in zip(*map(_cells, batch.columns), strict=True):
            number += 1
            place, known = Place(file.name, number), len(problems)
            texts = (_decode(cell, place, problems) if isinstance(cell, bytes) else cell for cell in cells)
            row = dict(zip(batch.schema.names, texts, strict=True))
            yield place, row if len(problems) == known else None


def _cells(column: pa.Array) -> list[object]:
    """The values of a column; where one of its texts is not valid UTF-8, all of them as bytes."""
    try:
        cells: list[object] = column.to_pylist()
    except UnicodeDecodeError:
        cells = column.cast(pa.large_binary()).to_pylist()
    return cells


def _decode(data: bytes, place: Place, problems: list[Problem]) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not valid UTF-8 at byte {error.start + 1} (0x{data[error.start]:02x})"
        problems.append(Problem(place, what, "save the file as UTF-8"))
        return None


def _columns(name: str, schema: pa.Schema, period: str | None) -> list[str]:
    """The columns to read of a Parquet file. Raises ManifestError if some are missing, or are of other types."""
    place, problems, columns = Place(name), list[Problem](), (*NAMES, *TEXTS, WEIGHT)
    for column in columns:
        number = len(schema.get_all_field_indices(column))
        if number > 1:
            problems.append(Problem(place, f"column {column!r} is given twice", "keep one of them"))
        elif number == 0 and (column in ("id", "text") or (column == "period" and period is not None)):
            problems.append(Problem(place, f"there is no column {column!r}", "add it, with a value in each row"))
        elif number == 1 and not _fits(column, schema.field(column).type):
            mend = "write decimals or text, as binary floats are not exact" if column == WEIGHT else "write it as text"
            problems.append(Problem(place, f"column {column!r} is of type {schema.field(column).type}", mend))
    if problems:
        raise ManifestError(problems)
    return [column for column in columns if column in schema.names]


def _fits(column: str, given: pa.DataType) -> bool:
    """Whether a column may be of a type: all may be texts, names whole numbers too, and the weight any exact number."""
    given = given.value_type if pa.types.is_dictionary(given) else given
    if is_string(given) or pa.types.is_null(given):
        return True
    return (pa.types.is_integer(given) and column not in TEXTS) or (pa.types.is_decimal(given) and column == WEIGHT)


def _written(key: str, value: object) -> object:
    """A value as a manifest has it: names that are whole numbers as their digits, and decimals as they are written."""
    if key in NAMES and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return Number(plain(value)) if isinstance(value, Decimal) else value


def _output(
    row: Mapping[str, object], place: Place, before: _Before, period: str | None, problems: list[Problem]
) -> Output | None:
    """The output that a row is, or None if something is wrong with it, which is noted."""
    known = len(problems)
    values = {key: _written(key, value) for key, value in row.items() if value is not None}
    entry = Entry("output", values, place, problems)
    names = {key: _name(entry, key) for key in NAMES}
    text, prompt = (_text(entry, key) for key in TEXTS)
    weight = amount(entry, WEIGHT)
    if entry.values.get("id", "") == "":
        entry.note("id", "it has no id", "give each output an id of its own")
    if "text" not in entry.values:
        what = f"it has no text, only {named(entry.values) or 'nothing'}"
        entry.note("text", what, 'call what was generated text; if nothing was, write ""')
    if len(problems) > known or names["id"] is None or text is None:
        return None
    weight = Decimal(1) if weight is None else weight
    output = Output(names["id"], text, weight, prompt, names["period"], names["account"])
    _compare(entry, output, before, period)
    return output if len(problems) == known else None


def _name(entry: Entry, key: str) -> str | None:
    """A text of one line, as short as a name; None if it is empty."""
    name = line_of_text(entry, key)
    if name is not None and len(name) > NAME_LENGTH:
        entry.note(key, f"{key} is longer than {NAME_LENGTH:,} characters", "use a shorter one")
    return name or None


def _text(entry: Entry, key: str) -> str | None:
    """A text of any length and with any characters; an escape in JSON may stand for what is none."""
    value = any_text(entry, key)
    if value is None:
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        entry.note(key, f"{key} holds half of a surrogate pair, which is no character", "mend the line")
    return value


def _compare(entry: Entry, output: Output, before: _Before, period: str | None) -> None:
    """Notes what is wrong with a row beside those before it."""
    line, digest = entry.place.line, hashlib.blake2b(output.id.encode(), digest_size=16).digest()
    weighted = WEIGHT in entry.values
    if not before.lines:
        before.weighted, before.first = weighted, line
    if (at := before.lines.setdefault(digest, line)) != line:
        entry.note("id", f"its id is also that of {Place(entry.place.file, at)}", "give each output an id of its own")
    if weighted != before.weighted:
        has, other = ("a", "has none") if weighted else ("no", "has one")
        what = f"it has {has} weight, but the first, at {Place(entry.place.file, before.first)}, {other}"
        entry.note(WEIGHT, what, "give each output a weight, or none")
    if period is not None and output.period is None and not before.dateless:
        before.dateless = True
        mend = "give each output a period, or ask for those of all periods"
        entry.note("period", f"it has no period, but only outputs of {shown(period)} are asked for", mend)
