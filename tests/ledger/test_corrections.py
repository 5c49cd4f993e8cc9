"""Rules L14 and L15: restatements and transfers."""

from __future__ import annotations

import pytest

from royaltycli.errors import CallError, LedgerError
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.escrow import redistribute, release, unclaimed
from royaltycli.ledger.parties import Parties
from royaltycli.ledger.payments import settle
from royaltycli.ledger.transfers import transfer
from tests.ledger.corpora import DOLLAR, A, B, C


def test_l15_a_new_holder_may_have_the_id_that_a_field_of_documents_gives(ledger):
    ledger.close("1", 100, ("x", 1, A))
    assert transfer(ledger.path, "a", "did:plc/@Ann%20B", name="Ann B")[1]
    assert ledger.paid("1") == {"a": 100 * DOLLAR}
    with pytest.raises(CallError, match="holds ' '"):
        transfer(ledger.path, "a", "Ann B", name="Ann B")
    with pytest.raises(CallError, match="one line of text"):
        transfer(ledger.path, "a", "b", name="Ann\nB")


def test_l14_the_difference_is_booked_and_nothing_is_paid(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    ledger.close("2", 100, ("x", 1, A), ("y", 1, B))
    booked = ledger.restate("1", 80, ("x", 1, A), ("y", 3, B))
    assert booked.is_new
    assert booked.changed == {Account.PAYER: 20 * DOLLAR, Account.POOL: 0, Account.HOLDER: -20 * DOLLAR}
    assert (ledger.balance("a"), ledger.balance("b")) == (-30 * DOLLAR, 10 * DOLLAR)
    assert ledger.paid("1") == ledger.paid("2") == {"a": 50 * DOLLAR, "b": 50 * DOLLAR}


def test_l14_the_same_restatement_changes_nothing_and_one_back_undoes_it(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    first = ledger.state()
    assert ledger.restate("1", 70, ("x", 2, A), ("z", 5, C)).is_new
    assert not ledger.restate("1", 70, ("x", 2, A), ("z", 5, C)).is_new
    assert ledger.restate("1", 100, ("x", 1, A), ("y", 1, B)).is_new
    now = ledger.state()
    assert now.balances.keys.tolist() == first.balances.keys.tolist()
    assert now.balances.amounts.tolist() == first.balances.amounts.tolist()
    assert len(now.log) == 3


def test_l14_a_restatement_without_difference_is_booked_as_such(ledger):
    """Of other input with the same outcome, so that the last input is known."""
    ledger.close("1", 100, ("x", 1, A))
    booked = ledger.restate("1", 100, ("x", 7, A))
    assert (booked.is_new, booked.changed) == (True, {})
    assert not ledger.close("1", 100, ("x", 7, A)).is_new


def test_l14_fees_withholding_and_advances_are_corrected(ledger):
    policy = '[deductions]\nfee = "10%"\nwithholding = "20%"\n'
    holders = "holder_id,advance\na,100\n"
    ledger.close("1", 100, ("x", 1, A), policy=policy, holders=holders)
    ledger.close("2", 100, ("x", 1, A), policy=policy, holders=holders)
    assert ledger.has(Account.ADVANCE, "a") == 100 * DOLLAR  # 72 and 28
    ledger.restate("1", 50, ("x", 1, A), policy=policy, holders=holders)
    assert ledger.has(Account.FEE, None) == 15 * DOLLAR
    assert ledger.has(Account.WITHHOLDING, "a") == 27 * DOLLAR
    assert ledger.has(Account.ADVANCE, "a") == 64 * DOLLAR  # 36 and 28
    assert ledger.balance("a") == 0
    ledger.close("3", 100, ("x", 1, A), policy=policy, holders=holders)
    assert ledger.has(Account.ADVANCE, "a") == 100 * DOLLAR


def test_l14_an_advance_is_never_recouped_twice_by_a_restatement(ledger):
    holders = "holder_id,advance\na,100\n"
    ledger.close("1", 40, ("x", 1, A), holders=holders)
    ledger.close("2", 100, ("x", 1, A), holders=holders)
    ledger.restate("1", 90, ("x", 1, A), holders=holders)
    assert ledger.has(Account.ADVANCE, "a") == 100 * DOLLAR
    assert ledger.balance("a") == 50 * DOLLAR


def test_l14_the_reserve_of_a_period_stays_what_it_was(ledger):
    policy = '[deductions]\nreserve = "10%"\n'
    ledger.close("1", 100, ("x", 1, A), policy=policy)
    ledger.restate("1", 50, ("x", 1, A), policy=policy)
    assert (ledger.has(Account.RESERVE, "a"), ledger.balance("a")) == (10 * DOLLAR, -50 * DOLLAR)
    ledger.close("2", 0, ("x", 1, A), policy=policy)
    assert (ledger.has(Account.RESERVE, "a"), ledger.balance("a")) == (0, -40 * DOLLAR)


def test_l14_one_who_turns_out_to_be_reachable_gets_what_was_in_escrow(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, {}), holders="holder_id,reachable\na,no\n")
    ledger.restate("1", 100, ("x", 1, A), ("y", 1, B))
    assert ledger.has(Account.ESCROW, "a", "1") == ledger.escrow("y", "1") == 0
    assert (ledger.balance("a"), ledger.balance("b")) == (50 * DOLLAR, 50 * DOLLAR)


def test_l14_what_escrow_no_longer_holds_comes_from_its_holder_or_the_payer(ledger):
    holders = "holder_id,reachable\na,no\n"
    ledger.close("1", 100, ("x", 1, A), ("y", 1, {}), ("z", 2, B), holders=holders)
    release(ledger.path, "a")
    release(ledger.path, "y", to="b", source=True)
    assert (ledger.balance("a"), ledger.balance("b")) == (25 * DOLLAR, 25 * DOLLAR)
    ledger.restate("1", 100, ("x", 0, A), ("y", 0, {}), ("z", 2, B), holders=holders)
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 75 * DOLLAR)
    assert ledger.has(Account.PAYER, None) == -125 * DOLLAR


