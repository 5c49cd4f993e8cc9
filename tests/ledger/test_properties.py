"""Rule L22, and the properties that hold after every transaction, over up to 60 periods.

The oracle is written in fractions, slowly and apart: what each holder earned is its exact part of each pool.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from royaltycli.arrays import exact_sum
from royaltycli.ledger.accounts import NOTHING, Account, after, changes, parts_of_key
from royaltycli.ledger.booking import close_posting, restate_posting
from royaltycli.ledger.escrow import redistribute_posting, release_posting
from royaltycli.ledger.payments import payments_of, settle_posting
from royaltycli.ledger.reading import PLAIN, Inputs
from royaltycli.ledger.state import EMPTY
from royaltycli.ledger.transfers import transfer_posting
from royaltycli.ledger.verification import verify
from royaltycli.payout.allocation import allocate
from tests.ledger.corpora import CENT, Ledger
from tests.payout.tables import table

HOLDERS = "abcdef"


def about(period, profit, **more):
    return {
        "currency": "USD",
        "date": "",
        "inputs": {},
        "period": period,
        "profit": str(profit),
        "rate": "1",
        "total_tokens": None,
    } | more


def inputs(counts, policy=PLAIN, listed=None):
    """A source for each holder that has tokens; the holder of `?` is not known."""
    sources = [(name, count, "1", {} if name == "?" else {name: "1"}) for name, count in counts.items()]
    return Inputs(table(*sources), policy, listed, None)


class Booked:
    """States and moves in memory, checked after every transaction."""

    def __init__(self):
        self.state, self.moves = EMPTY, []

    def book(self, posting):
        self.moves.append(posting.moves)
        self.state = self.state.after(posting)
        balances = self.state.balances
        assert sum(balances.amounts.tolist()) == 0
        accounts, _, _ = parts_of_key(balances.keys)
        for account, amount in zip(accounts.tolist(), balances.amounts.tolist(), strict=True):
            assert account in (Account.PAYER, Account.HOLDER) or amount > 0
            assert account != Account.POOL

    def reader(self, number):
        return self.moves[number - 1]

    def close(self, period, profit, counts, **how):
        self.book(close_posting(self.state, inputs(counts, **how), about(period, profit)))

    def sums(self, holder):
        """What a holder has on all accounts that are its own."""
        number = self.state.parties.number("holder", holder)
        own = (Account.HOLDER, Account.PAYABLE, Account.PAID, Account.RESERVE)
        keys = self.state.balances.keys
        accounts, _, parties = parts_of_key(keys)
        amounts = self.state.balances.amounts.tolist()
        return sum(
            a for a, k, p in zip(amounts, accounts.tolist(), parties.tolist(), strict=True) if p == number and k in own
        )


counts = st.dictionaries(st.sampled_from(HOLDERS), st.integers(1, 10**9), min_size=1)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(periods=st.lists(st.tuples(st.integers(0, 300), counts), min_size=1, max_size=60))
def test_l22_everybody_gets_the_exact_sum_to_within_a_unit_after_every_period(periods):
    """Profits of cents: nobody's part of a period reaches a unit often, and nobody starves."""
    booked, exact = Booked(), dict.fromkeys(HOLDERS, Fraction(0))
    for number, (cents, seen) in enumerate(periods):
        booked.close(f"{number}", Decimal(cents).scaleb(-2), seen)
        total = sum(seen.values())
        for name, count in seen.items():
            exact[name] += Fraction(cents * count, total)
        for name in HOLDERS:
            if not exact[name]:
                continue
            got = booked.sums(name)
            assert abs(Fraction(got, CENT) - exact[name]) <= Fraction(number + 1, CENT)
            balance = int(booked.state.balances.dense(Account.HOLDER, 9)[booked.state.parties.number("holder", name)])
            assert 0 <= balance < CENT
            assert exact[name] - Fraction(got - balance, CENT) < 1 + Fraction(number + 1, CENT)


