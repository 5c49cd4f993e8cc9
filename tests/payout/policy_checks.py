"""What must hold of every distribution and every payment, as checks that name the rules that are broken.

They look at plain views (dicts by id), so that the tests can give them the engine, the oracle, and engines that are
wrong and must be found out.
"""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

from royaltycli.errors import RoyaltyError
from royaltycli.payout.currency import find_currency
from royaltycli.payout.distribute import distribute
from tests.payout import policy_oracle as oracle

DOLLAR = find_currency("USD")
MILLION = 10**6


def engine(case):
    """The view of what the package computes, or None where it refuses."""
    try:
        return view(run(case))
    except RoyaltyError:
        return None


def by_hand(case):
    """The view of what the oracle computes, or None where a rule says that it is an error."""
    try:
        return oracle.distribute(
            case.rows,
            case.policy,
            pool=case.pool,
            whole=case.whole,
            usage=case.usage,
            parties=case.parties or (),
            period=case.period,
        )
    except oracle.Refused:
        return None


def run(case):
    return distribute(
        case.table(),
        case.policy,
        pool=case.pool,
        currency=DOLLAR,
        total_tokens=case.whole,
        usage=case.usage_table(),
        listed=case.parties_table(),
        period=case.period,
    )


def view(made):
    """A distribution as dicts of plain integers."""
    ids, parts, earnings = made.table["source_id"].to_pylist(), made.parts, made.earnings

    def by_source(column):
        return dict(zip(ids, column.tolist(), strict=True))

    names = parts.ids.to_pylist()
    lines = {name: getattr(earnings, name) for name in oracle.EARNING}
    lines |= {"reachable": earnings.known.reachable, "minimum": earnings.known.minimum}
    pairs = [(ids[row], names[holder]) for row, holder in zip(parts.source, parts.holder, strict=True)]
    return SimpleNamespace(
        gate=by_source(made.gated.gate),
        sent={
            each: None if place < 0 else made.gated.places[place] for each, place in by_source(made.gated.sent).items()
        },
        shared={
            each.measure: (
                each.units,
                Fraction(each.total, 10**each.places),
                {name: Fraction(number, 10**each.places) for name, number in by_source(each.numbers).items()},
            )
            for each in made.shared
        },
        fixed=by_source(made.fixed),
        measured=by_source(made.measured),
        sources=by_source(made.sources),
        parts=dict(zip(pairs, made.part_amounts.tolist(), strict=True)),
        holders={name: {line: column[row].item() for line, column in lines.items()} for row, name in enumerate(names)},
        elsewhere={name: amount for name, amount in made.elsewhere.items() if amount},
        excess={name: amount for name, amount in made.excess.items() if amount},
    )


# -- the checks ---------------------------------------------------------------------------------
def broken_rules(engine, case):
    """The rules that `engine(case)` breaks; it gives a view, or None where it refuses."""
    made = engine(case)
    broken = set(differences(made, by_hand(case)))
    if engine(case.shuffled(random.Random(case.pool))) != made:
        broken.add("Y21")
    if made is not None:
        broken |= {rule for rule, check in CHECKS.items() if not check(made, case)}
    return broken


def differences(made, expected):
    """What the two views differ in, by name."""
    if made is None or expected is None:
        return [] if made is expected else ["refused" if made is None else "not refused"]
    return [name for name, value in vars(expected).items() if getattr(made, name) != value]


def adds_up(made, case):
    """Y20: every millionth of the pool is in exactly one place."""
    taken = ("fee", "withholding", "recouped", "reserve", "net", "escrow")
    held = sum(line[name] for line in made.holders.values() for name in taken)
    return held + sum(made.elsewhere.values()) == case.pool * MILLION


def splits_add_up(made, _case):
    """Y13: the parts of a source make it, but of one that is sent elsewhere, which has none."""
    sums = Counter()
    for (source, _), amount in made.parts.items():
        sums[source] += amount
    return all(sums[source] == (made.sources[source] if made.sent[source] is None else 0) for source in made.sources)


def lines_add_up(made, _case):
    """Y16: what is taken from a holder and what is left are what it earned, and nothing is below zero."""
    return all(
        line["earned"] + line["adjustment"] == sum(line[name] for name in oracle.EARNING[3:-1])
        and min(value for name, value in line.items() if name != "adjustment") >= 0
        for line in made.holders.values()
    )


def caps_hold(made, case):
    """Y22: nobody gets more than its cap."""
    for cap in case.policy.caps:
        counts = {row["source_id"]: len(row["holders"]) for row in case.rows}
        got = made.sources if cap.per == "source" else gross(made)
        if any(amount > oracle.cap_of(cap, counts.get(name, 1), 2) for name, amount in got.items()):
            return False
    return True


def floors_hold(made, case):
    """Y22: nobody between nothing and the floor; with `raise`, whoever had anything has the floor."""
    for floor in case.policy.floors:
        least = oracle.millionths(floor.amount, 2)
        had, got = (
            ({name: made.fixed[name] + made.measured[name] for name in made.sources}, made.sources)
            if floor.per == "source"
            else ({name: line["earned"] for name, line in made.holders.items() if line["reachable"]}, gross(made))
        )
        if any(0 < got[name] < least for name in had):
            return False
        if floor.below == "raise" and any(got[name] < least for name in had if had[name] > 0):
            return False
    return True


def gross(made):
    return {name: line["earned"] + line["adjustment"] for name, line in made.holders.items()}


def rises(made, case):
    """Y23: exactly by tokens; by other parts but for a millionth of each, where no bounds carry that on."""
    bounded = case.policy.caps or case.policy.floors
    parts = len(case.policy.basis) + (case.policy.fixed is not None)
    measure = case.policy.basis[0][0]
    seen = all(Fraction(row["epochs"]) for row in case.rows)
    exactly = parts == 1 and (measure == "tokens" or (measure == "seen_tokens" and seen))
    if bounded and not exactly:
        return True
    loose = 0 if exactly else parts
    told = {}
    for row in case.rows:
        name = row["source_id"]
        alike = (
            len(row["holders"]),
            row["license"],
            row["documents"],
            Fraction(row["epochs"]),
            row["bytes"],
            Fraction((case.usage or {}).get(name, 0)),
        )
        got = made.sources[name] if made.sent[name] is None else 0
        told.setdefault(alike, []).append((row["credited_tokens"], got))
    return all(
        got <= more + loose
        for group in told.values()
        for tokens, got in group
        for other, more in group
        if tokens < other
    )


CHECKS = {
    "Y20": adds_up,
    "Y13": splits_add_up,
    "Y16": lines_add_up,
    "Y22 caps": caps_hold,
    "Y22 floors": floors_hold,
    "Y23": rises,
}
