"""docs/spec-allocation.md, rules H1 to H5 and R1 to R6: the payout table."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import AmountError, CallError, TableError
from royaltycli.payout import payout as payout_module
from royaltycli.payout.currency import find_currency, pool
from royaltycli.payout.payout import pay
from tests.payout import oracle
from tests.payout.tables import HOLDERS, paid, records, table, units_of

DOLLAR = find_currency("USD")
TEXTBOOK = table(
    ("quantum-textbook", 130_000, "1", {"a-rao": ("0.7", "Asha Rao"), "press": ("0.3", "A Press")}, "Quantum")
)


# -- the worked example -------------------------------------------------------------------------
@pytest.mark.parametrize(("rate", "payout"), [("0.2", "43.33"), ("1", "216.67")])
def test_the_textbook_earns_43_33_at_20_percent_and_216_67_at_all(rate, payout):
    units = pool(Decimal("500e6"), Fraction(rate), DOLLAR)
    rows = pay(TEXTBOOK, pool=units, currency=DOLLAR, total_tokens=Decimal("300e9")).rows
    assert records(rows, "source_id", "title", "holders", "tokens", "seen_tokens", "share")[1] == (
        "quantum-textbook",
        "Quantum",
        "a-rao=0.7;press=0.3",
        130_000,
        "130000",
        "0.000000433333333333333",
    )
    assert records(rows, "source_id", "payout", "currency")[1] == ("quantum-textbook", payout, "USD")


def test_the_textbook_split_among_its_holders():
    units = pool(Decimal("500e6"), Fraction("0.2"), DOLLAR)
    split = pay(TEXTBOOK, pool=units, currency=DOLLAR, total_tokens=Decimal("300e9"), by="split")
    assert records(split.rows, "source_id", "holder_id", "name", "holder_share", "share", "payout") == [
        ("(not scanned)", None, None, None, "0.999999566666667", "99999956.67"),
        ("quantum-textbook", "a-rao", "Asha Rao", "0.7", "0.000000303333333333333", "30.33"),
        ("quantum-textbook", "press", "A Press", "0.3", "0.00000013", "13.00"),
    ]
    holder = pay(TEXTBOOK, pool=units, currency=DOLLAR, total_tokens=Decimal("300e9"), by="holder")
    assert records(holder.rows, "holder_id", "name", "sources", "share", "payout")[1:] == [
        ("a-rao", "Asha Rao", 1, "0.000000303333333333333", "30.33"),
        ("press", "A Press", 1, "0.00000013", "13.00"),
    ]
    assert split.destinations == holder.destinations == (("paid", 4333), ("(not scanned)", 99_999_956_67))


# -- columns ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("by", "columns"),
    [
        ("source", "source_id title holders tokens seen_tokens share payout currency credited_tokens"),
        ("holder", "holder_id name sources share payout currency"),
        ("split", "source_id title holder_id name holder_share share payout currency"),
    ],
)
@pytest.mark.parametrize(
    "made", [TEXTBOOK, table(), table().schema.empty_table(), pa.Table.from_batches([], table().schema)]
)
def test_rule_r1_the_columns_are_stable(by, columns, made):
    rows = pay(made, pool=0, currency=DOLLAR, by=by).rows
    assert rows.column_names == columns.split()
    numbers = {
        "tokens": pa.int64(),
        "credited_tokens": pa.int64(),
        "sources": pa.int64(),
        "payout": pa.decimal128(38, 2),
    }
    assert rows.schema.types == [numbers.get(column, pa.string()) for column in rows.column_names]


def test_rule_r1_holders_are_written_as_text():
    made = table(
        ("a", 3, "1", {"x": "1/3", "y": "1/3", "z": "1/3"}),
        ("b", 2, "1", {"y": "1"}),
        ("c", 1, "1", {}),
        ("d", 0, "1", {"z": "0.5", "a": "0.5"}),
    )
    texts = ["x=1/3;y=1/3;z=1/3", "y", None, "z=0.5;a=0.5"]
    assert pay(made, pool=0, currency=DOLLAR).rows["holders"].to_pylist() == texts
    assert pay(made.slice(1), pool=0, currency=DOLLAR).rows["holders"].to_pylist() == texts[1:]


@pytest.mark.parametrize(
    ("code", "payouts"),
    [("JPY", ["67", "33"]), ("USD", ["0.67", "0.33"]), ("KWD", ["0.067", "0.033"]), ("CLF", ["0.0067", "0.0033"])],
)
def test_rule_r3_payouts_have_the_currencys_places(code, payouts):
    made = table(("a", 2), ("b", 1))
    rows = pay(made, pool=100, currency=find_currency(code)).rows
    assert [row[0] for row in records(rows, "payout")] == payouts
    assert rows["currency"].to_pylist() == [code, code]


def test_a_pool_of_the_most_units_there_may_be_is_paid_to_the_last():
    made = table(("a", 2), ("b", 1))
    assert units_of(pay(made, pool=2**63 - 1, currency=DOLLAR).rows) == [6148914691236517205, 3074457345618258602]


# -- order and top ------------------------------------------------------------------------------
def test_rule_r2_rows_run_from_the_largest_payout_ties_by_code_point():
    made = table(("b", 1), ("B", 1), ("a", 5), ("é", 1), ("_", 1), ("z", 0))
    assert paid(made, 90) == [
        ("a", "0.50"),
        ("B", "0.10"),
        ("_", "0.10"),
        ("b", "0.10"),
        ("é", "0.10"),
        ("z", "0.00"),
    ]


def test_rule_r2_rows_in_parentheses_are_sorted_among_the_others():
    made = table(("a", 3, "1", {"x": "1"}), ("b", 2, "1", {"%40y": "1"}), ("c", 2), ("d", 1, "1", {"z": "1"}))
    assert paid(made, 10, by="holder", total_tokens=Decimal(10)) == [
        ("x", "0.03"),
        ("%40y", "0.02"),
        ("(escrow)", "0.02"),
        ("(not scanned)", "0.02"),
        ("z", "0.01"),
    ]


def test_rule_r4_top_lists_the_largest_and_one_row_for_the_others():
    made = table(("a", 5), ("b", 3, "1.5"), ("c", 2), ("d", 1))
    rows = pay(made, pool=1000, currency=DOLLAR, top=2, total_tokens=Decimal(20)).rows
    assert records(rows, "source_id", "tokens", "seen_tokens", "share", "payout") == [
        ("(not scanned)", None, "7.5", "0.375", "3.75"),
        ("a", 5, "5", "0.25", "2.50"),
        ("b", 3, "4.5", "0.225", "2.25"),
        ("(other sources)", 3, "3", "0.15", "1.50"),
    ]


@pytest.mark.parametrize(
    ("by", "top", "ids"),
    [
        ("source", 4, ["a", "b", "c"]),
        ("source", 3, ["a", "b", "c"]),
        ("source", 1, ["a", "(other sources)"]),
        ("source", 0, ["(other sources)"]),
        ("holder", 1, ["x", "(other holders)", "(escrow)"]),
        ("split", 1, ["a", "(other splits)", "(escrow)"]),
    ],
)
def test_rule_r4_the_others_are_named_after_what_they_are(by, top, ids):
    made = table(("a", 5, "1", {"x": "1"}), ("b", 3, "1", {"y": "0.5", "z": "0.5"}), ("c", 1))
    rows = pay(made, pool=800, currency=DOLLAR, by=by, top=top).rows
    assert rows.column(0).to_pylist() == ids
    assert sum(units_of(rows)) == 800


def test_rules_r4_and_r5_sources_are_counted():
    made = table(("a", 4, "1", {"x": "1"}), ("b", 3, "1", {"y": "0.5", "x": "0.5"}), ("c", 1), ("d", 1))
    rows = pay(made, pool=900, currency=DOLLAR, by="holder", total_tokens=Decimal(10)).rows
    assert records(rows, "holder_id", "sources") == [("x", 2), ("(escrow)", 2), ("y", 1), ("(not scanned)", None)]


# -- holders and splits -------------------------------------------------------------------------
def test_rule_h2_a_source_is_split_by_largest_remainder():
    # 10 cents by 0.37, 0.34 and 0.29: 3.7, 3.4, 2.9; the two cents left go to .9 and .7.
    made = table(("a", 1, "1", {"x": "0.37", "y": "0.34", "z": "0.29"}))
    assert records(pay(made, pool=10, currency=DOLLAR, by="split").rows, "holder_id", "payout") == [
        ("x", "0.04"),
        ("y", "0.03"),
        ("z", "0.03"),
    ]


def test_rules_h2_and_t1_a_cent_between_equals_goes_by_hash_of_period_source_and_holder():
    made = table(("a", 1, "1", {"x": "1/2", "y": "1/2"}))
    for period in ("", "2026", "2027-Q3"):
        winner = min("xy", key=lambda holder: oracle.key(period, "a", holder))
        rows = pay(made, pool=1, currency=DOLLAR, by="split", period=period).rows
        assert records(rows, "holder_id", "payout")[0] == (winner, "0.01")


def test_rule_h2_thirds_make_a_whole():
    made = table(("a", 1, "1", {"x": "1/3", "y": "1/3", "z": "1/3"}))
    assert sorted(units_of(pay(made, pool=100, currency=DOLLAR, by="split").rows)) == [33, 33, 34]


def test_rule_h2_shares_of_many_digits_are_exact():
    tiny, rest = "0." + "0" * 29 + "1", "0." + "9" * 30
    made = table(("a", 1, "1", {"x": tiny, "y": rest}))
    assert records(pay(made, pool=10**18, currency=DOLLAR, by="split").rows, "holder_id", "payout") == [
        ("y", "10000000000000000.00"),
        ("x", "0.00"),
    ]


def test_rule_s3_a_holders_share_is_the_exact_sum_over_its_sources():
    made = table(
        ("a", 1, "1", {"x": "1/3", "y": "2/3"}), ("b", 2, "1", {"x": "1/7", "y": "6/7"}), ("c", 4, "1", {"x": "1"})
    )
    rows = pay(made, pool=700, currency=DOLLAR, by="holder").rows
    # That of x is a third of 1, a seventh of 2 and all of 4, over 7: 97/147.
    assert records(rows, "holder_id", "share") == [("x", "0.659863945578231"), ("y", "0.340136054421769")]


def test_rule_h5_the_first_name_in_the_order_of_sources_stays():
    made = table(
        ("b", 2, "1", {"x": ("1", "Later")}), ("a", 1, "1", {"x": ("1", "First")}), ("c", 1, "1", {"y": ("1", None)})
    )
    assert records(pay(made, pool=4, currency=DOLLAR, by="holder").rows, "holder_id", "name") == [
        ("x", "First"),
        ("y", "y"),
    ]


@pytest.mark.parametrize(
    ("made", "part"),
    [
        (table(("a", 1, "1", {"x": "0.5", "y": "0.4"})), "the shares of source a make 9/10, not 1"),
        (table(("a", 1, "1", {"x": "half"})), "'half'"),
        (table(("a", 1, "1", {"x": "3/2", "y": "-1/2"})), "'3/2'"),
        (table(("a", 1, "1", {"x": None})), "without id or share"),
        (table(("a", 1), ("b", 1), ("a", 2)), "source a is in the token table twice"),
        (table((None, 1)), "source_id has an empty cell"),
        (table(("a", 1)).drop_columns(["tokens", "epochs"]), "no column epochs, tokens"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(made, part):
    with pytest.raises(TableError, match=part):
        pay(made, pool=1, currency=DOLLAR, by="split")


def test_rule_h1_a_holder_named_twice_in_a_source_is_refused():
    twice = [{"id": "x", "name": "X", "share": "0.5"}, {"id": "x", "name": "X", "share": "0.5"}]
    other = [{"id": "w", "name": "W", "share": "0.5"}, {"id": "x", "name": "X", "share": "0.5"}]
    made = table(("a", 1), ("b", 1)).set_column(2, "holders", pa.array([other, twice], HOLDERS))
    with pytest.raises(TableError, match="source b names a holder twice"):
        pay(made, pool=1, currency=DOLLAR, by="holder")


# -- the money adds up --------------------------------------------------------------------------
def test_rule_r6_the_destinations_are_paid_not_scanned_and_escrow():
    made = table(("a", 5, "1", {"x": "1"}), ("b", 3))
    views = {
        by: pay(made, pool=1000, currency=DOLLAR, by=by, total_tokens=Decimal(10)).destinations
        for by in ("source", "holder", "split")
    }
    assert views == {
        "source": (("paid", 800), ("(not scanned)", 200)),
        "holder": (("paid", 500), ("(not scanned)", 200), ("(escrow)", 300)),
        "split": (("paid", 500), ("(not scanned)", 200), ("(escrow)", 300)),
    }
    assert pay(made, pool=1000, currency=DOLLAR).destinations == (("paid", 1000),)


@pytest.mark.parametrize("by", ["source", "holder", "split"])
def test_rule_r6_a_unit_lost_on_the_way_stops_the_run(by, monkeypatch):
    """The planted violation: a split and an allocation that lose a cent."""

    def lossy(function):
        def lose(*arguments):
            units = function(*arguments).copy()
            units[np.argmax(units)] -= 1
            return units

        return lose

    made = table(("a", 5, "1", {"x": "1"}), ("b", 3, "1", {"y": "1"}))
    target = "allocate" if by == "source" else "split"
    monkeypatch.setattr(payout_module, target, lossy(getattr(payout_module, target)))
    with pytest.raises(
        AmountError, match="999 units of a pool of 1000; this is a defect of the program, please report it"
    ):
        pay(made, pool=1000, currency=DOLLAR, by=by)


@pytest.mark.parametrize("by", ["source", "holder", "split"])
def test_a_pool_of_nothing_is_paid_out_to_all(by):
    made = table(("a", 2, "1", {"x": "0.5", "y": "0.5"}), ("b", 1, "1", {"x": "1"}))
    rows = pay(made, pool=0, currency=DOLLAR, by=by).rows
    assert units_of(rows) == [0] * rows.num_rows
    assert rows.column(0).to_pylist() == sorted(rows.column(0).to_pylist())


@pytest.mark.parametrize("made", [table(), table(("a", 0), ("b", 7, "0"))])
def test_rule_a4_a_pool_that_nobody_earned_is_an_error(made):
    with pytest.raises(AmountError, match=r"the pool of 0\.01 USD cannot be paid out, as no tokens were seen"):
        pay(made, pool=1, currency=DOLLAR)
    assert pay(made, pool=0, currency=DOLLAR).rows["share"].to_pylist() == ["0"] * made.num_rows


def test_rule_b3_an_empty_table_of_a_large_run_leaves_all_not_scanned():
    assert paid(table(), 5, total_tokens=Decimal(9)) == [("(not scanned)", "0.05")]


def test_what_cannot_be_called_is_refused():
    with pytest.raises(CallError, match="by 'author' is not known; use source, holder, split"):
        pay(TEXTBOOK, pool=1, currency=DOLLAR, by="author")
    with pytest.raises(CallError, match="zero byte"):
        pay(TEXTBOOK, pool=1, currency=DOLLAR, period="\0")


# -- against the oracle -------------------------------------------------------------------------
SHARES = [
    {},
    {"x": "1"},
    {"y": "1"},
    {"x": "0.5", "y": "0.5"},
    {"y": "0.25", "z": "0.75"},
    {"x": "1/3", "y": "1/3", "z": "1/3"},
    {"w": "0.999", "x": "1/1000"},
]

sources_made = st.lists(
    st.tuples(
        st.text("abcXYZ019._-", min_size=1, max_size=4),
        st.one_of(st.integers(0, 6), st.integers(0, 10**12)),
        st.sampled_from(["1", "1.5", "0.44", "0", "2.0", "3.123456789"]),
        st.sampled_from(SHARES),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda source: source[0],
)


@settings(max_examples=150, deadline=None)
@given(
    sources_made,
    st.integers(0, 10**12),
    st.sampled_from(["", "2026"]),
    st.sampled_from([None, 10**14]),
    st.integers(1, 13),
)
def test_every_view_is_that_of_the_oracle(sources, units, period, whole, chunk):
    """A1 to A8, B1 to B3, H2 to H4, R6: sources, splits and holders, in any order and any chunks."""
    if whole is None and not any(tokens * Fraction(epochs) for _, tokens, epochs, _ in sources):
        units = 0
    payouts, parts, elsewhere = oracle.pay_by_hand(sources, units, period, whole)
    options = {
        "pool": units,
        "currency": DOLLAR,
        "period": period,
        "total_tokens": None if whole is None else Decimal(whole),
    }
    random.Random(units).shuffle(sources)
    made = table(*sources, chunk=chunk)

    rows = pay(made, **options).rows
    assert dict(zip(rows["source_id"].to_pylist(), units_of(rows), strict=True)) == payouts
    assert rows.equals(pay(table(*sorted(sources)), **options).rows)

    by_split = pay(made, by="split", **options)
    pairs = [pair if pair[1] else pair[0] for pair in records(by_split.rows, "source_id", "holder_id")]
    assert dict(zip(pairs, units_of(by_split.rows), strict=True)) == parts | elsewhere
    assert by_split.destinations == (("paid", sum(parts.values())), *elsewhere.items())

    by_holder = pay(made, by="holder", **options)
    sums = dict(elsewhere)
    for (_, holder), got in parts.items():
        sums[holder] = sums.get(holder, 0) + got
    assert dict(zip(by_holder.rows["holder_id"].to_pylist(), units_of(by_holder.rows), strict=True)) == sums


def test_many_sources_with_co_holders_split_as_the_oracle_does():
    """H2 over more than one chunk, with many ties."""
    chance = random.Random(7)
    thirds = {"x": "1/3", "y": "1/3", "z": "1/3"}
    sources = [
        (f"s{number:06}", chance.randrange(1, 40), "1", chance.choice([*SHARES, *[thirds] * 30]))
        for number in range(30_000)
    ]
    _, parts, elsewhere = oracle.pay_by_hand(sources, 1_000_003, "2026")
    rows = pay(table(*sources), pool=1_000_003, currency=DOLLAR, by="split", period="2026").rows
    pairs = [pair if pair[1] else pair[0] for pair in records(rows, "source_id", "holder_id")]
    assert dict(zip(pairs, units_of(rows), strict=True)) == parts | elsewhere
