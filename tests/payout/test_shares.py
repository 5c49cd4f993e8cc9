"""docs/spec-allocation.md, rules S1 to S5 and R7: the tables of shares."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from royaltycli.errors import AmountError, CallError, TableError
from royaltycli.payout.shares import shares
from tests.payout.tables import paid, records, table

CORPUS = table(
    ("quantum", 100, "1.5", {"a-rao": ("0.7", "Asha Rao"), "press": ("0.3", "A Press")}, "Quantum", "proprietary"),
    ("posts/maya", 30, "1", {"maya": "1"}, None, "CC-BY-4.0"),
    ("posts/a-rao", 20, "1", {"a-rao": ("1", "Asha Rao")}, None, "CC-BY-4.0"),
    ("web", 40, "1.25"),
)


def test_by_source():
    rows = shares(CORPUS)
    assert rows.column_names == ["source_id", "title", "holders", "tokens", "seen_tokens", "share", "credited_tokens"]
    assert records(rows, *rows.column_names) == [
        ("quantum", "Quantum", "a-rao=0.7;press=0.3", 100, "150", "0.6", 100),
        ("web", None, None, 40, "50", "0.2", 40),
        ("posts/maya", None, "maya", 30, "30", "0.12", 30),
        ("posts/a-rao", None, "a-rao", 20, "20", "0.08", 20),
    ]


def test_by_holder():
    rows = shares(CORPUS, by="holder")
    assert rows.column_names == ["holder_id", "name", "sources", "seen_tokens", "share"]
    assert records(rows, *rows.column_names) == [
        ("a-rao", "Asha Rao", 2, "125", "0.5"),
        ("(no holder)", None, 1, "50", "0.2"),
        ("press", "A Press", 1, "45", "0.18"),
        ("maya", "MAYA", 1, "30", "0.12"),
    ]


def test_by_license():
    rows = shares(CORPUS, by="license")
    assert rows.column_names == ["license", "sources", "tokens", "seen_tokens", "share", "credited_tokens"]
    assert records(rows, *rows.column_names) == [
        ("proprietary", 1, 100, "150", "0.6", 100),
        ("(none)", 1, 40, "50", "0.2", 40),
        ("CC-BY-4.0", 2, 50, "50", "0.2", 50),
    ]


def test_licenses_of_the_same_share_stand_by_their_names():
    made = table(("a", 1, "1", {}, None, "MIT"), ("b", 1, "1", {}, None, "CC0-1.0"), ("c", 1))
    assert [name for (name,) in records(shares(made, by="license"), "license")] == ["(none)", "CC0-1.0", "MIT"]


def test_by_collection():
    rows = shares(CORPUS, by="collection")
    assert rows.column_names == ["collection", "sources", "tokens", "seen_tokens", "share", "credited_tokens"]
    assert records(rows, *rows.column_names) == [
        ("(single sources)", 2, 140, "200", "0.8", 140),
        ("posts", 2, 50, "50", "0.2", 50),
    ]


def test_a_value_of_a_collection_may_hold_a_slash():
    made = table(("posts/a/b", 1), ("posts/c", 2))
    assert records(shares(made, by="collection"), "collection", "sources", "tokens") == [("posts", 2, 3)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("source", [("(not scanned)", "750", "0.75"), ("quantum", "150", "0.15"), ("(other sources)", "100", "0.1")]),
        (
            "holder",
            [
                ("(not scanned)", "750", "0.75"),
                ("a-rao", "125", "0.125"),
                ("(other holders)", "75", "0.075"),
                ("(no holder)", "50", "0.05"),
            ],
        ),
        (
            "license",
            [
                ("(not scanned)", "750", "0.75"),
                ("proprietary", "150", "0.15"),
                ("(none)", "50", "0.05"),
                ("(other licenses)", "50", "0.05"),
            ],
        ),
        ("collection", [("(not scanned)", "750", "0.75"), ("(single sources)", "200", "0.2"), ("posts", "50", "0.05")]),
    ],
)
def test_rule_r7_a_larger_run_and_the_largest_rows(by, expected):
    rows = shares(CORPUS, by=by, total_tokens=Decimal(1000), top=1)
    assert records(rows, rows.column_names[0], "seen_tokens", "share") == expected


def test_rule_s4_a_third_of_a_token_is_rounded_to_six_places():
    made = table(("a", 1, "1", {"x": "1/3", "y": "2/3"}))
    assert records(shares(made, by="holder"), "holder_id", "seen_tokens", "share") == [
        ("y", "0.666667", "0.666666666666667"),
        ("x", "0.333333", "0.333333333333333"),
    ]


def test_counts_too_large_for_64_bits_together_are_summed_all_the_same():
    made = table(
        ("a", 2**62, "1", {"x": "1"}, None, "L"),
        ("b", 2**61, "1", {"x": "1"}, None, "M"),
        ("c", 2**62 - 1, "1.5", {"y": "1"}, None, "M"),
    )
    assert records(shares(made, by="holder"), "holder_id", "seen_tokens") == [
        ("x", str(2**62 + 2**61)),
        ("y", f"{(2**62 - 1) * 3 // 2}.5"),
    ]
    with pytest.raises(AmountError, match="split the corpus"):
        shares(made, top=0)


@pytest.mark.parametrize("by", ["source", "holder", "license", "collection"])
@pytest.mark.parametrize("made", [table(), pa.Table.from_batches([], table().schema)])
def test_rule_s5_an_empty_table_has_no_rows(by, made):
    assert shares(made, by=by).num_rows == 0


@pytest.mark.parametrize("by", ["source", "holder", "license", "collection"])
def test_the_order_and_chunks_of_the_table_do_not_matter(by):
    mixed = pa.concat_tables([CORPUS.slice(2), CORPUS.slice(0, 1), CORPUS.slice(1, 1)])
    assert shares(mixed, by=by).equals(shares(CORPUS, by=by))


def test_rule_s5_where_nothing_was_seen_every_share_is_0():
    assert records(shares(table(("a", 0), ("b", 0))), "source_id", "share") == [("a", "0"), ("b", "0")]


def test_an_unknown_by_is_refused():
    with pytest.raises(CallError, match="use source, holder, license, collection"):
        shares(CORPUS, by="author")


def test_rule_b1_credited_tokens_are_the_basis_and_tokens_stay_as_they_are():
    made = table(("a", 100, "1.5", {}, None, "free"), ("posts/b", 100, "2", {}, None, "free"))
    made = made.append_column("credited_tokens", pa.array([10, 40]))
    columns = ("tokens", "seen_tokens", "share", "credited_tokens")
    assert records(shares(made), "source_id", *columns) == [
        ("posts/b", 100, "80", "0.842105263157895", 40),
        ("a", 100, "15", "0.157894736842105", 10),
    ]
    assert records(shares(made, by="license"), "license", *columns) == [("free", 200, "95", "1", 50)]
    assert records(shares(made, by="collection"), "collection", *columns) == [
        ("posts", 100, "80", "0.842105263157895", 40),
        ("(single sources)", 100, "15", "0.157894736842105", 10),
    ]
    assert paid(made, 9500) == [("posts/b", "80.00"), ("a", "15.00")]


def test_a_table_without_credited_tokens_credits_every_copy():
    assert shares(CORPUS).equals(shares(CORPUS.append_column("credited_tokens", CORPUS["tokens"])))


def test_tokens_are_counts_also_where_others_are_credited():
    made = table(("a", -5)).append_column("credited_tokens", pa.array([1]))
    with pytest.raises(TableError, match="the column tokens holds -5, but a count is zero or more"):
        shares(made)
