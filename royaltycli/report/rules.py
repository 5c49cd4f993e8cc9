"""The rules of a distribution in words, a line each: what a workbook and a statement say of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from royaltycli.numerals import percentage
from royaltycli.payout.policy import SEEN_TOKENS, Cap, Destination, Fixed, Floor, Gate, Payment, Policy, Weighted

Rules = tuple[tuple[str, str], ...]
"""Each a short name and a sentence."""

PLAIN: Rules = (
    ("Basis", "seen tokens, which are tokens × epochs"),
    ("Who takes part", "every source that was scanned"),
    ("Whole minor units", "by the method of largest remainders; a tie is decided by the SHA-256 of period and id"),
    ("Holders of one source", "by their shares of it, by the same method"),
    ("Deductions", "none"),
    ("Minimum payment", "none"),
)
"""Of a payout without a policy, by seen tokens (docs/spec-allocation.md)."""


def rules_of(policy: Policy | None, code: str, basis: Weighted = SEEN_TOKENS) -> Rules:
    """The rules of a policy in the order in which they apply; amounts are in the currency of this code.

    Without a policy, `basis` is what shares are proportional to.
    """
    if policy is not None:
        return tuple(_rules(policy, code))
    if basis == SEEN_TOKENS:
        return PLAIN
    return (("Basis", basis_words(basis)), *_unattributed(Policy("", basis=basis)), *PLAIN[1:])


def basis_words(basis: Weighted) -> str:
    """What shares are proportional to, such as `50 % by usage and 50 % by seen tokens`."""
    return " and ".join(f"{percentage(weight)} by {measure.replace('_', ' ')}" for measure, weight in basis)


def _rules(policy: Policy, code: str) -> Iterator[tuple[str, str]]:
    yield "Policy", f"{policy.name}: {policy.title}" if policy.title else policy.name
    if policy.source:
        yield "Published", f"{policy.source}, {policy.date}" if policy.date else policy.source
    for top in policy.top:
        yield "Before all else", f"{percentage(top.part)} of the pool to {_place(top.to)}"
    yield "Basis", basis_words(policy.basis)
    for gate in policy.gates:
        yield "Who takes part", _gate(gate)
    if not policy.gates:
        yield "Who takes part", "every source that was scanned"
    if policy.fixed is not None:
        yield "Fixed part", _fixed(policy.fixed, code)
    for cap in policy.caps:
        yield "Cap", _cap(cap, code)
    for floor in policy.floors:
        yield "Floor", _floor(floor, code)
    yield from _unattributed(policy)
    parts = policy.deductions
    if parts.fee:
        yield "Fee", f"{percentage(parts.fee)} of what a holder earned"
    if parts.withholding:
        yield "Withholding", f"{percentage(parts.withholding)} of what is then left"
    if parts.reserve:
        yield "Reserve", f"{percentage(parts.reserve)} of what is then left"
    yield from _payment(policy.payment, code)


def _unattributed(policy: Policy) -> Iterator[tuple[str, str]]:
    if "usage" in dict(policy.basis):
        yield "Unattributed usage", f"to {_place(policy.unattributed)}"


def _gate(gate: Gate) -> str:
    """Who is turned away by a gate, and where the money goes."""
    conditions = []
    if gate.minimum is not None:
        least = [f"{value:,f} {name.replace('_', ' ')}" for name, value in gate.minimum.items()]
        conditions.append(f"below {' or '.join(least)}")
    if gate.licenses is not None:
        conditions.append(f"with the license {' or '.join(sorted(map(_license, gate.licenses)))}")
    if gate.other_licenses is not None:
        conditions.append(f"with another license than {' or '.join(sorted(map(_license, gate.other_licenses)))}")
    if gate.unknown:
        conditions.append("whose holder is unknown")
    return f"sources {' and '.join(conditions)} take no part; what they come to goes to {_place(gate.to)}"


def _license(name: str) -> str:
    return name or "(none)"


def _fixed(fixed: Fixed, code: str) -> str:
    if fixed.amount is not None:
        return f"{fixed.amount:,f} {code} for each {fixed.each} first"
    return f"{percentage(fixed.part or Fraction(0))} of the rest first, in equal parts for each {fixed.each}"


def _cap(cap: Cap, code: str) -> str:
    excess = f"what is above goes to {_place(cap.excess)}"
    if len(cap.tiers) == 1:
        return f"at most {cap.tiers[0][1]:,f} {code} for each {cap.per}; {excess}"
    tiers = ", ".join(f"{amount:,f} {code} from {holders:,} on" for holders, amount in cap.tiers)
    return f"for each {cap.per}, by its number of holders, at most {tiers}; {excess}"


def _floor(floor: Floor, code: str) -> str:
    below = {"leave": "who comes to less leaves it to the others", "raise": "who comes to less is raised to it"}
    return f"at least {floor.amount:,f} {code} for each {floor.per}; {below[floor.below]}"


def _payment(payment: Payment, code: str) -> Iterator[tuple[str, str]]:
    if payment.minimum:
        below = "is carried to the next period" if payment.below == "carry" else f"goes to {_place(payment.below)}"
        yield "Minimum payment", f"{payment.minimum:,f} {code}; a smaller balance {below}"
    else:
        yield "Minimum payment", "none"
    rests = {"carry": "are carried to the next period", "round": "are shared out by the method of largest remainders"}
    yield "Rests below a minor unit", rests[payment.rests]


def _place(to: Destination) -> str:
    known = {"pool": "the others", "escrow": "escrow", "payer": "the payer"}
    return known.get(to, f"the {to.replace(':', ' ', 1)}")
