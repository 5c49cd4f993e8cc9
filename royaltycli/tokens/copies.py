"""Finds the documents that are copies of others, and says what each source is credited with (rules K1 to K6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Mask, Numbers
from royaltycli.limits import COPIES_HELD
from royaltycli.manifest.model import Duplicates
from royaltycli.tokens.buffers import offsets, utf8
from royaltycli.tokens.partialrows import SOURCE_ROWS

DIGEST = 32
"""Bytes of a document's digest, which come before the id of its source."""

ONE = np.zeros(1, np.intp)
"""Where each text begins, if there is but one."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Documents beyond the first of their text, and the tokens of them.

    `within` are those beyond the first in one source, `across` are in a source beyond the first that holds the text.
    """

    documents_within: int = 0
    tokens_within: int = 0
    documents_across: int = 0
    tokens_across: int = 0


@dataclass(frozen=True, slots=True)
class _Held:
    """Documents in the order of their texts, those with the same text and source as one.

    `keys` are the digest and the id of the source, `places` where the first of them is, `times` how many
    they are; `starts` is where each text begins.
    """

    keys: pa.LargeBinaryArray
    tokens: Numbers
    places: Numbers
    times: Numbers
    starts: npt.NDArray[np.intp]

    def sizes(self) -> Numbers:
        """How many sources hold each text."""
        return np.diff(self.starts, append=len(self.keys))

    def part(self, rows: slice, starts: npt.NDArray[np.intp]) -> _Held:
        """Those that stand side by side."""
        return _Held(self.keys[rows], self.tokens[rows], self.places[rows], self.times[rows], starts)

    def take(self, chosen: npt.NDArray[np.intp], starts: npt.NDArray[np.intp]) -> _Held:
        """Some of them."""
        keys = self.keys.take(pa.array(chosen))
        return _Held(keys, self.tokens[chosen], self.places[chosen], self.times[chosen], starts)


