"""Rule L6: balances are the exact sums of moves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from royaltycli.errors import LedgerError
from royaltycli.ledger.accounts import NOTHING, Account, Moves, after, before, changes, key_of, move, together

LARGEST = 2**63 - 1


def paid_in(*amounts):
    """Moves from the payer to the holder 1."""
    return together([move(1, (Account.PAYER, 0), (Account.HOLDER, 1), amount) for amount in amounts])


def test_l6_balances_are_the_sums_of_moves_in_the_order_of_their_keys():
    random = np.random.default_rng(1)
    expected, balances = Counter(), NOTHING
    for _ in range(20):
        rows = np.stack([random.integers(1, high, 50) for high in (4, 13, 9, 13, 9, 2**40)], axis=1)
        for period, source, giver, target, taker, amount in rows.tolist():
            expected[key(source, period, giver)] -= amount
            expected[key(target, period, taker)] += amount
        balances = after(balances, changes(Moves(rows)))
        held = sorted((each, amount) for each, amount in expected.items() if amount)
        assert list(zip(balances.keys.tolist(), balances.amounts.tolist(), strict=True)) == held


def key(account, period, party):
    return int(key_of(account, period if account in (Account.ESCROW, Account.PAYABLE) else 0, party))


def test_l6_no_moves_change_nothing():
    nothing = changes(together([]))
    assert (nothing.keys.tolist(), nothing.amounts.tolist()) == ([], [])
    assert after(NOTHING, nothing).keys.tolist() == []


def test_l6_sums_are_exact_up_to_64_bits_and_refused_beyond():
    changed = changes(paid_in(2**62, 2**62 - 1))
    assert changed.amounts.tolist() == [-LARGEST, LARGEST]
    assert before(changed, changed).keys.tolist() == []
    with pytest.raises(LedgerError, match="more than 2\\^63 millionths"):
        changes(paid_in(2**62, 2**62))
    with pytest.raises(LedgerError, match="more than 2\\^63 millionths"):
        after(changed, changes(paid_in(1)))
