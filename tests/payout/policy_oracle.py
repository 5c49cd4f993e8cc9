"""A distribution by a policy as one would write it with pencil and paper: in fractions and dicts, sharing nothing
with the package but the plain values of a policy.

Written from docs/spec-policy.md alone, rule by rule. Sources are dicts with the columns of the token table. Amounts are
millionths of a minor unit. `Refused` is raised where a rule says that something is an error.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, inf
from types import SimpleNamespace

from tests.payout.oracle import allocate_fractions

MILLION = 10**6
EARNING = ("earned", "fixed", "adjustment", "fee", "withholding", "recouped", "reserve", "net", "escrow")


class Refused(Exception):  # noqa: N818 -- what the rules call an error
    """The rules say that this policy cannot be followed here."""


def distribute(rows, policy, *, pool, places=2, whole=None, usage=None, parties=(), period=""):
    """All of a distribution but the payment (Y1 to Y16).

    `whole` is the size of the run in seen tokens, `usage` maps ids to credits, `parties` are the rows of a list of
    holders as dicts, its amounts in millionths.
    """
    rows = {row["source_id"]: row for row in rows}
    elsewhere = {}
    rest = pool * MILLION - take_top(policy, pool, elsewhere)
    numbers = {source: measures(row, usage) for source, row in rows.items()}
    check_named(policy, rows, numbers, whole, usage)
    gate, sent, playing = pass_gates(policy.gates, rows, numbers)
    if rows and not playing:
        raise Refused("nobody takes part")

    fixed_works, fixed_holders = fixed_parts(policy.fixed, rows, playing, sent, rest, places, period)
    left = rest - sum(fixed_works.values()) - sum(fixed_holders.values())
    shared, measured = share_by_basis(policy, left, playing, numbers, whole, usage, period, elsewhere)

    weights = {source: fixed_works.get(source, 0) + measured[source] for source in playing}
    counts = {source: len(rows[source]["holders"]) for source in playing}
    amounts, excess = bounded(policy, "source", weights, counts, places, period)
    add_all(elsewhere, excess)
    sources = {source: amounts.get(source, 0) for source in rows}

    parts = {}
    for source, row in rows.items():
        if sent[source] is None:
            parts |= split(source, row["holders"], sources[source], period)
        else:
            parts |= {(source, holder["id"]): 0 for holder in row["holders"]}
            add(elsewhere, sent[source], sources[source])
    holders, excess = settle(policy, parts, fixed_holders, parties, places, period)
    add_all(elsewhere, excess)
    return SimpleNamespace(
        gate=gate,
        sent=sent,
        shared=shared,
        fixed={source: fixed_works.get(source, 0) for source in rows},
        measured={source: measured.get(source, 0) for source in rows},
        sources=sources,
        parts=parts,
        holders=holders,
        elsewhere={name: amount for name, amount in elsewhere.items() if amount},
        excess={name: amount for name, amount in excess.items() if amount},
    )


def add(elsewhere, destination, amount):
    name = f"({destination})"
    elsewhere[name] = elsewhere.get(name, 0) + amount


def add_all(elsewhere, more):
    for name, amount in more.items():
        elsewhere[name] = elsewhere.get(name, 0) + amount


def share_out(units, weights, period):
    """A1 to A4: {id: weight} to {id: units}."""
    if not units:
        return dict.fromkeys(weights, 0)
    if not sum(weights.values()):
        raise Refused("nobody earned it")
    ids = list(weights)
    return dict(
        zip(ids, allocate_fractions(units, [Fraction(weights[each]) for each in ids], ids, period), strict=True)
    )


def millionths(amount, places):
    result = Fraction(amount) * 10**places * MILLION
    assert result.denominator == 1
    return int(result)


# -- pool and basis -----------------------------------------------------------------------------
def take_top(policy, pool, elsewhere):
    """Y3."""
    taken = 0
    for top in policy.top:
        amount = floor(pool * MILLION * top.part)
        add(elsewhere, top.to, amount)
        taken += amount
    return taken


def measures(row, usage):
    """Y4."""
    tokens = row.get("credited_tokens", row["tokens"])
    return {
        "tokens": Fraction(tokens),
        "seen_tokens": tokens * Fraction(row["epochs"]),
        "documents": Fraction(row["documents"]),
        "bytes": Fraction(row["bytes"]),
        "works": Fraction(1),
        "usage": Fraction((usage or {}).get(row["source_id"], 0)),
    }


def check_named(policy, rows, numbers, whole, usage):
    """What Y4 and Y6 (B3) call an error in a measure that the policy names in its basis or a gate."""
    named = {measure for measure, _ in policy.basis}.union(*(gate.minimum or () for gate in policy.gates))
    if "usage" in named and (usage is None or set(usage) - set(rows) - {"(unattributed)"}):
        raise Refused("no usage, or of a source that there is not")
    for measure in named & {"tokens", "seen_tokens"}:
        if whole is not None and Fraction(whole) < sum(each[measure] for each in numbers.values()):
            raise Refused("more was scanned than there is")


def share_by_basis(policy, units, playing, numbers, whole, usage, period, elsewhere):
    """Y5 and Y6: of each measure its units, the sum of its numbers and these; and what each source gets of all."""
    parts = share_out(units, dict(policy.basis), period)
    measured, shared = dict.fromkeys(playing, 0), {}
    for measure, part in parts.items():
        if not part:
            continue
        weights = {source: numbers[source][measure] for source in playing}
        if measure in ("tokens", "seen_tokens") and whole is not None:
            weights["(not scanned)"] = Fraction(whole) - sum(each[measure] for each in numbers.values())
        if measure == "usage" and policy.unattributed != "pool":
            weights["(unattributed)"] = Fraction((usage or {}).get("(unattributed)", 0))
        nobodys = {name: 0 for name in numbers if name not in playing}
        only = {name: weight for name, weight in weights.items() if name in numbers}
        shared[measure] = (part, sum(weights.values()), only | nobodys)
        got = share_out(part, weights, period)
        if "(not scanned)" in got:
            add(elsewhere, "not scanned", got.pop("(not scanned)"))
        if "(unattributed)" in got:
            add(elsewhere, policy.unattributed, got.pop("(unattributed)"))
        for source, amount in got.items():
            measured[source] += amount
    return shared, measured


# -- who takes part, and the fixed part ---------------------------------------------------------
def pass_gates(gates, rows, numbers):
    """Y7: the gate that closed on each source (or -1), where it is sent (or None), and who takes part."""
    gate, sent, playing = {}, {}, []
    for source, row in rows.items():
        gate[source], sent[source] = -1, None
        for place, each in enumerate(gates):
            if closes(each, row, numbers[source]):
                gate[source] = place
                break
        if gate[source] >= 0:
            sent[source] = gates[gate[source]].to
        elif not row["holders"]:
            sent[source] = "escrow"
        if sent[source] != "pool":
            playing.append(source)
    return gate, sent, playing


def closes(gate, row, numbers):
    conditions = []
    if gate.minimum is not None:
        conditions.append(any(numbers[name] < Fraction(least) for name, least in gate.minimum.items()))
    license_ = row["license"] or ""
    if gate.licenses is not None:
        conditions.append(license_ in gate.licenses)
    if gate.other_licenses is not None:
        conditions.append(license_ not in gate.other_licenses)
    if gate.unknown:
        conditions.append(not row["holders"])
    return all(conditions)


def fixed_parts(fixed, rows, playing, sent, rest, places, period):
    """Y8: of works and of holders; one of the two is empty."""
    if fixed is None:
        return {}, {}
    if fixed.each == "work":
        receivers = set(playing)
    else:
        receivers = {holder["id"] for source in playing if sent[source] is None for holder in rows[source]["holders"]}
    if not receivers:
        units = 0
    elif fixed.part is not None:
        units = floor(rest * fixed.part)
    else:
        units = min(rest, millionths(fixed.amount, places) * len(receivers))
    got = share_out(units, dict.fromkeys(sorted(receivers), 1), period)
    return (got, {}) if fixed.each == "work" else ({}, got)


# -- caps and floors ----------------------------------------------------------------------------
def bounded(policy, per, weights, counts, places, period):
    """Y10 to Y12: what each comes to, and the excess by destination."""
    cap = next((each for each in policy.caps if each.per == per), None)
    floor_ = next((each for each in policy.floors if each.per == per), None)
    if cap is None and floor_ is None:
        return weights, {}
    caps = {each: cap_of(cap, counts.get(each, 1), places) for each in weights}
    least = millionths(floor_.amount, places) if floor_ else 0
    if cap and any(least > millionths(amount, places) for _, amount in cap.tiers):
        raise Refused("a floor above a cap")
    total = sum(weights.values())
    cut = cap is not None and cap.excess != "pool"
    place = f"({cap.excess})" if cut else "(escrow)"

    if floor_ is not None and floor_.below == "leave":
        staying = who_stays(weights, caps, least, total, cut)
        if not staying:
            return dict.fromkeys(weights, 0), {"(escrow)": total}
        nothing = dict.fromkeys(weights, 0)
        if not cut:
            got = nothing | fill(staying, caps, {}, total, period)
            return got, {place: total - sum(got.values())}
        weights, floor_ = nothing | share_out(total, staying, period), None
    if cut:
        weights = {each: min(weight, caps[each]) for each, weight in weights.items()}
        excess = total - sum(weights.values())
        if floor_ is not None:
            weights = fill(weights, {}, dict.fromkeys(weights, least), sum(weights.values()), period)
        return weights, {place: excess}
    weights = fill(weights, caps, dict.fromkeys(weights, least) if floor_ else {}, total, period)
    return weights, {place: total - sum(weights.values())}


def cap_of(cap, count, places):
    if cap is None:
        return inf
    amount = cap.tiers[0][1]
    for least, each in cap.tiers:
        if least <= count:
            amount = each
    return millionths(amount, places)


def fill(weights, caps, floors, total, period):
    """Y10 (a) to (d). Those without weight have 0."""
    settled, free, left = settle_bounds(weights, caps, floors, total)
    got = share_out(left, {each: weights[each] for each in free}, period) if free else {}
    return dict.fromkeys(weights, 0) | settled | got


def settle_bounds(weights, caps, floors, total):
    """Y10 (a) to (c): what the settled ones have, who is free, and what is left for those."""
    free = [each for each, weight in weights.items() if weight > 0]
    if sum(floors.get(each, 0) for each in free) > total:
        raise Refused("the floors come to more than there is")
    settled = {}
    while True:
        left = total - sum(settled.values())
        assert left >= 0
        among = sum(weights[each] for each in free)
        quotas = {each: Fraction(left * weights[each], among) for each in free}
        over = sum(max(quotas[each] - caps.get(each, inf), 0) for each in free)
        under = sum(max(floors.get(each, 0) - quotas[each], 0) for each in free)
        at_cap = {each: caps[each] for each in free if quotas[each] >= caps.get(each, inf)} if over >= under else {}
        at_floor = (
            {each: floors[each] for each in free if each in floors and quotas[each] <= floors[each]}
            if under >= over
            else {}
        )
        if not at_cap and not at_floor:
            return settled, free, left
        settled |= at_cap | at_floor
        free = [each for each in free if each not in settled]


def who_stays(weights, caps, least, total, cut):
    """Y11: those of weight k and more, with their weights, but for those hardly above the last that leaves."""
    left = -inf
    for k in sorted({weight for weight in weights.values() if weight > 0}):
        others = {each: weight for each, weight in weights.items() if weight >= k}
        if cut:
            among = sum(others.values())
            quotas = {each: min(Fraction(total * weight, among), caps[each]) for each, weight in others.items()}
        else:
            settled, free, rest = settle_bounds(others, caps, {}, total)
            among = sum(others[each] for each in free)
            quotas = settled | {each: Fraction(rest * others[each], among) for each in free}
        if all(quotas[each] >= least for each, weight in others.items() if weight == k):
            return {each: weight for each, weight in others.items() if weight > left + MILLION // 1000}
        left = k
    return {}


# -- holders ------------------------------------------------------------------------------------
def split(source, holders, amount, period):
    """Y13, H2: {(source, holder): amount}; the key of a tie is that of period, source and holder."""
    got = share_out(amount, {f"{source}\0{holder['id']}": Fraction(holder["share"]) for holder in holders}, period)
    return {tuple(both.split("\0")): part for both, part in got.items()}


def settle(policy, parts, fixed, parties, places, period):
    """Y13 to Y16: what each holder earned and what is taken from it, and the excess of caps and floors."""
    known = {party["holder_id"]: party for party in parties or ()}
    everybody = sorted({holder for _, holder in parts})
    if set(known) - set(everybody):
        raise Refused("a holder that no source has")
    earned = {
        name: fixed.get(name, 0) + sum(part for (_, holder), part in parts.items() if holder == name)
        for name in everybody
    }
    reachable = {name: known.get(name, {}).get("reachable") is not False for name in everybody}
    weights = {name: earned[name] for name in everybody if reachable[name]}
    gross, excess = bounded(policy, "holder", weights, {}, places, period)

    holders = {}
    for name in everybody:
        line = dict.fromkeys(EARNING, 0)
        own = known.get(name, {})
        if reachable[name]:
            line |= deduct(gross[name], policy.deductions, own)
            line |= {"earned": earned[name], "adjustment": gross[name] - earned[name]}
        else:
            line["escrow"] = earned[name]
        line |= {"reachable": reachable[name], "fixed": fixed.get(name, 0)}
        minimum = own.get("minimum")
        line["minimum"] = millionths(policy.payment.minimum, places) if minimum is None else minimum
        holders[name] = line
    return holders, excess


def deduct(gross, deductions, own):
    """Y16."""
    rate = own.get("withholding")
    rate = deductions.withholding if rate is None else Fraction(rate)
    fee = floor(gross * deductions.fee)
    withholding = floor((gross - fee) * rate)
    left = gross - fee - withholding
    recouped = min(left, own.get("advance") or 0)
    left -= recouped
    reserve = floor(left * deductions.reserve)
    return {
        "fee": fee,
        "withholding": withholding,
        "recouped": recouped,
        "reserve": reserve,
        "net": left - reserve,
    }


# -- payment ------------------------------------------------------------------------------------
def pay(balances, minimums, payment, period=""):
    """Y17 to Y19 over {id: balance}: what is paid in minor units, carried, and goes to the destination."""
    paid, carried, below, rounding = {}, {}, dict.fromkeys(balances, 0), 0
    reached = [name for name in balances if balances[name] >= max(minimums[name], 0)]
    for name, balance in balances.items():
        paid[name] = floor(Fraction(balance, MILLION)) if name in reached else 0
        carried[name] = balance - paid[name] * MILLION
        if name not in reached and balance > 0 and payment.below != "carry":
            carried[name], below[name] = 0, balance
    if payment.rests == "round":
        total = sum(balances[name] for name in reached)
        paid |= share_out(total // MILLION, {name: balances[name] for name in reached}, period)
        rounding = total % MILLION
        carried |= dict.fromkeys(reached, 0)
    return SimpleNamespace(paid=paid, carried=carried, below=below, rounding=rounding)
