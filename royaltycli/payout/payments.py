"""What is paid of balances, and what is carried (docs/spec-policy.md, rules Y17 to Y19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.payout.allocation import allocate, exact_sum
from royaltycli.payout.currency import MILLIONTHS
from royaltycli.payout.distribution import Amounts, Distribution
from royaltycli.payout.policy import Payment


@dataclass(frozen=True, slots=True)
class Payments:
    """What is paid of balances (rules Y17 to Y19), one for each balance.

    `paid` is in whole minor units, `carried` and `below` (what goes to the policy's destination for balances
    under the minimum) in millionths; `rounding` is what whole units left of all balances together.
    """

    paid: Numbers
    carried: Amounts
    below: Amounts
    rounding: int


def pay_balances(
    balances: Amounts, minimums: Amounts, payment: Payment, ids: pa.Array | Sequence[str], period: str
) -> Payments:
    """Pay the whole minor units of every balance that reaches its minimum.

    `balances` and `minimums` are millionths of a minor unit. A balance below zero is carried as it is.
    """
    reached = (balances >= minimums) & (balances > 0)
    paid = np.where(reached, balances // MILLIONTHS, 0)
    carried = balances - paid * MILLIONTHS
    rounding = 0
    if payment.rests == "round":
        payable = np.where(reached, balances, 0)
        units, rounding = divmod(exact_sum(payable), MILLIONTHS)
        paid = allocate(units, payable, ids, period)
        carried = balances - payable
    below = np.zeros(len(balances), np.int64)
    if payment.below != "carry":
        below = np.where(~reached & (balances > 0), balances, 0)
        carried = carried - below
    return Payments(paid, carried, below, rounding)


def paid_at_once(distribution: Distribution) -> Payments:
    """What is paid of a distribution, with nothing carried from before."""
    earnings, payment, ids = distribution.earnings, distribution.policy.payment, distribution.parts.ids
    return pay_balances(earnings.net, earnings.known.minimum, payment, ids, distribution.period)
