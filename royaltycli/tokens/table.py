"""`tokens.parquet`: one row per source, in the order of the source ids, and what is needed to check it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from royaltycli.errors import CallError, TableError
from royaltycli.numerals import parse_amount
from royaltycli.storage import SEAL_KEY, read_sealed

SCHEMA_VERSION = "2"

READABLE = ("1", SCHEMA_VERSION)
"""Tables of version 1 have no credited tokens: every copy counted."""

HOLDERS = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string()), ("share", pa.string())]))

SCHEMA = pa.schema(
    [
        ("source_id", pa.string()),
        ("title", pa.string()),
        ("holders", HOLDERS),
        ("license", pa.string()),
        ("documents", pa.int64()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("epochs", pa.string()),
        ("digest", pa.binary(32)),
        ("credited_tokens", pa.int64()),
    ]
)
"""The columns, as docs/files.md describes them."""

CREDITED = "credited_tokens"

PREFIX = "royalty."


def metadata_of(table: pa.Table) -> dict[str, str]:
    """What a token table says about itself, by name without the prefix, such as `encoding` or `train_tokens`."""
    raw: dict[bytes, bytes] = table.schema.metadata or {}
    own = {key: value for key, value in raw.items() if key.startswith(PREFIX.encode()) and key != SEAL_KEY}
    return {key.decode().removeprefix(PREFIX): value.decode() for key, value in own.items()}


def run_of(table: pa.Table) -> Decimal | None:
    """The size of the whole run in seen tokens, if the manifest stated it. Raises CallError for what is no number."""
    written = metadata_of(table).get("train_tokens")
    return None if written is None else parse_amount(written, "total tokens")


def with_metadata(table: pa.Table, **entries: str | None) -> pa.Table:
    """The table with these entries as its metadata, in this order, those that are None left out."""
    metadata = {PREFIX + key: value for key, value in entries.items() if value is not None}
    return table.replace_schema_metadata(metadata)


def read_tokens(path: Path) -> pa.Table:
    """Read a token table. Raises TableError if it is missing, damaged, or of another version."""
    table = read_sealed(path)
    check_tokens(table, str(path))
    return with_credits(table)


def check_tokens(table: pa.Table, name: str) -> None:
    """Raises TableError if `table` is no token table of this version."""
    version = metadata_of(table).get("schema")
    if version is None:
        raise TableError(f"{name} is no token table; name one that `royalty scan` wrote")
    if version not in READABLE:
        raise TableError(
            f"{name} has schema version {version}, where this version of royalty reads {' and '.join(READABLE)}; "
            "run `royalty scan` again"
        )
    for column in SCHEMA:
        if column.name == CREDITED and version == "1":
            continue
        if table.schema.get_field_index(column.name) < 0:
            raise TableError(f"{name} has no column {column.name!r}; run `royalty scan` again")


def with_credits(table: pa.Table) -> pa.Table:
    """A token table with the column of credited tokens; one that has none credits every copy."""
    if CREDITED in table.column_names or "tokens" not in table.column_names:
        return table
    return table.append_column(pa.field(CREDITED, table.schema.field("tokens").type), table["tokens"])


def as_tokens(table: pa.Table) -> pa.Table:
    """A table that other programs may have had in hand, with the columns that payouts rest on in our types.

    Raises CallError for what is no table, and TableError for a column that is there twice, or whose type cannot be had
    without loss.
    """
    if not isinstance(table, pa.Table):
        raise CallError(f"tokens is {table!r:.80}, but must be a table; `royaltycli.read_tokens(path)` reads one")
    for field in SCHEMA:
        if field.name == "digest" or field.name not in table.column_names:
            continue  # all others are what shares may rest on
        if table.column_names.count(field.name) > 1:
            raise TableError(f"the token table has the column {field.name} twice; keep one of them")
        column = table[field.name]
        if column.type != field.type:
            at = table.schema.get_field_index(field.name)
            table = table.set_column(at, field, _cast(field, column))
    return with_credits(table)


def _cast(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in the type that it should have. Binary floats are never taken: they are rarely what was meant."""
    refused = [pa.types.is_floating, pa.types.is_boolean]
    if field.type == pa.int64():  # of a text, Arrow would take "0x10" for a number
        refused += [pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view]
    try:
        if not any(is_refused(kind) for kind in _leaves(column.type) for is_refused in refused):
            return column.cast(field.type)
    except pa.ArrowException:
        pass
    ours = "int64" if field.type == pa.int64() else "text"
    if field.type == HOLDERS:
        ours = "lists of id, name and share as text"
    raise TableError(
        f"the column {field.name} is of type {column.type}, which does not become {ours} without loss; "
        "scan the corpus again"
    )


def _leaves(kind: pa.DataType) -> Iterator[pa.DataType]:
    """The types that a nested type is made of."""
    if pa.types.is_dictionary(kind):
        yield from _leaves(kind.value_type)
    elif kind.num_fields:
        for index in range(kind.num_fields):
            yield from _leaves(kind.field(index).type)
    else:
        yield kind


def lists_text(lists: tuple[tuple[str, str], ...]) -> str | None:
    """The digests of a manifest's list files as one JSON text, or None if it has none."""
    digests: dict[str, Any] = dict(lists)
    return json.dumps(digests, sort_keys=True, ensure_ascii=False) if digests else None
