"""Statements of a real ledger: every amount is the journal's, and nothing that comes later changes one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from royaltycli.errors import LedgerError
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.escrow import redistribute, release
from royaltycli.ledger.journal import Journal
from royaltycli.ledger.payments import settle
from royaltycli.ledger.transfers import transfer
from royaltycli.report.statements.assembly import Sender, statements_of
from royaltycli.report.statements.model import Party, Usage
from royaltycli.report.statements.rendering import as_json
from tests.ledger.corpora import CENT, DOLLAR, Ledger

SENDER = Sender(Party("", "Society"), "reproduction", "training")
POLICY = """name = "p"
[deductions]
fee = "10%"
withholding = "10%"
reserve = "50%"
[payment]
minimum = "5.00"
"""
ONE = [("s1", 600, {"a": "1/3", "b": "2/3"}), ("s2", 300, {"a": "1"}), ("s3", 100, {"c": "1"})]


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


def statements(ledger, period, contacts=None):
    count, made = statements_of(ledger.path, period, SENDER, contacts or {})
    made = {statement.holder.id: statement for statement in made}
    assert len(made) == count
    return made


def entries(statement):
    return {entry.label: entry.amount for entry in statement.adjustments}


def deductions(statement):
    return {each.label: (each.amount, each.is_fee) for each in statement.deductions}


def test_what_each_source_earned_is_its_part_of_the_pool(ledger):
    ledger.close("2026-Q1", 100, *ONE)
    made = statements(ledger, "2026-Q1", {"a": (("email", "a@x.example"),)})
    assert list(made) == ["a", "b", "c"]
    a = made["a"]
    assert a.holder == Party("a", "A", (("email", "a@x.example"),))
    assert [(line.source_id, line.tokens, line.holder_share, line.share) for line in a.earned] == [
        ("s2", 300, "1", "0.3"),
        ("s1", 600, "1/3", "0.2"),
    ]
    assert [line.amount for line in a.earned] == [30 * DOLLAR, 20 * DOLLAR]
    assert (a.opening, a.paid, a.closing, a.outstanding) == (0, 5000, 0, ())
    assert sum(statement.earnings for statement in made.values()) == 100 * DOLLAR
    assert dict(a.digests)["Ledger, at transaction 1"] == ledger.state().head.hex()


def test_a_policy_without_a_name_is_called_by_its_digest_and_not_by_its_place_in_the_ledger(ledger):
    ledger.close("2026-Q1", 100, *ONE, policy=POLICY.replace('name = "p"', 'title = "Ours"'))
    terms = statements(ledger, "2026-Q1")["a"]
    assert dict(terms.terms.rules)["Policy"] == f"policy {dict(terms.digests)['SHA-256 of the policy'][:8]}: Ours"


def test_the_rules_of_a_statement_are_those_of_its_holder(ledger):
    listed = "holder_id,withholding,minimum\na,30%,1.00\nb,,0\n"
    ledger.close("2026-Q1", 100, *ONE, policy=POLICY, holders=listed)
    rules = {holder: dict(each.terms.rules) for holder, each in statements(ledger, "2026-Q1").items()}
    assert [rules[holder]["Withholding"].split(" of ")[0] for holder in "abc"] == ["30 %", "10 %", "10 %"]
    assert [rules[holder]["Minimum payment"].split(";")[0] for holder in "abc"] == ["1.00 USD", "none", "5.00 USD"]


def test_the_rules_of_who_has_no_source_in_the_period_are_its_own_too(ledger):
    ledger.close("2026-Q1", 100, *ONE, policy=POLICY)
    ledger.close("2026-Q2", 100, *ONE[1:2], policy=POLICY, holders="holder_id,minimum\nc,80\n")
    rules = {holder: dict(each.terms.rules) for holder, each in statements(ledger, "2026-Q2").items()}
    assert [rules[holder]["Minimum payment"].split(";")[0] for holder in "abc"] == ["5.00 USD", "5.00 USD", "80.00 USD"]


def test_what_was_redistributed_is_called_so(ledger):
    ledger.close("2026-Q1", 100, *ONE, ("s4", 1000, {}))
    ledger.close("2026-Q2", 0, *ONE)
    redistribute(ledger.path, 1, "holders")
    ledger.close("2026-Q3", 0, *ONE)
    assert entries(statements(ledger, "2026-Q3")["c"]) == {"Part of what others did not claim": 5 * DOLLAR}


def test_deductions_reserve_and_what_is_below_the_minimum(ledger):
    ledger.close("2026-Q1", 100, *ONE, policy=POLICY)
    ledger.close("2026-Q2", 0, *ONE, policy=POLICY)
    first, second = (statements(ledger, period)["a"] for period in ("2026-Q1", "2026-Q2"))
    assert deductions(first) == {
        "Administration fee": (5 * DOLLAR, True),
        "Withholding": (4 * DOLLAR + 50 * CENT, False),
    }
    assert entries(first) == {"Reserve held back until the next close": -(20 * DOLLAR + 25 * CENT)}
    assert (first.paid, first.closing) == (2025, 0)
    assert [(each.label, each.amount) for each in first.outstanding] == [
        ("Reserve, released at the next close", 20 * DOLLAR + 25 * CENT)
    ]
    assert entries(second) == {"Reserve of the period before released": 20 * DOLLAR + 25 * CENT}
    assert [each.label for each in second.outstanding] == ["Payments of earlier periods on their way"]
    c = statements(ledger, "2026-Q1")["c"]
    assert (c.paid, c.closing) == (0, 4 * DOLLAR + 5 * CENT)
    assert statements(ledger, "2026-Q2")["c"].opening == c.closing


def test_a_correction_a_return_and_a_transfer_are_on_the_next_statement(ledger):
    ledger.close("2026-Q1", 100, *ONE)
    before = {holder: as_json(statement) for holder, statement in statements(ledger, "2026-Q1").items()}
    ledger.restate("2026-Q1", 50, *ONE)
    settle(ledger.path, "2026-Q1", "returned", {"b": None})
    transfer(ledger.path, "c", "d", name="Dora")
    ledger.close("2026-Q2", 10, *ONE)
    made = statements(ledger, "2026-Q2")
    assert entries(made["a"]) == {"Correction of 2026-Q1": -25 * DOLLAR}
    assert (made["a"].paid, made["a"].closing) == (0, -20 * DOLLAR)
    assert entries(made["b"]) == {"Correction of 2026-Q1": -20 * DOLLAR, "Payment of 2026-Q1 returned": 40 * DOLLAR}
    assert made["b"].attributed == made["b"].earnings - 20 * DOLLAR  # what was returned had been attributed before
    assert made["b"].paid == (made["b"].earnings + 20 * DOLLAR) // CENT
    assert entries(made["c"]) == {"Correction of 2026-Q1": -5 * DOLLAR, "Transferred to Dora": 4 * DOLLAR}
    assert entries(made["d"]) == {"Transferred from C": -4 * DOLLAR}  # a debt of 5, and what c earned since
    assert made["d"].earned == ()
    assert {holder: as_json(statement) for holder, statement in statements(ledger, "2026-Q1").items()} == before


def test_what_is_deducted_from_a_correction_is_among_the_deductions(ledger):
    policy = POLICY.replace('reserve = "50%"', "").replace('minimum = "5.00"', 'minimum = "0.00"')
    terms = {"policy": policy, "holders": "holder_id,advance\nc,1000\n"}
    ledger.close("2026-Q1", 100, *ONE, **terms)
    ledger.restate("2026-Q1", 200, *ONE, **terms)
    ledger.close("2026-Q2", 10, *ONE, **terms)
    made = statements(ledger, "2026-Q2")
    assert entries(made["a"]) == {"Correction of 2026-Q1": 50 * DOLLAR}  # before deductions
    assert made["a"].attributed == 55 * DOLLAR
    assert deductions(made["a"]) == {
        "Administration fee": (5 * DOLLAR + 50 * CENT, True),  # 10 % of 55, and of the rest 10 % again
        "Withholding": (4 * DOLLAR + 95 * CENT, False),
    }
    assert deductions(made["c"])["Recouped of advances"] == (8 * DOLLAR + 91 * CENT, False)  # 0.81 of 11
    assert dict(made["c"].terms.rules)["Advances"] == "1,000.00 USD in all; 17.01 USD is recouped"
    assert "Advances" not in dict(made["a"].terms.rules)
    ledger.restate("2026-Q1", 100, *ONE, **terms)
    ledger.close("2026-Q3", 10, *ONE, **terms | {"holders": "holder_id,advance\nc,5\n"})
    made = statements(ledger, "2026-Q3")
    assert dict(made["c"].terms.rules)["Advances"] == "5.00 USD in all; 8.91 USD is recouped"  # as the list says
    less = made["a"]
    assert entries(less) == {"Correction of 2026-Q1": -50 * DOLLAR}
    assert deductions(less)["Administration fee"] == (50 * CENT - 5 * DOLLAR, True)  # given back


BY_USAGE = """name = "u"
basis = { seen_tokens = "50%", usage = "50%" }
[usage]
unattributed = "WHERE"
"""


@pytest.mark.parametrize(("where", "dollars"), [("escrow", 25), ("pool", 35)])
def test_a_statement_by_usage_has_what_was_recorded_wherever_goes_what_is_of_no_source(ledger, where, dollars):
    """s2 has 30 % of the seen tokens, and 20 % of all usage, which is 40 % of what is of a source."""
    usage = "source_id,credit\ns2,1.50\ns1,2.25\n(unattributed),3.75\n"
    ledger.close("2026-Q1", 100, *ONE, policy=BY_USAGE.replace("WHERE", where), usage=usage)
    made = statements(ledger, "2026-Q1")
    a, c = made["a"], made["c"]
    assert [(line.source_id, line.usage) for line in a.earned] == [
        ("s2", Usage("1.5", "0.2")),
        ("s1", Usage("2.25", "0.3")),
    ]
    assert a.terms.unattributed == "0.5"
    assert a.earned[0].amount == dollars * DOLLAR
    assert [line.usage for line in c.earned] == [Usage("0", "0")]  # the usage does not name s3


def test_who_is_turned_away_by_a_gate_sees_the_usage_that_it_closes_on(ledger):
    policy = 'name = "g"\n[[gate]]\nto = "pool"\nminimum = { usage = 10 }\n'
    ledger.close("2026-Q1", 100, *ONE, policy=policy, usage="source_id,credit\ns1,90\ns2,9\ns3,1\n")
    a = statements(ledger, "2026-Q1")["a"]
    assert [(line.source_id, line.amount, line.usage) for line in a.earned] == [
        ("s1", 33 * DOLLAR + 33_333_333, Usage("90", "0.9")),
        ("s2", 0, Usage("9", "0.09")),
    ]
    assert a.terms.unattributed == "0"


def test_usage_of_which_there_is_none_is_zero_of_all(ledger):
    ledger.close(
        "2026-Q1", 0, *ONE, policy='name = "u"\nbasis = { usage = "100%" }\n', usage="source_id,credit\ns1,0\n"
    )
    ledger.close("2026-Q2", 0, *ONE)
    first, second = (statements(ledger, period)["c"] for period in ("2026-Q1", "2026-Q2"))
    assert ([line.usage for line in first.earned], first.terms.unattributed) == ([Usage("0", "0")], "0")
    assert ([line.usage for line in second.earned], second.terms.unattributed) == ([None], None)


def test_who_cannot_be_reached_sees_what_is_kept(ledger):
    ledger.close("2026-Q1", 100, *ONE, policy='name = "p"\n', holders="holder_id,reachable\nc,no\n")
    c = statements(ledger, "2026-Q1")["c"]
    assert c.earnings == 10 * DOLLAR
    assert entries(c) == {"Kept in escrow, as you could not be reached": -10 * DOLLAR}
    assert [(each.label, each.amount) for each in c.outstanding] == [("Kept in escrow", 10 * DOLLAR)]


def test_what_is_kept_for_one_who_was_transferred_stays_on_its_statement_until_it_is_released(ledger):
    ledger.close("2026-Q1", 100, *ONE, holders="holder_id,reachable\nc,no\n")
    transfer(ledger.path, "c", "d", name="Dora")
    ledger.close("2026-Q2", 0, *ONE)
    made = statements(ledger, "2026-Q2")
    assert "d" not in made
    assert [(each.label, each.amount) for each in made["c"].outstanding] == [("Kept in escrow", 10 * DOLLAR)]
    release(ledger.path, "c")
    ledger.close("2026-Q3", 0, *ONE)
    made = statements(ledger, "2026-Q3")
    assert entries(made["c"]) == {"Released from escrow": 10 * DOLLAR, "Transferred to Dora": -10 * DOLLAR}
    assert (entries(made["d"]), made["d"].paid) == ({"Transferred from C": 10 * DOLLAR}, 1000)
    assert made["c"].outstanding == made["d"].outstanding == ()


def test_where_all_is_kept_for_nobody_there_is_no_statement(ledger):
    """A ledger that knows no holder, source or fund."""
    ledger.close("2026", 10, ("x", 1, {}), policy='name = "p"\n[[top]]\npart = "100%"\nto = "escrow"\n')
    assert statements(ledger, "2026") == {}


def test_a_fixed_part_is_a_line_of_its_own(ledger):
    policy = 'name = "p"\n[fixed]\neach = "holder"\namount = "3.00"\n[[cap]]\nper = "holder"\namount = "40.00"\nexcess = "payer"\n'
    ledger.close("2026-Q1", 100, *ONE, policy=policy)
    a = statements(ledger, "2026-Q1")["a"]
    assert entries(a) == {"Equal part for each holder": 3 * DOLLAR, "Caps and floors of holders": -850 * CENT}
    assert a.earnings == Fraction(91, 2) * DOLLAR


def test_over_many_periods_the_statements_follow_on_and_sum_to_the_journal(ledger):
    sources = [(f"s{n}", 7 * n + 1, {name: "1"}) for n, name in enumerate("abcdefg")]
    last, paid = {}, {}
    for number in range(1, 7):
        period = f"2026-{number}"
        ledger.close(period, "1.01", *sources[: number + 1], policy=POLICY)
        for holder, statement in statements(ledger, period).items():
            assert statement.opening == last.get(holder, 0)
            last[holder] = statement.closing
            paid[holder] = paid.get(holder, 0) + statement.paid * CENT
    assert last == {holder: ledger.has(Account.HOLDER, holder) for holder in last}
    state = ledger.state()
    assert sum(paid.values()) == sum(state.balances.by_period(Account.PAYABLE)[2].tolist())


def test_the_last_statement_of_an_old_ledger_reads_its_own_period_only(ledger, monkeypatch):
    for period in ("2026-Q1", "2026-Q2", "2026-Q3"):
        ledger.close(period, 100, *ONE, policy=POLICY)
        ledger.restate(period, 90, *ONE, policy=POLICY)
    read, moves = [], Journal.moves
    monkeypatch.setattr(Journal, "moves", lambda self, number: read.append(number) or moves(self, number))
    assert statements(ledger, "2026-Q3")
    assert sorted(read) == [4, 5, 6]  # the restatement of 2026-Q2, the close, and its restatement


def test_what_is_not_there_is_named(ledger):
    ledger.close("2026-Q1", 100, *ONE)
    with pytest.raises(LedgerError, match="period 2027 has not been closed; the last is 2026-Q1"):
        statements(ledger, "2027")
    with pytest.raises(LedgerError, match="the ledger knows no holder z"):
        statements_of(ledger.path, "2026-Q1", SENDER, {}, "z")