class Credits:
    """What is to be added to the credited tokens of sources, given the documents in the order of their texts.

    Memory does not grow with the number of copies, but with the tokens of the longest text of which there are many.
    """

    def __init__(self, duplicates: Duplicates) -> None:
        self._duplicates = duplicates
        self._within = self._across = self._tokens_within = self._tokens_across = 0

    @property
    def copies(self) -> Copies:
        """The copies found so far."""
        return Copies(self._within, self._tokens_within, self._across, self._tokens_across)

    def of(self, blocks: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """SOURCE_ROWS without documents, which make each source's tokens what it is credited with.

        `blocks` are of DOCUMENTS, sorted by `text`.
        """
        none = np.zeros(0, np.int64)
        held = _Held(pa.array([], pa.large_binary()), none, none, none, np.zeros(0, np.intp))
        for block in blocks:
            held = _joined(held, block)
            last = int(held.starts[-1])  # of this text there may be more in the next block
            yield from self._settled(held.part(slice(last), held.starts[:-1]))
            held = held.part(slice(last, None), ONE)
            if len(held.keys) > max(COPIES_HELD, int(held.tokens[0]) + 2):
                chosen = self._enough(held)
                yield from self._dropped(held.take(np.flatnonzero(~chosen), ONE))
                held = held.take(np.flatnonzero(chosen), ONE)
        yield from self._settled(held)

    def _settled(self, held: _Held) -> Iterator[pa.Table]:
        """What the copies of whole texts change."""
        if not len(held.keys):
            return
        copied = np.repeat(np.add.reduceat(held.times, held.starts) > 1, held.sizes())
        if not copied.any():
            return
        starts = held.starts[copied[held.starts]]
        held = held.take(np.flatnonzero(copied), np.cumsum(copied)[starts] - 1)
        self._count(held, held.sizes() - 1)
        parts = {"all": None, "split": _split, "first": _first}[self._duplicates]
        if parts is not None:
            yield _changes(held, parts(held))

    def _dropped(self, held: _Held) -> Iterator[pa.Table]:
        """What is credited to some sources of a text that get none of it, and are not the only ones."""
        self._count(held, held.sizes())
        if self._duplicates != "all":
            yield _changes(held, np.zeros(len(held.keys), np.int64))

    def _count(self, held: _Held, across: Numbers) -> None:
        """Note the copies of texts, of which so many sources hold another."""
        # A text has fewer than 2**31 tokens, so that the products fit.
        self._within += int((held.times - 1).sum())
        self._tokens_within += exact_sum((held.times - 1) * held.tokens)
        self._across += int(across.sum())
        self._tokens_across += exact_sum(across * held.tokens[held.starts])

    def _enough(self, held: _Held) -> Mask:
        """Of the sources of one text that more hold than it has tokens: those on which it depends who gets one."""
        chosen = np.zeros(len(held.keys), bool)
        chosen[-1] = True  # there may be more of this text in this very source
        if self._duplicates == "split":
            # One more than get a token, so that there still are too many for two.
            chosen[np.lexsort(_hashes(held.keys)[::-1])[: int(held.tokens[0]) + 1]] = True
        else:
            chosen[np.argmin(held.places)] = True
        return chosen


def _joined(held: _Held, block: pa.Table) -> _Held:
    """What is held of one text, and what comes after it; never nothing."""
    keys = pa.concat_arrays([held.keys, *block["text"].chunks])
    tokens = np.concatenate([held.tokens, block["tokens"].to_numpy()])
    places = np.concatenate([held.places, block["place"].to_numpy()])
    times = np.concatenate([held.times, np.ones(len(block), np.int64)])
    digests = _digests(keys)
    new = np.append(True, (digests[1:] != digests[:-1]).any(axis=1))
    # Sources are compared only where the text is the same, which is rare.
    same = np.flatnonzero(~new)
    another = pc.not_equal(keys.take(pa.array(same)), keys.take(pa.array(same - 1))).to_numpy(zero_copy_only=False)
    first = new.copy()
    first[same[another]] = True
    if first.all():
        return _Held(keys, tokens, places, times, np.flatnonzero(new))
    at = np.flatnonzero(first)
    starts = np.cumsum(first)[new] - 1
    places, times = np.minimum.reduceat(places, at), np.add.reduceat(times, at)
    return _Held(keys.take(pa.array(at)), tokens[at], places, times, starts)


def _split(held: _Held) -> Numbers:
    """Each source's part of a text: equal ones, and what is left one each to the smallest hashes."""
    sizes = held.sizes()
    part, left = np.divmod(held.tokens[held.starts], sizes)
    parts: Numbers = np.repeat(part, sizes)
    unequal = np.flatnonzero(np.repeat(left > 0, sizes))
    text = np.repeat(np.arange(len(sizes)), sizes)[unequal]
    order = np.lexsort((*_hashes(held.keys.take(pa.array(unequal)))[::-1], text))
    begin = np.flatnonzero(np.append(True, text[1:] != text[:-1])[: len(text)])
    rank = np.arange(len(text)) - np.repeat(begin, sizes[left > 0])
    parts[unequal[order]] += rank < left[text]
    return parts


def _first(held: _Held) -> Numbers:
    """Each source's part of a text: all for the one in which it stands first."""
    first = np.minimum.reduceat(held.places, held.starts)
    parts: Numbers = np.where(held.places == np.repeat(first, held.sizes()), held.tokens, 0)
    return parts


def _changes(held: _Held, parts: Numbers) -> pa.Table:
    """Rows that take from each source all that it has of a text, and give it its part."""
    change = parts - held.times * held.tokens
    rows = np.flatnonzero(change)
    ids = _sources(held.keys.take(pa.array(rows)))
    none = pa.array(np.zeros(len(rows), np.int64))
    columns = {"source_id": ids, "owner": none, "place": np.full(len(rows), -1), "credited_tokens": change[rows]}
    columns |= dict.fromkeys(("documents", "bytes", "tokens"), none)
    columns |= {"holder": pa.nulls(len(rows)), "digests": pa.array([b""], pa.large_binary()).take(none)}
    return pa.table({name: columns[name] for name in SOURCE_ROWS.names}).cast(SOURCE_ROWS)


def _digests(keys: pa.LargeBinaryArray) -> npt.NDArray[np.uint64]:
    """The digest that each key begins with, as four numbers."""
    digests: npt.NDArray[np.uint64] = utf8(keys)[_digests_at(keys)].view("<u8")
    return digests


def _sources(keys: pa.LargeBinaryArray) -> pa.LargeStringArray:
    """The id of the source that each key ends with."""
    data = np.delete(utf8(keys), _digests_at(keys).ravel())
    ends = offsets(keys) - offsets(keys)[0] - DIGEST * np.arange(len(keys) + 1)
    return pa.Array.from_buffers(pa.large_string(), len(keys), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def _digests_at(keys: pa.LargeBinaryArray) -> Numbers:
    """Where the bytes of each key's digest are, a row for each key."""
    ends = offsets(keys)
    at: Numbers = (ends[:-1] - ends[0])[:, None] + np.arange(DIGEST)
    return at


def _hashes(keys: pa.LargeBinaryArray) -> npt.NDArray[np.uint64]:
    """The SHA-256 of each key as four numbers, a row for the first eight bytes of all, and so on."""
    digests = b"".join([hashlib.sha256(key).digest() for key in keys.to_pylist()])
    return np.ascontiguousarray(np.frombuffer(digests, ">u8").reshape(-1, 4).T).astype(np.uint64)


def exact_sum(values: Numbers) -> int:
    """In halves, as numpy's own sum wraps in silence."""
    return (int((values >> 32).sum()) << 32) + int((values & (2**32 - 1)).sum())