def test_l14_a_period_that_is_not_closed_cannot_be_restated(ledger):
    ledger.close("2026", 1, ("x", 1, A))
    with pytest.raises(LedgerError, match="period 2027 has not been closed; the last is 2026"):
        ledger.restate("2027", 1, ("x", 1, A))


# -- transfers -----------------------------------------------------------------------------------


def test_l15_everything_goes_to_the_successor(ledger):
    policy = '[deductions]\nreserve = "10%"\n[payment]\nminimum = "1000"\n'
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B), policy=policy)
    transfer(ledger.path, "a", "b")
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 90 * DOLLAR)
    ledger.close("2", 100, ("x", 1, A), ("y", 1, B), policy=policy)
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 190 * DOLLAR)
    ledger.restate("1", 100, ("x", 0, A), ("y", 1, B), policy=policy)
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 190 * DOLLAR)
    ledger.restate("1", 60, ("x", 1, A), ("y", 0, B), ("z", 1, C), policy=policy)
    assert (ledger.balance("a"), ledger.balance("b"), ledger.balance("c")) == (0, 120 * DOLLAR, 30 * DOLLAR)


def test_l15_payments_that_return_go_to_the_successor(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    transfer(ledger.path, "a", "c", name="C and sons")
    settle(ledger.path, "1", "returned", {"a": None})
    assert (ledger.balance("a"), ledger.balance("c")) == (0, 50 * DOLLAR)


LOST = "holder_id,reachable\na,no\n"


@pytest.fixture
def kept(ledger):
    """50 for b, and 50 in escrow for a."""
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B), holders=LOST)
    return ledger


def in_escrow(ledger):
    """All that is kept for holders."""
    return [(row["id"], row["period"], str(row["amount"])) for row in unclaimed(ledger.path).to_pylist()]


@pytest.mark.parametrize("first", ["transfer", "restate"])
def test_l15_a_restatement_finds_the_escrow_of_one_who_was_transferred(kept, first):
    steps = {
        "transfer": lambda: transfer(kept.path, "a", "b"),
        "restate": lambda: kept.restate("1", 60, ("x", 1, A), ("y", 1, B), holders=LOST),
    }
    for step in [first, *(steps.keys() - {first})]:
        steps[step]()
    assert in_escrow(kept) == [("a", "1", "30.00")]
    assert kept.balance("b") == -20 * DOLLAR
    kept.close("2", 0, ("x", 1, A))
    assert redistribute(kept.path, 1, "fund:z")[1] == 30 * DOLLAR
    assert kept.balance("b") == -20 * DOLLAR


def test_l15_escrow_of_before_and_of_later_stays_until_it_is_released(kept):
    transfer(kept.path, "a", "b")
    kept.close("2", 100, ("x", 1, A), ("y", 1, B), holders=LOST)
    assert in_escrow(kept) == [("a", "1", "50.00"), ("a", "2", "50.00")]
    assert release(kept.path, "b")[1:] == (0, "b")
    assert in_escrow(kept) == [("a", "1", "50.00"), ("a", "2", "50.00")]
    assert release(kept.path, "a")[1:] == (100 * DOLLAR, "b")
    assert (kept.balance("a"), kept.balance("b"), in_escrow(kept)) == (0, 100 * DOLLAR, [])


def test_l15_released_escrow_goes_to_where_all_transfers_lead(kept):
    transfer(kept.path, "a", "b")
    transfer(kept.path, "b", "c", name="C")
    assert release(kept.path, "a")[1:] == (50 * DOLLAR, "c")
    assert [kept.balance(name) for name in "abc"] == [0, 0, 50 * DOLLAR]


