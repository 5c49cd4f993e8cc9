"""Counts one shard: reads its documents, digests them, counts them, verifies a sample, and sums by source."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.corpus.batches import Batch
from royaltycli.corpus.documents import Owners, read
from royaltycli.corpus.shards import Shard
from royaltycli.errors import DocumentError, RoyaltyError, VerificationError
from royaltycli.limits import BATCH_BYTES, NAME_LENGTH
from royaltycli.manifest.model import Collection, Source
from royaltycli.tokens.buffers import offsets, utf8
from royaltycli.tokens.engines import Counts, Engine
from royaltycli.tokens.reference import Reference

Digests = npt.NDArray[np.uint8]
Tick = Callable[[int, int, int], None]
"""Called with what has come since the last call: bytes of files, tokens, documents."""

Key = tuple[int, str | None]
"""A source: the index of its owner in the manifest, and for a collection the value that names it."""


@dataclass(slots=True)
class Tally:
    """What some documents of one source come to. `digests` are the documents' own, in their order."""

    holder: str | None
    file: str
    documents: int = 0
    bytes: int = 0
    tokens: int = 0
    digests: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Partial:
    """The tallies of one shard, by source.

    `verified` documents were recounted by the reference engine; `gave_up` could not be counted by it in
    the ordinary way.
    """

    tallies: dict[Key, Tally]
    verified: int
    gave_up: int


@dataclass(frozen=True, slots=True)
class Counting:
    """How to count: an engine, the reference it is checked against, and the part of the documents that is checked."""

    engine: Engine
    reference: Reference | None
    verify: Fraction
    tick: Tick


def count_shard(shard: Shard, owners: Owners, counting: Counting, check: Callable[[], None]) -> Partial:
    """The tallies of a shard. `check` is called before each batch and may raise.

    Raises DocumentError for a document that cannot be read, and VerificationError for one that the
    reference counts otherwise.
    """
    tallies: dict[Key, Tally] = {}
    verified = 0
    reference = counting.reference
    gave_up = reference.gave_up if reference else 0
    for batches in _grouped(read(shard.pieces, owners)):
        check()
        texts = batches[0].texts if len(batches) == 1 else pa.concat_arrays([batch.texts for batch in batches])
        digests = digest_documents(texts)
        counts = _count(texts, batches, counting.engine)
        verified += _verify(batches, texts, digests, counts, counting, always=shard.first and not verified)
        sizes = np.diff(offsets(texts))
        start = 0
        for batch in batches:
            stop = start + len(batch.texts)
            part = slice(start, stop)
            if batch.sources is None:
                _add_documents(tallies, batch, sizes[part], counts[part], digests[part])
            elif start < stop:
                _add_by_source(tallies, batch, owners, sizes[part], counts[part], digests[part])
            start = stop
        counting.tick(sum(batch.packed_bytes for batch in batches), int(counts.sum()), len(counts))
    return Partial(tallies, verified, reference.gave_up - gave_up if reference else 0)


def _count(texts: pa.LargeStringArray, batches: list[Batch], engine: Engine) -> Counts:
    try:
        return engine.count(texts)
    except (RoyaltyError, MemoryError):
        raise
    except BaseException as error:  # engines written in Rust panic with a BaseException of their own
        place, kind = batches[0].place(0), type(error).__name__
        raise DocumentError(f"{place}: the counting engine failed here or soon after ({kind}: {error})") from error


def _grouped(batches: Iterator[Batch]) -> Iterator[list[Batch]]:
    """Batches of about BATCH_BYTES together, so that many small files are counted at once."""
    group: list[Batch] = []
    size = 0
    for batch in batches:
        if group and size + batch.texts.nbytes > BATCH_BYTES:
            yield group
            group, size = [], 0
        group.append(batch)
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


def _verify(
    batches: list[Batch],
    texts: pa.LargeStringArray,
    digests: Digests,
    counts: Counts,
    counting: Counting,
    *,
    always: bool,
) -> int:
    """Recount the sampled documents, `always` at least one: that of the smallest digest. Raises VerificationError."""
    if counting.reference is None or not counting.verify or not len(counts):
        return 0
    chosen = sampled(digests, counting.verify)
    if always and not len(chosen):
        chosen = np.lexsort(digests.T[::-1])[:1]
    for document in chosen.tolist():
        expected = counting.reference.count(texts[document].as_py())
        if expected != counts[document]:
            place, name = _place(batches, document), counting.reference.name
            raise VerificationError(
                f"{place}: counted {counts[document]:,} tokens, but {name} counts {expected:,}; nothing was written; "
                f"scan with `--engine {name}` and report this document"
            )
    return len(chosen)


