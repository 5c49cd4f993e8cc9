"""`tokens.parquet`: one row per source, in the order of the source ids, and what is needed to check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from royaltycli.errors import TableError
from royaltycli.storage import SEAL_KEY, read_sealed, write_parquet

SCHEMA_VERSION = "1"

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
    ]
)
"""The columns, as docs/files.md describes them."""

PREFIX = "royalty."


def metadata_of(table: pa.Table) -> dict[str, str]:
    """What a token table says about itself, by name without the prefix, such as `encoding` or `train_tokens`."""
    raw: dict[bytes, bytes] = table.schema.metadata or {}
    pairs = {key.decode(): value.decode() for key, value in raw.items() if key != SEAL_KEY}
    return {key.removeprefix(PREFIX): value for key, value in pairs.items() if key.startswith(PREFIX)}


def with_metadata(table: pa.Table, **entries: str | None) -> pa.Table:
    """The table with these entries as its metadata, in this order, those that are None left out."""
    metadata = {PREFIX + key: value for key, value in entries.items() if value is not None}
    return table.replace_schema_metadata(metadata)


def write_tokens(path: Path, table: pa.Table) -> None:
    """Write a token table. Raises OutputError; what was at `path` is then unchanged."""
    write_parquet(path, table)


def read_tokens(path: Path) -> pa.Table:
    """Read a token table. Raises TableError if it is missing, damaged, or of another version."""
    table = read_sealed(path)
    check_tokens(table, str(path))
    return table


def check_tokens(table: pa.Table, name: str) -> None:
    """Raises TableError if `table` is no token table of this version."""
    version = metadata_of(table).get("schema")
    if version is None:
        raise TableError(f"{name} is no token table; name one that `royalty scan` wrote")
    if version != SCHEMA_VERSION:
        raise TableError(
            f"{name} has schema version {version}, where this version of royalty reads {SCHEMA_VERSION}; "
            "run `royalty scan` again"
        )
    for column in SCHEMA:
        if table.schema.get_field_index(column.name) < 0:
            raise TableError(f"{name} has no column {column.name!r}; run `royalty scan` again")


def lists_text(lists: tuple[tuple[str, str], ...]) -> str | None:
    """The digests of a manifest's list files as one JSON text, or None if it has none."""
    digests: dict[str, Any] = dict(lists)
    return json.dumps(digests, sort_keys=True, ensure_ascii=False) if digests else None
