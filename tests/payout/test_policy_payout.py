"""Rows of a payout by a policy (docs/spec-policy.md, rules Y24 to Y27), and the arithmetic that is shown of them."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest

from royaltycli.errors import AmountError, CallError
from royaltycli.payout import policy_payout
from royaltycli.payout.allocation import allocate
from royaltycli.payout.currency import MILLIONTHS, exact_money, find_currency
from royaltycli.payout.distribute import distribute
from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.payout.explanation import explain
from royaltycli.payout.policy import Cap, Deductions, Fixed, Gate, Payment, Policy, Top
from royaltycli.payout.policy_payout import pay_out
from tests.payout.tables import table

USD = find_currency("USD")
BOOKS = table(
    ("book", 600, "1", {"ann": "0.7", "bob": "0.3"}, "A Book"),
    ("feed", 300, "1", {"bob": "1"}),
    ("lost", 100, "1"),
)
RULES = Policy(
    "rules",
    top=(Top(Fraction(1, 10), "fund:prizes"),),
    deductions=Deductions(fee=Fraction(1, 10), reserve=Fraction(1, 20)),
    payment=Payment(minimum=Decimal(4)),
)


def distributed(policy=RULES, pool=1000, sources=BOOKS, **more):
    return distribute(sources, policy, pool=pool, currency=USD, **more)


def column(payout, name):
    """A column by the id of the row."""
    identifier = payout.rows.column_names[0]
    return dict(zip(payout.rows[identifier].to_pylist(), payout.rows[name].to_pylist(), strict=True))


def test_rule_y2_a_millionth_lost_on_the_way_stops_the_run(monkeypatch):
    """The planted violations: a distribution that lacks a millionth at each of two places, and rows that lack a cent."""
    whole = distributed()
    less = {name: amount - 1 for name, amount in whole.elsewhere.items()}
    with pytest.raises(AmountError, match="the destinations sum to 999999998 millionths of a pool of 1000; this is a"):
        pay_out(dataclasses.replace(whole, elsewhere=less))

    def lossy(*given):
        units = allocate(*given)
        units[0] -= 1
        return units

    monkeypatch.setattr(policy_payout, "allocate", lossy)
    with pytest.raises(AmountError, match="the rows sum to 999 units of a pool of 1000; this is a defect"):
        pay_out(whole, "source")


@pytest.mark.parametrize("by", ["source", "holder", "split"])
def test_escrow_is_that_of_the_unreachable_and_what_is_below_the_minimum(by):
    # 10.00 by 6:3:1: ann 4.20, bob 4.80, escrow 1.00. ann cannot be reached; what bob has is below 5.00.
    rules = Policy("below", payment=Payment(minimum=Decimal(5), below="escrow"))
    parties = pa.Table.from_pylist([{"holder_id": "ann", "reachable": False}], LIST_OF_HOLDERS)
    payout = pay_out(distributed(rules, listed=parties), by)
    assert payout.exact == (("paid", 0), ("(escrow)", 1000 * MILLIONTHS))  # Y2, Y14, Y17
    assert sum(payout.rows["payout"].to_pylist()) == 10


def test_by_holder_what_is_paid_stands_beside_where_all_else_went():
    # 10.00: 1.00 for the fund, and 9.00 by 6:3:1. ann has 3.78, bob 1.62 + 2.70 = 4.32, escrow 0.90.
    payout = pay_out(distributed(), "holder")
    assert column(payout, "earned")["ann"] == Decimal("3.78")
    assert column(payout, "fee")["ann"] == Decimal("0.378")
    assert column(payout, "reserve")["ann"] == Decimal("0.1701")
    assert column(payout, "carried")["ann"] == Decimal("3.2319")  # below the minimum of 4.00
    assert column(payout, "payout") == {
        "ann": Decimal("0.00"),
        "bob": Decimal("0.00"),  # 4.32 - 0.432 - 0.1944 = 3.6936, also below it
        "(carried)": Decimal("6.93"),
        "(fund:prizes)": Decimal("1.00"),
        "(escrow)": Decimal("0.90"),
        "(fee)": Decimal("0.81"),
        "(reserve)": Decimal("0.36"),
    }
    assert dict(payout.exact) == {
        "paid": 0,
        "(carried)": 692_550_000,
        "(fund:prizes)": 100_000_000,
        "(escrow)": 90_000_000,
        "(fee)": 81_000_000,
        "(reserve)": 36_450_000,
    }


def test_by_source_what_is_earned_stands_before_deductions():
    payout = pay_out(distributed(), "source")
    assert column(payout, "payout") == {
        "book": Decimal("5.40"),
        "feed": Decimal("2.70"),
        "(fund:prizes)": Decimal("1.00"),
        "(escrow)": Decimal("0.90"),
        "lost": Decimal("0.00"),
    }
    assert column(payout, "share")["book"] == "0.54"
    assert payout.rows["earned"].to_pylist()[0] == Decimal("5.40000000")


def test_by_split_the_parts_of_a_source_sum_to_it():
    rows = pay_out(distributed(), "split").rows.to_pylist()
    book = [row for row in rows if row["source_id"] == "book"]
    assert [(row["holder_id"], row["payout"]) for row in book] == [("ann", Decimal("3.78")), ("bob", Decimal("1.62"))]


@pytest.mark.parametrize("by", ["source", "holder", "split"])
@pytest.mark.parametrize("pool", [0, 1, 7, 999, 123_457])
@pytest.mark.parametrize(
    "policy",
    [
        RULES,
        Policy("round", payment=Payment(rests="round")),
        Policy("fund", payment=Payment(minimum=Decimal(3), below="fund:x")),
        Policy(
            "each", fixed=Fixed("holder", amount=Decimal("0.01")), caps=(Cap("holder", ((0, Decimal(2)),), "payer"),)
        ),
        Policy("gate", gates=(Gate("payer", unknown=True),), caps=(Cap("source", ((0, Decimal(3)), (2, Decimal(4)))),)),
    ],
    ids=lambda policy: getattr(policy, "name", policy),
)
def test_the_payout_column_sums_to_the_pool_and_so_do_the_destinations(policy, pool, by):
    payout = pay_out(distributed(policy, pool), by)
    assert sum(payout.rows["payout"].to_pylist()) * 100 == pool
    assert sum(units for _, units in payout.destinations) == pool
    assert sum(amount for _, amount in payout.exact) == pool * 1_000_000


def test_only_the_largest_rows_are_listed_and_one_for_the_others():
    payout = pay_out(distributed(), "source", 1)
    assert column(payout, "payout")["(other sources)"] == Decimal("2.70")


def test_fixed_parts_of_holders_are_a_row_by_source():
    policy = Policy("each", fixed=Fixed("holder", part=Fraction(1, 2)))
    payout = pay_out(distributed(policy), "source")
    assert column(payout, "payout")["(fixed)"] == Decimal("5.00")


def test_an_unknown_way_to_list_is_refused():
    with pytest.raises(CallError, match="a payout by 'page' is not known; use source, holder, split"):
        pay_out(distributed(), "page")


def steps(explanation):
    return {step.what: (step.how, step.amount) for step in explanation.steps}


def test_the_steps_of_a_source_can_be_checked_on_paper():
    policy = Policy("p", top=RULES.top, caps=(Cap("source", ((0, Decimal("5.00")),)),))
    found = steps(explain(distributed(policy), "book"))
    assert found["pool"] == ("profit × rate", "10.00")
    assert found["first"] == ("10 % of the pool goes to fund:prizes", "1.00")
    assert found["by seen tokens"] == ("9.00 × 600 / 1,000", "5.40")
    assert found["cap"] == ("5.40; kept within the caps and floors of the policy", "5.00")
    assert found["ann"] == ("0.7 of 5.00", "3.50")


def test_the_steps_of_a_holder_end_with_what_is_paid_and_carried():
    found = steps(explain(distributed(), "ann"))
    assert list(found) == ["book", "earned", "fee", "reserve", "net", "paid", "carried"]
    assert found["book"] == ("0.7 of 5.40", "3.78")
    assert found["fee"] == ("10 % of 3.78", "-0.378")
    assert found["reserve"] == ("5 % of 3.402", "-0.1701")
    assert found["paid"] == ("3.2319 is below the minimum of 4.00", "0.00")
    assert found["carried"] == ("for the next period", "3.2319")


def test_the_steps_of_one_with_many_sources_add_up_to_what_it_is_paid():
    # 10.00: 1.00 each for ann and bob, and 8.00 by tokens: 22 sources of ann have 10 each, the one of bob has 780.
    feeds = table(*((f"s{number}", 10, "1", {"ann": "1"}) for number in range(22)), ("book", 780, "1", {"bob": "1"}))
    taken = Deductions(fee=Fraction(1, 10), withholding=Fraction(1, 5), reserve=Fraction(1, 20))
    policy = Policy("fixed", fixed=Fixed("holder", part=Fraction(1, 5)), deductions=taken)
    ann = {"holder_id": "ann", "withholding": "1/2", "minimum": 117_990_000}
    made = distributed(policy, sources=feeds, listed=pa.Table.from_pylist([ann], LIST_OF_HOLDERS))
    found = steps(explain(made, "ann"))
    assert len(found) == 20 + 9
    assert found["s0"] == ("1 of 0.08", "0.08")
    assert found["other sources"] == ("2 of them", "0.16")
    assert found["fixed part"] == ("2.00 in 2 equal parts", "1.00")
    assert found["earned"] == ("in all", "2.76")
    assert found["fee"] == ("10 % of 2.76", "-0.276")
    assert found["withholding"] == ("50 % of 2.484", "-1.242")
    assert found["reserve"] == ("5 % of 1.242", "-0.0621")
    assert found["net"] == ("after deductions", "1.1799")
    assert found["paid"] == ("whole units, as the minimum of 1.1799 is reached", "1.17")
    assert found["carried"] == ("for the next period", "0.0099")
    assert steps(explain(made, "bob"))["withholding"] == ("20 % of 6.516", "-1.3032")


def test_the_steps_of_what_is_below_the_minimum_say_where_it_goes():
    found = steps(explain(distributed(Policy("below", payment=Payment(minimum=Decimal(5), below="fund:x"))), "ann"))
    assert found["paid"] == ("4.20 is below the minimum of 5.00", "0.00")
    assert found["goes to"] == ("fund:x", "4.20")


def test_a_holder_has_its_name_as_title_unless_that_is_its_id():
    assert explain(distributed(), "ann").title == "ANN"
    assert explain(distributed(sources=table(("a", 1, "1", {"ann": ("1", "ann")}))), "ann").title == ""


def test_the_step_of_an_advance_says_how_much_it_was():
    row = {
        "holder_id": ["ann"],
        "reachable": [None],
        "withholding": [None],
        "advance": [100 * 10**8],
        "minimum": [None],
    }
    found = steps(explain(distributed(listed=pa.table(row).cast(LIST_OF_HOLDERS)), "ann"))
    assert found["recouped"] == ("of the advance of 100.00", "-3.402")


def test_a_part_without_end_is_written_as_a_fraction():
    third = Policy("third", deductions=Deductions(fee=Fraction(1, 3)), top=(Top(Fraction(1, 3), "payer"),))
    assert steps(explain(distributed(third), "book"))["first"] == ("1/3 of the pool goes to payer", "3.33333333")
    assert steps(explain(distributed(third), "ann"))["fee"][0].startswith("1/3 of ")


def test_what_others_left_is_shared_anew_and_said_so():
    capped = Policy("cap", caps=(Cap("source", ((0, Decimal("5.20")),)),))
    found = steps(explain(distributed(capped), "feed"))
    assert found["shared anew"] == ("3.00; what others left is shared anew", "3.60")  # 0.80 of the book, three to one
    assert "gate" not in found


def test_a_source_that_a_gate_sends_elsewhere_says_where():
    policy = Policy("gate", gates=(Gate("payer", minimum={"tokens": Decimal(500)}),))
    found = steps(explain(distributed(policy), "feed"))
    assert found["gate"] == ("gate 1 of the policy closes on it: what it comes to goes to payer", "")
    assert found["goes to"] == ("payer", "3.00")
    assert steps(explain(distributed(policy), "book"))["gate"] == ("no gate of the policy closes on it", "")


def test_a_source_that_a_gate_closes_on_says_so():
    policy = Policy("gate", gates=(Gate("pool", minimum={"tokens": Decimal(500)}),))
    assert steps(explain(distributed(policy), "feed"))["gate"] == (
        "gate 1 of the policy closes on it: it takes no part",
        "",
    )


def test_what_is_explained_must_be_there_and_be_one_thing():
    with pytest.raises(CallError, match="there is no source or holder 'nobody' in the token table"):
        explain(distributed(), "nobody")
    both = table(("ann", 1, "1", {"ann": "1"}))
    with pytest.raises(CallError, match="ann is a source and a holder; say which"):
        explain(distributed(sources=both), "ann")
    assert explain(distributed(sources=both), "ann", "holder").kind == "holder"


@pytest.mark.parametrize(
    ("millionths", "code", "text"),
    [(4_333_000_000, "USD", "43.33"), (1_250_000, "USD", "0.0125"), (1, "USD", "0.00000001"), (-5_000_000, "JPY", "-5"),
     (500_000, "JPY", "0.5"), (0, "KWD", "0.000")],
)  # fmt: skip
def test_exact_amounts_have_no_zeros_beyond_the_currency(millionths, code, text):
    assert exact_money(millionths, find_currency(code)) == text


def test_what_an_unreachable_holder_earned_is_said_beside_its_escrow():
    away = pa.table(
        {"holder_id": ["bob"], "reachable": [False], "withholding": [None], "advance": [None], "minimum": [None]}
    )
    payout = pay_out(distributed(listed=away.cast(LIST_OF_HOLDERS)), "holder")
    assert column(payout, "earned")["bob"] == column(payout, "escrow")["bob"] == Decimal("4.32")
    assert column(payout, "payout")["bob"] == 0
    assert column(payout, "payout")["(escrow)"] == Decimal("5.22")
