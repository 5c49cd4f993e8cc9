"""Numpy's arrays by what they hold, as annotations name them; and their exact sum."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

Integers: TypeAlias = npt.NDArray[Any]
"""int64, or Python ints of any size in an object array."""

CHUNK = 1 << 16
"""Rows computed at once: small enough for the processor's cache, large enough to hide numpy's overhead."""


def exact_sum(values: Integers) -> int:
    """The sum of integers of zero or more, of any size: numpy's own sum wraps in silence."""
    if values.dtype == object or not len(values):
        return int(sum(values.tolist()))
    starts = np.arange(0, len(values), CHUNK)
    if values.max() < 2**63 // CHUNK:
        return int(sum(np.add.reduceat(values, starts).tolist()))
    high, low = values >> 32, values & (2**32 - 1)
    return (int(sum(np.add.reduceat(high, starts).tolist())) << 32) + int(sum(np.add.reduceat(low, starts).tolist()))
