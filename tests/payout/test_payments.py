"""docs/spec-policy.md, rules Y17 to Y19 and Y2: payment over many periods, in which nobody starves.

`--campaign` runs the long form.
"""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from royaltycli.payout.payments import pay_balances
from royaltycli.payout.policy import Payment
from tests.payout import policy_oracle as oracle
from tests.payout import policy_strategies as made
from tests.payout.policy_checks import MILLION, engine

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
LONGEST = 60


def payer(balances, minimums, payment, period):
    """What the package pays, by id."""
    names = list(balances)
    paid = pay_balances(
        np.array(list(balances.values()), np.int64),
        np.array([minimums[name] for name in names], np.int64),
        payment,
        names,
        period,
    )
    return SimpleNamespace(
        paid=dict(zip(names, paid.paid.tolist(), strict=True)),
        carried=dict(zip(names, paid.carried.tolist(), strict=True)),
        below=dict(zip(names, paid.below.tolist(), strict=True)),
        rounding=int(paid.rounding),
    )


# -- one payment --------------------------------------------------------------------------------
balances = st.one_of(
    st.sampled_from([0, 1, 999_999, 1_000_000, 1_000_001, 9_999_999, 10_000_000]),
    st.integers(0, 3 * MILLION),
    st.integers(0, 10**15),
    st.integers(-(10**7), -1),
)
minimums = st.sampled_from([0, 1, MILLION, 10 * MILLION, 10**9])
names = st.text("abcXYZ019", min_size=1, max_size=3)
accounts = st.dictionaries(names, st.tuples(balances, minimums), max_size=10)


@settings(max_examples=300, deadline=None)
@given(accounts, made.payments, st.sampled_from(["", "2026"]))
def test_rules_y17_to_y19_are_those_of_the_oracle(accounts, payment, period):
    balances = {name: balance for name, (balance, _) in accounts.items()}
    least = {name: minimum for name, (_, minimum) in accounts.items()}
    paid = payer(balances, least, payment, period)
    assert paid == oracle.pay(balances, least, payment, period)
    backwards = dict(sorted(balances.items(), reverse=True))
    assert payer(backwards, least, payment, period) == paid
    places = sum(paid.carried.values()) + sum(paid.below.values()) + paid.rounding
    assert sum(paid.paid.values()) * MILLION + places == sum(balances.values())


@pytest.mark.parametrize(
    ("payment", "paid", "carried", "below", "rounding"),
    [
        (Payment(), (2, 0, 0), (500_000, 600_000, -1), (0, 0, 0), 0),
        (Payment(rests="round"), (2, 1, 0), (0, 0, -1), (0, 0, 0), 100_000),
        (Payment(below="payer"), (2, 0, 0), (500_000, 600_000, -1), (0, 0, 0), 0),
    ],
)
def test_rules_y17_to_y19_by_hand(payment, paid, carried, below, rounding):
    got = payer({"a": 2_500_000, "b": 600_000, "c": -1}, {"a": 0, "b": 0, "c": 0}, payment, "")
    lines = [tuple(line.values()) for line in (got.paid, got.carried, got.below)]
    assert (*lines, got.rounding) == (paid, carried, below, rounding)


def test_rule_y17_below_the_minimum_nothing_is_paid():
    balances, least = {"a": 10_000_000, "b": 9_999_999}, {"a": 10 * MILLION, "b": 10 * MILLION}
    assert payer(balances, least, Payment(), "").paid == {"a": 10, "b": 0}
    assert payer(balances, least, Payment(), "").carried == {"a": 0, "b": 9_999_999}
    assert payer(balances, least, Payment(below="fund:a"), "").below == {"a": 0, "b": 9_999_999}


# -- many periods -------------------------------------------------------------------------------
def broken_promises(payer, periods, least, payment):
    """What does not hold after some period, of accounts that are paid and carried; `periods` are nets by name."""
    broken, owed, paid = set(), dict.fromkeys(least, 0), dict.fromkeys(least, 0)
    carried = dict.fromkeys(least, 0)
    for number, nets in enumerate(periods):
        balances = {name: carried[name] + nets.get(name, 0) for name in least}
        got = payer(balances, least, payment, f"p{number}")
        carried = got.carried
        for name in least:
            owed[name] += nets.get(name, 0)
            paid[name] += got.paid[name]
            if owed[name] != paid[name] * MILLION + carried[name]:
                broken.add("the exact sum")
            if not 0 <= carried[name] < max(least[name], MILLION):
                broken.add("nobody starves")
            if got.paid[name] and balances[name] < least[name]:
                broken.add("the minimum")
        if sum(owed.values()) != sum(paid.values()) * MILLION + sum(carried.values()):
            broken.add("the sum of all")
    return broken


