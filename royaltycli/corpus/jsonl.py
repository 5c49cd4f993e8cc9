"""JSON Lines: one object a line, one document an object.

Whole chunks of lines are parsed by Arrow. What Arrow takes more leniently than JSON Lines means it, and
every chunk that Arrow refuses, goes through the strict reader, line by line, which either reads the
chunk or names the line. Fields that nobody asked for are skimmed.

Arrow must be told of what kind the values are. Names may be texts, whole numbers or lists of them: the
kinds are tried in turn, those first that were right for the chunk before.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from royaltycli.corpus.batches import LISTS_MEND, Batch, Fields, place
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.text import as_texts, decode
from royaltycli.corpus.unpack import blocks, rest_of_line
from royaltycli.errors import DocumentError
from royaltycli.limits import DOCUMENT_BYTES
from royaltycli.manifest.model import Field, Reading
from royaltycli.manifest.naming import field_text

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
KEYS_NAMED = 8

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which an escape may be, and no text in UTF-8."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole lines of a file: their bytes, and where in them the newlines are.

    `first_line` is the number of the first, `packed_bytes` how much of the file was read for them.
    """

    piece: Piece
    data: bytes
    newlines: npt.NDArray[np.intp]
    first_line: int
    packed_bytes: int

    def place(self, line: int) -> str:
        """Where a line of this chunk (from 0) stands."""
        return place(self.piece.file, self.first_line + line, self.piece.start)


Parsed = tuple[dict[Field, pa.Array], Sequence[int]]
"""The columns asked for, and the number of each document's line."""


def read_jsonl(piece: Piece, fields: Fields, reading: Reading) -> Iterator[Batch]:
    """The documents of a JSONL file, or of the lines that belong to a range of it.

    Raises DocumentError that names the line for anything that is not an object with the fields asked for.
    """
    schemas = _schemas(fields)
    for chunk in read_chunks(piece):
        columns, numbers = _parse_fast(chunk, fields, schemas) or _parse_strictly(chunk, fields, reading, schemas)
        yield Batch(
            piece.file,
            columns[fields.text],
            chunk.packed_bytes,
            None if fields.source is None else columns[fields.source],
            None if fields.holder is None else columns[fields.holder],
            numbers,
            piece.start,
        )


def read_chunks(piece: Piece) -> Iterator[Chunk]:
    """The lines that follow the newlines of a piece, and the first of the file, as many at a time as were read at once.

    So nobody needs to know what stands before a piece. Its last line goes on beyond it. Raises DocumentError.
    """
    skipping = piece.start > 0
    parts: list[memoryview | bytes] = []
    line, packed = 1, 0
    for block, read in blocks(piece.file, piece.start, piece.stop):
        data = memoryview(block).cast("B")
        packed += read
        cut = _after_last_newline(data)
        if cut == 0:
            if not skipping:
                parts.append(data)
                _check_length(parts, piece, line)
            continue
        lines = b"".join([*parts, data[:cut]])
        parts = [data[cut:]]
        if skipping:
            skipping = False
            lines = lines[lines.index(b"\n") + 1 :]
        lines = _without_mark(lines, piece, line)
        if lines:
            newlines = _newlines(lines)
            yield Chunk(piece, lines, newlines, line, packed)
            line, packed = line + len(newlines), 0
    if skipping:
        return  # all of it belongs to a line that began before
    for beyond in rest_of_line(piece.file, piece.file.size if piece.stop is None else piece.stop):
        parts.append(beyond)
        _check_length(parts, piece, line)
    rest = _without_mark(b"".join(parts), piece, line)
    if rest:
        yield Chunk(piece, rest, _newlines(rest), line, packed)


def _without_mark(lines: bytes, piece: Piece, line: int) -> bytes:
    """Lines without the byte order mark that a file may begin with."""
    return lines.removeprefix(BYTE_ORDER_MARK) if piece.start == 0 and line == 1 else lines


def _newlines(data: bytes) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))


def _after_last_newline(data: memoryview) -> int:
    """Where the last line of a block begins that it does not hold to the end; 0 if it holds no newline."""
    step = 1 << 16  # the last newline is hardly ever far from the end
    for end in range(len(data), 0, -step):
        start = max(0, end - step)
        found = bytes(data[start:end]).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0


def _check_length(parts: list[memoryview | bytes], piece: Piece, line: int) -> None:
    if sum(map(len, parts)) > DOCUMENT_BYTES:
        where = place(piece.file, line, piece.start)
        raise DocumentError(f"{where}: line longer than {DOCUMENT_BYTES:,} bytes, the most that one document may be")


