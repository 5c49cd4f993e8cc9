"""Rule L14 for what a close took of balances below the minimum: it is restated as all else is.

The oracle is a close: restated from one input to another, a ledger has what one has that was closed with the other.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.ledger.accounts import Account, parts_of_key
from royaltycli.ledger.booking import restate_posting
from royaltycli.ledger.escrow import redistribute, release
from royaltycli.ledger.transfers import transfer
from royaltycli.payout.currency import find_currency
from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.policies.reading import read_policy
from tests.ledger.corpora import DOLLAR, A, B, C
from tests.ledger.test_properties import HOLDERS, Booked, about, counts, few, inputs

PLACES = ("payer", "fund:z", "escrow")
BOTH = ("x", 1, A), ("y", 1, B)


def rules(place, minimum="60.00"):
    return f'name = "p"\n[payment]\nminimum = "{minimum}"\nbelow = "{place}"\n'


def lies(ledger, place):
    """What lies where balances below the minimum go: of the payer, what it has of it, less what it paid in."""
    if place == "escrow":
        return ledger.has(Account.ESCROW, "a", "1") + ledger.has(Account.ESCROW, "b", "1")
    return ledger.has(Account.FUND, "z", kind="fund") if place == "fund:z" else ledger.has(Account.PAYER, None)


@pytest.mark.parametrize("place", PLACES)
def test_l14_what_was_below_the_minimum_is_no_debt_when_it_is_less(ledger, place):
    ledger.close("1", 100, *BOTH, policy=rules(place))
    booked = ledger.restate("1", 60, *BOTH, policy=rules(place))
    assert (booked.pool, ledger.balance("a"), ledger.balance("b")) == (-40 * DOLLAR, 0, 0)
    assert lies(ledger, place) == (0 if place == "payer" else 60 * DOLLAR)


@pytest.mark.parametrize("place", PLACES)
def test_l14_what_was_below_the_minimum_is_given_back_when_it_reaches_it(ledger, place):
    ledger.close("1", 100, *BOTH, policy=rules(place))
    ledger.restate("1", 140, *BOTH, policy=rules(place))
    assert (ledger.balance("a"), ledger.balance("b")) == (70 * DOLLAR, 70 * DOLLAR)
    assert lies(ledger, place) == (-140 * DOLLAR if place == "payer" else 0)
    ledger.restate("1", 60, *BOTH, policy=rules(place))
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 0)


def test_l14_whom_the_close_paid_nothing_is_taken_from(ledger):
    ledger.close("1", 200, ("x", 1, A), ("y", 3, B), policy=rules("escrow"))
    ledger.restate("1", 60, ("x", 1, A), ("y", 3, B), policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.has(Account.ESCROW, "a", "1")) == (0, 15 * DOLLAR)
    assert (ledger.balance("b"), ledger.has(Account.ESCROW, "b", "1")) == (-105 * DOLLAR, 0)
    ledger.restate("1", 240, ("x", 1, A), ("y", 3, B), policy=rules("escrow"))
    assert (ledger.balance("b"), ledger.has(Account.ESCROW, "b", "1")) == (30 * DOLLAR, 0)


def test_l14_another_minimum_or_policy_gives_back_what_was_taken(ledger):
    ledger.close("1", 100, *BOTH, policy=rules("payer"))
    ledger.restate("1", 100, *BOTH, policy=rules("payer"), holders="holder_id,minimum\na,5\n")
    assert (ledger.balance("a"), ledger.balance("b")) == (50 * DOLLAR, 0)
    ledger.restate("1", 100, *BOTH, policy=rules("fund:z"))
    assert (ledger.balance("a"), ledger.balance("b"), ledger.has(Account.PAYER, None)) == (0, 0, -100 * DOLLAR)
    ledger.restate("1", 100, *BOTH, policy=rules("carry"))
    assert (ledger.balance("a"), ledger.balance("b")) == (50 * DOLLAR, 50 * DOLLAR)
    assert ledger.has(Account.FUND, "z", kind="fund") == 0


def test_l14_one_who_cannot_be_reached_after_all_has_the_same_in_escrow(ledger):
    lost = "holder_id,reachable\na,no\n"
    ledger.close("1", 100, *BOTH, policy=rules("escrow"))
    ledger.restate("1", 100, *BOTH, policy=rules("escrow"), holders=lost)
    assert (ledger.balance("a"), ledger.has(Account.ESCROW, "a", "1")) == (0, 50 * DOLLAR)
    ledger.restate("1", 80, *BOTH, policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.has(Account.ESCROW, "a", "1")) == (0, 40 * DOLLAR)


def test_l14_what_was_released_is_not_given_back_twice(ledger):
    ledger.close("1", 100, *BOTH, policy=rules("escrow"))
    release(ledger.path, "a")
    ledger.restate("1", 140, *BOTH, policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.balance("b")) == (70 * DOLLAR, 70 * DOLLAR)
    ledger.restate("1", 60, *BOTH, policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.balance("b")) == (30 * DOLLAR, 0)
    assert not ledger.restate("1", 60, *BOTH, policy=rules("escrow"), holders="holder_id,advance\nb,0\n").changed


def test_l14_what_was_redistributed_is_taken_from_the_balance(ledger):
    ledger.close("1", 100, *BOTH, policy=rules("escrow"))
    ledger.close("2", 0, *BOTH)
    redistribute(ledger.path, 1, "payer")
    ledger.restate("1", 60, *BOTH, policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.balance("b")) == (-20 * DOLLAR, -20 * DOLLAR)


def test_l14_what_escrow_has_of_a_balance_below_the_minimum_is_not_taken_for_what_it_had_before(ledger):
    """Of 55 each 50 left escrow long since, and 5 are in it: these are of the balance, and nothing is to be moved."""
    ledger.close("1", 100, *BOTH, policy=rules("escrow"), holders="holder_id,reachable\na,no\nb,no\n")
    ledger.close("2", 0, *BOTH)
    redistribute(ledger.path, 1, "payer")
    ledger.restate("1", 110, *BOTH, policy=rules("escrow"))
    assert (ledger.balance("a"), ledger.has(Account.ESCROW, "a", "1")) == (0, 5 * DOLLAR)
    assert not ledger.restate("1", 110, *BOTH, policy=rules("escrow", "59.00")).changed


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("redistributed", [True, False])
@pytest.mark.parametrize("holders", [None, "holder_id,reachable\na,no\nb,no\n"])
def test_l14_what_has_left_escrow_is_not_taken_a_second_time_of_other_earnings(ledger, place, redistributed, holders):
    ledger.close("1", 100, *BOTH, policy=rules("escrow"), holders=holders)
    ledger.close("2", 0, *BOTH, policy=rules("carry"))
    if redistributed:
        redistribute(ledger.path, 1, "payer")
    else:
        release(ledger.path, "a")
        release(ledger.path, "b")
    ledger.close("3", 0, *BOTH, policy=rules("carry", "0"))
    before = lies(ledger, place)
    ledger.restate("1", 100, *BOTH, policy=rules(place, "59.00"))
    assert (ledger.balance("a"), ledger.balance("b"), lies(ledger, place)) == (0, 0, before)
    ledger.close("4", 100, *BOTH, policy=rules("carry"))
    ledger.restate("1", 100, *BOTH, policy=rules(place, "58.00"))
    assert (ledger.balance("a"), ledger.balance("b")) == (50 * DOLLAR, 50 * DOLLAR)


def test_l14_what_was_taken_of_one_who_was_transferred_later_is_given_to_the_successor(ledger):
    ledger.close("1", 100, *BOTH, policy=rules("payer"))
    transfer(ledger.path, "a", "c", name="C")
    ledger.restate("1", 60, *BOTH, policy=rules("payer"))
    assert [ledger.balance(name) for name in "abc"] == [0, 0, 0]
    ledger.restate("1", 140, *BOTH, policy=rules("payer"))
    assert [ledger.balance(name) for name in "abc"] == [0, 70 * DOLLAR, 70 * DOLLAR]


def test_l14_of_two_who_have_one_successor_no_more_is_taken_than_it_has(ledger):
    ledger.close("1", 100, *BOTH, policy=rules("payer"))
    transfer(ledger.path, "a", "c", name="C")
    transfer(ledger.path, "b", "c")
    ledger.restate("1", 100, *BOTH, policy=rules("carry"))
    ledger.close("2", 0, *BOTH, policy=rules("carry", "0"))
    ledger.close("3", 60, ("z", 1, C), policy=rules("carry", "100.00"))
    assert ledger.paid("2") == {"c": 100 * DOLLAR}
    assert ledger.balance("c") == 60 * DOLLAR
    ledger.restate("1", 100, *BOTH, policy=rules("payer"))
    assert [ledger.balance(name) for name in "abc"] == [0, 0, 0]


def test_l14_one_who_had_succeeded_another_by_the_close_is_below_the_minimum_with_both(ledger):
    ledger.close("0", 0, *BOTH)
    transfer(ledger.path, "a", "b")
    ledger.close("1", 40, *BOTH, policy=rules("payer"))
    assert ledger.has(Account.PAYER, None) == 0
    ledger.restate("1", 50, *BOTH, policy=rules("payer"))
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 0)
    ledger.restate("1", 70, *BOTH, policy=rules("payer"))
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 70 * DOLLAR)


def test_l14_a_debt_of_before_is_no_reason_to_take_more_than_there_is(ledger):
    ledger.close("1", 100, *BOTH)
    ledger.restate("1", 60, *BOTH)
    ledger.close("2", 0, *BOTH, policy=rules("payer"))
    ledger.restate("2", 60, *BOTH, policy=rules("payer"))
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 0)
    ledger.restate("2", 50, *BOTH, policy=rules("payer"))
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 0)
    ledger.restate("2", 30, *BOTH, policy=rules("payer"))
    assert (ledger.balance("a"), ledger.balance("b")) == (-5 * DOLLAR, -5 * DOLLAR)


# -- any amounts ---------------------------------------------------------------------------------


def of_ids(booked):
    """All accounts by the ids of their parties; what waits for the bank is counted to the balance."""
    accounts, periods, parties = parts_of_key(booked.state.balances.keys)
    kinds, ids = booked.state.parties.kinds(parties), booked.state.parties.ids(parties)
    found = Counter()
    amounts = booked.state.balances.amounts.tolist()
    for account, period, kind, name, amount in zip(accounts, periods, kinds, ids, amounts, strict=True):
        due = account == Account.PAYABLE
        found[(Account.HOLDER, 0, kind, name) if due else (int(account), int(period), kind, name)] += amount
    return {key: amount for key, amount in found.items() if amount}


def listed(names):
    """A list of holders who cannot be reached."""
    return pa.Table.from_pylist([{"holder_id": name, "reachable": False} for name in sorted(names)], LIST_OF_HOLDERS)


MINIMUM = 50
"""In dollars; a pool below it pays nobody."""

stated = st.tuples(st.integers(0, 4 * MINIMUM), counts, st.sets(st.sampled_from(HOLDERS)))


@few
@given(
    place=st.sampled_from(PLACES),
    first=st.tuples(st.integers(0, MINIMUM - 1), counts, st.sets(st.sampled_from(HOLDERS))),
    then=st.lists(stated, min_size=1, max_size=3),
    rests=st.integers(0, 10**6),
)
def test_l14_restated_from_one_input_to_another_a_ledger_has_what_it_would_have_closed_with_that(
    place, first, then, rests
):
    text = f'{rules(place, MINIMUM)}[deductions]\nfee = "10%"\nwithholding = "5%"\n'
    policy = read_policy(text.encode(), "p", find_currency("USD"))
    restated, closed = Booked(), Booked()
    if not any(lost for _, _, lost in (first, *then)):
        for each in (restated, closed):  # there are rests of less than a cent on balances
            each.close("0", rests, dict.fromkeys(HOLDERS, 7))

    def with_all(seen, lost):
        return inputs(seen, policy, listed(lost & seen.keys()) if lost & seen.keys() else None)

    profit, seen, lost = first
    restated.close("1", profit, seen, policy=policy, listed=with_all(seen, lost).listed)
    for profit, seen, lost in then:
        earlier = [restated.reader(each.number) for each in restated.state.stated("1")]
        restated.book(restate_posting(restated.state, with_all(seen, lost), about("1", profit), earlier))
    profit, seen, lost = then[-1]
    closed.close("1", profit, seen, policy=policy, listed=with_all(seen, lost).listed)
    assert of_ids(restated) == of_ids(closed)


@pytest.mark.parametrize("place", PLACES)
def test_l14_there_and_back_after_a_transfer_all_is_as_it_was(ledger, place):
    """What the balance of the successor has counts: b was paid, and is a now; a's 100 were below the minimum."""
    lower = "holder_id,minimum\nb,0\n"
    ledger.close("1", 200, *BOTH, policy=rules(place, "120.00"), holders=lower)
    transfer(ledger.path, "b", "a")
    before = (ledger.balance("a"), ledger.balance("b"), lies(ledger, place))
    ledger.restate("1", 100, *BOTH, policy=rules(place, "120.00"), holders=lower)
    ledger.restate("1", 200, *BOTH, policy=rules(place, "120.00"), holders=lower)
    assert (ledger.balance("a"), ledger.balance("b"), lies(ledger, place)) == before


