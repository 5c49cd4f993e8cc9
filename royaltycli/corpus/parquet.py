"""Parquet: one document a row, read as Arrow batches from the columns asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from royaltycli.corpus.batches import Batch, Fields, Numbering, place
from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.text import decode
from royaltycli.corpus.unpack import bound, open_raw, reason, too_large, whole
from royaltycli.errors import DocumentError
from royaltycli.limits import BATCH_BYTES
from royaltycli.manifest.model import Reading

MOST_ROWS = 1 << 16
FAILURES = (pa.ArrowException, OSError, ValueError, KeyError)
"""What pyarrow raises for a broken file, depending on where it breaks."""


def row_group_sizes(file: File) -> list[int]:
    """Bytes of each row group in a plain Parquet file. Raises DocumentError."""
    with _opened(file) as parquet:
        groups = range(parquet.metadata.num_row_groups)
        return [_packed_size(parquet.metadata.row_group(group)) for group in groups]


def read_parquet(piece: Piece, fields: Fields, reading: Reading) -> Iterator[Batch]:
    """The documents of a Parquet file, or of some of its row groups.

    A null text is an empty document. Raises DocumentError for a broken file, a missing column, or a row
    that names no source.
    """
    file = piece.file
    left = bound(file)
    with _opened(file) as parquet:
        _check_columns(file, parquet.schema_arrow, fields)
        groups = range(parquet.metadata.num_row_groups)[piece.start : piece.stop]
        row = 1 + sum(parquet.metadata.row_group(group).num_rows for group in range(piece.start))
        for group in groups:
            packed = _packed_size(parquet.metadata.row_group(group))
            rows = _rows_at_once(file, parquet, group, fields)
            try:
                for table in parquet.iter_batches(rows, [group], fields.names(), use_threads=False):
                    left -= table.nbytes
                    if left < 0:
                        raise too_large(file)
                    yield _batch(file, table, row, packed, fields, reading)
                    row, packed = row + table.num_rows, 0
            except FAILURES as error:
                raise _broken(file, error, row) from error


@contextlib.contextmanager
def _opened(file: File, as_dictionary: list[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A Parquet file, closed at the end. Raises DocumentError if it is none."""
    with open_raw(file) if file.compression is None else pa.BufferReader(whole(file)) as raw:
        try:
            parquet = pq.ParquetFile(raw, page_checksum_verification=True, read_dictionary=as_dictionary)
        except FAILURES as error:
            raise _broken(file, error) from error
        yield parquet


def _broken(file: File, error: Exception, row: int = 0) -> DocumentError:
    where = place(file, row) if row else file.name
    return DocumentError(f"{where}: broken Parquet data ({reason(error)}); replace the file")


def _packed_size(group: pq.RowGroupMetaData) -> int:
    return sum(group.column(index).total_compressed_size for index in range(group.num_columns))


def _check_columns(file: File, schema: pa.Schema, fields: Fields) -> None:
    for name in fields.names():
        if schema.get_field_index(name) < 0:
            columns = ", ".join(repr(column) for column in schema.names[:12]) or "none"
            raise DocumentError(f"{file.name}: no column {name!r}; it has {columns}")
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        named = name != fields.text and pa.types.is_integer(kind)
        if not (named or _is_text(kind) or pa.types.is_null(kind)):
            raise DocumentError(f"{file.name}: the column {name!r} holds {kind}, where text should be")


def _is_text(kind: pa.DataType) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in checks) or _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(check(kind) for check in checks)


def _rows_at_once(file: File, parquet: pq.ParquetFile, group: int, fields: Fields) -> int:
    """How many rows make a batch of about BATCH_BYTES, and never much more memory than DOCUMENT_BYTES.

    A dictionary lets a small file say a long text many times, so the longest entry sets the pace.
    """
    metadata = parquet.metadata.row_group(group)
    unpacked = longest = 0
    for index in range(metadata.num_columns):
        column = metadata.column(index)
        if column.path_in_schema in fields.names():
            unpacked += column.total_uncompressed_size
            if column.has_dictionary_page:
                longest = max(longest, _longest_entry(file, group, column.path_in_schema))
    if unpacked > bound(file):
        raise too_large(file)
    rows = BATCH_BYTES * max(1, metadata.num_rows) // max(1, unpacked)
    if longest:
        rows = min(rows, max(1, 8 * BATCH_BYTES // longest))
    return int(max(1, min(rows, MOST_ROWS)))


def _longest_entry(file: File, group: int, column: str) -> int:
    """Bytes of the longest value in a column chunk's dictionary, read without spreading it over the rows."""
    with _opened(file, as_dictionary=[column]) as parquet:
        try:
            values = next(parquet.iter_batches(1, [group], [column], use_threads=False)).column(0)
        except FAILURES as error:
            raise _broken(file, error) from error
        except StopIteration:
            return 0
    if not pa.types.is_dictionary(values.type) or not len(values.dictionary):
        return 0
    longest = pc.max(pc.binary_length(values.dictionary)).as_py()
    return int(longest or 0)


def _batch(file: File, table: pa.RecordBatch, row: int, packed: int, fields: Fields, reading: Reading) -> Batch:
    texts = _texts(file, table.column(fields.text), row, reading).fill_null("")
    return Batch(
        file,
        texts,
        packed,
        None if fields.source is None else _names(file, table, fields.source, row, reading),
        None if fields.holder is None else _names(file, table, fields.holder, row, reading),
        Numbering(range(row, row + table.num_rows)),
    )


def _names(file: File, table: pa.RecordBatch, column: str, row: int, reading: Reading) -> pa.Array:
    """A column that names sources or holders. Raises DocumentError at a null."""
    names = _texts(file, table.column(column), row, reading)
    if names.null_count:
        first = row + int(np.flatnonzero(names.is_null().to_numpy(zero_copy_only=False))[0])
        raise DocumentError(
            f"{place(file, first)}: the column {column!r} is null, where a name should be; mend the row"
        )
    return names


def _texts(file: File, column: pa.Array, row: int, reading: Reading) -> pa.LargeStringArray:
    """A column as valid UTF-8, nulls kept. Raises DocumentError that names row and byte."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type) and not _is_binary(column.type):
        texts = column.cast(pa.large_string())
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            column = texts.cast(pa.large_binary())
        else:
            return texts
    if not _is_binary(column.type):
        return column.cast(pa.large_string())
    values = enumerate(column.to_pylist())
    decoded = [None if value is None else decode(value, place(file, row + index), reading) for index, value in values]
    return pa.array(decoded, pa.large_string())
