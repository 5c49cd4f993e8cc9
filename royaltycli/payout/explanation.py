"""The arithmetic of one amount, step by step, with numbers that can be checked on paper (`royalty explain`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.errors import CallError
from royaltycli.numerals import grouped, percentage, plain_fraction
from royaltycli.payout.allocation import exact_sum
from royaltycli.payout.basis import seen_tokens
from royaltycli.payout.currency import MILLIONTHS, Currency, exact_money, money
from royaltycli.payout.distribution import Distribution, Shared
from royaltycli.payout.gates import POOL
from royaltycli.payout.payments import paid_at_once
from royaltycli.payout.policy import Policy

LISTED = 20
"""Sources of a holder that are listed one by one, the largest first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line: what it is, how it comes about, and the amount in the currency, empty where it is none."""

    what: str
    how: str
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one amount comes about by a policy. `kind` is source or holder."""

    kind: str
    identifier: str
    title: str
    policy: Policy
    currency: Currency
    steps: tuple[Step, ...]


def explain(distribution: Distribution, identifier: str, kind: str | None = None) -> Explanation:
    """How the amount of a source or a holder comes about; `kind` says which, where an id is both.

    Raises CallError if there is no such id, or it is both and nothing says which is meant.
    """
    source = pc.index(distribution.table["source_id"], identifier).as_py() if kind != "holder" else -1
    holder = pc.index(distribution.parts.ids, identifier).as_py() if kind != "source" else -1
    if source >= 0 and holder >= 0:
        raise CallError(f"{identifier} is a source and a holder; say which with `--as source` or `--as holder`")
    by = (distribution.policy, distribution.currency)
    if source >= 0:
        title = distribution.table["title"][source].as_py() or ""
        return Explanation("source", identifier, title, *by, _source(distribution, source))
    if holder >= 0:
        name = distribution.parts.names[holder].as_py()
        title = "" if name == identifier else name
        return Explanation("holder", identifier, title, *by, _holder(distribution, holder))
    raise CallError(
        f"there is no {kind or 'source or holder'} {identifier!r} in the token table; "
        "`royalty shares` and `royalty shares --by holder` list them"
    )


def _source(distribution: Distribution, row: int) -> tuple[Step, ...]:
    """From the pool to what each holder of a source gets."""
    steps = _pool(distribution)
    policy, table = distribution.policy, distribution.table
    gated = distribution.gated
    closed = int(gated.gate[row])
    place = gated.places[gated.sent[row]] if gated.sent[row] >= 0 else ""
    if closed >= 0:
        goes = "it takes no part" if place == POOL else f"what it comes to goes to {place}"
        steps.append(Step("gate", f"gate {closed + 1} of the policy closes on it: {goes}"))
        if place == POOL:
            return tuple(steps)
    elif policy.gates:
        steps.append(Step("gate", "no gate of the policy closes on it"))
    tokens, epochs = int(table["credited_tokens"][row].as_py()), table["epochs"][row].as_py()
    basis = seen_tokens(table["credited_tokens"], table["epochs"])
    seen = plain_fraction(Fraction(int(basis.weights[row]), 10**basis.places))
    steps.append(Step("seen tokens", f"{tokens:,} tokens × {epochs} (epochs) = {grouped(seen)}"))
    if policy.fixed is not None and policy.fixed.each == "work":
        count = int(np.count_nonzero(distribution.fixed))
        whole = _money(distribution, exact_sum(distribution.fixed))
        steps.append(_step(distribution, "fixed part", f"{whole} in {count:,} equal parts", distribution.fixed[row]))
    steps += [_shared(distribution, shared, row) for shared in distribution.shared]
    before = int(distribution.fixed[row]) + int(distribution.measured[row])
    after = int(distribution.sources[row])
    if after != before:
        what = "cap" if after < before else "shared anew"
        how = "kept within the caps and floors of the policy" if after < before else "what others left is shared anew"
        steps.append(_step(distribution, what, f"{_money(distribution, before)}; {how}", after))
    steps.append(_step(distribution, "comes to", "in all", after))
    if place:
        return (*steps, _step(distribution, "goes to", place, after))
    return (*steps, *_splits(distribution, np.flatnonzero(distribution.parts.source == row), by_holder=True))