def _place(batches: list[Batch], document: int) -> str:
    for batch in batches:
        if document < len(batch.texts):
            return batch.place(document)
        document -= len(batch.texts)
    raise IndexError(document)


def _add_documents(tallies: dict[Key, Tally], batch: Batch, sizes: Counts, counts: Counts, digests: Digests) -> None:
    """Add documents that all belong to one source of the manifest."""
    key = (batch.file.owner, None)
    tally = tallies.get(key) or tallies.setdefault(key, Tally(None, batch.file.name))
    tally.documents += len(counts)
    tally.bytes += int(sizes.sum())
    tally.tokens += int(counts.sum())
    tally.digests += digests.tobytes()


def _add_by_source(
    tallies: dict[Key, Tally],
    batch: Batch,
    owners: Owners,
    sizes: Counts,
    counts: Counts,
    digests: Digests,
) -> None:
    """Add documents of a collection, each to the source that it names."""
    groups = _groups(batch, owners[batch.file.owner])
    ordered = digests[groups.order].tobytes()
    ends = [*groups.starts[1:].tolist(), len(counts)]
    sums = zip(
        groups.starts.tolist(),
        ends,
        np.add.reduceat(sizes[groups.order], groups.starts).tolist(),
        np.add.reduceat(counts[groups.order], groups.starts).tolist(),
        strict=True,
    )
    for (start, end, size, tokens), name, holder in zip(sums, groups.names, groups.holders, strict=True):
        key = (batch.file.owner, name)
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = Tally(holder, batch.file.name)
        elif tally.holder != holder:
            raise two_holders(batch.file.name, name or "", holder, tally)
        tally.documents += end - start
        tally.bytes += size
        tally.tokens += tokens
        tally.digests += ordered[32 * start : 32 * end]


@dataclass(frozen=True, slots=True)
class _Groups:
    """A batch's documents by source: an order that puts each source's side by side, and where each starts in it."""

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    names: list[str | None]
    holders: list[str | None]


def _groups(batch: Batch, owner: Source | Collection) -> _Groups:
    codes, names = _encoded(batch.sources, "source", batch, owner)
    order = np.argsort(codes, kind="stable")  # stable: a source's documents stay in the file's order
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    sources = [names[code] for code in ordered[starts].tolist()]
    if batch.holders is None:
        return _Groups(order, starts, sources, [None] * len(starts))
    holder_codes, holder_names = _encoded(batch.holders, "holder", batch, owner)
    by_source = holder_codes[order]
    firsts = by_source[starts]
    others = np.flatnonzero(by_source != np.repeat(firsts, np.diff(np.append(starts, len(order)))))
    if len(others):
        row = int(order[others[0]])
        first = int(order[starts[np.searchsorted(starts, others[0], "right") - 1]])
        before = Tally(holder_names[holder_codes[first]], batch.place(first))
        raise two_holders(batch.place(row), names[codes[row]] or "", holder_names[holder_codes[row]], before)
    return _Groups(order, starts, sources, [holder_names[code] for code in firsts.tolist()])


def _encoded(
    values: pa.Array, what: str, batch: Batch, owner: Source | Collection
) -> tuple[npt.NDArray[np.int64], list[str | None]]:
    """Each document's name as a number, and the names. Raises DocumentError for an empty or endless name."""
    encoded = pc.dictionary_encode(values)
    codes, names = np.asarray(encoded.indices).astype(np.int64), encoded.dictionary.to_pylist()
    for code, name in enumerate(names):
        if not 0 < len(name) <= NAME_LENGTH:
            row = int(np.flatnonzero(codes == code)[0])
            wrong = f"longer than {NAME_LENGTH:,} characters" if name else "empty"
            raise DocumentError(
                f"{batch.place(row)}: the field that names the {what} in {owner.id} is {wrong}; mend the document"
            )
    return codes, names


def two_holders(place: str, source: str, holder: str | None, before: Tally) -> DocumentError:
    """The error for a source whose documents name different holders."""
    return DocumentError(
        f"{place}: the source {source!r} has the holder {holder!r} here, but {before.holder!r} in {before.file}; "
        "mend the documents, or give the collection fixed `holders`"
    )
