"""How much an account counts for in a log, at the most (rule U13)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from royaltycli.arrays import Floats


def most_of_one(weights: Floats, others: float, cap: Fraction) -> float:
    """The weight that an account has at the most, so that none has more than a part `cap` of all that then counts.

    `weights` are those of the accounts, and `others` is that of what names none. Those who have more are scaled down
    to it, and no one else; it is the largest for which that holds. Of so few accounts that one of them must have more,
    it is what the least has.
    """
    falling = np.sort(weights[weights > 0])[::-1]
    if not others and len(falling) * cap < 1:
        return float(falling.min(initial=np.inf))
    left = others + np.append(np.cumsum(falling[::-1])[::-1], 0.0)

    def most(above: int) -> float:
        """If so many are above it: they have `cap` each of all that counts, and what is left is the rest of it."""
        return float(cap * Fraction(left[above]) / (1 - above * cap))

    above = 0
    while above < len(falling) and (above + 1) * cap < 1 and falling[above] > most(above):
        above += 1
    return most(above)
