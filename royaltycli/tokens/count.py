"""Counts one shard: reads its documents, digests them, counts them, verifies a sample, and sums by source."""

from __future__ import annotations

import collections
import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.corpus.batches import Batch
from royaltycli.corpus.documents import Owners, read
from royaltycli.corpus.shards import Shard
from royaltycli.errors import DocumentError, RoyaltyError, VerificationError
from royaltycli.limits import BATCH_BYTES
from royaltycli.tokens.buffers import offsets, utf8
from royaltycli.tokens.engines import Engine
from royaltycli.tokens.grouping import rows_of
from royaltycli.tokens.parts import Digests
from royaltycli.tokens.reference import Reference

Tick = Callable[[int, int, int], None]
"""Called with what has come since the last call: bytes of files, tokens, documents."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a shard comes to.

    `rows` are as ROWS says. `verified` tells of each piece how many documents the reference engine recounted; `gave_up`
    how many it could not count in the ordinary way, noted for the first of the pieces that were counted in one go.
    """

    rows: list[pa.RecordBatch]
    verified: list[int]
    gave_up: list[int]


@dataclass(frozen=True, slots=True)
class Counting:
    """How to count: an engine, the reference it is checked against, and the part of the documents that is checked."""

    engine: Engine
    reference: Reference | None
    verify: Fraction
    tick: Tick


def count_shard(shard: Shard, owners: Owners, counting: Counting, check: Callable[[], None]) -> Counted:
    """Counts a shard, and ticks off just the bytes of its pieces. `check` is called before each batch and may raise.

    Raises DocumentError for a document that cannot be read, and VerificationError for one that the
    reference counts otherwise.
    """
    left = sum(piece.packed_bytes for piece in shard.pieces)
    counted = Counted([], [0] * len(shard.pieces), [0] * len(shard.pieces))
    before_in: collections.Counter[int] = collections.Counter()
    for group in _grouped(read(shard.pieces, owners)):
        check()
        batches = [batch for _, batch in group]
        before = counting.reference.gave_up if counting.reference else 0
        texts = batches[0].texts if len(batches) == 1 else pa.concat_arrays([batch.texts for batch in batches])
        piece_of = np.concatenate([number + np.arange(len(batch.texts)) * bool(batch.files) for number, batch in group])
        digests = digest_documents(texts)
        counts = _count(texts, batches, counting.engine)
        sizes = np.diff(offsets(texts))
        always = shard.first and not any(counted.verified)
        for document in _verified(batches, texts, digests, counts, counting, always=always):
            counted.verified[piece_of[document]] += 1
        counted.gave_up[group[0][0]] += counting.reference.gave_up - before if counting.reference else 0
        start = 0
        for number, batch in group:
            part = slice(start, start + len(batch.texts))
            owner = owners[batch.file.owner]
            rows = rows_of(number, before_in[number], batch, owner, sizes[part], counts[part], digests[part])
            counted.rows.append(rows)
            before_in[number] += len(batch.texts)
            start = part.stop
        packed = min(left, sum(batch.packed_bytes for batch in batches))
        left -= packed
        counting.tick(packed, int(counts.sum()), len(counts))
    counting.tick(left, 0, 0)  # what held no document, such as the end of a line that began before
    return counted


def _count(texts: pa.LargeStringArray, batches: list[Batch], engine: Engine) -> Numbers:
    try:
        return engine.count(texts)
    except (RoyaltyError, MemoryError):
        raise
    except BaseException as error:  # engines written in Rust panic with a BaseException of their own
        place, kind = batches[0].place(0), type(error).__name__
        raise DocumentError(f"{place}: the counting engine failed here or soon after ({kind}: {error})") from error


def _grouped(batches: Iterator[tuple[int, Batch]]) -> Iterator[list[tuple[int, Batch]]]:
    """Batches of about BATCH_BYTES together, so that many small files are counted at once."""
    group: list[tuple[int, Batch]] = []
    size = 0
    for number, batch in batches:
        if group and size + batch.texts.nbytes > BATCH_BYTES:
            yield group
            group, size = [], 0
        group.append((number, batch))
        size += batch.texts.nbytes
    if group:
        yield group


def digest_documents(texts: pa.LargeStringArray) -> Digests:
    """The SHA-256 of each text's UTF-8 bytes, a row of 32 bytes each."""
    ends = (offsets(texts) - offsets(texts)[0]).tolist()
    data = utf8(texts).data
    sha256 = hashlib.sha256
    digests = b"".join([sha256(data[start:end]).digest() for start, end in itertools.pairwise(ends)])
    return np.frombuffer(digests, dtype=np.uint8).reshape(len(texts), 32)


def sampled(digests: Digests, rate: Fraction) -> npt.NDArray[np.intp]:
    """The documents to verify: those whose digest, as a fraction of all digests, lies below the rate.

    The choice depends on the documents alone, so it is the same in every scan.
    """
    if rate >= 1:
        return np.arange(len(digests))
    first = np.ascontiguousarray(digests[:, :8]).view(">u8").ravel()
    return np.flatnonzero(first < np.uint64(int(rate * 2**64)))


def _verified(
    batches: list[Batch],
    texts: pa.LargeStringArray,
    digests: Digests,
    counts: Numbers,
    counting: Counting,
    *,
    always: bool,
) -> list[int]:
    """The documents that were sampled and recounted, `always` at least one: that of the smallest digest.

    Raises VerificationError.
    """
    if counting.reference is None or not counting.verify or not len(counts):
        return []
    chosen: list[int] = sampled(digests, counting.verify).tolist()
    if always and not chosen:
        chosen = np.lexsort(digests.T[::-1])[:1].tolist()
    for document in chosen:
        expected = counting.reference.count(texts[document].as_py())
        if expected != counts[document]:
            place, name = _place(batches, document), counting.reference.name
            raise VerificationError(
                f"{place}: counted {counts[document]:,} tokens, but {name} counts {expected:,}; nothing was written; "
                f"scan with `--engine {name}` and report this document"
            )
    return chosen


def _place(batches: list[Batch], document: int) -> str:
    for batch in batches:
        if document < len(batch.texts):
            return batch.place(document)
        document -= len(batch.texts)
    raise IndexError(document)
