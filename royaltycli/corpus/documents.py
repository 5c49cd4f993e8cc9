"""From a piece of a file to batches of documents: the one door to the readers of all formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from royaltycli.corpus.batches import Batch, Fields
from royaltycli.corpus.pieces import Piece
from royaltycli.manifest.model import Collection, Source


def read(piece: Piece, owner: Source | Collection) -> Iterator[Batch]:
    """The documents of a piece, in file order, read as its source or collection says.

    Memory stays within a few batches, or one document where that is longer. Raises DocumentError.
    """
    for batch in _read_as_it_stands(piece, owner):
        if owner.reading.strip == "html":
            from royaltycli.corpus.html import visible_texts

            yield dataclasses.replace(batch, texts=visible_texts(batch.texts, batch.place))
        else:
            yield batch


def _read_as_it_stands(piece: Piece, owner: Source | Collection) -> Iterator[Batch]:
    fields = fields_of(owner)
    if piece.file.format == "jsonl":
        from royaltycli.corpus.jsonl import read_jsonl

        yield from read_jsonl(piece, fields, owner.reading)
    elif piece.file.format == "parquet":
        from royaltycli.corpus.parquet import read_parquet

        yield from read_parquet(piece, fields, owner.reading)
    else:
        from royaltycli.corpus.text import read_text

        yield read_text(piece.file, owner.reading)


def fields_of(owner: Source | Collection) -> Fields:
    """The fields that a source or collection reads from JSONL and Parquet."""
    if isinstance(owner, Collection):
        return Fields(owner.reading.text, owner.source_field, owner.holder_field)
    return Fields(owner.reading.text)
