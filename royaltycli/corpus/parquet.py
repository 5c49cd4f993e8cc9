"""Parquet: one document a row, read as Arrow batches from the columns asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from royaltycli.corpus.batches import LISTS_MEND, Batch, Fields, place
from royaltycli.corpus.files import File
from royaltycli.corpus.naming import lists_of
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.text import decode
from royaltycli.corpus.unpack import bound, open_raw, reason, too_large, whole
from royaltycli.errors import DocumentError
from royaltycli.limits import BATCH_BYTES, MiB
from royaltycli.manifest.model import Field, Reading
from royaltycli.manifest.naming import field_text

MOST_ROWS = 1 << 16
AT_ONCE_BYTES, AT_ONCE_ROWS = 64 * MiB, 1 << 20
"""Unpacked size and rows up to which a row group with a dictionary is read as a whole."""

PROBE_BYTES = 1 << 16
"""How much is read at a time where only a dictionary is looked at, and not the pages behind it."""

FAILURES = (pa.ArrowException, OSError, ValueError, KeyError)
"""What pyarrow raises for a broken file, depending on where it breaks."""


def row_group_sizes(file: File) -> list[int]:
    """Bytes of each row group in a plain Parquet file. Raises DocumentError."""
    with _opened(file) as raw:
        metadata = _parquet(file, raw).metadata
        return [_packed_size(metadata.row_group(group)) for group in range(metadata.num_row_groups)]


def row_group_bytes(piece: Piece) -> tuple[range, range]:
    """Where the row groups of a piece lie in a plain Parquet file, and where its footer. Raises DocumentError."""
    file = piece.file
    with _opened(file) as raw:
        metadata = _parquet(file, raw).metadata
        groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)[piece.start : piece.stop]]
        chunks = [group.column(index) for group in groups for index in range(group.num_columns)]
        starts = [
            min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset) for chunk in chunks
        ]
        ends = [start + chunk.total_compressed_size for start, chunk in zip(starts, chunks, strict=True)]
        footer = range(max(0, file.size - 8 - metadata.serialized_size), file.size)
        return range(min(starts, default=0), max(ends, default=0)), footer


def read_parquet(piece: Piece, fields: Fields, reading: Reading) -> Iterator[Batch]:
    """The documents of a Parquet file, or of some of its row groups.

    A null text is an empty document. Raises DocumentError for a broken file or a missing column.
    """
    file = piece.file
    left = bound(file)
    with _opened(file) as raw:
        parquet = _parquet(file, raw)
        _check_columns(file, parquet.schema_arrow, fields)
        metadata = parquet.metadata
        groups = range(metadata.num_row_groups)[piece.start : piece.stop]
        row = 1 + sum(metadata.row_group(group).num_rows for group in range(piece.start))
        for group in groups:
            packed = _packed_size(metadata.row_group(group))
            try:
                for table in _tables(file, raw, metadata, group, fields.all()):
                    batch = _batch(file, table, row, packed, fields, reading)
                    columns = (batch.texts, batch.sources, batch.holders)
                    left -= sum(column.nbytes for column in columns if column is not None)
                    if left < 0:
                        raise too_large(file)
                    yield batch
                    row, packed = row + table.num_rows, 0
            except FAILURES as error:
                raise _broken(file, error, row) from error


def read_columns(file: File, choose: Callable[[pa.Schema], Sequence[str]]) -> Iterator[pa.RecordBatch]:
    """The columns of a Parquet file that `choose` names by its schema, in batches as documents are read.

    Raises DocumentError for a broken file, and what `choose` raises.
    """
    left, row = bound(file), 1
    with _opened(file) as raw:
        parquet = _parquet(file, raw)
        fields = [(name,) for name in choose(parquet.schema_arrow)]
        for group in range(parquet.metadata.num_row_groups):
            try:
                for coded in _tables(file, raw, parquet.metadata, group, fields):
                    columns = {name: _without_dictionary(coded.column(name)) for (name,) in fields}
                    left -= sum(column.nbytes for column in columns.values())
                    if left < 0:
                        raise too_large(file)
                    yield pa.RecordBatch.from_pydict(columns)
                    row += coded.num_rows
            except FAILURES as error:
                raise _broken(file, error, row) from error


def _opened(file: File) -> Any:
    """The bytes of a Parquet file, open. Raises DocumentError."""
    return open_raw(file) if file.compression is None else pa.BufferReader(whole(file))


def _parquet(file: File, raw: Any, **options: Any) -> pq.ParquetFile:
    """What `raw` holds, as Parquet, of which no more is read than is asked for. Raises DocumentError if it is none."""
    if file.remote and file.compression is None and "metadata" not in options:
        options["metadata"] = _footer(file)
    try:
        return pq.ParquetFile(raw, page_checksum_verification=True, pre_buffer=False, **options)
    except FAILURES as error:
        raise _broken(file, error) from error


@functools.lru_cache(maxsize=4)
def _footer(file: File) -> pq.FileMetaData:
    """The footer of a remote file, which is not asked for again for each of its row groups. Raises DocumentError."""
    with open_raw(file) as raw:
        try:
            return pq.read_metadata(raw)
        except FAILURES as error:
            raise _broken(file, error) from error


def _broken(file: File, error: Exception, row: int = 0) -> DocumentError:
    where = place(file, row) if row else file.name
    return DocumentError(f"{where}: broken Parquet data ({reason(error)}); replace the file")


def _packed_size(group: pq.RowGroupMetaData) -> int:
    return sum(group.column(index).total_compressed_size for index in range(group.num_columns))


def _check_columns(file: File, schema: pa.Schema, fields: Fields) -> None:
    for field in fields.all():
        kind = _kind_of(file, schema, field)
        if field != fields.text and _is_list(kind):
            if not fields.lists:
                raise DocumentError(f"{file.name}: the column {field_text(field)!r} holds lists; {LISTS_MEND}")
            kind = kind.value_type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        named = field != fields.text and pa.types.is_integer(kind)
        if not (named or is_string(kind) or _is_binary(kind) or pa.types.is_null(kind)):
            raise DocumentError(f"{file.name}: the column {field_text(field)!r} holds {kind}, where text should be")


def _kind_of(file: File, schema: pa.Schema, field: Field) -> pa.DataType:
    """The type of a column, or of a field in one. Raises DocumentError if there is none."""
    inner: Any = schema
    if len(schema.get_all_field_indices(field[0])) > 1:
        raise DocumentError(f"{file.name}: the column {field[0]!r} is there twice; keep one of them")
    for depth, name in enumerate(field):
        if inner.get_field_index(name) < 0:
            columns = ", ".join(map(repr, inner.names[:12])) or "none"
            it = f"the column {field_text(field[:depth])!r}" if depth else "it"
            raise DocumentError(f"{file.name}: no column {field_text(field[: depth + 1])!r}; {it} has {columns}")
        inner = inner.field(name).type
        if depth + 1 < len(field) and not pa.types.is_struct(inner):
            where = field_text(field[: depth + 1])
            raise DocumentError(f"{file.name}: the column {where!r} holds {inner}, where fields should be")
    return inner


def _is_list(kind: pa.DataType) -> bool:
    checks = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)
    return any(check(kind) for check in (*checks, pa.types.is_fixed_size_list))


def is_string(kind: pa.DataType) -> bool:
    """Whether a column holds texts, in any of Arrow's forms."""
    return any(check(kind) for check in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_binary(kind: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(check(kind) for check in checks)


def _tables(file: File, raw: Any, metadata: Any, group: int, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    """A row group in batches of about BATCH_BYTES, and never much more memory than DOCUMENT_BYTES.

    A dictionary lets a small file say a long text many times, so its longest entry sets the pace. It is
    found without spreading the dictionary over the rows; a small row group is read in that form at once.
    """
    names = [".".join(field) for field in fields]
    chunks = [metadata.row_group(group).column(index) for index in range(metadata.num_columns)]
    chunks = [chunk for chunk in chunks if any(f"{chunk.path_in_schema}.".startswith(f"{name}.") for name in names)]
    unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
    if unpacked > bound(file):
        raise too_large(file)
    coded = [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page]
    all_rows = metadata.row_group(group).num_rows
    rows = min(MOST_ROWS, BATCH_BYTES * max(1, all_rows) // max(1, unpacked))
    if coded and unpacked <= AT_ONCE_BYTES and all_rows <= AT_ONCE_ROWS:
        parquet = _parquet(file, raw, metadata=metadata, read_dictionary=coded)
        for whole_group in parquet.read_row_group(group, names, use_threads=False).to_batches():
            longest = max(_longest_entry(_value(whole_group, field)) for field in fields)
            step = _at_pace(rows, longest)
            for start in range(0, whole_group.num_rows, step):
                yield whole_group.slice(start, step)
        return
    longest = max((_longest_of_chunk(file, raw, metadata, group, name) for name in coded), default=0)
    parquet = _parquet(file, raw, metadata=metadata)
    yield from parquet.iter_batches(_at_pace(rows, longest), [group], names, use_threads=False)


def _at_pace(rows: int, longest: int) -> int:
    return max(1, min(rows, 8 * BATCH_BYTES // max(1, longest)))


def _longest_of_chunk(file: File, raw: Any, metadata: Any, group: int, column: str) -> int:
    """Bytes of the longest value in a column chunk's dictionary, of which no more than the dictionary is read."""
    parquet = _parquet(file, raw, metadata=metadata, read_dictionary=[column], buffer_size=PROBE_BYTES)
    values = next(parquet.iter_batches(1, [group], [column], use_threads=False), None)
    return 0 if values is None else _longest_entry(values.column(0))


def _longest_entry(values: pa.Array) -> int:
    while not pa.types.is_dictionary(values.type):
        if pa.types.is_struct(values.type):
            values = values.field(0)  # one column chunk was read, so there is but one
        elif _is_list(values.type):
            values = values.values
        else:
            return 0
    if not len(values.dictionary):
        return 0
    return int(pc.max(pc.binary_length(values.dictionary)).as_py() or 0)


def _value(table: pa.RecordBatch, field: Field) -> pa.Array:
    """The column of a field, null where a struct around it is."""
    column = table.column(field[0])
    for name in field[1:]:
        column = pc.struct_field(column, name)
    return column


def _batch(file: File, table: pa.RecordBatch, row: int, packed: int, fields: Fields, reading: Reading) -> Batch:
    rows = range(row, row + table.num_rows)
    texts = _texts(file, _value(table, fields.text), rows, reading).fill_null("")
    return Batch(
        file,
        texts,
        packed,
        None if fields.source is None else _names(file, _value(table, fields.source), rows, reading),
        None if fields.holder is None else _names(file, _value(table, fields.holder), rows, reading),
        rows,
    )


def _names(file: File, column: pa.Array, rows: Sequence[int], reading: Reading) -> pa.Array:
    """A column that names sources or holders: texts, or lists of texts; null where it names none."""
    if not _is_list(column.type):
        return _texts(file, column, rows, reading)
    # Not cast to one kind of list before: Arrow's cast loses the end of list views.
    parents = pc.list_parent_indices(column).to_numpy()
    items = _texts(file, pc.list_flatten(column), (parents + rows[0]).tolist() if len(parents) else (), reading)
    return lists_of(items, parents, len(column))


def _texts(file: File, column: pa.Array, rows: Sequence[int], reading: Reading) -> pa.LargeStringArray:
    """A column as valid UTF-8, nulls kept; `rows` are those of its values. Raises DocumentError with row and byte."""
    column = _without_dictionary(column)
    if is_string(column.type):
        texts = column.cast(pa.large_string())
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            column = texts.cast(pa.large_binary())
        else:
            return texts
    if not _is_binary(column.type):
        return column.cast(pa.large_string())
    values = zip(rows, column.to_pylist(), strict=True)
    decoded = [None if value is None else decode(value, place(file, row), reading) for row, value in values]
    return pa.array(decoded, pa.large_string())


def _without_dictionary(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