def _holder(distribution: Distribution, row: int) -> tuple[Step, ...]:
    """From the sources of a holder to what it is paid."""
    earnings, policy = distribution.earnings, distribution.policy
    parts = np.flatnonzero(distribution.parts.holder == row)
    parts = parts[np.argsort(-distribution.part_amounts[parts], kind="stable")]
    steps = list(_splits(distribution, parts[:LISTED], by_holder=False))
    if len(parts) > LISTED:
        rest = exact_sum(distribution.part_amounts[parts[LISTED:]])
        steps.append(_step(distribution, "other sources", f"{len(parts) - LISTED:,} of them", rest))
    if policy.fixed is not None and policy.fixed.each == "holder":
        whole = _money(distribution, exact_sum(earnings.fixed))
        count = int(np.count_nonzero(earnings.fixed))
        steps.append(_step(distribution, "fixed part", f"{whole} in {count:,} equal parts", earnings.fixed[row]))
    if not earnings.known.reachable[row]:
        how = "it cannot be reached, so all is kept for it"
        return (*steps, _step(distribution, "escrow", how, earnings.escrow[row]))
    steps.append(_step(distribution, "earned", "in all", earnings.earned[row]))
    if earnings.adjustment[row]:
        how = "by the caps and floors for holders"
        steps.append(_step(distribution, "adjustment", how, earnings.adjustment[row]))
    gross = int(earnings.gross[row])
    fee, withheld, recouped, reserve = (
        int(column[row]) for column in (earnings.fee, earnings.withholding, earnings.recouped, earnings.reserve)
    )
    if fee:
        how = f"{percentage(policy.deductions.fee)} of {_money(distribution, gross)}"
        steps.append(_step(distribution, "fee", how, -fee))
    if withheld:
        own = earnings.known.withholding[row].as_py()
        rate = policy.deductions.withholding if own is None else Fraction(own)
        how = f"{percentage(rate)} of {_money(distribution, gross - fee)}"
        steps.append(_step(distribution, "withholding", how, -withheld))
    if recouped:
        advance = _money(distribution, earnings.known.advance[row])
        steps.append(_step(distribution, "recouped", f"of the advance of {advance}", -recouped))
    if reserve:
        how = f"{percentage(policy.deductions.reserve)} of {_money(distribution, gross - fee - withheld - recouped)}"
        steps.append(_step(distribution, "reserve", how, -reserve))
    steps.append(_step(distribution, "net", "after deductions", earnings.net[row]))
    return (*steps, *_payment(distribution, row))


def _payment(distribution: Distribution, row: int) -> list[Step]:
    """What is paid of the net, and what is carried."""
    net, minimum = distribution.earnings.net[row], distribution.earnings.known.minimum[row]
    payments = paid_at_once(distribution)
    least = _money(distribution, minimum)
    if net < minimum:
        how = f"{_money(distribution, net)} is below the minimum of {least}"
    else:
        how = "whole units" + (f", as the minimum of {least} is reached" if minimum else "")
    steps = [Step("paid", how, grouped(money(int(payments.paid[row]), distribution.currency)))]
    if payments.below[row]:
        steps.append(_step(distribution, "goes to", distribution.policy.payment.below, payments.below[row]))
    if payments.carried[row]:
        steps.append(_step(distribution, "carried", "for the next period", payments.carried[row]))
    return steps


def _pool(distribution: Distribution) -> list[Step]:
    """The pool, and the parts that go elsewhere before all else."""
    whole = distribution.pool * MILLIONTHS
    steps = [Step("pool", "profit × rate", grouped(money(distribution.pool, distribution.currency)))]
    for top in distribution.policy.top:
        how = f"{percentage(top.part)} of the pool goes to {top.to}"
        steps.append(_step(distribution, "first", how, math.floor(whole * top.part)))
    return steps


def _shared(distribution: Distribution, shared: Shared, row: int) -> Step:
    """What one measure gives a source: its part of the measure's money."""
    number = plain_fraction(Fraction(int(shared.numbers[row]), 10**shared.places))
    total = plain_fraction(Fraction(shared.total, 10**shared.places))
    exact = Fraction(shared.units * int(shared.numbers[row]), shared.total)
    how = f"{_money(distribution, shared.units)} × {grouped(number)} / {grouped(total)}"
    return _step(distribution, f"by {shared.measure.replace('_', ' ')}", how, math.floor(exact))


def _splits(distribution: Distribution, parts: Numbers, *, by_holder: bool) -> list[Step]:
    """A line for each part: a holder's of a source, or of all its sources."""
    found = distribution.parts
    names = (
        found.ids.take(pa.array(found.holder[parts]))
        if by_holder
        else found.source_ids.take(pa.array(found.source[parts]))
    )
    shares = found.share_texts.take(pa.array(found.share[parts])).to_pylist()
    steps = []
    for name, share, part in zip(names.to_pylist(), shares, parts.tolist(), strict=True):
        whole = _money(distribution, distribution.sources[found.source[part]])
        steps.append(_step(distribution, name, f"{share} of {whole}", distribution.part_amounts[part]))
    return steps


def _step(distribution: Distribution, what: str, how: str, millionths: int | np.int64) -> Step:
    return Step(what, how, _money(distribution, millionths))


def _money(distribution: Distribution, millionths: int | np.int64) -> str:
    """An amount, exact, with its thousands set apart."""
    return grouped(exact_money(int(millionths), distribution.currency))
