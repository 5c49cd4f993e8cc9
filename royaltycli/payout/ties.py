"""Ties are broken by SHA-256, so that nobody gains by a name (docs/spec-allocation.md, rules T1 to T3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from royaltycli.arrays import CHUNK, Numbers
from royaltycli.errors import CallError


def tie_key(period: str, *ids: str) -> bytes:
    """SHA-256 of the period and the ids, in UTF-8, with a zero byte between each two: the smaller wins."""
    return hashlib.sha256("\0".join((period, *ids)).encode()).digest()


def check_period(period: str) -> None:
    """Raises CallError if the period could be mistaken for a period and an id."""
    if "\0" in period:
        raise CallError(f"the period is {period!r}, but must not hold a zero byte; write it as 2026 or 2026-Q3")


def first_by_key(ids: pa.Array | Sequence[str], rows: Numbers, count: int, period: str) -> Numbers:
    """Those `count` of `rows` whose ids have the smallest keys; `rows` are positions in `ids`."""
    heads = np.empty(len(rows), ">u8")
    for start in range(0, len(rows), CHUNK):
        keys = _keys(ids, rows[start : start + CHUNK], period)
        # The first eight bytes of a key nearly always decide, and ten million of them are small.
        heads[start : start + CHUNK] = np.frombuffer(b"".join(keys), ">u8")[::4]
    native = heads.astype(np.uint64)
    last = np.partition(native, count - 1)[count - 1]
    sure = rows[native < last]
    level = rows[native == last]
    by_key = sorted(zip(_keys(ids, level, period), level.tolist(), strict=True))
    rest = [row for _, row in by_key[: count - len(sure)]]
    return np.concatenate([sure, np.array(rest, np.int64)])


def _keys(ids: pa.Array | Sequence[str], rows: Numbers, period: str) -> list[bytes]:
    prefix, sha256 = period.encode() + b"\0", hashlib.sha256
    if isinstance(ids, (pa.Array, pa.ChunkedArray)):
        binary = pa.binary() if ids.type == pa.string() else pa.large_binary()
        names = ids.take(pa.array(rows)).cast(binary).to_pylist()
    else:
        names = [ids[row].encode() for row in rows.tolist()]
    return [sha256(prefix + name).digest() for name in names]
