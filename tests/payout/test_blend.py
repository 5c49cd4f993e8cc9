"""docs/spec-allocation.md, rules B6 and B7: a payout by another basis than seen tokens, or by a blend of several."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import AmountError, TableError
from royaltycli.payout.basis import TOTAL
from royaltycli.payout.blend import weights_by
from royaltycli.payout.currency import MILLIONTHS, find_currency
from royaltycli.payout.distribute import distribute
from royaltycli.payout.payout import pay
from royaltycli.payout.policy import SEEN_TOKENS, Policy
from tests.payout import oracle
from tests.payout.policy_oracle import measures
from tests.payout.policy_strategies import MEASURES, Case, bases, corpora, source, usages
from tests.payout.tables import records, units_of

DOLLAR = find_currency("USD")
HALF = Fraction(1, 2)
BLEND = (("seen_tokens", HALF), ("usage", HALF))
WORKS = (("works", Fraction(1)),)
ROWS = [source("a", 60), source("b", 30), source("c", 10, {}, epochs="1.5")]


def usage_of(**credits_given):
    return Case([], Policy(""), 0, usage=credits_given).usage_table()


def table(rows=ROWS):
    return Case(rows, Policy(""), 0).table()


def by_hand(rows, basis, usage, whole):
    """The share of each source by B6 and B7, in fractions; None if a measure with a part is zero everywhere."""
    numbers = {row["source_id"]: measures(row, usage) for row in rows}
    shares = dict.fromkeys(numbers, Fraction(0))
    for measure, weight in basis:
        total = sum(each[measure] for each in numbers.values())
        if measure in ("tokens", "seen_tokens") and whole is not None:
            total = Fraction(whole)
        if weight and not total:
            return None
        for name, each in numbers.items():
            shares[name] += weight * each[measure] / total if weight else 0
    return shares


zero_weights = st.lists(st.sampled_from(MEASURES), max_size=2).map(
    lambda names: [(name, Fraction(0)) for name in names]
)


@st.composite
def payouts(draw):
    """Rows, basis, usage without unknown sources, the size of the run, the pool, and the period."""
    rows = draw(corpora())
    basis = dict(draw(zero_weights)) | dict(draw(bases()))
    usage = {name: credit for name, credit in draw(usages(rows)).items() if name != "unknown"}
    whole = draw(st.sampled_from([None, None, Decimal(10**14), Decimal("40000000000000.5")]))
    return rows, tuple(basis.items()), usage, whole, draw(st.integers(0, 10**9)), draw(st.sampled_from(["", "2026"]))


@settings(max_examples=200, deadline=None)
@given(payouts())
def test_the_shares_are_the_exact_fractions_and_the_money_is_that_of_the_oracle(case):
    rows, basis, usage, whole, pool, period = case
    credits_given = usage_of(**usage)
    exact = by_hand(rows, basis, usage, whole)
    how = {"basis": basis, "usage": credits_given, "total_tokens": whole, "period": period, "currency": DOLLAR}
    if exact is None:
        with pytest.raises(AmountError, match=r"nothing can be shared out by|no tokens were seen"):
            pay(table(rows), pool=pool + 1, **how)
        assert set(units_of(pay(table(rows), pool=0, **how).rows)) == {0}
        return
    ordered = table(sorted(rows, key=lambda row: row["source_id"]))
    weights = weights_by(basis, ordered, whole, credits_given, needed=True)
    assert [Fraction(weight, weights.total) for weight in weights.weights.tolist()] == [
        exact[name] for name in ordered["source_id"].to_pylist()
    ]
    assert weights.scanned == sum(weights.weights.tolist())

    held = {row["source_id"]: {one["id"]: one["share"] for one in row["holders"]} for row in rows}
    sources = [(name, share, "1", held[name]) for name, share in exact.items()]
    units, parts, elsewhere = oracle.pay_by_hand(sources, pool, period, 1)
    by_source = pay(table(rows), pool=pool, **how).rows
    assert dict(zip(by_source["source_id"].to_pylist(), units_of(by_source), strict=True)) == units
    assert sum(units_of(by_source)) == pool
    for name, written in zip(by_source["source_id"].to_pylist(), by_source["share"].to_pylist(), strict=True):
        share = exact.get(name, 1 - sum(exact.values()))
        assert abs(Fraction(written) - share) <= share / 10**14
    by_split = pay(table(rows), pool=pool, by="split", **how)
    pairs = [pair if pair[1] else pair[0] for pair in records(by_split.rows, "source_id", "holder_id")]
    assert dict(zip(pairs, units_of(by_split.rows), strict=True)) == parts | elsewhere
    by_holder = pay(table(rows), pool=pool, by="holder", **how)
    assert sum(units_of(by_holder.rows)) == sum(amount for _, amount in by_holder.destinations) == pool


@settings(max_examples=100, deadline=None)
@given(payouts())
def test_a_policy_with_the_same_basis_gives_the_same_but_for_millionths(case):
    """Y5 rounds the part of each measure; B7 rounds nothing before whole units."""
    rows, basis, usage, whole, pool, period = case
    exact = by_hand(rows, basis, usage, whole)
    if exact is None:
        return
    how = {"pool": pool, "usage": usage_of(**usage), "total_tokens": whole, "period": period, "currency": DOLLAR}
    by_policy = distribute(table(rows), Policy("same", basis=basis), **how)
    for name, amount in zip(by_policy.table["source_id"].to_pylist(), by_policy.sources.tolist(), strict=True):
        assert abs(amount - exact[name] * pool * MILLIONTHS) < 2 * len(basis)


@pytest.mark.parametrize("measure", MEASURES)
def test_rule_b6_one_measure_alone(measure):
    numbers = {
        "tokens": [60, 30, 10],
        "seen_tokens": [60, 30, 15],
        "documents": [1, 1, 1],
        "bytes": [300, 150, 50],
        "works": [1, 1, 1],
        "usage": [0, 1, 3],
    }[measure]
    usage = usage_of(b="0.5", c="1.5") if measure == "usage" else None
    rows = pay(table(), pool=sum(numbers), currency=DOLLAR, basis=((measure, Fraction(1)),), usage=usage).rows
    assert dict(zip(rows["source_id"].to_pylist(), units_of(rows), strict=True)) == dict(
        zip("abc", numbers, strict=True)
    )


def test_rule_b7_the_blend_of_an_example_to_check_on_paper():
    """Half by usage, 1 : 3 of a and c; half by seen tokens, 60 : 30 : 15 of 105."""
    rows = pay(table(), pool=840, currency=DOLLAR, basis=BLEND, usage=usage_of(a="1", c="3")).rows
    assert records(rows, "source_id", "seen_tokens", "payout") == [
        ("c", "15", "3.75"),
        ("a", "60", "3.45"),
        ("b", "30", "1.20"),
    ]


def test_rule_b6_the_unattributed_part_of_the_usage_is_for_all():
    usage = usage_of(**{"a": "1", "b": "1", "(unattributed)": "98"})
    paid = pay(table(), pool=100, currency=DOLLAR, basis=(("usage", Fraction(1)),), usage=usage)
    assert paid.unattributed == Fraction(98, 100)
    assert records(paid.rows, "source_id", "share", "payout") == [
        ("a", "0.5", "0.50"),
        ("b", "0.5", "0.50"),
        ("c", "0", "0.00"),
    ]


def test_rule_b6_what_was_not_scanned_takes_part_by_tokens_and_seen_tokens_only():
    usage = usage_of(a="1")
    not_scanned = {}
    for measure in MEASURES:
        how = {"basis": ((measure, Fraction(1)),), "usage": usage, "total_tokens": Decimal(210)}
        destinations = dict(pay(table(), pool=210, currency=DOLLAR, **how).destinations)
        not_scanned[measure] = destinations.get("(not scanned)")
    assert not_scanned == dict.fromkeys(MEASURES) | {"tokens": 110, "seen_tokens": 105}
    half = pay(table(), pool=420, currency=DOLLAR, basis=BLEND, usage=usage, total_tokens=Decimal(210))
    assert half.destinations == (("paid", 315), ("(not scanned)", 105))
    (seen,) = [row["seen_tokens"] for row in half.rows.to_pylist() if row["source_id"] == "(not scanned)"]
    assert seen == "105"


@pytest.mark.parametrize(("measure", "raises"), [("tokens", True), ("seen_tokens", True), ("works", False)])
def test_rule_b6_a_run_smaller_than_what_was_scanned_is_an_error_where_it_matters(measure, raises):
    how = {"pool": 3, "currency": DOLLAR, "basis": ((measure, Fraction(1)),), "total_tokens": Decimal(99)}
    if raises:
        with pytest.raises(AmountError, match="the whole run is said to have seen 99 tokens"):
            pay(table(), **how)
    else:
        assert units_of(pay(table(), **how).rows) == [1, 1, 1]


def test_rule_b7_a_blend_with_all_of_one_measure_is_that_measure():
    usage = usage_of(a="1", b="2")
    seen, used = (
        pay(table(), pool=1000, currency=DOLLAR, basis=(("seen_tokens", 1 - part), ("usage", part)), usage=usage).rows
        for part in (Fraction(0), Fraction(1))
    )
    assert seen.equals(pay(table(), pool=1000, currency=DOLLAR).rows)
    assert used.equals(pay(table(), pool=1000, currency=DOLLAR, basis=(("usage", Fraction(1)),), usage=usage).rows)


def test_rule_b4_weights_of_any_size():
    """Above a total of 2^62 they are integers of any size: the largest credits, and the largest counts."""
    small = weights_by(WORKS, table(), None, None, needed=True)
    assert small.weights.dtype != object
    rows = [source(name, count, bytes=1) for name, count in (("a", 2**62), ("b", 2**62), ("c", 2**61))]
    usage = usage_of(a="1" + "0" * 35, b="0." + "0" * 35 + "1")
    large = weights_by(BLEND, table(rows), None, usage, needed=True)
    assert large.weights.dtype == object
    assert large.total > TOTAL
    paid = pay(table(rows), pool=10**15, currency=DOLLAR, basis=BLEND, usage=usage, by="holder").rows
    assert records(paid, "holder_id", "payout") == [
        ("A", "7000000000000.00"),
        ("B", "2000000000000.00"),
        ("C", "1000000000000.00"),
    ]


def test_rule_b6_what_cannot_be_shared_out_is_an_error():
    with pytest.raises(AmountError, match="nothing can be shared out by usage, which is zero"):
        pay(table(), pool=1, currency=DOLLAR, basis=BLEND, usage=usage_of(a="0"))
    with pytest.raises(AmountError, match="nothing can be shared out by works, which is zero"):
        pay(table([]), pool=1, currency=DOLLAR, basis=WORKS)
    with pytest.raises(AmountError, match="shares depend on usage, but no usage table is given"):
        pay(table(), pool=1, currency=DOLLAR, basis=BLEND)
    with pytest.raises(TableError, match="the token table has no column documents, which shares depend on"):
        pay(table().drop_columns(["documents"]), pool=1, currency=DOLLAR, basis=(("documents", Fraction(1)),))


def test_seen_tokens_are_the_basis_unless_another_is_named():
    rows = pay(table(), pool=1000, currency=DOLLAR).rows
    assert rows.equals(pay(table(), pool=1000, currency=DOLLAR, basis=SEEN_TOKENS).rows)
    assert rows["share"].to_pylist() != pay(table(), pool=1000, currency=DOLLAR, basis=WORKS).rows["share"].to_pylist()
