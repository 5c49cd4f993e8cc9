"""A statement as plain values, with all that Article 18 of Directive 2014/26/EU asks for.

Amounts are millionths of a minor unit as integers, and rendered to the last digit. A statement that does not add up
cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass

from royaltycli.errors import AmountError
from royaltycli.payout.currency import MILLIONTHS, Currency
from royaltycli.report.rules import Rules

CATEGORY = "reproduction of works"
USE = "training of a language model"


@dataclass(frozen=True, slots=True)
class Party:
    """A holder or the payer. `contacts` are details by what they are called, such as (`email`, `a@b.org`)."""

    id: str
    name: str
    contacts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one source: its credit in the usage table, and the part of all usage that this is, as decimals."""

    credit: str
    share: str


@dataclass(frozen=True, slots=True)
class Earned:
    """What one source earned for the holder.

    `seen_tokens` is an exact decimal; `holder_share` the holder's part of the source, such as `0.7` or `1/3`;
    `share` what the amount is of the whole pool, as a decimal. Where the policy goes by no usage, `usage` is None.
    """

    source_id: str
    title: str | None
    tokens: int
    seen_tokens: str
    holder_share: str
    share: str
    amount: int
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount with what it is: above zero it adds to the balance.

    `is_revenue` is false of a payment that came back: what was paid had been attributed before.
    """

    label: str
    amount: int
    is_revenue: bool = True


@dataclass(frozen=True, slots=True)
class Deduction:
    """What was taken from the earnings: a management fee, or something else."""

    label: str
    amount: int
    is_fee: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What was shared out, and how. `profit` and `rate` are exact, in plain text; `pool` is in minor units.

    `unattributed` is the part of all usage that is of no source, as a decimal; None where the policy goes by no usage.
    """

    profit: str
    rate: str
    pool: int
    rules: Rules
    category: str = CATEGORY
    use: str = USE
    unattributed: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One holder's account for one period. `paid` is in whole minor units, all else in millionths of them.

    `adjustments` may be above or below zero. `outstanding` is all that is still owed when the period is closed,
    the closing balance among it. `digests` tie the statement to what it was made from.
    """

    holder: Party
    payer: Party
    period: str
    currency: Currency
    terms: Terms
    opening: int
    earned: tuple[Earned, ...]
    adjustments: tuple[Entry, ...]
    deductions: tuple[Deduction, ...]
    paid: int
    closing: int
    outstanding: tuple[Entry, ...]
    digests: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Raises AmountError if the amounts do not make the closing balance."""
        made = self.opening + self.earnings + self.adjusted - self.deducted - self.paid * MILLIONTHS
        if made != self.closing:
            raise AmountError(
                f"the statement of {self.holder.id} for {self.period} comes to {made} millionths of a minor unit, but "
                f"the balance is {self.closing}; this is a defect of the program, please report it"
            )

    @property
    def earnings(self) -> int:
        """What all sources earned."""
        return sum(line.amount for line in self.earned)

    @property
    def adjusted(self) -> int:
        """The sum of the adjustments."""
        return sum(entry.amount for entry in self.adjustments)

    @property
    def attributed(self) -> int:
        """The revenue attributed to the holder: what all sources earned, and the adjustments that are revenue."""
        return self.earnings + sum(entry.amount for entry in self.adjustments if entry.is_revenue)

    @property
    def deducted(self) -> int:
        """The sum of the deductions."""
        return sum(deduction.amount for deduction in self.deductions)
