"""From the pieces of a shard to batches of documents: the one door to the readers of all formats."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping

from royaltycli.corpus.batches import Batch, Fields
from royaltycli.corpus.pieces import Piece
from royaltycli.manifest.model import Collection, Source

Owners = Mapping[int, Source | Collection]
"""The sources and collections that files belong to, by their place in the manifest."""


def read(pieces: Iterable[Piece], owners: Owners) -> Iterator[Batch]:
    """The documents of some pieces, in their order, each read as its source or collection says.

    Memory stays within a few batches, or one document where that is longer. Raises DocumentError.
    """
    for (index, whole), group in itertools.groupby(pieces, key=lambda piece: (piece.file.owner, _is_whole(piece))):
        owner = owners[index]
        for batch in _texts(group, owner) if whole else _rows(group, owner):
            if owner.reading.strip == "html":
                from royaltycli.corpus.html import visible_texts

                yield dataclasses.replace(batch, texts=visible_texts(batch.texts, batch.place))
            else:
                yield batch


def _is_whole(piece: Piece) -> bool:
    """Whether a file is one document."""
    return piece.file.format in ("text", "html")


def _texts(pieces: Iterable[Piece], owner: Source | Collection) -> Iterator[Batch]:
    from royaltycli.corpus.text import read_texts

    yield from read_texts([piece.file for piece in pieces], owner.reading)


def _rows(pieces: Iterable[Piece], owner: Source | Collection) -> Iterator[Batch]:
    fields = fields_of(owner)
    for piece in pieces:
        if piece.file.format == "jsonl":
            from royaltycli.corpus.jsonl import read_jsonl

            yield from read_jsonl(piece, fields, owner.reading)
        else:
            from royaltycli.corpus.parquet import read_parquet

            yield from read_parquet(piece, fields, owner.reading)


def fields_of(owner: Source | Collection) -> Fields:
    """The fields that a source or collection reads from JSONL and Parquet."""
    if isinstance(owner, Collection):
        return Fields(owner.reading.text, owner.source_field, owner.holder_field)
    return Fields(owner.reading.text)
