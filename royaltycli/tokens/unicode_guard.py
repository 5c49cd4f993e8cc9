"""The one class of documents that gigatoken and tiktoken count differently, and how to find them.

gigatoken 0.10 knows Unicode 17, tiktoken 0.14 knows Unicode 16. A code point that Unicode 17 added as a
letter or a mark can split a text otherwise. Documents that hold one are counted by tiktoken; there are
next to none in real text. `tests/tokens/test_unicode_guard.py` derives these ranges from both engines.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Mask, Numbers
from royaltycli.tokens.buffers import offsets, utf8

ADDED_IN_UNICODE_17 = """
88F C5C CDC 1ACF-1ADD 1AE0-1AEB A7CE-A7CF A7D2 A7D4 A7F1 10940-10959 10EC5-10EC7 10EFA-10EFB
11B60-11B67 11DB0-11DDB 11DE0-11DE9 16EA0-16EB8 16EBB-16ED3 16FF2-16FF6 187F8-187FF 18D09-18D1E
18D80-18DF2 1E6C0-1E6DE 1E6E0-1E6F5 1E6FE-1E6FF 2B73A-2B73F 2CEA2-2CEAD 323B0-33479
"""
"""Letters and marks that are new in Unicode 17.0.0 (DerivedGeneralCategory), as hexadecimal ranges."""


def ranges() -> list[tuple[int, int]]:
    """The guarded code points as (first, last) pairs."""
    pairs = [item.partition("-") for item in ADDED_IN_UNICODE_17.split()]
    return [(int(first, 16), int(last or first, 16)) for first, _, last in pairs]


PATTERN = "[" + "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in ranges()) + "]"

FIRST_LEAD = 0xE0
"""All guarded code points take three or four bytes of UTF-8, the first of them at least this."""


def _suspects() -> Mask:
    """For any two bytes, whether the UTF-8 of a guarded code point begins with them."""
    table = np.zeros(1 << 16, dtype=np.bool_)
    for first, last in ranges():
        for code in range(first, last + 1):
            table[int.from_bytes(chr(code).encode()[:2], "big")] = True
    return table


SUSPECTS = _suspects()


def guarded(texts: pa.LargeStringArray) -> Numbers:
    """The indices of the documents that hold a guarded code point.

    Two passes, as the second is ten times slower: which documents hold the first two bytes of a guarded
    code point, and which of those hold a whole one.
    """
    ends = offsets(texts)
    data = utf8(texts)
    leads = np.flatnonzero(data[:-1] >= FIRST_LEAD)
    suspects = leads[SUSPECTS[data[leads].astype(np.uint16) << 8 | data[leads + 1]]]
    if not len(suspects):
        return np.empty(0, dtype=np.int64)
    candidates = np.unique(np.searchsorted(ends - ends[0], suspects, "right") - 1)
    found = pc.match_substring_regex(texts.take(pa.array(candidates)), PATTERN)
    indices: Numbers = candidates[found.to_numpy(zero_copy_only=False)]
    return indices
