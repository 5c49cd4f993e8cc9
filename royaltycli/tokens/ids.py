"""The ids of whole columns of values, as `manifest.identifiers` gives them one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.manifest.identifiers import encode_part, encode_value

# What no rule of the two changes; letters of other scripts could stand as well, but go the slow way.
_SOURCE = r"^[A-Za-z0-9._:/@-]*$"
_HOLDER = r"^([A-Za-z0-9._:/][A-Za-z0-9._:/@-]*)?$"


def source_ids(
    collections: pa.LargeStringArray, values: pa.LargeStringArray, nameless: pa.LargeStringArray
) -> pa.LargeStringArray:
    """The id of each source of collections by its value; the one in `nameless` where that is null."""
    encoded = _encoded(values, _SOURCE, encode_part)
    ids = pc.binary_join_element_wise(collections, encoded, pa.scalar("/", encoded.type))
    named: pa.LargeStringArray = pc.coalesce(ids, nameless)
    return named


def holder_ids(values: pa.LargeStringArray) -> pa.LargeStringArray:
    """The id of each holder that a value names; null for null."""
    return _encoded(values, _HOLDER, encode_value)


def _encoded(values: pa.LargeStringArray, plain: str, encode: Callable[[str], str]) -> pa.LargeStringArray:
    """Each value through `encode`, which is known to change none that is `plain`."""
    changed = pc.fill_null(pc.invert(pc.match_substring_regex(values, plain)), False)
    if not pc.any(changed).as_py():
        return values
    codes = pc.dictionary_encode(values.filter(changed))
    names = pa.array([encode(value) for value in codes.dictionary.to_pylist()], pa.large_string())
    at = np.cumsum(changed.to_numpy(zero_copy_only=False)) - 1
    new = names.take(codes.indices).take(pa.array(at, mask=at < 0))
    encoded: pa.LargeStringArray = pc.if_else(changed, new, values)
    return encoded
