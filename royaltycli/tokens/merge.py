"""From partial tables to the token table: each source's rows are summed in the order of the corpus."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from royaltycli.corpus.pieces import Piece
from royaltycli.manifest.identifiers import encode_value, source_id
from royaltycli.manifest.model import Collection, Corpus, HolderShare, Source
from royaltycli.numerals import plain, plain_fraction
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.grouping import two_holders
from royaltycli.tokens.partials import Kept, rows_in, rows_with
from royaltycli.tokens.table import SCHEMA, SCHEMA_VERSION, lists_text, with_metadata

TABLES_OPEN = 8
"""Partial tables held in memory while the corpus is gone through, as what was counted later lies in others."""

Key = tuple[int, str | None]
"""A source: the index of its owner in the manifest, and for a collection the value that names it."""


@dataclass(slots=True)
class _Row:
    """A source as its rows are merged; `digest` takes its documents' digests in the order of the corpus."""

    holder: str | None
    file: str
    documents: int = 0
    bytes: int = 0
    tokens: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def token_table(corpus: Corpus, pieces: Sequence[tuple[Piece, Kept]], encoding: Encoding) -> pa.Table:
    """The token table of a corpus, from all its pieces and where the rows of each are.

    Raises DocumentError if documents of one source name two holders, and TableError if a partial table
    was lost meanwhile.
    """
    return _table(corpus, (*corpus.sources, *corpus.collections), _merged(corpus, pieces), encoding)


def _merged(corpus: Corpus, pieces: Iterable[tuple[Piece, Kept]]) -> dict[Key, _Row]:
    """The rows of all pieces by source, in the order of the corpus. Raises DocumentError for two holders."""
    rows: dict[Key, _Row] = {(index, None): _Row(None, "") for index in range(len(corpus.sources))}
    read = functools.lru_cache(maxsize=TABLES_OPEN)(rows_in)
    for run in _runs(pieces):
        first = run[0][1].number
        part = rows_with(read(run[0][1].path), first, first + len(run) - 1)
        for number, *values in zip(*(part[name].to_pylist() for name in part.column_names), strict=True):
            file = run[number - first][0].file
            _merge(rows, (file.owner, values[0]), file.name, *values[1:])
    return rows


def _runs(pieces: Iterable[tuple[Piece, Kept]]) -> Iterator[list[tuple[Piece, Kept]]]:
    """Pieces that stand side by side in the corpus and in one partial table."""
    pending: list[tuple[Piece, Kept]] = []
    for piece, kept in pieces:
        if pending:
            before = pending[-1][1]
            if (kept.path, kept.number) != (before.path, before.number + 1):
                yield pending
                pending = []
        pending.append((piece, kept))
    if pending:
        yield pending


def _merge(
    rows: dict[Key, _Row],
    key: Key,
    file: str,
    holder: str | None,
    documents: int,
    size: int,
    tokens: int,
    digests: bytes,
) -> None:
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row(holder, file)
    elif row.holder != holder:
        raise two_holders(file, key[1] or "", holder, row.holder, row.file)
    row.documents += documents
    row.bytes += size
    row.tokens += tokens
    row.digest.update(digests)


def _table(
    corpus: Corpus, owners: tuple[Source | Collection, ...], rows: dict[Key, _Row], encoding: Encoding
) -> pa.Table:
    names = {holder.id: holder.name for holder in corpus.holders}
    listed = []
    for (index, value), row in rows.items():
        owner = owners[index]
        if isinstance(owner, Collection):
            identifier, title = source_id(owner.id, value), None
        else:
            identifier, title = owner.id, owner.title
        holders = _holders(owner.holders, names) if row.holder is None else [_named_holder(row.holder, names)]
        listed.append((identifier, title, holders, owner, row))
    listed.sort(key=lambda entry: entry[0])
    columns = {
        "source_id": [entry[0] for entry in listed],
        "title": [entry[1] for entry in listed],
        "holders": [entry[2] for entry in listed],
        "license": [entry[3].license for entry in listed],
        "documents": [entry[4].documents for entry in listed],
        "bytes": [entry[4].bytes for entry in listed],
        "tokens": [entry[4].tokens for entry in listed],
        "epochs": [plain(entry[3].epochs) for entry in listed],
        "digest": [entry[4].digest.digest() for entry in listed],
    }
    return with_metadata(
        pa.table(columns, schema=SCHEMA),
        schema=SCHEMA_VERSION,
        tool=f"royaltycli {version('royaltycli')}",
        corpus=corpus.name,
        manifest_sha256=corpus.digest,
        lists_sha256=lists_text(corpus.lists),
        encoding=encoding.name,
        vocabulary_sha256=encoding.digest,
        pattern=encoding.pattern or None,
        train_tokens=None if corpus.train_tokens is None else plain(corpus.train_tokens),
    )


def _holders(shares: tuple[HolderShare, ...], names: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"id": part.holder, "name": names.get(part.holder, part.holder), "share": plain_fraction(part.share)}
        for part in shares
    ]


def _named_holder(value: str, names: dict[str, str]) -> dict[str, str]:
    """A holder that a field names: the value as id, and as name what the manifest says or the value as it stands."""
    identifier = encode_value(value)
    return {"id": identifier, "name": names.get(identifier, value), "share": "1"}
