"""A pool distributed by a policy, with every millionth of a minor unit traced (docs/spec-policy.md)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pyarrow as pa

from royaltycli.arrays import Integers, Mask, Numbers
from royaltycli.errors import AmountError
from royaltycli.payout.currency import Currency
from royaltycli.payout.gates import Gated
from royaltycli.payout.holders import Parts
from royaltycli.payout.policy import Measure, Policy

Amounts = Numbers
"""Millionths of a minor unit."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the list of holders says of each holder, in the order of `Parts.ids`.

    `withholding` is a rate as text, null where it is the policy's; `advance` is what there is to recoup, and `minimum`
    the balance from which on a holder is paid.
    """

    reachable: Mask
    withholding: pa.Array
    advance: Amounts
    minimum: Amounts


@dataclass(frozen=True, slots=True)
class Earnings:
    """What each holder earned and what was taken from it (rules Y13 to Y16), in the order of `Parts.ids`.

    All amounts are 0 for a holder that cannot be reached, whose earnings are in `escrow`. `fixed` is the part of
    `earned` or `escrow` that is a fixed part per holder.
    """

    known: Known
    fixed: Amounts
    earned: Amounts
    adjustment: Amounts
    fee: Amounts
    withholding: Amounts
    recouped: Amounts
    reserve: Amounts
    escrow: Amounts

    @property
    def gross(self) -> Amounts:
        """What deductions are taken from."""
        return self.earned + self.adjustment

    @property
    def net(self) -> Amounts:
        """What deductions leave."""
        return self.gross - self.fee - self.withholding - self.recouped - self.reserve


@dataclass(frozen=True, slots=True)
class Shared:
    """The part of the rest that one measure shared out (rule Y5).

    `units` are the millionths, `numbers` those of each source that takes part, times 10**places, and `total` is
    their sum with what stands for no source, such as `(not scanned)`. `for_all` is no source's either, but is left
    to those that take part.
    """

    measure: Measure
    units: int
    numbers: Integers
    places: int
    total: int
    for_all: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """A pool distributed by a policy, before payment. `pool` is in minor units, all else in millionths of them.

    `table` is the token table in the order of its source ids, and `parts` its holders. For each source: the
    fixed part that it gets as a work, what its measures give it (and in `shared`, how), and what it comes to
    after caps and floors (rules Y8 to Y11), which goes where `gated` says. `part_amounts` is what each part gets.

    `elsewhere` is what no holder gets, by the id of its row, such as `(fund:NAME)`; with the sums of
    `earnings` (net, deductions and escrow) it makes the pool. `excess` is the part of it that caps and
    floors of holders left.
    """

    policy: Policy
    pool: int
    currency: Currency
    period: str
    table: pa.Table
    parts: Parts
    fixed: Amounts
    measured: Amounts
    sources: Amounts
    gated: Gated
    shared: tuple[Shared, ...]
    part_amounts: Amounts
    earnings: Earnings
    elsewhere: dict[str, int]
    excess: dict[str, int]

    @property
    def unattributed(self) -> Fraction:
        """The part of the usage that no source has, and that all share."""
        return next((Fraction(one.for_all, one.total + one.for_all) for one in self.shared if one.for_all), Fraction(0))


def not_all_of(pool: int, found: int) -> AmountError:
    """The error for a pool of which not every millionth is in exactly one place (rule Y2)."""
    return AmountError(
        f"the destinations sum to {found} millionths of a pool of {pool}; "
        "this is a defect of the program, please report it"
    )
