"""Policies side by side, and a policy over a grid of profits and rates (`royalty compare`, `royalty sweep`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa

from royaltycli.errors import CallError
from royaltycli.numerals import plain
from royaltycli.payout.allocation import exact_sum
from royaltycli.payout.columns import money_column
from royaltycli.payout.currency import DECIMALS, MILLIONTHS, Currency
from royaltycli.payout.distribution import Amounts, Distribution
from royaltycli.payout.payments import paid_at_once
from royaltycli.payout.rows import ids_before, listing
from royaltycli.payout.texts import share_text

TOP_PART = 100
"""The best paid hundredth of the holders."""

DETAILS = ("holder_id", "name", "difference")
"""The columns that stand beside those of the policies, holder by holder."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a distribution comes to, paid at once.

    `paid` are the whole minor units of each holder in the order of `holders`; the totals are in minor units,
    carried in millionths. `gini` is the Gini coefficient of what all holders are paid, from 0 (all alike) to 1,
    and `top` the part of it that the best paid hundredth gets (one holder at least); both 0 where nothing is paid.
    """

    policy: str
    pool: int
    currency: Currency
    holders: pa.Array
    names: pa.Array
    paid: Amounts
    total: int
    receivers: int
    smallest: int
    median: int
    gini: Fraction
    top: Fraction
    carried: int
    tenths: tuple[int, ...]
    """What each tenth of the holders is paid together, in minor units, the worst paid first."""

    @property
    def elsewhere(self) -> int:
        """Millionths that are neither paid nor carried: funds, escrow, deductions, the payer."""
        return (self.pool - self.total) * MILLIONTHS - self.carried


def outcome(distribution: Distribution) -> Outcome:
    """The figures that policies are compared by."""
    payments = paid_at_once(distribution)
    rising = np.sort(payments.paid)
    positive = rising[rising > 0]
    best = rising[len(rising) - max(1, len(rising) // TOP_PART) :]
    total = exact_sum(rising)
    return Outcome(
        policy=distribution.policy.name,
        pool=distribution.pool,
        currency=distribution.currency,
        holders=distribution.parts.ids,
        names=distribution.parts.names,
        paid=payments.paid,
        total=total,
        receivers=len(positive),
        smallest=int(positive[0]) if len(positive) else 0,
        median=int(positive[(len(positive) - 1) // 2]) if len(positive) else 0,
        gini=gini(rising),
        top=Fraction(exact_sum(best), total) if total else Fraction(0),
        carried=exact_sum(payments.carried),
        tenths=tuple(exact_sum(part) for part in np.array_split(rising, 10)),
    )


def gini(rising: Amounts) -> Fraction:
    """The Gini coefficient of amounts of zero or more that rise: sum((2i - n - 1) x_i) / (n sum(x)), i from 1.

    (Half the mean difference of all pairs over the mean: Gini 1912; the form for sorted values is the usual one.)
    """
    total, size = exact_sum(rising), len(rising)
    if not total:
        return Fraction(0)
    # The running sums are small enough for 64 bits, their sum may not be.
    below = sum(np.cumsum(rising).tolist())
    return Fraction((size + 1) * total - 2 * below, size * total)


def compared(outcomes: Sequence[Outcome]) -> pa.Table:
    """A row a policy; who gains and who loses is said against the first.

    The columns are documented in docs/files.md.
    """
    first = outcomes[0]
    places = first.currency.places
    return pa.table(
        {
            "policy": pa.array([one.policy for one in outcomes], pa.string()),
            **_figures(outcomes, places),
            "gain": pa.array([int(np.count_nonzero(one.paid > first.paid)) for one in outcomes], pa.int64()),
            "lose": pa.array([int(np.count_nonzero(one.paid < first.paid)) for one in outcomes], pa.int64()),
        }
    )


def swept(grid: Sequence[tuple[Decimal, Fraction, Outcome]]) -> pa.Table:
    """A row for each profit and rate of a grid."""
    outcomes = [one for _, _, one in grid]
    places = outcomes[0].currency.places
    return pa.table(
        {
            "profit": pa.array([plain(profit) for profit, _, _ in grid], pa.string()),
            "rate": pa.array([share_text(rate.numerator, rate.denominator) for _, rate, _ in grid], pa.string()),
            **_figures(outcomes, places),
        }
    )


def side_by_side(outcomes: Sequence[Outcome], top: int | None = None) -> pa.Table:
    """A row a holder, with what each policy pays it, and the difference of the last to the first.

    With `top`, those whom the first pays most, and a row for all others. Raises CallError if a policy is named as one
    of the other columns is.
    """
    for one in outcomes:
        if one.policy in DETAILS:
            raise CallError(f"a policy is named {one.policy}, as a column of the details is; give it another `name`")
    first = outcomes[0]
    places = first.currency.places
    rows = listing(first.paid, ids_before(first.holders), {}, top, "(other holders)")
    names = {
        "holder_id": rows.ids(pa.chunked_array([first.holders])),
        "name": rows.texts(pa.chunked_array([first.names])),
    }
    paid = {one.policy: rows.numbers(one.paid, {}) for one in outcomes}
    paid["difference"] = paid[outcomes[-1].policy] - paid[first.policy]
    return pa.table(names | {name: money_column(units, places) for name, units in paid.items()})


def _figures(outcomes: Sequence[Outcome], places: int) -> dict[str, pa.Array]:
    def units(values: list[int], more: int = 0) -> pa.Array:
        return money_column(np.array(values, np.int64), places + more)

    return {
        "pool": units([one.pool for one in outcomes]),
        "paid": units([one.total for one in outcomes]),
        "carried": units([one.carried for one in outcomes], DECIMALS),
        "elsewhere": units([one.elsewhere for one in outcomes], DECIMALS),
        "holders": pa.array([len(one.holders) for one in outcomes], pa.int64()),
        "paid_holders": pa.array([one.receivers for one in outcomes], pa.int64()),
        "smallest": units([one.smallest for one in outcomes]),
        "median": units([one.median for one in outcomes]),
        "gini": pa.array([share_text(one.gini.numerator, one.gini.denominator) for one in outcomes], pa.string()),
        "top_share": pa.array([share_text(one.top.numerator, one.top.denominator) for one in outcomes], pa.string()),
    }
