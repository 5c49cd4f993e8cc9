"""Rules L1 to L13: what a close books, when it may, and what it leaves."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from royaltycli.cli.console import show_booked
from royaltycli.errors import CallError, LedgerError
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.booking import Given, close_period
from royaltycli.ledger.journal import FILE
from royaltycli.payout.currency import find_currency
from royaltycli.policies import names, text_of
from tests.ledger.corpora import CENT, DOLLAR, A, B, C, write_tokens


def test_l9_a_close_pays_whole_units_and_carries_the_rest(ledger):
    booked = ledger.close("2026", 1, ("x", 1, A), ("y", 2, B))
    assert ledger.paid("2026") == {"a": 33 * CENT, "b": 66 * CENT}
    assert (ledger.balance("a"), ledger.balance("b")) == (333_333, 666_667)
    assert booked.changed == {Account.PAYER: -DOLLAR, Account.POOL: 0, Account.HOLDER: CENT, Account.PAYABLE: 99 * CENT}


def test_l9_each_deduction_is_an_account_and_reserves_are_released_at_the_next_close(ledger):
    policy = '[deductions]\nfee = "10%"\nwithholding = "20%"\nreserve = "25%"\n'
    ledger.close("2026", 100, ("x", 1, A), policy=policy)
    assert ledger.has(Account.FEE, None) == 10 * DOLLAR
    assert ledger.has(Account.WITHHOLDING, "a") == 18 * DOLLAR
    assert ledger.has(Account.RESERVE, "a") == 18 * DOLLAR
    assert ledger.paid("2026") == {"a": 54 * DOLLAR}
    ledger.close("2027", 0, ("x", 1, A), policy=policy)
    assert ledger.has(Account.RESERVE, "a") == 0
    assert ledger.paid("2027") == {"a": 18 * DOLLAR}


def test_l9_escrow_is_kept_by_holder_and_source(ledger):
    holders = "holder_id,reachable\na,no\n"
    ledger.close("2026", 10, ("x", 1, A), ("y", 2, {}), ("z", 2, B), holders=holders)
    assert ledger.has(Account.ESCROW, "a", "2026") == 2 * DOLLAR
    assert ledger.escrow("y", "2026") == 4 * DOLLAR
    assert ledger.paid("2026") == {"b": 4 * DOLLAR}


def test_l9_what_goes_elsewhere_goes_there(ledger):
    policy = '[[top]]\npart = "5%"\nto = "fund:musicians"\n[[top]]\npart = "1%"\nto = "escrow"\n[[gate]]\nlicenses = ["CC0"]\nto = "payer"\n'
    ledger.close("2026", 100, ("x", 1, A), policy=policy)
    assert ledger.has(Account.FUND, "musicians", kind="fund") == 5 * DOLLAR
    assert ledger.state().parties.table["id"].to_pylist() == ["a", "musicians"]
    assert ledger.has(Account.ESCROW, None, "2026") == 1 * DOLLAR
    assert ledger.paid("2026") == {"a": 94 * DOLLAR}


def test_l9_tokens_that_were_not_scanned_have_an_account(ledger):
    from decimal import Decimal

    ledger.close("2026", 100, ("x", 1, A), total_tokens=Decimal(4))
    assert ledger.has(Account.NOT_SCANNED, None) == 75 * DOLLAR


def test_l10_below_the_minimum_balances_are_carried_until_they_reach_it(ledger):
    policy = '[payment]\nminimum = "10"\n'
    for number in range(1, 4):
        ledger.close(f"2026-Q{number}", 4, ("x", 1, A), policy=policy)
        assert ledger.paid(f"2026-Q{number}") == ({"a": 12 * DOLLAR} if number == 3 else {})
    assert ledger.balance("a") == 0


def test_l10_a_minimum_of_ones_own_and_a_holder_without_a_source(ledger):
    policy = '[payment]\nminimum = "10"\n'
    ledger.close("1", 12, ("x", 1, A), ("y", 2, B), policy=policy, holders="holder_id,minimum\nb,20\n")
    assert ledger.paid("1") == {}
    ledger.close("2", 1, ("z", 1, C), policy=policy, holders="holder_id,minimum\na,4\nb,8\n")
    assert ledger.paid("2") == {"a": 4 * DOLLAR, "b": 8 * DOLLAR}


def test_l10_an_unreachable_holder_is_not_paid_what_it_has(ledger):
    ledger.close("1", 5, ("x", 1, A), policy='[payment]\nminimum = "10"\n')
    ledger.close("2", 5, ("x", 1, A), ("y", 1, B), holders="holder_id,reachable\na,no\n")
    assert ledger.paid("2") == {"b": 250 * CENT}
    assert ledger.balance("a") == 5 * DOLLAR
    ledger.close("3", 0, ("y", 1, B), holders="holder_id,reachable\na,no\n")
    assert ledger.balance("a") == 5 * DOLLAR
    ledger.close("4", 0, ("y", 1, B))
    assert ledger.paid("4") == {"a": 5 * DOLLAR}


@pytest.mark.parametrize(
    ("place", "account"), [("payer", Account.PAYER), ("fund:small", Account.FUND), ("escrow", Account.ESCROW)]
)
def test_l10_below_the_minimum_a_balance_goes_where_the_policy_says(ledger, place, account):
    policy = f'[payment]\nminimum = "10"\nbelow = "{place}"\n'
    booked = ledger.close("2026", 12, ("x", 1, A), ("y", 5, B), policy=policy)
    assert ledger.paid("2026") == {"b": 10 * DOLLAR}
    assert booked.changed[account] == (2 if account != Account.PAYER else -10) * DOLLAR
    assert ledger.balance("a") == 0


def test_l9_what_is_shown_has_the_whole_pool_and_what_goes_back_to_the_payer(ledger, capsys):
    policy = '[[top]]\npart = "5%"\nto = "payer"\n[payment]\nminimum = "10"\nbelow = "payer"\n'
    booked = ledger.close("2026", 20, ("x", 1, A), ("y", 9, B), policy=policy)
    show_booked(booked, "2026")  # 19.00 are shared out: b has 17.10, and a, below the minimum, 1.90
    assert capsys.readouterr().out.startswith("Closed 2026: 20.00 USD = payments 17.10 + payer 2.90\n")
    show_booked(ledger.restate("2026", 10, ("x", 1, A), ("y", 9, B), policy=policy), "2026")
    assert capsys.readouterr().out.startswith("Restated 2026: -9.50 USD = payer -0.95 + balances -8.55\n")


def test_l10_rests_are_carried_also_where_the_policy_rounds_them(ledger):
    ledger.close("2026", 1, ("x", 1, A), ("y", 2, B), policy='name = "p"\n[payment]\nrests = "round"\n')
    assert ledger.paid("2026") == {"a": 33 * CENT, "b": 66 * CENT}


def test_l2_a_shipped_policy_is_copied_as_well(ledger):
    given = replace(ledger.given("2026", 1000, ("x", 1, A), ("y", 2, B)), policy="token-share", rate=None)
    assert given.policy in names()
    close_period(ledger.path, replace(given, rate=Fraction(1)))
    (copy,) = (ledger.path / "inputs").glob("*.toml")
    assert copy.read_text(encoding="utf-8") == text_of("token-share")


def test_l11_an_advance_is_recouped_across_periods_by_one_list(ledger):
    holders = "holder_id,advance\na,250\n"
    for number, paid, recouped in (
        (1, {}, 100),
        (2, {}, 200),
        (3, {"a": 50 * DOLLAR}, 250),
        (4, {"a": 100 * DOLLAR}, 250),
    ):
        ledger.close(f"{number}", 100, ("x", 1, A), holders=holders)
        assert ledger.paid(f"{number}") == paid
        assert ledger.has(Account.ADVANCE, "a") == recouped * DOLLAR
    ledger.close("5", 100, ("x", 1, A), holders="holder_id,advance\na,310\n")
    assert ledger.paid("5") == {"a": 40 * DOLLAR}


def test_l12_nothing_is_paid_while_a_balance_is_below_zero(ledger):
    ledger.close("1", 100, ("x", 1, A), ("y", 1, B))
    ledger.restate("1", 100, ("x", 0, A), ("y", 1, B))
    assert ledger.balance("a") == -50 * DOLLAR
    ledger.close("2", 60, ("x", 1, A), ("y", 1, B))
    assert ledger.paid("2") == {"b": 80 * DOLLAR}
    assert ledger.balance("a") == -20 * DOLLAR
    ledger.close("3", 60, ("x", 1, A), ("y", 1, B))
    assert ledger.paid("3") == {"a": 10 * DOLLAR, "b": 30 * DOLLAR}


def test_l13_a_period_without_profit_pays_what_is_there(ledger):
    ledger.close("1", 1, ("x", 1, A), ("y", 2, B), policy='[payment]\nminimum = "5"\n')
    ledger.close("2", 0, ("x", 1, A))
    assert ledger.paid("2") == {"a": 33 * CENT, "b": 66 * CENT}


def test_l13_a_late_joiner_begins_when_it_comes_and_earlier_periods_are_restated(ledger):
    ledger.close("1", 60, ("x", 1, A))
    ledger.close("2", 60, ("x", 1, A), ("y", 1, B))
    assert ledger.paid("2") == {"a": 30 * DOLLAR, "b": 30 * DOLLAR}
    ledger.restate("1", 60, ("x", 1, A), ("y", 2, B))
    assert (ledger.balance("a"), ledger.balance("b")) == (-40 * DOLLAR, 40 * DOLLAR)


# -- when a period may be closed -----------------------------------------------------------------


def test_l8_closing_again_with_the_same_input_changes_nothing(ledger):
    given = ledger.given("2026", 100, ("x", 1, A), policy='[deductions]\nfee = "10%"\n')
    first = close_period(ledger.path, given)
    data = (ledger.path / FILE).read_bytes()
    again = close_period(ledger.path, given)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.changed == first.changed
    assert (ledger.path / FILE).read_bytes() == data


def test_l8_a_date_is_no_input(ledger):
    assert ledger.close("2026", 100, ("x", 1, A), date="2026-12-31").is_new
    assert not ledger.close("2026", 100, ("x", 1, A), date="2027-01-01").is_new


def test_l8_other_input_is_refused_by_name(ledger):
    policy, holders = "name = 'old'\n", "holder_id\na\n"
    ledger.close("2026", 100, ("x", 1, A), policy=policy)
    said = "period 2026 is closed with {}; book the difference with `royalty restate 2026`"
    for other, what in (
        ({"dollars": 99}, "profit 100 (not 99)"),
        ({"rate": "1/2"}, "rate 1 (not 0.5)"),
        ({"sources": [("x", 2, A)]}, "another token table"),
        ({"policy": "name = 'new'\n"}, "another policy"),
        ({"policy": None}, "a policy"),
        ({"holders": holders}, "no list of holders"),
        ({"dollars": 1, "policy": None}, "profit 100 (not 1) and a policy"),
    ):
        options = {"dollars": 100, "sources": [("x", 1, A)], "policy": policy} | other
        with pytest.raises(LedgerError) as error:
            ledger.close("2026", options.pop("dollars"), *options.pop("sources"), **options)
        assert str(error.value) == said.format(what)


def test_l8_after_a_restatement_both_the_first_and_the_last_input_change_nothing(ledger):
    for dollars in (100, 90, 80):
        (ledger.close if dollars == 100 else ledger.restate)("2026", dollars, ("x", 1, A))
    assert not ledger.close("2026", 100, ("x", 1, A)).is_new
    assert not ledger.close("2026", 80, ("x", 1, A)).is_new
    with pytest.raises(LedgerError, match=r"closed with profit 80 \(not 90\)"):
        ledger.close("2026", 90, ("x", 1, A))


@pytest.mark.parametrize(("last", "next_"), [("2026", "2025"), ("2026-10", "2026-9"), ("2026-Q1", "2026"), ("b", "a")])
def test_l7_periods_close_in_their_order(ledger, last, next_):
    ledger.close(last, 1, ("x", 1, A))
    with pytest.raises(LedgerError) as error:
        ledger.close(next_, 1, ("x", 1, A))
    assert str(error.value) == f"period {next_} comes before {last}, which is closed; periods close in their order"
    assert ledger.state().periods == (last,)


def test_l7_what_follows(ledger):
    names = ["2026", "2026-9", "2026-10", "2026-Q1", "2026-Q2", "2027", "10000", "a"]
    for name in names:
        ledger.close(name, 1, ("x", 1, A))
    assert list(ledger.state().periods) == names


@pytest.mark.parametrize("name", ["", "-1", "2026/1", "20 26", "é", "x" * 65])
def test_l7_what_is_no_name_of_a_period(ledger, name):
    with pytest.raises(CallError, match="write it in at most 64 letters, digits"):
        ledger.close(name, 1, ("x", 1, A))


def test_l1_a_ledger_has_one_currency(ledger):
    ledger.close("2026", 1, ("x", 1, A))
    with pytest.raises(LedgerError, match="the ledger is in USD, not in EUR"):
        ledger.close("2027", 1, ("x", 1, A), code="EUR")


def test_l1_the_tables_refuse_changes(ledger):
    ledger.close("2026", 1, ("x", 1, A))
    database = sqlite3.connect(ledger.path / FILE)
    for table in ("transactions", "accounts", "periods", "parties", "moves"):
        for statement in (f"UPDATE {table} SET number = 9", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="the journal is append-only"):
                database.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match="amount > 0"):
        database.execute("INSERT INTO moves VALUES (2, 0, 1, 1, 0, 2, 0, -5)")
    database.close()


def test_l2_inputs_are_copied_under_their_digests(ledger):
    given = ledger.given("2026", 1, ("x", 1, A), policy="name = 'p'\n", holders="holder_id\na\n")
    close_period(ledger.path, given)
    copies = {path.name: path.read_bytes() for path in (ledger.path / "inputs").iterdir()}
    for file in (given.tokens, given.policy, given.holders):
        assert copies.pop(hashlib.sha256(file.read_bytes()).hexdigest() + file.suffix) == file.read_bytes()
    assert copies == {}


def test_l2_an_input_that_changes_meanwhile_is_refused(ledger, monkeypatch):
    from royaltycli.ledger import booking

    given = ledger.given("2026", 1, ("x", 1, A), policy="name = 'p'\n")
    posting = booking.close_posting
    monkeypatch.setattr(booking, "close_posting", lambda *rest: given.policy.write_text("") or posting(*rest))
    with pytest.raises(LedgerError, match="changed while it was being read"):
        close_period(ledger.path, given)


def test_l4_the_same_input_gives_the_same_bytes(tmp_path):
    from tests.ledger.corpora import Ledger

    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        here = Ledger(tmp_path / name)
        here.close("2026", 100, ("x", 1, A), ("y", 2, {"a": "1/3", "b": "2/3"}))
        here.close("2027", 100, ("x", 1, A), ("z", 2, C))
        made.append((here.path / FILE).read_bytes())
    assert made[0] == made[1]


def test_l4_the_digest_is_as_the_rule_says(ledger):
    """Computed here from the rule alone, over the rows of the database."""
    ledger.close("2026", 100, ("x", 1, A), ("y", 2, {}))
    ledger.close("2027", 100, ("x", 1, A))
    database = sqlite3.connect(ledger.path / FILE)
    digest, seen = bytes(32), 0
    for number, kind, about, moves, parties, periods, stored in database.execute("SELECT * FROM transactions"):
        names = [name for (name,) in database.execute("SELECT name FROM periods WHERE number = ?", (number,))]
        header = f'{{"about":{about},"kind":"{kind}","moves":{moves},"number":{number},"parties":{parties},"periods":["{names[0]}"]}}\n'
        assert periods == 1
        data = header.encode()
        rows = database.execute(
            "SELECT class, id, name FROM parties WHERE number > ? ORDER BY number LIMIT ?", (seen, parties)
        )
        for column in zip(*rows.fetchall(), strict=True):
            data += b"".join(len(text.encode()).to_bytes(8, "little") for text in column)
            data += "".join(column).encode()
        for row in database.execute(
            "SELECT period, from_account, from_party, to_account, to_party, amount FROM moves WHERE number = ? ORDER BY line",
            (number,),
        ):
            data += b"".join(value.to_bytes(8, "little", signed=True) for value in row)
        digest, seen = hashlib.sha256(digest + data).digest(), seen + parties
        assert stored == digest
    database.close()


def test_l6_more_than_64_bits_are_refused(ledger):
    ledger.close("1", "92233720368.54", ("x", 1, A))
    with pytest.raises(LedgerError, match=r"more than 2\^63 millionths"):
        ledger.close("2", "92233720368.54", ("x", 1, A))
    assert ledger.state().periods == ("1",)


# -- what is no ledger ---------------------------------------------------------------------------


def test_no_ledger(ledger):
    for command in (lambda: ledger.restate("2026", 1, ("x", 1, A)), ledger.state):
        with pytest.raises(LedgerError, match=r"there is no ledger in .*; `royalty close` begins one"):
            command()
    assert not ledger.path.exists()


def test_another_database(ledger):
    ledger.path.mkdir()
    database = sqlite3.connect(ledger.path / FILE)
    database.execute("CREATE TABLE mine (number INTEGER)")
    database.close()
    with pytest.raises(LedgerError, match="is no journal of royalty"):
        ledger.close("2026", 1, ("x", 1, A))
    (ledger.path / FILE).unlink()


def test_no_database(ledger):
    ledger.path.mkdir()
    (ledger.path / FILE).write_text("hello " * 1000, encoding="utf-8")
    with pytest.raises(LedgerError, match=r"is damaged \(file is not a database\)"):
        ledger.close("2026", 1, ("x", 1, A))
    (ledger.path / FILE).unlink()


def test_an_older_sqlite(ledger, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(LedgerError, match=r"the SQLite of this Python is .*; a ledger needs 3\.37 or later"):
        ledger.close("2026", 1, ("x", 1, A))


def test_another_format(ledger):
    ledger.close("2026", 1, ("x", 1, A))
    database = sqlite3.connect(ledger.path / FILE)
    database.execute("PRAGMA user_version = 3")
    with pytest.raises(
        LedgerError,
        match="has format 3, where this version of royalty reads 2; use the version of royalty that made it",
    ):
        ledger.state()
    database.execute("PRAGMA user_version = 2")
    database.close()


def test_a_policy_is_found_by_whatever_name_its_file_has(tmp_path, monkeypatch):
    """A file needs no ending, as for `royalty payout`, and the same policy under another name is no other one."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "mine.TOML"):
        (tmp_path / name).write_text('name = "mine"\n', encoding="utf-8")
    tokens = write_tokens(tmp_path / "tokens.parquet", ("a", 1, A))
    given = Given("2026", Decimal(1), Fraction(1), find_currency("USD"), tokens, policy="mine")
    assert close_period(tmp_path / "ledger", given).is_new
    again = replace(given, policy="mine.TOML")
    assert not close_period(tmp_path / "ledger", again).is_new
