"""docs/spec-policy.md, rules Y1 to Y16 and Y20 to Y23: the engine against a slow oracle, and wrong engines.

`--campaign` runs the long form.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from royaltycli.payout import allocation
from royaltycli.payout import distribute as distribute_module
from royaltycli.payout.bounds import Kept
from royaltycli.payout.policy import Cap, Deductions, Fixed, Floor, Gate, Policy, Top
from tests.payout import oracle, policy_oracle
from tests.payout import policy_strategies as made
from tests.payout.policy_checks import MILLION, broken_rules, by_hand, engine
from tests.payout.policy_strategies import Case, source

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
EVERYTHING = made.cases()
BOUNDED = made.cases(made.bounded_policies)
ALIKE = made.cases(rows=made.alike())
LEAVING = made.cases(made.leaving_policies, made.alike())


# -- against the oracle -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cases", "short", "long"),
    [(EVERYTHING, 150, 10_000), (BOUNDED, 150, 10_000), (ALIKE, 40, 3000), (LEAVING, 40, 3000)],
    ids=["everything", "bounded", "alike", "leaving"],
)
def test_the_engine_breaks_no_rule(cases, short, long, long_form):
    """Every figure is that of the oracle, and Y20 to Y23 hold, whatever the policy."""

    @settings(max_examples=long if long_form else short, deadline=None, suppress_health_check=CALM)
    @given(cases)
    def holds(case):
        assert broken_rules(engine, case) == set()

    holds()


def test_the_oracle_shares_nothing_with_the_package():
    for module in (oracle, policy_oracle):
        assert "royaltycli" not in Path(module.__file__).read_text(encoding="utf-8")


@settings(max_examples=30, deadline=None, suppress_health_check=CALM)
@given(st.one_of(EVERYTHING, BOUNDED, ALIKE))
def test_the_oracle_breaks_no_rule(case):
    assert broken_rules(by_hand, case) == set()


# -- wrong engines ------------------------------------------------------------------------------
def under(change):
    """The engine under a policy that was changed on the way."""
    return lambda case: engine(replace(case, policy=change(case.policy)))


def spoilt(change):
    """The engine, and then a change of what it gave."""

    def wrong(case):
        view = engine(case)
        if view is not None:
            change(view, case)
        return view

    return wrong


def patched(module, name, function):
    """The engine with one of its functions replaced."""

    def wrong(case):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, function)
            return engine(case)

    return wrong


def lose_a_millionth(view, _case):
    for line in view.holders.values():
        line["net"] -= min(line["net"], 1)


def favour_the_first_row(view, case):
    first = case.rows[0]["source_id"]
    view.sources[first] += 1
    view.elsewhere["(escrow)"] = view.elsewhere.get("(escrow)", 0) - 1


def turn_round(view, _case):
    """The largest gets what the smallest should, and so on."""
    names = sorted(view.sources, key=view.sources.get)
    view.sources = dict(zip(names, sorted(view.sources.values(), reverse=True), strict=True))


def keep_once(weights, caps, _floors, ids, period, total=None):
    """What is above caps shared among the others once, as if none of those could go above its cap by it."""
    total = int(weights.sum()) if total is None else total
    below = np.where(weights < caps, weights, 0)
    cut = np.minimum(weights, caps)
    if not below.any():
        return Kept(cut, left=total - int(cut.sum()))
    return Kept(cut + allocation.allocate(total - int(cut.sum()), below, ids, period))


def leave_at_once(weights, caps, floor, ids, period):
    """All below the floor leave, though some would come to it by what the others leave."""
    staying = np.where(weights >= floor, weights, 0)
    nothing = np.zeros(len(weights), np.int64)
    total = int(weights.sum())
    if not staying.any():
        return Kept(nothing, left=total)
    return distribute_module.keep_within(staying, caps, nothing, ids, period, total)


def first_by_name(ids, rows, count, _period):
    names = ids if isinstance(ids, list) else ids.to_pylist()
    return np.array(sorted(rows.tolist(), key=lambda row: names[row])[:count], np.int64)


def swap_deductions(policy):
    old = policy.deductions
    return replace(policy, deductions=Deductions(old.withholding, old.fee, old.reserve))


def stay_in_the_denominator(policy):
    gates = tuple(replace(gate, to="escrow") if gate.to == "pool" else gate for gate in policy.gates)
    return replace(policy, gates=gates)


WRONG = {
    "a millionth is lost": (EVERYTHING, "Y20", spoilt(lose_a_millionth)),
    "the first row has a millionth more": (EVERYTHING, "Y21", spoilt(favour_the_first_row)),
    "who has more gets less": (ALIKE, "Y23", spoilt(turn_round)),
    "caps are not looked at": (BOUNDED, "Y22 caps", under(lambda policy: replace(policy, caps=()))),
    "floors are not looked at": (BOUNDED, "Y22 floors", under(lambda policy: replace(policy, floors=()))),
    "the overflow is shared once": (BOUNDED, "Y22 caps", patched(distribute_module, "keep_within", keep_once)),
    "all below the floor leave at once": (LEAVING, "sources", patched(distribute_module, "leave_below", leave_at_once)),
    "ties go by name": (EVERYTHING, "measured", patched(allocation, "first_by_key", first_by_name)),
    "the last gate decides": (
        EVERYTHING,
        "gate",
        under(lambda policy: replace(policy, gates=policy.gates[::-1])),
    ),
    "who is gated counts all the same": (EVERYTHING, "sources", under(stay_in_the_denominator)),
    "the payer keeps what is gated": (
        EVERYTHING,
        "sent",
        under(lambda policy: replace(policy, gates=tuple(replace(gate, to="payer") for gate in policy.gates))),
    ),
    "withholding comes before the fee": (EVERYTHING, "holders", under(swap_deductions)),
    "everybody can be reached": (EVERYTHING, "holders", lambda case: engine(replace(case, parties=None))),
    "there is no period": (BOUNDED, "measured", lambda case: engine(replace(case, period=""))),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_engine_is_found_out(name):
    cases, rule, wrong = WRONG[name]
    quick = settings(
        max_examples=2000, derandomize=True, phases=[Phase.generate], database=None, suppress_health_check=CALM
    )
    find(cases, lambda case: rule in broken_rules(wrong, case), settings=quick)


# -- by hand, to read ---------------------------------------------------------------------------
def cents(case):
    """What each source comes to and what goes elsewhere, in cents; None where it is refused."""
    view = engine(case)
    assert broken_rules(engine, case) == set()
    return view and {name: amount / MILLION for name, amount in (view.sources | view.elsewhere).items()}


def policy(**rules):
    return Policy(**{"name": "test", "basis": (("tokens", Fraction(1)),)} | rules)


def flat(amount, excess="pool", per="source"):
    return Cap(per, ((1, Decimal(amount)),), excess)


def tokens(*numbers):
    return [source("abcdefgh"[place], number) for place, number in enumerate(numbers)]


def test_rule_y10_the_overflow_is_shared_again_until_nothing_moves():
    case = Case(tokens(50, 30, 15, 5), policy(caps=(flat("0.30"),)), 100)
    # a and b have 30; of the 40 left, c would get 30, which is its cap too, and d has what is left.
    assert cents(case) == {"a": 30, "b": 30, "c": 30, "d": 10}
    case = Case(tokens(50, 30, 20), policy(caps=(flat("0.30"),)), 100)
    assert cents(case) == {"a": 30, "b": 30, "c": 30, "(escrow)": 10}


def test_rule_y10_with_another_destination_what_is_cut_goes_there():
    case = Case(tokens(50, 30, 20), policy(caps=(flat("0.30", "fund:young"),)), 100)
    assert cents(case) == {"a": 30, "b": 30, "c": 20, "(fund:young)": 20}


def test_rule_y10_the_tier_of_a_source_is_that_of_its_number_of_holders():
    cap = Cap("source", ((2, Decimal("0.10")), (3, Decimal("0.20"))), "payer")
    holdings = [{"x": "1"}, {"x": "0.5", "y": "0.5"}, {"x": "1/3", "y": "1/3", "z": "1/3"}, made.HOLDINGS[-1]]
    rows = [source("abcd"[place], 1, holders) for place, holders in enumerate(holdings)]
    assert cents(Case(rows, policy(caps=(cap,)), 100)) == {"a": 10, "b": 10, "c": 20, "d": 20, "(payer)": 40}


def test_rule_y10_floors_are_paid_by_all_others_and_nobody_without_weight_has_one():
    rules = policy(floors=(Floor("source", Decimal("0.10"), "raise"),))
    assert cents(Case(tokens(60, 36, 4, 0), rules, 100)) == {"a": 56.25, "b": 33.75, "c": 10, "d": 0}
    assert cents(Case(tokens(60, 36, 4, 0), rules, 29)) is None


def test_rule_y10_the_side_on_which_more_is_at_stake_is_settled_first():
    # a is over by 20 and c under by 4: a is settled at 40. Of the 60 left b has 51, and is settled; c has 20 of its own.
    rules = policy(caps=(flat("0.40"),), floors=(Floor("source", Decimal("0.10"), "raise"),))
    assert cents(Case(tokens(60, 34, 6), rules, 100)) == {"a": 40, "b": 40, "c": 20}


def test_rule_y11_who_comes_to_the_floor_by_what_others_leave_stays():
    # 810, 90 and 80: c leaves, and b comes to 980 x 9/90 = 98, three above the floor.
    rules = policy(floors=(Floor("source", Decimal("0.95"), "leave"),))
    assert cents(Case(tokens(81, 9, 8), rules, 980)) == {"a": 882, "b": 98, "c": 0}


def test_rule_y11_of_equals_all_stay_or_none():
    # Two of three would come to the floor, but which two would be left to chance: 66.666667, 66.666667 and 66.666666.
    rules = policy(floors=(Floor("source", Decimal("0.95"), "leave"),))
    assert cents(Case(tokens(1, 1, 1), rules, 200)) == {"a": 0, "b": 0, "c": 0, "(escrow)": 200}
    assert cents(Case(tokens(1, 1, 1, 7), rules, 1000)) == {"a": 100, "b": 100, "c": 100, "d": 700}


def test_rule_y11_leaving_comes_before_cutting():
    rules = policy(caps=(flat("0.04", "payer"),), floors=(Floor("source", Decimal("0.04"), "leave"),))
    assert cents(Case(tokens(5, 4, 3), rules, 12)) == {"a": 4, "b": 4, "c": 0, "(payer)": 4}


def test_rules_y10_and_y11_a_floor_above_any_cap_is_refused():
    cap = Cap("source", ((1, Decimal("0.10")), (60, Decimal("0.01"))))
    for below in ("leave", "raise"):
        rules = policy(caps=(cap,), floors=(Floor("source", Decimal("0.05"), below),))
        assert cents(Case(tokens(1, 1), rules, 10)) is None


def test_rule_y7_the_money_of_a_gated_source_is_for_the_others_or_goes_where_it_is_sent():
    rows = [source("a", 60), source("b", 30, license="CC0-1.0"), source("c", 10, {})]
    for to, expected in (
        ("pool", {"a": 60 / 0.7, "b": 0, "c": 10 / 0.7, "(escrow)": 10 / 0.7}),
        ("payer", {"a": 60, "b": 30, "c": 10, "(payer)": 30, "(escrow)": 10}),
    ):
        rules = policy(gates=(Gate(to, licenses=frozenset({"CC0-1.0"})),))
        assert cents(Case(rows, rules, 100)) == {name: round(amount, 6) for name, amount in expected.items()}


def test_rules_y3_y5_y6_and_y8_top_fixed_part_blend_and_what_was_not_scanned():
    rules = policy(
        top=(Top(Fraction(1, 5), "fund:a"),),
        fixed=Fixed("work", amount=Decimal("0.10")),
        basis=(("tokens", Fraction(2, 3)), ("works", Fraction(1, 3))),
    )
    # Of 100: 20 to the fund, 10 for each work, and of the 60 left 40 by tokens (1, 3 and 6 not scanned), 20 by works.
    case = Case(tokens(1, 3), rules, 100, whole=Decimal(10))
    assert cents(case) == {"a": 10 + 4 + 10, "b": 10 + 12 + 10, "(fund:a)": 20, "(not scanned)": 24}


@pytest.mark.parametrize(
    ("to", "expected"), [("pool", {"a": 25, "b": 75}), ("fund:a", {"a": 10, "b": 30, "(fund:a)": 60})]
)
def test_rule_y6_what_the_usage_attributes_to_nobody_is_for_all_or_goes_where_it_is_sent(to, expected):
    rules = policy(basis=(("usage", Fraction(1)),), unattributed=to)
    case = Case(tokens(9, 9), rules, 100, usage={"a": "0.5", "b": "1.5", "(unattributed)": "3"})
    assert cents(case) == expected


def test_rule_y8_a_fixed_part_is_no_more_than_there_is_and_is_none_without_holders():
    assert cents(Case(tokens(1, 3), policy(fixed=Fixed("work", amount=Decimal("0.51"))), 100)) == {"a": 50, "b": 50}
    each = policy(fixed=Fixed("holder", part=Fraction(1, 2)))
    assert cents(Case([source("a", 1, {}), source("b", 3, {})], each, 100)) == {"a": 25, "b": 75, "(escrow)": 100}


def test_rules_y14_and_y15_the_unreachable_wait_and_caps_are_among_the_others():
    rules = policy(caps=(flat("0.30", per="holder"),))
    unreachable = {"holder_id": "A", "reachable": False, "withholding": None, "advance": None, "minimum": None}
    case = Case(tokens(40, 50, 10), rules, 100, parties=[unreachable])
    lines = engine(case).holders
    assert {name: (line["escrow"], line["net"]) for name, line in lines.items()} == {
        "A": (40 * MILLION, 0),
        "B": (0, 30 * MILLION),
        "C": (0, 30 * MILLION),
    }
    assert broken_rules(engine, case) == set()


def test_rule_y16_deductions_in_their_order():
    rules = policy(deductions=Deductions(Fraction(1, 10), Fraction(1, 2), Fraction(1, 4)))
    advanced = {"holder_id": "A", "reachable": None, "withholding": "0.15", "advance": 6_500_000, "minimum": None}
    case = Case(tokens(1), rules, 100, parties=[advanced])
    (line,) = engine(case).holders.values()
    expected = {"fee": 10.0, "withholding": 13.5, "recouped": 6.5, "reserve": 17.5, "net": 52.5}
    assert {name: line[name] / MILLION for name in expected} == expected


@pytest.mark.parametrize("pool", [0, 100])
def test_rules_y4_and_y6_what_is_wrong_in_a_table_is_found_whatever_the_pool(pool):
    assert cents(Case(tokens(5, 6), policy(), pool, whole=Decimal(10))) is None
    by_usage = policy(gates=(Gate("payer", minimum={"usage": Decimal(1)}),))
    assert cents(Case(tokens(5), by_usage, pool, usage={"z": "1"})) is None
    assert cents(Case(tokens(5), by_usage, pool)) is None
    assert cents(Case(tokens(5), policy(), pool, whole=Decimal(5))) is not None