def _schemas(fields: Fields) -> list[pa.Schema]:
    """The schemas to try on a chunk; none where one field is asked for and another within it."""
    text = pa.large_string()
    kinds = [text, pa.int64(), *([pa.list_(text), pa.list_(pa.int64())] if fields.lists else [])]
    named = [field for field in fields.all() if field != fields.text]
    if any(a != b and b[: len(a)] == a for a in fields.all() for b in fields.all()):
        return []
    return [
        _schema({fields.text: text, **dict(zip(named, chosen, strict=True))})
        for chosen in itertools.product(kinds, repeat=len(named))
    ]


def _schema(kinds: dict[Field, pa.DataType]) -> pa.Schema:
    """A schema that asks for some fields, each of one kind."""
    here: dict[str, dict[Field, pa.DataType]] = {}
    for (name, *rest), kind in kinds.items():
        here.setdefault(name, {})[tuple(rest)] = kind
    return pa.schema([(name, inner.get(()) or pa.struct(_schema(inner))) for name, inner in here.items()])


def _parse_fast(chunk: Chunk, fields: Fields, schemas: list[pa.Schema]) -> Parsed | None:
    """What Arrow's parser makes of a chunk, or None if anything at all is out of the ordinary.

    The schema that was right is put first.
    """
    data, lines = chunk.data, _objects(chunk)
    if lines is None or not _valid_utf8(data):
        return None
    for schema in schemas:
        try:
            table = arrow_json.read_json(
                pa.BufferReader(data),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
            )
        except pa.ArrowInvalid:
            continue
        if table.num_rows != lines:
            return None
        columns = {field: _as_text(_column(table, field)) for field in fields.all()}
        if columns[fields.text].null_count:
            return None
        schemas.remove(schema)
        schemas.insert(0, schema)
        return columns, range(chunk.first_line, chunk.first_line + lines)
    return None


def _column(table: pa.Table, field: Field) -> pa.Array:
    column = _whole_column(table[field[0]])
    for name in field[1:]:
        column = pc.struct_field(column, name)
    return column


def _as_text(column: pa.Array) -> pa.Array:
    """Names as texts: numbers as their digits, also in lists."""
    if pa.types.is_list(column.type):
        return column.cast(pa.large_list(pa.large_string()))
    return column.cast(pa.large_string()) if pa.types.is_integer(column.type) else column


def _whole_column(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _objects(chunk: Chunk) -> int | None:
    """How many lines there are, if each begins with `{` and ends with `}`; else None.

    Arrow parses a stream of objects and does not mind where lines end. Between `}` and `{` JSON wants a
    comma, so no object can run on from a line that ends with the one to a line that begins with the
    other: then as many objects as lines means one on each.
    """
    characters, newlines = np.frombuffer(chunk.data, dtype=np.uint8), chunk.newlines
    if not chunk.data.endswith(b"\n"):
        newlines = np.append(newlines, len(chunk.data))
    ends = newlines - 1
    ends -= characters[ends] == ord("\r")
    starts = np.append(0, newlines[:-1] + 1)
    if (ends < starts).any() or (characters[starts] != ord("{")).any() or (characters[ends] != ord("}")).any():
        return None
    return len(newlines)


def _valid_utf8(data: bytes) -> bool:
    try:
        as_texts([pa.py_buffer(data)])
    except pa.ArrowInvalid:
        return False
    return True


def _parse_strictly(chunk: Chunk, fields: Fields, reading: Reading, schemas: list[pa.Schema]) -> Parsed:
    """What a chunk holds, line by line. Raises DocumentError.

    A line that Arrow takes by itself is good here as well: what it skims in fields that nobody asked for may be more
    than Python reads, and whether a line is good must not hang on those around it.
    """
    columns: dict[Field, list[Any]] = {field: [] for field in fields.all()}
    numbers: list[int] = []
    for index, line in enumerate(chunk.data.split(b"\n")):
        if not line.strip(b" \t\r"):
            continue
        text = _decoded(line, chunk, index, reading)
        try:
            values = _values_of(text, fields, reading)
        except _LineError as wrong:
            alone = text.strip(" \t\r").encode("utf-8")
            found = _parse_fast(dataclasses.replace(chunk, data=alone, newlines=_newlines(alone)), fields, schemas)
            if found is None:
                raise DocumentError(f"{chunk.place(index)}: {wrong}") from wrong
            values = {field: column[0].as_py() for field, column in found[0].items()}
        for field, value in values.items():
            columns[field].append(value)
        numbers.append(chunk.first_line + index)
    return {field: _array(values) for field, values in columns.items()}, numbers


def _values_of(text: str, fields: Fields, reading: Reading) -> dict[Field, Any]:
    """The values of the fields of one line. Raises _LineError."""
    row = _parse_line(text)
    return {
        field: _text(row, field, reading) if field == fields.text else _named(row, field, reading, lists=fields.lists)
        for field in fields.all()
    }


def _array(values: list[Any]) -> pa.Array:
    if any(isinstance(value, list) for value in values):
        items = [[value] if isinstance(value, str) else value for value in values]
        return pa.array(items, pa.large_list(pa.large_string()))
    return pa.array(values, pa.large_string())


class _LineError(Exception):
    """What is wrong with a line, and how to mend it; its number is found only for an error that is shown."""


class _Repeated(dict[str, Any]):
    """A JSON object that gives some of its keys twice."""

    keys_twice: frozenset[str] = frozenset()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) == len(pairs):
        return row
    repeated, counts = _Repeated(row), Counter(key for key, _ in pairs)
    repeated.keys_twice = frozenset(key for key, count in counts.items() if count > 1)
    return repeated


