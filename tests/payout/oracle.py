"""Allocation as one would write it with pencil and paper: in fractions, sharing nothing with the package.

`broken_rules` runs an allocator on a case and says which rules of docs/spec-allocation.md it breaks.
The tests give it the real one, which must break none, and wrong ones, which must be found out.
"""

from __future__ import annotations

import hashlib
import itertools
from fractions import Fraction
from math import floor


def key(period, *ids):
    """Rule T1."""
    text = period
    for each in ids:
        text += "\x00" + each
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def allocate(units, weights, ids, period):
    """Rules A1 to A3."""
    total = sum(weights)
    quotas = [Fraction(units * weight, total) if units else Fraction(0) for weight in weights]
    result = [floor(quota) for quota in quotas]
    left = units - sum(result)
    if left:
        remainders = [quota - whole for quota, whole in zip(quotas, result, strict=True)]
        queue = sorted(range(len(weights)), key=lambda i: (-remainders[i], key(period, ids[i])))
        for i in queue[:left]:
            result[i] += 1
    return result


def broken_rules(allocator, units, weights, ids, period=""):
    """The names of the rules that `allocator(units, weights, ids, period)` breaks in this case."""
    result = [int(each) for each in allocator(units, weights, ids, period)]
    backwards = [int(each) for each in allocator(units, weights[::-1], ids[::-1], period)]
    total = sum(weights)
    rules = {
        "A3": result == allocate(units, weights, ids, period),
        "A5": sum(result) == units,
        "A6": all(
            abs(got * total - units * weight) < max(total, 1) for got, weight in zip(result, weights, strict=True)
        ),
        "A7": all(got == 0 for got, weight in zip(result, weights, strict=True) if weight == 0),
        "A8": backwards[::-1] == result,
        "A9": _rises(result, weights),
    }
    return {rule for rule, kept in rules.items() if not kept}


def _rises(result, weights):
    """Of two weights the larger never gets less: it is enough to look at neighbours in size."""
    pairs = sorted(zip(weights, result, strict=True))
    levels = {}
    for weight, got in pairs:
        levels.setdefault(weight, []).append(got)
    ordered = list(levels.values())
    return all(max(low) <= min(high) for low, high in itertools.pairwise(ordered))


def pay_by_hand(sources, units, period="", whole=None):
    """What each (source id, holder id) gets, in units, and each destination in parentheses.

    `sources` are (id, tokens, epochs as text, {holder id: share as text}); `whole` is the size of the run.
    Rules B1 to B3, A1 to A3, H2 and H4.
    """
    seen = {source: tokens * Fraction(epochs) for source, tokens, epochs, _ in sources}
    if whole is not None and whole > sum(seen.values()):
        seen["(not scanned)"] = whole - sum(seen.values())
    ids = list(seen)
    payouts = dict(zip(ids, allocate_fractions(units, [seen[each] for each in ids], ids, period), strict=True))
    parts, elsewhere = {}, {}
    if "(not scanned)" in payouts:
        elsewhere["(not scanned)"] = payouts["(not scanned)"]
    for source, _, _, holders in sources:
        if not holders:
            elsewhere["(escrow)"] = elsewhere.get("(escrow)", 0) + payouts[source]
            continue
        names = list(holders)
        quotas = [payouts[source] * Fraction(holders[name]) for name in names]
        for name in names:
            parts[source, name] = floor(payouts[source] * Fraction(holders[name]))
        queue = sorted(names, key=lambda name: (-(quotas[names.index(name)] % 1), key(period, source, name)))
        for name in queue[: payouts[source] - sum(floor(quota) for quota in quotas)]:
            parts[source, name] += 1
    return payouts, parts, elsewhere


def allocate_fractions(units, weights, ids, period):
    scale = 1
    for weight in weights:
        scale *= Fraction(weight * scale).denominator
    return allocate(units, [int(weight * scale) for weight in weights], ids, period)
