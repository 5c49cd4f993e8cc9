"""A policy: the rules of a distribution as plain values (docs/spec-policy.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from royaltycli.errors import CallError

Measure = Literal["seen_tokens", "tokens", "documents", "bytes", "works", "usage"]
Per = Literal["source", "holder"]

Weighted = tuple[tuple[Measure, Fraction], ...]
"""What shares are proportional to: measures, each with its weight, from 0 on; the weights make one."""

SEEN_TOKENS: Weighted = (("seen_tokens", Fraction(1)),)

Destination = str
"""Where money goes that no holder gets: `pool` (the others share it), `escrow`, `payer` or `fund:NAME`."""


@dataclass(frozen=True, slots=True)
class Top:
    """A part of the pool that goes elsewhere before all else (rule Y3)."""

    part: Fraction
    to: Destination


@dataclass(frozen=True, slots=True)
class Gate:
    """Closes on the sources for which all of its conditions hold, and sends what they come to elsewhere (Y7).

    `minimum` closes on sources below any of it; `licenses` on those with one of them, `other_licenses` on
    those with none of them; `unknown` on those without holders. None and False are no condition.
    """

    to: Destination
    minimum: Mapping[Measure, Decimal] | None = None
    licenses: frozenset[str] | None = None
    other_licenses: frozenset[str] | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Fixed:
    """An equal part first, for each work or holder (Y8): an amount in the currency, or a part of the rest."""

    each: Literal["work", "holder"]
    amount: Decimal | None = None
    part: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """No more than so much (Y10): tiers of (number of holders from which on it holds, amount in the currency)."""

    per: Per
    tiers: tuple[tuple[int, Decimal], ...]
    excess: Destination = "pool"


@dataclass(frozen=True, slots=True)
class Floor:
    """No less than so much (Y10, Y11), in the currency."""

    per: Per
    amount: Decimal
    below: Literal["leave", "raise"]


@dataclass(frozen=True, slots=True)
class Deductions:
    """What is taken from what a holder earned (Y16)."""

    fee: Fraction = Fraction(0)
    withholding: Fraction = Fraction(0)
    reserve: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Payment:
    """The minimum payment, in the currency, and what becomes of what is below it and of rests (Y17 to Y19)."""

    minimum: Decimal = Decimal(0)
    below: Destination = "carry"
    rests: Literal["carry", "round"] = "carry"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of a distribution.

    `digest` is the SHA-256 of the file that it was read from, in hexadecimal. `rate` is the part of the
    profit that is paid out, unless the call says otherwise.
    """

    name: str
    title: str = ""
    source: str = ""
    date: str = ""
    digest: str = ""
    rate: Fraction | None = None
    basis: Weighted = SEEN_TOKENS
    top: tuple[Top, ...] = ()
    gates: tuple[Gate, ...] = ()
    fixed: Fixed | None = None
    caps: tuple[Cap, ...] = ()
    floors: tuple[Floor, ...] = ()
    unattributed: Destination = "pool"
    deductions: Deductions = field(default_factory=Deductions)
    payment: Payment = field(default_factory=Payment)

    def rate_or(self, given: Fraction | None) -> Fraction:
        """The rate that is given, else the policy's own. Raises CallError if there is neither."""
        rate = self.rate if given is None else given
        if rate is None:
            raise CallError(f"the policy {self.name} has no rate of its own; say which part is paid out with `--rate`")
        return rate

    @property
    def goes_by_usage(self) -> bool:
        """Whether a usage table is used: for shares, or by a gate."""
        return "usage" in dict(self.basis) or any("usage" in (gate.minimum or ()) for gate in self.gates)

    def check_usage(self, usage: object) -> None:
        """Raises CallError if a usage table is given that nothing uses."""
        if usage is not None and not self.goes_by_usage:
            raise CallError(
                "nothing goes by usage, but a usage table is given; name a policy that does, such as a file of the "
                'lines [basis] and usage = "100%", or leave out `--usage`'
            )


def goes_by_tokens(basis: Weighted) -> bool:
    """Whether the size of the whole run, which is in tokens, changes any share (rules B6 and Y6)."""
    return any(weight and measure in ("tokens", "seen_tokens") for measure, weight in basis)