def _decoded(line: bytes, chunk: Chunk, index: int, reading: Reading) -> str:
    try:
        return line.decode("utf-8", errors=reading.errors)
    except UnicodeDecodeError:  # only now, as finding the number of a line may mean reading the file up to it
        return decode(line, chunk.place(index), reading)


def _parse_line(text: str) -> dict[str, Any]:
    try:
        row = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _LineError(f"not valid JSON at column {error.colno} ({error.msg.lower()}); mend the line") from error
    except RecursionError as error:
        raise _LineError("JSON nested too deeply to be a document; mend the line") from error
    except ValueError as error:  # an integer of more digits than Python reads
        raise _LineError("not valid JSON (a number with too many digits); mend the line") from error
    if not isinstance(row, dict):
        raise _LineError(f"{_kind(row)} where a JSON object should be; write one object a line")
    return row


_MISSING = object()


def _value(row: dict[str, Any], field: Field) -> Any:
    """The value of a field, _MISSING if it is not there. Raises _LineError."""
    value: Any = row
    for depth, name in enumerate(field):
        if value is None and depth:
            return _MISSING
        if not isinstance(value, dict):
            where = field_text(field[:depth])
            raise _LineError(f"the field {where!r} is {_kind(value)}, where an object should be; mend the line")
        if isinstance(value, _Repeated) and name in value.keys_twice:
            raise _LineError(f"the key {name!r} stands twice in one object; keep one of them")
        if name not in value:
            return _MISSING
        value = value[name]
    return value


def _text(row: dict[str, Any], field: Field, reading: Reading) -> str:
    """The text of a document; null is an empty one. Raises _LineError."""
    value = _value(row, field)
    if value is _MISSING:
        raise _LineError(f"no field {field_text(field)!r}; it has {_listed(row)}")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _LineError(f"the field {field_text(field)!r} is {_kind(value)}, where text should be; mend the line")
    return _whole_text(value, field, reading)


def _named(row: dict[str, Any], field: Field, reading: Reading, *, lists: bool) -> str | list[str | None] | None:
    """What a field names, whole numbers as their digits, or None if it names nothing. Raises _LineError."""
    value = _value(row, field)
    if value is _MISSING:
        return None
    if not isinstance(value, list):
        return _name(value, field, reading)
    if not lists:
        raise _LineError(f"the field {field_text(field)!r} is an array; {LISTS_MEND}")
    return [_name(item, field, reading) for item in value]


def _name(value: Any, field: Field, reading: Reading) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _whole_text(value, field, reading)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _LineError(f"the field {field_text(field)!r} holds {_kind(value)}, where a name should be; mend the line")


def _whole_text(value: str, field: Field, reading: Reading) -> str:
    if value.isascii() or _HALF.search(value) is None:
        return value
    if reading.errors == "replace":
        return _HALF.sub("\ufffd", value)
    message = f"the field {field_text(field)!r} holds half of a surrogate pair, which is no character"
    raise _LineError(f'{message}; mend the line, or set errors = "replace" for its source')


def _listed(row: dict[str, Any]) -> str:
    names = [repr(name[:40]) for name in row]
    more = f" and {len(names) - KEYS_NAMED} more" if len(names) > KEYS_NAMED else ""
    return (", ".join(names[:KEYS_NAMED]) or "none at all") + more


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