@few
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("close"), st.integers(0, 10**6), counts, st.integers(0, 10**9)),
            st.tuples(st.just("restate"), st.integers(0, 10**6), counts, st.integers(0, 10**9)),
            st.tuples(st.sampled_from(["paid", "returned"]), st.integers(0, 60), st.sets(st.sampled_from(HOLDERS))),
            st.tuples(st.just("transfer"), st.sampled_from(HOLDERS), st.sampled_from(HOLDERS)),
            st.tuples(st.just("release"), st.sampled_from(HOLDERS)),
            st.tuples(st.just("redistribute"), st.integers(1, 3), st.sampled_from(["payer", "fund:x", "holders"])),
        ),
        min_size=5,
        max_size=40,
    ),
    place=st.sampled_from(["carry", "payer", "fund:y", "escrow"]),
)
def test_conservation_at_every_prefix_of_any_transactions(steps, place):
    """`Booked.book` checks after each of them."""
    booked, closed = Booked(), 0
    payment = dataclasses.replace(PLAIN.payment, minimum=Decimal(10**5), below=place)
    policy = dataclasses.replace(PLAIN, payment=payment)
    booked.close("0", 5, dict.fromkeys([*HOLDERS, "?"], 1))
    for step in steps:
        state = booked.state
        if step[0] in ("close", "restate"):
            seen = step[2] | ({"?": step[3]} if step[3] % 2 else {})
            if step[0] == "close":
                closed += 1
                booked.close(f"{closed}", step[1], seen, policy=policy)
            else:
                period = str(step[3] % (closed + 1))
                earlier = [booked.reader(each.number) for each in state.stated(period)]
                booked.book(restate_posting(state, inputs(seen, policy), about(period, step[1]), earlier))
        elif step[0] in ("paid", "returned"):
            settle(booked, str(step[1] % (closed + 1)), step[0], step[2])
        elif step[0] == "transfer" and step[1] != step[2]:
            booked.book(transfer_posting(state, {"date": "", "from": step[1], "name": None, "to": step[2]}))
        elif step[0] == "release" and state.parties.number("source", "?"):
            booked.book(release_posting(state, {"date": "", "kind": "source", "name": None, "of": "?", "to": step[1]}))
        elif step[0] == "redistribute" and step[2] != "holders":
            booked.book(redistribute_posting(state, booked.reader, {"age": step[1], "date": "", "to": step[2]}))
    summed = NOTHING
    for moves in booked.moves:
        summed = after(summed, changes(moves))
    assert summed.keys.tolist() == booked.state.balances.keys.tolist()
    assert summed.amounts.tolist() == booked.state.balances.amounts.tolist()


def settle(booked, period, outcome, holders):
    listed = payments_of(booked.state, booked.reader, period)
    numbers = booked.state.parties.find("holder", sorted(holders)).tolist() if holders else []
    allowed = {"paid": (0,), "returned": (0, 1)}[outcome]
    chosen = [
        place
        for place, (number, status) in enumerate(zip(listed.holders.tolist(), listed.status.tolist(), strict=True))
        if number in numbers and status in allowed
    ]
    if chosen:
        made = settle_posting(
            booked.state, listed, np.array(chosen), {"date": "", "outcome": outcome, "period": period}
        )
        booked.book(made)


@few
@given(profits=st.lists(st.integers(0, 10**6), min_size=1, max_size=8), seen=counts, order=st.randoms())
def test_l14_restated_to_the_truth_a_ledger_has_what_one_that_was_right_at_once_has(profits, seen, order):
    """But for what was paid: all that a holder has, on balance and paid, is the same."""
    right, wrong = Booked(), Booked()
    for number, profit in enumerate(profits):
        right.close(f"{number}", profit, seen)
        wrong.close(f"{number}", profit + 1, seen | {"a": 17, "f": 3})
    for number in order.sample(range(len(profits)), len(profits)):
        earlier = [wrong.reader(each.number) for each in wrong.state.stated(f"{number}")]
        wrong.book(restate_posting(wrong.state, inputs(seen), about(f"{number}", profits[number]), earlier))
    for name in seen:
        assert wrong.sums(name) == right.sums(name)
    for name in {"a", "f"} - set(seen):
        assert wrong.sums(name) == 0


def test_nobody_starves_where_rounding_each_period_would_starve_most():
    """2,000 holders over 12 periods at 2 cents a period on average: all get what they are owed, to the cent."""
    chance = np.random.default_rng(5)
    weights = np.maximum(1, chance.pareto(1.1, 2000) * 1000).astype(np.int64)
    seen = {f"h{number:04d}": int(weight) for number, weight in enumerate(weights)}
    booked, pool = Booked(), 4000
    rounded = np.zeros(2000, np.int64)
    for period in range(12):
        booked.close(f"{period}", "40", seen)
        rounded += allocate(pool, weights, list(seen), f"{period}")
    owed = [Fraction(12 * pool * int(weight), int(weights.sum())) for weight in weights]
    numbers = booked.state.parties.find("holder", list(seen))
    left = booked.state.balances.dense(Account.HOLDER, 2001)[numbers]
    paid = np.array([booked.sums(name) for name in seen]) - left
    for amount, exact in zip(paid.tolist(), owed, strict=True):
        assert exact - 1 - Fraction(12, CENT) < Fraction(amount, CENT) <= exact + Fraction(12, CENT)
    starved = sum(1 for units, exact in zip(rounded.tolist(), owed, strict=True) if exact >= 1 and not units)
    assert starved > 100


def test_sixty_periods_on_disk_are_verified(tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(60):
        holders = {name: (index + number) % 5 + 1 for index, name in enumerate(HOLDERS)}
        ledger.close(
            f"{2020 + number // 12}-{number % 12 + 1}",
            "0.17",
            *((name, count, {name: "1"}) for name, count in holders.items()),
        )
    assert verify(ledger.path).periods == 60
    _, _, payable = ledger.state().balances.by_period(Account.PAYABLE)
    carried = ledger.state().balances.of(Account.HOLDER)[1]
    assert exact_sum(payable) + exact_sum(carried) == 60 * 17 * CENT
    assert carried.max() < CENT
