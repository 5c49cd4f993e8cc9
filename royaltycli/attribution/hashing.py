"""Hashes of runs of tokens: 64 bits, the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

MIX = np.uint64(0x9E3779B97F4A7C15)
"""The odd number by which a hash is multiplied before more is added (2**64 over the golden ratio)."""


def mixed(values: Hashes) -> Hashes:
    """Each value scrambled, one to one (the finisher of SplitMix64, Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
