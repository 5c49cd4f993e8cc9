"""From the pieces of a shard to batches of documents: the one door to the readers of all formats."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping

from royaltycli.corpus.batches import Batch, Fields
from royaltycli.corpus.naming import named
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.unpack import check_unchanged
from royaltycli.errors import DocumentError
from royaltycli.manifest.model import Collection, Owner, Source

Owners = Mapping[int, Owner]
"""The sources and collections that files belong to, by their place in the manifest."""


def read(pieces: Iterable[Piece], owners: Owners) -> Iterator[tuple[int, Batch]]:
    """The documents of some pieces, in their order, each read as its source or collection says.

    With each batch comes which of the pieces it is of, from 0; where it is of several files, one document
    each, the first of them. Memory stays within a few batches, or one document where that is longer.
    Raises DocumentError, also where a file changes while it is read.
    """
    numbered = enumerate(pieces)
    for (index, whole), group in itertools.groupby(numbered, key=lambda item: (item[1].file.owner, _is_whole(item[1]))):
        owner = owners[index]
        for number, batch in _texts(group, owner) if whole else _rows(group, owner):
            if owner.reading.strip == "html" and batch.file.format != "warc":
                from royaltycli.corpus.html import visible_texts

                yield number, dataclasses.replace(batch, texts=visible_texts(batch.texts, batch.place))
            else:
                yield number, batch


def _is_whole(piece: Piece) -> bool:
    """Whether a file is one document."""
    return piece.file.format in ("text", "html")


def _texts(pieces: Iterable[tuple[int, Piece]], owner: Owner) -> Iterator[tuple[int, Batch]]:
    from royaltycli.corpus.text import read_texts

    numbers, files = zip(*((number, piece.file) for number, piece in pieces), strict=True)
    number = numbers[0]
    for batch in read_texts(files, owner.reading):
        yield number, batch
        number += len(batch.files)


def _rows(pieces: Iterable[tuple[int, Piece]], owner: Owner) -> Iterator[tuple[int, Batch]]:
    fields = fields_of(owner)
    for number, piece in pieces:
        if piece.file.format == "jsonl":
            from royaltycli.corpus.jsonl import read_jsonl

            batches = read_jsonl(piece, fields, owner.reading)
        elif piece.file.format == "parquet":
            from royaltycli.corpus.parquet import read_parquet

            batches = read_parquet(piece, fields, owner.reading)
        else:
            from royaltycli.corpus.warc import read_warc

            batches = read_warc(piece, fields, owner.reading)
        try:
            for batch in batches:
                yield number, named(batch, owner) if isinstance(owner, Collection) else batch
        except DocumentError:
            check_unchanged(piece.file)  # or a good line would be blamed for what a change tore apart
            raise
        check_unchanged(piece.file)


def fields_of(owner: Owner) -> Fields:
    """The fields that a source or collection reads from JSONL, Parquet and web archives."""
    if isinstance(owner, Source):
        return Fields(owner.reading.text)
    holder = None if owner.holder is None else owner.holder.field
    return Fields(owner.reading.text, owner.source.field or None, holder, owner.lists is not None)
