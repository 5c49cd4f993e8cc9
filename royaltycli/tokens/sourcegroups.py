"""Sums the rows of each source: from rows in the order of source ids to one row for each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.errors import TableError
from royaltycli.manifest.identifiers import decode_value
from royaltycli.tokens.buffers import offsets, utf8
from royaltycli.tokens.grouping import two_holders

if TYPE_CHECKING:
    from hashlib import _Hash

COUNTS = ("documents", "bytes", "tokens", "credited_tokens")

GROUPS = pa.schema(
    [
        ("source_id", pa.large_string()),
        ("owner", pa.int32()),
        ("place", pa.int64()),
        ("holder", pa.large_string()),
        *((name, pa.int64()) for name in COUNTS),
        ("digest", pa.binary(32)),
    ]
)
"""A source: what all its rows come to, with the place and the holder of the first, and C5's digest."""

HALF = 2**32 - 1


class _Clash(NamedTuple):
    """A row that names another holder than the first of its source does, by its place."""

    place: int
    source: str
    holder: str | None
    before: str | None
    there: int


class SourceGroups:
    """The sums of each source, given SOURCE_ROWS in the order of source ids and, within one, of the corpus.

    A source may have any number of rows; of one whose rows go on in the next block, only sums are kept.
    """

    def __init__(self) -> None:
        self._open: dict[str, Any] | None = None
        self._digest: _Hash = hashlib.sha256()
        self._clash: _Clash | None = None

    def of(self, blocks: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """GROUPS of all sources. Raises TableError for a sum that is too large."""
        for block in blocks:
            yield from self._closed(block)
        if self._open is not None:
            yield self._taken()

    def check_holders(self, name_of: Callable[[int], str]) -> None:
        """Raises DocumentError if documents of one source named two holders: for the first in the order of the corpus.

        `name_of` gives the name of the file at a place.
        """
        if self._clash is not None:
            place, source, holder, before, there = self._clash
            value = decode_value(source.partition("/")[2])
            raise two_holders(name_of(place), value, holder, before, name_of(there))

    def _closed(self, block: pa.Table) -> Iterator[pa.Table]:
        """The sources that end in a block. The last one may go on in the next."""
        block = block.combine_chunks()
        ids = block["source_id"].chunk(0)
        starts = _starts(ids)
        before = self._open if self._open is not None and self._open["source_id"] == ids[0].as_py() else None
        self._look_for_clash(block, ids, starts, before)
        sums = _sums(block, starts, ids, before)
        firsts = block.select(["source_id", "owner", "place", "holder"]).take(pa.array(starts))
        groups = pa.table([*firsts.columns, *sums.values()], names=GROUPS.names[:-1])
        digests = block["digests"].chunk(0)
        ends = offsets(digests)
        ends = (ends - ends[0])[np.append(starts, len(block))].tolist()
        data = utf8(digests).data
        done = 0
        if self._open is not None:
            if before is not None:
                self._open |= {name: values[0].item() for name, values in sums.items()}
                self._digest.update(data[: ends[1]])
                done = 1
            if done < len(groups):
                yield self._taken()
        if done < len(groups):
            inner = groups.slice(done, len(groups) - 1 - done)
            digest = [
                hashlib.sha256(data[a:b]).digest() for a, b in zip(ends[done:-2], ends[done + 1 : -1], strict=True)
            ]
            yield inner.append_column("digest", pa.array(digest, pa.binary(32))).cast(GROUPS)
            self._open = groups.slice(len(groups) - 1).to_pylist()[0]
            self._digest = hashlib.sha256(data[ends[-2] :])

    def _taken(self) -> pa.Table:
        """The source whose rows have ended."""
        row, self._open = self._open, None
        return pa.Table.from_pylist([{**(row or {}), "digest": self._digest.digest()}], schema=GROUPS)

    def _look_for_clash(
        self, block: pa.Table, ids: pa.LargeStringArray, starts: npt.NDArray[np.intp], before: dict[str, Any] | None
    ) -> None:
        """Note the first row that names another holder than the first of its source, which is `before` the block."""
        named = pc.dictionary_encode(block["holder"].chunk(0))
        codes = pc.fill_null(named.indices, -1).to_numpy().astype(np.int64)
        first = codes[starts]
        there = block["place"].to_numpy()[starts]
        if before is not None:
            there[0] = before["place"]
            found = -1 if before["holder"] is None else named.dictionary.index(before["holder"]).as_py()
            first[0] = -2 if before["holder"] is not None and found < 0 else found
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(codes)))
        places = block["place"].to_numpy()
        other = np.flatnonzero((codes != first[group]) & (places >= 0))
        if not len(other):
            return
        row = int(other[np.argmin(places[other])])
        at = int(group[row])
        holder = before["holder"] if before is not None and at == 0 else _holder(block, starts[at])
        clash = _Clash(int(places[row]), ids[row].as_py(), _holder(block, row), holder, int(there[at]))
        self._clash = min(clash, self._clash or clash, key=lambda each: each.place)


def _starts(ids: pa.LargeStringArray) -> npt.NDArray[np.intp]:
    """Where the rows of each source begin."""
    another = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.append(True, another))


def _holder(block: pa.Table, row: int) -> str | None:
    holder: str | None = block["holder"][int(row)].as_py()
    return holder


def _sums(
    block: pa.Table, starts: npt.NDArray[np.intp], ids: pa.LargeStringArray, before: dict[str, Any] | None
) -> dict[str, Numbers]:
    """The sums of each source, the first one's with those `before` the block. Raises TableError if one is too large.

    They are added up in halves, as numpy's own sum wraps in silence.
    """
    sums: dict[str, Numbers] = {}
    too_large: list[tuple[int, str]] = []
    for name in COUNTS:
        values = block[name].to_numpy()
        high, low = np.add.reduceat(values >> 32, starts), np.add.reduceat(values & HALF, starts)
        if before is not None:
            high[0] += before[name] >> 32
            low[0] += before[name] & HALF
        high += low >> 32
        too_large += [(int(at), name) for at in np.flatnonzero((high >= 2**31) | (high < -(2**31)))[:1]]
        sums[name] = (high << 32) | (low & HALF)
    if too_large:
        at, name = min(too_large, key=lambda each: each[0])
        what, source = name.replace("_", " "), ids[int(starts[at])].as_py()
        raise TableError(f"the {what} of {source} come to 2**63 or more, which no table holds; split the source")
    return sums
