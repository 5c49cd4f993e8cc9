"""What a statement needs: every line, and that they add up."""

from __future__ import annotations

import time

import pytest

from royaltycli.errors import LedgerError
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.escrow import redistribute, release
from royaltycli.ledger.payments import settle
from royaltycli.ledger.statements import Change, statements
from royaltycli.ledger.transfers import transfer
from tests.ledger.corpora import CENT, DOLLAR, A, B

POLICY = '[deductions]\nfee = "10%"\nwithholding = "20%"\nreserve = "25%"\n'


def of(ledger, period, *holders):
    closed, found = statements(ledger.path, period, holders or None)
    return closed, {one.holder_id: one for one in found}


def check(one):
    """The sum that its docstring states."""
    came = one.opening + sum(each.amount for each in one.changes) + one.released + one.passed_on
    earned = sum(each.amount for each in one.earned) + one.fixed + one.adjustment
    taken = one.held + one.fee + one.withholding + one.recouped + one.reserve + one.below + one.paid
    assert came + earned - taken == one.closing


def test_every_line(ledger):
    ledger.close(
        "1", 100, ("x", 1, A), ("y", 1, {"a": "1/2", "b": "1/2"}), policy=POLICY, holders="holder_id,advance\na,10\n"
    )
    closed, found = of(ledger, "1")
    assert (closed.holders, closed.pool, closed.about["profit"]) == (("a", "b"), 10_000, "100")
    assert closed.digest == closed.head == ledger.state().head.hex()
    one = found["a"]
    assert [(line.source_id, line.tokens, line.seen, line.total, line.holder_share) for line in one.earned] == [
        ("x", 1, 1, 2, "1"),
        ("y", 1, 1, 2, "1/2"),
    ]
    assert [line.amount for line in one.earned] == [50 * DOLLAR, 25 * DOLLAR]
    assert (one.fee, one.withholding, one.recouped) == (750 * CENT, 1350 * CENT, 10 * DOLLAR)
    assert (one.reserve, one.paid, one.closing) == (11 * DOLLAR, 33 * DOLLAR, 0)
    for each in found.values():
        check(each)


def test_what_happened_between_two_closes(ledger):
    lost = "holder_id,reachable\nb,no\n"
    sources = [("x", 1, A), ("y", 1, B), ("z", 2, {"c": "1"})]
    ledger.close("1", 100, *sources, policy=POLICY, holders=lost)
    settle(ledger.path, "1", "returned", {"a": None})
    ledger.restate("1", 80, *sources, policy=POLICY, holders=lost)
    release(ledger.path, "b")
    transfer(ledger.path, "c", "a")
    ledger.close("2", 100, *sources, policy=POLICY)
    ledger.restate("2", 10, *sources, policy=POLICY)
    closed, found = of(ledger, "2")
    a, b, c = (found[name] for name in "abc")
    returned, restated, transferred = 1350 * CENT, -360 * CENT, -720 * CENT
    assert a.changes == (
        Change("settle", "1", 2, returned),
        Change("restate", "1", 3, restated),
        Change("transfer", None, 5, transferred),
    )
    assert b.changes == (Change("release", None, 4, 20 * DOLLAR),)
    assert (a.released, a.passed_on, c.passed_on) == (450 * CENT, 36 * DOLLAR, -36 * DOLLAR)
    assert closed.number == 6
    assert closed.head != closed.digest
    for each in found.values():
        check(each)
    _, first = of(ledger, "1")
    assert (first["b"].escrow, first["b"].earned[0].amount) == (25 * DOLLAR, 25 * DOLLAR)
    assert first["a"].closing == 0
    for each in first.values():
        check(each)


def test_those_without_a_source_and_those_named(ledger):
    ledger.close("1", 1, ("x", 1, A), ("y", 2, B), policy='name = "p"\n[payment]\nminimum = "5"\n')
    ledger.close("2", 1, ("y", 2, B))
    _, found = of(ledger, "2")
    assert sorted(found) == ["a", "b"]
    assert (found["a"].opening, found["a"].paid, found["a"].earned) == (33_333_333, 33 * CENT, ())
    assert list(of(ledger, "2", "b")[1]) == ["b"]
    with pytest.raises(LedgerError, match="the ledger knows no holder q"):
        of(ledger, "2", "q")
    with pytest.raises(LedgerError, match="period 3 has not been closed; the last is 2"):
        of(ledger, "3")


def test_what_is_redistributed_and_what_is_below_the_minimum(ledger):
    policy = 'name = "p"\n[payment]\nminimum = "30"\nbelow = "payer"\n'
    ledger.close("1", 100, ("x", 1, A), ("y", 2, B), ("z", 3, {}))
    ledger.close("2", 0, ("x", 1, A))
    redistribute(ledger.path, 1, "holders")
    ledger.close("3", 15, ("x", 1, A), ("y", 2, B), policy=policy)
    _, found = of(ledger, "3")
    assert (found["a"].changes[0].kind, found["a"].below, found["b"].paid) == (
        "redistribute",
        found["a"].below,
        43 * DOLLAR + 33 * CENT,
    )
    assert found["a"].below > 21 * DOLLAR
    for each in found.values():
        check(each)


def test_many_at_once(ledger):
    ledger.close("1", 100_000, *((f"s{number}", number + 1, {f"h{number % 5000}": "1"}) for number in range(10_000)))
    started = time.monotonic()
    closed, found = statements(ledger.path, "1")
    total = sum(line.amount for one in found for line in one.earned)
    assert total == ledger.has(Account.PAYER, None) * -1
    assert len(closed.holders) == 5000
    assert time.monotonic() - started < 20
