"""From documents to tokens: what is read of one shard of the corpus, and kept for the models (rule U1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.attribution import folder
from royaltycli.attribution.copies import Sketches, sketches
from royaltycli.attribution.digests import digest_of_text
from royaltycli.corpus.batches import Batch
from royaltycli.corpus.contents import content_of
from royaltycli.corpus.documents import Owners, read
from royaltycli.corpus.shards import Shard
from royaltycli.corpus.unpack import check_unchanged
from royaltycli.manifest.identifiers import source_id
from royaltycli.manifest.model import Owner, Source
from royaltycli.storage import read_sealed, write_part
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.engines import Engine, Ids
from royaltycli.tokens.ids import source_ids
from royaltycli.tokens.partials import settings_of

READ = "read"

DOCUMENTS = pa.schema(
    [("place", pa.string()), ("sources", pa.list_(pa.string())), ("tokens", pa.int64()), ("digest", pa.uint64())]
)
"""The documents of a shard, in the order of the corpus: where each stands, whose it is, its tokens, and the digest of
its text."""


@dataclass(frozen=True, slots=True)
class Text:
    """What was read of a shard: the tokens of all documents, one after the other, and DOCUMENTS."""

    tokens: Ids
    documents: pa.Table


def key_of(shard: Shard, owners: Owners, encoding: Encoding) -> str:
    """The digest of all that the text of a shard depends on. Raises DocumentError."""
    said: list[object] = [folder.VERSION]
    for piece in shard.pieces:
        owner = owners[piece.file.owner]
        settings = settings_of(piece.file, owner, encoding)
        said.append([owner.id, piece.file.name, piece.start, piece.stop, content_of(piece), settings])
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def read_shard(
    index: Path, shard: Shard, key: str, owners: Owners, engine: Engine, tick: Callable[[int], None]
) -> None:
    """Read a shard into the folder of an index, and tick off its bytes.

    Raises DocumentError, also where a file changes meanwhile, and OutputError.
    """
    tokens, counts = [np.empty(0, np.uint32)], [np.empty(0, np.int64)]
    places: list[str] = []
    sources: list[list[str]] = []
    digests: list[int] = []
    for _, batch in read(shard.pieces, owners):
        ids, lengths = engine.encode(without_blank(batch.texts))
        tokens.append(ids)
        counts.append(lengths)
        places += map(batch.place, range(len(lengths)))
        sources += sources_of(batch, owners[batch.file.owner])
        digests += map(digest_of_text, batch.texts.to_pylist())
        tick(batch.packed_bytes)
    for piece in shard.pieces:
        check_unchanged(piece.file)
    flat, lengths = np.concatenate(tokens), np.concatenate(counts)
    place = folder.emptied(index / READ / key)
    folder.save(place, "tokens", flat)
    folder.save(place, "sketches", sketches(flat, lengths))
    write_part(place / "documents.parquet", pa.table([places, sources, lengths, digests], schema=DOCUMENTS))
    folder.finish(place)


def without_blank(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """The texts, empty where there is nothing but blanks, of which nobody is the source."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), "", texts).cast(pa.large_string())


def is_read(index: Path, key: str) -> bool:
    """Whether a shard has been read already."""
    return folder.is_whole(index / READ / key)


def text_of(index: Path, key: str) -> Text:
    """What was read of a shard. Raises AttributionError and TableError."""
    return Text(folder.load(index / READ / key, "tokens"), documents_of(index, key))


def documents_of(index: Path, key: str) -> pa.Table:
    """The documents of a shard. Raises TableError."""
    return read_sealed(index / READ / key / "documents.parquet")


def sketches_of(index: Path, key: str) -> Sketches:
    """The sketches of a shard's documents. Raises AttributionError."""
    return folder.load(index / READ / key, "sketches")


def sources_of(batch: Batch, owner: Owner) -> Iterator[list[str]]:
    """The ids of the sources of each document: several where it names several."""
    if isinstance(owner, Source) or batch.sources is None:
        yield from ([owner.id] for _ in range(len(batch.texts)))
        return
    names = batch.sources.cast(pa.large_string())
    owners = pa.repeat(pa.scalar(owner.id, pa.large_string()), len(names))
    nameless = pa.repeat(pa.scalar(source_id(owner.id, None), pa.large_string()), len(names))
    ids: list[str] = source_ids(owners, names, nameless).to_pylist()
    if batch.parts is None:
        yield from ([one] for one in ids)
        return
    ends = np.searchsorted(batch.parts, np.arange(len(batch.texts)), "right")
    start = 0
    for end in ends.tolist():
        yield ids[start:end]
        start = end
