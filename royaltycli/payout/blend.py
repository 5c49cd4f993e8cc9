"""Shares by any basis as exact integer weights (docs/spec-allocation.md, rules B6 and B7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

from royaltycli.payout.basis import TOTAL, Basis
from royaltycli.payout.measures import Measured, measured, zero_everywhere
from royaltycli.payout.policy import Weighted


def weights_by(
    basis: Weighted, table: pa.Table, total_tokens: Decimal | None, usage: pa.Table | None, *, needed: bool
) -> Basis:
    """The weights of the sources of a token table, in the order of its ids, by a measure or a blend of several.

    Raises AmountError if something is to be shared out (`needed`) by a measure that is zero everywhere, and
    whatever `measured` raises.
    """
    parts, unattributed = [], Fraction(0)
    for name, weight in basis:
        numbers = measured(name, table, total_tokens, usage)
        if name == "usage":  # what it attributes to nobody is for all (rule B6)
            if weight and numbers.rest:
                unattributed = Fraction(numbers.rest, numbers.total)
            numbers = replace(numbers, rest=0)
        if needed and weight and not numbers.total:
            raise zero_everywhere(name)
        parts.append((weight, numbers))
    return replace(blended(parts), unattributed=unattributed)


def blended(parts: Sequence[tuple[Fraction, Measured]]) -> Basis:
    """The sums, for each source, of weight x number / all numbers, times what makes all of them whole.

    A measure of weight zero, or whose numbers are all zero, adds nothing.
    """
    totals = [numbers.total for _, numbers in parts]
    factors = [weight / total if total else Fraction(0) for (weight, _), total in zip(parts, totals, strict=True)]
    whole = math.lcm(*(factor.denominator for factor in factors))
    kind = np.int64 if whole < TOTAL else object
    weights, rest, scanned = np.zeros(len(parts[0][1].numbers), kind), 0, 0
    for (_, numbers), factor, total in zip(parts, factors, totals, strict=True):
        times = int(factor * whole)
        if times:
            weights += numbers.numbers.astype(kind) * times
            rest += numbers.rest * times
            scanned += (total - numbers.rest) * times
    return Basis(weights, 0, scanned, rest or None)