def test_l14_of_a_holder_that_was_transferred_since_nothing_is_left_behind(ledger):
    ledger.close("1", 200, *BOTH, policy=rules("payer", "120.00"), holders="holder_id,minimum\nb,0\n")
    transfer(ledger.path, "b", "a")
    alone = [("x", 1, A)]
    found = []
    for pool in (100, 0, 100):
        ledger.restate("1", pool, *alone, policy=rules("payer", "120.00"))
        found.append((ledger.balance("a"), ledger.balance("b"), ledger.has(Account.PAYER, None)))
    assert found[0] == found[2]


def test_l14_a_transfer_that_was_replaced_goes_by_who_has_the_balance_now(ledger):
    three = (*BOTH, ("z", 1, C))
    ledger.close("0", 0, *three)
    transfer(ledger.path, "c", "a")
    ledger.close("1", 30, *three, policy=rules("payer"))
    transfer(ledger.path, "c", "b")
    ledger.restate("1", 60, *three, policy=rules("payer"))
    ledger.restate("1", 30, *three, policy=rules("payer"))
    assert [ledger.balance(holder) for holder in "abc"] == [0, 0, 0]
    ledger.restate("1", 120, *three, policy=rules("payer"))
    ledger.restate("1", 30, *three, policy=rules("payer"))
    assert [ledger.balance(holder) for holder in "abc"] == [0, 0, 0]
