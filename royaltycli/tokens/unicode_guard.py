"""The one class of documents that gigatoken and tiktoken count differently, and how to find them.

gigatoken 0.10 knows Unicode 17, tiktoken 0.14 knows Unicode 16. A code point that Unicode 17 added as a
letter or a mark can split a text otherwise. Documents that hold one are counted by tiktoken; there are
next to none in real text. `tests/tokens/test_unicode_guard.py` derives these ranges from both engines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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


def guarded(texts: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """The indices of the documents that hold a guarded code point."""
    wide = pc.indices_nonzero(pc.invert(pc.string_is_ascii(texts)))
    if not len(wide):
        return np.empty(0, dtype=np.int64)
    candidates = texts if len(wide) == len(texts) else texts.take(wide)
    found = pc.indices_nonzero(pc.match_substring_regex(candidates, PATTERN))
    return np.asarray(wide.take(found)).astype(np.int64)
