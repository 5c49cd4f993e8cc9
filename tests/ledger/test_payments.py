"""Rules L16 to L20: payments, what becomes of them, and escrow."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import numpy as np
import pytest

from royaltycli import accounting
from royaltycli.arrays import exact_sum
from royaltycli.errors import CallError, LedgerError
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.escrow import redistribute, release, unclaimed
from royaltycli.ledger.payments import payments, settle
from royaltycli.ledger.reports import exact_texts
from royaltycli.payout.currency import exact_money, find_currency
from tests.ledger.corpora import CENT, DOLLAR, A, B, C


def rows(ledger, period):
    return [(row["holder_id"], str(row["payout"]), row["status"]) for row in payments(ledger.path, period).to_pylist()]


@pytest.fixture
def closed(ledger):
    ledger.close("2026", 100, ("x", 1, B), ("y", 3, A))
    return ledger


def test_l16_a_row_a_payee(closed):
    assert payments(closed.path, "2026").to_pylist()[0] == {
        "holder_id": "a",
        "name": "A",
        "payout": payments(closed.path, "2026")["payout"][0].as_py(),
        "currency": "USD",
        "reference": "2026.1",
        "status": "waiting",
    }
    assert rows(closed, "2026") == [("a", "75.00", "waiting"), ("b", "25.00", "waiting")]


def test_l16_the_rows_are_what_the_close_took_from_balances(ledger):
    for period in ("1", "2", "3"):
        booked = ledger.close(period, 10, *((f"s{number}", number, {f"h{number}": "1"}) for number in range(1, 30)))
        total = sum(int(row["payout"].scaleb(2)) for row in payments(ledger.path, period).to_pylist())
        assert total * CENT == booked.changed[Account.PAYABLE]


def test_l16_the_largest_payment_is_the_first_and_ties_go_by_id(ledger):
    ledger.close("2026", 100, ("x", 1, B), ("y", 2, C), ("z", 1, A))
    assert rows(ledger, "2026") == [("c", "50.00", "waiting"), ("a", "25.00", "waiting"), ("b", "25.00", "waiting")]


def test_l16_a_period_that_is_not_closed_has_no_payments(closed):
    with pytest.raises(LedgerError, match="period 2027 has not been closed; the last is 2026"):
        payments(closed.path, "2027")


def test_l17_paid_and_returned(closed):
    assert settle(closed.path, "2026", "paid", {"a": Decimal(75)})[1] == 1
    assert rows(closed, "2026") == [("a", "75.00", "paid"), ("b", "25.00", "waiting")]
    assert settle(closed.path, "2026", "returned", {"b": None})[1] == 1
    assert rows(closed, "2026") == [("a", "75.00", "paid"), ("b", "25.00", "returned")]
    assert (closed.has(Account.PAID, "a"), closed.balance("b")) == (75 * DOLLAR, 25 * DOLLAR)
    closed.close("2027", 4, ("x", 1, B), ("y", 3, A))
    assert rows(closed, "2027") == [("b", "26.00", "waiting"), ("a", "3.00", "waiting")]


def test_l17_one_that_was_paid_may_still_return(closed):
    settle(closed.path, "2026", "paid", None)
    settle(closed.path, "2026", "returned", {"a": None})
    assert rows(closed, "2026") == [("a", "75.00", "returned"), ("b", "25.00", "paid")]
    assert (closed.has(Account.PAID, "a"), closed.balance("a")) == (0, 75 * DOLLAR)


def test_l17_marking_twice_changes_nothing(closed):
    for _ in range(2):
        settle(closed.path, "2026", "returned", {"a": None})
        settle(closed.path, "2026", "paid", None)
    assert len(closed.state().log) == 3
    assert closed.balance("a") == 75 * DOLLAR


@pytest.mark.parametrize(
    ("outcome", "amounts", "said"),
    [
        ("paid", {"c": None}, "the ledger knows no holder c; `royalty payments 2026` lists the payees"),
        ("paid", {"A": None}, "the ledger knows no holder A; did you mean a, who is called so?"),
        ("paid", {"b": Decimal("25.01")}, "the payment to b is 25.00 USD in the ledger, not 25.01; correct the list"),
        (
            "paid",
            {"b": Decimal("25.00"), "a": None},
            "the payment to a was returned, and is in the balance again; the next close pays it",
        ),
    ],
)
def test_l17_what_cannot_be_settled_settles_nothing(closed, outcome, amounts, said):
    settle(closed.path, "2026", "returned", {"a": None})
    before = rows(closed, "2026")
    with pytest.raises(LedgerError) as error:
        settle(closed.path, "2026", outcome, amounts)
    assert str(error.value) == said
    assert rows(closed, "2026") == before


@pytest.mark.parametrize(("code", "settled"), [("USD", 1), (" usd", 1), ("", 1), ("EUR", 0), ("US dollars", 0)])
def test_l17_a_list_in_another_currency_settles_nothing(closed, tmp_path, code, settled):
    bank = tmp_path / "bank.csv"
    bank.write_text(f"holder_id,payout,currency\na,75,{code}\n", encoding="utf-8")
    with contextlib.nullcontext() if settled else pytest.raises(CallError, match=f"bank.csv:2: currency is '{code}'"):
        assert accounting.settle(closed.path, "2026", [], paid=True, file=bank) == settled
    assert [row[2] for row in rows(closed, "2026")].count("paid") == settled


# -- escrow --------------------------------------------------------------------------------------


@pytest.fixture
def aged(ledger):
    """Escrow of two periods, and a third."""
    lost = "holder_id,reachable\nc,no\n"
    ledger.close("1", 10, ("x", 1, A), ("y", 1, {}), holders=None)
    ledger.close("2", 12, ("x", 1, A), ("w", 3, B), ("y", 1, {}), ("z", 1, C), holders=lost)
    ledger.close("3", 10, ("x", 1, A))
    return ledger


def listed(ledger, least=0):
    found = unclaimed(ledger.path, least).to_pylist()
    return [(row["of"], row["id"], row["period"], row["age"], str(row["amount"])) for row in found]


def test_l18_escrow_has_an_age(aged):
    assert listed(aged) == [
        ("source", "y", "1", 2, "5.00"),
        ("holder", "c", "2", 1, "2.00"),
        ("source", "y", "2", 1, "2.00"),
    ]
    assert listed(aged, 2) == [("source", "y", "1", 2, "5.00")]


NOBODYS = '[[top]]\npart = "10%"\nto = "escrow"\n[[cap]]\nper = "source"\namount = "50.00"\nexcess = "escrow"\n'


def test_l18_what_is_neither_a_holders_nor_a_sources_is_nobodys(ledger):
    """90 dollars are left for a source that may have 50."""
    ledger.close("1", 100, ("x", 1, A), policy=NOBODYS)
    assert listed(ledger) == [("(none)", "(escrow)", "1", 0, "50.00")]
    ledger.close("2", 0, ("x", 1, A))
    with pytest.raises(LedgerError, match="nothing is kept in escrow for a source x"):
        release(ledger.path, "x", to="a", source=True)
    assert release(ledger.path, "a")[1] == 0
    assert redistribute(ledger.path, 1, "fund:social")[1] == 50 * DOLLAR
    ledger.restate("1", 50, ("x", 1, A), policy=NOBODYS)
    assert (ledger.balance("a"), ledger.paid("1")) == (-5 * DOLLAR, {"a": 50 * DOLLAR})
    assert ledger.has(Account.PAYER, None) == -95 * DOLLAR  # 50, and the escrow that is there no more


def test_l19_release_to_the_holder_or_another(aged):
    assert release(aged.path, "c")[1] == 2 * DOLLAR
    assert release(aged.path, "c")[1] == 0
    assert release(aged.path, "y", to="b", source=True)[1] == 7 * DOLLAR
    assert (aged.balance("c"), aged.balance("b")) == (2 * DOLLAR, 7 * DOLLAR)
    assert listed(aged) == []


def test_l19_release_to_a_holder_who_is_new(aged):
    assert release(aged.path, "y", to="q", name="Quill", source=True)[1] == 7 * DOLLAR
    assert aged.balance("q") == 7 * DOLLAR
    state = aged.state()
    assert state.parties.names(state.parties.find("holder", ["q"])) == ["Quill"]


def test_l20_redistribution_among_those_who_earned_in_the_same_period(aged):
    assert redistribute(aged.path, 2, "holders")[1] == 5 * DOLLAR
    assert (aged.balance("a"), aged.balance("b")) == (5 * DOLLAR, 0)
    assert redistribute(aged.path, 1, "holders")[1] == 4 * DOLLAR
    assert (aged.balance("a"), aged.balance("b")) == (6 * DOLLAR, 3 * DOLLAR)
    assert redistribute(aged.path, 1, "holders")[1] == 0


def test_l20_redistribution_to_a_fund_or_the_payer(aged):
    assert redistribute(aged.path, 2, "fund:social")[1] == 5 * DOLLAR
    assert redistribute(aged.path, 1, "payer")[1] == 4 * DOLLAR
    assert aged.has(Account.FUND, "social", kind="fund") == 5 * DOLLAR
    assert aged.has(Account.PAYER, None) == -(32 - 4) * DOLLAR
    assert listed(aged) == []


def test_amounts_are_plain_and_exact():
    amounts = np.array([0, 1, -1, 10**6, 123_456_789, -123_450_000, 10**17], np.int64)
    assert exact_texts(amounts, 2).to_pylist() == [
        "0.00", "0.00000001", "-0.00000001", "0.01", "1.23456789", "-1.2345", "1000000000.00",
    ]  # fmt: skip
    assert exact_texts(amounts, 0).to_pylist() == [
        "0", "0.000001", "-0.000001", "1", "123.456789", "-123.45", "100000000000",
    ]  # fmt: skip
    for amount in amounts.tolist():
        assert exact_texts(np.array([amount]), 3)[0].as_py() == exact_money(amount, find_currency("KWD"))


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (
            lambda path: release(path, "q"),
            "the ledger knows no holder q; `royalty unclaimed` lists what is kept for whom",
        ),
        (
            lambda path: release(path, "C"),
            "the ledger knows no holder C; did you mean c, who is called so?",
        ),
        (
            lambda path: release(path, "q", to="c", source=True),
            "nothing is kept in escrow for a source q; `royalty unclaimed` lists what is",
        ),
        (
            lambda path: release(path, "c", to="A"),
            "the ledger knows no holder A; did you mean a, who is called so?",
        ),
        (
            lambda path: release(path, "y", source=True),
            "y is a source; say with `--to` which holder gets what is kept for it",
        ),
        (
            lambda path: release(path, "c", to="q"),
            "the ledger knows no holder q; if that is one, give its name with `--name`",
        ),
        (
            lambda path: release(path, "y", to="q", name="", source=True),
            "the name of the new holder is ''; write one line of text",
        ),
        (lambda path: redistribute(path, 1, "me"), "to is 'me'; it must be holders, payer or fund:NAME"),
        (lambda path: redistribute(path, 0, "payer"), "the age is 0; what is redistributed is at least 1 period old"),
    ],
)
def test_l19_l20_what_cannot_be_done(aged, work, said):
    with pytest.raises((LedgerError, CallError)) as error:
        work(aged.path)
    assert str(error.value) == said
    assert exact_sum(aged.state().balances.by_period(Account.ESCROW)[2]) == 9 * DOLLAR


def test_l20_where_nobody_earned_there_is_nobody_to_share(ledger):
    ledger.close("1", 10, ("y", 1, {}))
    ledger.close("2", 0, ("y", 1, {}))
    with pytest.raises(LedgerError, match="nobody earned anything in 1, so nobody can share its escrow"):
        redistribute(ledger.path, 1, "holders")