nets = st.one_of(st.just(0), st.integers(0, 40_000), st.integers(0, 3 * MILLION), st.integers(0, 10**13))
histories = st.lists(st.dictionaries(st.sampled_from("abcdef"), nets), min_size=1, max_size=LONGEST)
least_of_all = st.fixed_dictionaries(dict.fromkeys("abcdef", minimums))


def test_nobody_starves_over_sixty_periods(long_form):
    """Y17: paid and carried are what was earned at every prefix, and carried is less than the minimum or a unit."""

    @settings(max_examples=5000 if long_form else 60, deadline=None, suppress_health_check=CALM)
    @given(histories, least_of_all)
    def holds(periods, least):
        assert broken_promises(payer, periods, least, Payment()) == set()

    holds()


def test_two_hundredths_of_a_cent_a_period_are_paid_in_the_fiftieth():
    paid = [0] * LONGEST
    carried = {"a": 0}
    for number in range(LONGEST):
        got = payer({"a": carried["a"] + 20_000}, {"a": 0}, Payment(), str(number))
        paid[number], carried = got.paid["a"], got.carried
    assert [number + 1 for number, units in enumerate(paid) if units] == [50]
    assert carried == {"a": 200_000}


def forgetful(balances, least, payment, period):
    """Rounds each period to whole units, and keeps the rest."""
    got = payer(balances, least, payment, period)
    return SimpleNamespace(paid=got.paid, carried={name: 0 if got.paid[name] else got.carried[name] for name in least})


def generous(balances, least, payment, period):
    """Pays what is below the minimum."""
    return payer(balances, dict.fromkeys(least, 0), payment, period)


def miserly(balances, least, payment, period):
    """Pays only what is above the minimum twice over."""
    return payer(balances, {name: 2 * max(each, MILLION) for name, each in least.items()}, payment, period)


def levelling(balances, least, payment, period):
    """Shares the whole units of all among all, so that one pays for the other."""
    got = payer(balances, least, payment, period)
    units = sum(got.paid.values())
    first, *others = got.paid
    return SimpleNamespace(paid=dict.fromkeys(others, 0) | {first: units}, carried=got.carried)


@pytest.mark.parametrize(
    ("wrong", "promise"),
    [
        (forgetful, "the exact sum"),
        (forgetful, "the sum of all"),
        (generous, "the minimum"),
        (miserly, "nobody starves"),
        (levelling, "the exact sum"),
    ],
)
def test_a_wrong_payer_is_found_out(wrong, promise):
    quick = settings(max_examples=500, derandomize=True, phases=[Phase.generate], database=None)
    find(
        st.tuples(histories, least_of_all),
        lambda case: promise in broken_promises(wrong, *case, Payment()),
        settings=quick,
    )


# -- whole distributions, period after period ---------------------------------------------------
def test_distributions_of_many_periods_add_up_at_every_prefix(long_form):
    """Y2: what came into all pools so far is paid, carried, or in a place with a name."""

    @settings(max_examples=400 if long_form else 6, deadline=None, suppress_health_check=CALM)
    @given(st.lists(made.cases(), min_size=2, max_size=12), made.payments, st.randoms(use_true_random=False))
    def holds(cases, payment, chance):
        payment = replace(payment, rests="carry")
        pools = placed = paid = 0
        carried = {}
        for case in stretched(cases, chance):
            made_of = engine(case)
            if made_of is None:
                continue
            lines = made_of.holders
            balances = {name: carried.get(name, 0) + line["net"] for name, line in lines.items()}
            got = payer(balances, {name: line["minimum"] for name, line in lines.items()}, payment, case.period)
            carried |= got.carried
            pools += case.pool
            paid += sum(got.paid.values())
            taken = ("fee", "withholding", "recouped", "reserve", "escrow")
            placed += sum(line[name] for line in lines.values() for name in taken)
            placed += sum(made_of.elsewhere.values()) + sum(got.below.values())
            assert pools * MILLION == paid * MILLION + sum(carried.values()) + placed

    holds()


def stretched(cases, chance: random.Random):
    """Some cases as a history of up to sixty periods, each with another pool."""
    for number in range(chance.randint(2, LONGEST)):
        case = chance.choice(cases)
        yield replace(case, pool=chance.choice([0, 1, 7, 100, 10**6]), period=f"p{number}")


def test_a_minimum_in_the_currency_is_the_one_that_payment_starts_at():
    case = made.Case(
        [made.source("a", 1), made.source("b", 3)], made.Policy("p", payment=Payment(Decimal("0.50"))), 100
    )
    lines = engine(case).holders
    balances = {name: line["net"] for name, line in lines.items()}
    least = {name: line["minimum"] for name, line in lines.items()}
    assert payer(balances, least, case.policy.payment, "").paid == {"A": 0, "B": 75}