def test_l15_after_a_transfer_and_back_escrow_is_its_holder_s_own(kept):
    transfer(kept.path, "a", "b")
    transfer(kept.path, "b", "a")
    assert release(kept.path, "a")[1:] == (50 * DOLLAR, "a")
    assert [kept.balance(name) for name in "ab"] == [50 * DOLLAR, 0]


def test_l15_what_was_taken_for_released_escrow_is_not_asked_of_the_escrow_of_another(ledger):
    """The same amounts restated again move nothing, whoever was transferred to whom meanwhile."""
    lost = "holder_id,reachable,minimum\na,no,\nc,no,\n"
    sources = ("x", 1, A), ("y", 1, B), ("z", 1, C)
    ledger.close("1", 150, *sources, holders=lost)
    release(ledger.path, "a")
    ledger.restate("1", 90, *sources, holders=lost)
    transfer(ledger.path, "c", "a")
    before = ledger.state().balances
    assert (ledger.balance("a"), in_escrow(ledger)) == (30 * DOLLAR, [("c", "1", "30.00")])
    booked = ledger.restate("1", 90, *sources, holders=f"{lost}b,,5\n")
    assert (booked.is_new, booked.changed) == (True, {})
    assert ledger.state().balances.amounts.tolist() == before.amounts.tolist()


def test_l15_a_debt_goes_too(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    ledger.restate("1", 100, ("x", 0, A), ("y", 1, B))
    transfer(ledger.path, "a", "b")
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 0)


def close_carrying(ledger, period, holders):
    """A dollar for each holder, of which nothing is paid yet."""
    sources = [(name, 1, {name: "1"}) for name in holders]
    ledger.close(period, len(sources), *sources, policy='[payment]\nminimum = "1000"\n')


def test_l15_transfers_follow_on_one_another_and_back(ledger):
    close_carrying(ledger, "1", "abc")
    transfer(ledger.path, "a", "b")
    transfer(ledger.path, "b", "c")
    close_carrying(ledger, "2", "abc")
    assert [ledger.balance(name) for name in "abc"] == [0, 0, 6 * DOLLAR]
    transfer(ledger.path, "c", "a")
    close_carrying(ledger, "3", "abc")
    assert [ledger.balance(name) for name in "abc"] == [9 * DOLLAR, 0, 0]


def test_l15_a_transfer_to_where_another_leads_replaces_it(ledger):
    """What a has goes to c by b; once it goes to c by itself, it no longer follows b."""
    close_carrying(ledger, "1", "abcd")
    transfer(ledger.path, "a", "b")
    transfer(ledger.path, "b", "c")
    assert transfer(ledger.path, "a", "c")[1]
    assert not transfer(ledger.path, "a", "c")[1]
    transfer(ledger.path, "b", "d")
    close_carrying(ledger, "2", "abcd")
    assert [ledger.balance(name) for name in "abcd"] == [0, 0, 5 * DOLLAR, 3 * DOLLAR]


def test_l15_to_know_all_transfers_the_parties_are_searched_as_often_as_for_one(ledger, monkeypatch):
    close_carrying(ledger, "1", "abcdef")
    searches = []
    find = Parties.find
    monkeypatch.setattr(Parties, "find", lambda *given: searches.append(given) or find(*given))

    def searched():
        searches.clear()
        assert ledger.state().transfers
        return len(searches)

    transfer(ledger.path, "a", "b")
    of_one = searched()
    for source, target in ("bc", "cd", "ef"):
        transfer(ledger.path, source, target)
    assert searched() == of_one


def test_l15_the_same_again_changes_nothing(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    assert transfer(ledger.path, "a", "b")[1]
    assert not transfer(ledger.path, "a", "b")[1]
    assert len(ledger.state().log) == 2


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("q", "a", "the ledger knows no holder q; `royalty balance` lists them"),
        ("A", "b", "the ledger knows no holder A; did you mean a, who is called so?"),
        ("a", "A", "the ledger knows no holder A; did you mean a, who is called so?"),
        ("a", "q", "the ledger knows no holder q; if that is one, give its name with `--name`"),
        ("a", "a", "a cannot be transferred to a, which is the same; name another holder"),
    ],
)
def test_l15_what_cannot_be_transferred(ledger, source, target, said):
    ledger.close("1", 100, ("x", 1, A))
    with pytest.raises(LedgerError) as error:
        transfer(ledger.path, source, target)
    assert str(error.value) == said


def test_l15_redistributed_money_reaches_a_successor(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, {}))
    ledger.close("2", 0, ("x", 1, A), ("z", 1, B))
    transfer(ledger.path, "a", "b")
    assert redistribute(ledger.path, 1, "holders")[1] == 50 * DOLLAR
    assert (ledger.balance("a"), ledger.balance("b")) == (0, 50 * DOLLAR)
