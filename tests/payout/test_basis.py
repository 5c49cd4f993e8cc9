"""docs/spec-allocation.md, rules B1 to B5 and S2: seen tokens as integers, and numbers as text."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import AmountError, TableError
from royaltycli.payout.basis import TOTAL, seen_tokens
from royaltycli.payout.texts import decimal_texts, share_text, share_texts


def basis(tokens, epochs, total=None):
    total = None if total is None else Decimal(total)
    return seen_tokens(
        pa.chunked_array([pa.array(tokens, pa.int64())]), pa.chunked_array([pa.array(epochs, pa.string())]), total
    )


def test_rules_b1_and_b2_epochs_of_any_places_have_one_scale():
    found = basis([10, 10, 3], ["1", "0.44", "1.5"])
    assert (found.weights.tolist(), found.places, found.scanned) == ([1000, 440, 450], 2, 1890)


@pytest.mark.parametrize(("epochs", "places"), [("2", 0), ("2.0", 0), ("2.50", 1), ("1e1", 0), ("0", 0)])
def test_rule_b2_trailing_zeros_are_no_places(epochs, places):
    assert basis([1], [epochs]).places == places


def test_rule_b3_what_the_run_exceeds_the_scan_by_is_the_rest():
    assert basis([10], ["1.5"], "300e9").rest == 2_999_999_999_850
    assert basis([10], ["1"], "10.25").rest == 25
    assert basis([10], ["1"], "10.25").weights.tolist() == [1000]
    assert basis([10], ["1"], "10").rest is None
    assert basis([10], ["1"]).rest is None


def test_rule_b3_a_run_smaller_than_the_scan_names_both():
    with pytest.raises(AmountError, match=r"to have seen 14\.9 tokens, but 15 were scanned"):
        basis([10], ["1.5"], "14.9")


@pytest.mark.parametrize(
    ("tokens", "epochs", "weights"),
    [
        ([2**62], ["1"], [2**62]),
        ([2**62 - 1], ["1"], [2**62 - 1]),
        ([2**61, 2**61], ["1", "1"], [2**61, 2**61]),
        ([2**62, 1], ["4", "1"], [2**64, 1]),
        ([10**9, 1], ["1.123456789012", "1"], [1123456789012 * 10**9, 10**12]),
        ([0], ["1e30"], [0]),
        ([3, 2**63 - 1], ["0." + "0" * 34 + "1", "1"], [3, (2**63 - 1) * 10**35]),
    ],
)
def test_rule_b4_no_product_wraps(tokens, epochs, weights):
    found = basis(tokens, epochs)
    assert found.weights.tolist() == weights
    assert found.scanned == sum(weights)
    assert (found.weights.dtype == np.int64) == (
        sum(weights) < TOTAL and max(found.weights) < TOTAL and epochs != ["1e30"]
    )


def test_rule_b4_the_rest_may_be_what_does_not_fit():
    found = basis([1], ["1"], "1e30")
    assert (found.rest, found.weights.tolist()) == (10**30 - 1, [1])
    assert found.weights.dtype == object


@pytest.mark.parametrize(
    ("tokens", "epochs", "part"),
    [
        ([None], ["1"], "tokens has an empty cell"),
        ([1], [None], "epochs has an empty cell"),
        ([-5], ["1"], "holds -5"),
        ([1], ["-1"], "'-1'"),
        ([1], ["one"], "'one'"),
        ([1], ["NaN"], "'NaN'"),
        ([1], ["1e999999999"], "1e999999999"),
        ([1], ["1e-37"], "1e-37"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tokens, epochs, part):
    with pytest.raises(TableError, match=part):
        basis(tokens, epochs)


@pytest.mark.parametrize(
    ("numerator", "denominator", "places", "text"),
    [
        (195000, 1, 0, "195000"),
        (45, 10, 1, "4.5"),
        (1950, 10, 1, "195"),
        (0, 100, 2, "0"),
        (1, 3, 6, "0.333333"),
        (1, 2_000_000, 6, "0"),
        (3, 2_000_000, 6, "0.000002"),
        (1_999_999_999, 1_000_000_000, 6, "2"),
        (5, 2, 0, "2"),
        (7, 2, 0, "4"),
        (2**60, 2**61, 6, "0.5"),
        (2**70, 2**60, 3, "1024"),
    ],
)
def test_rules_b5_and_s4_seen_tokens_are_plain_decimals(numerator, denominator, places, text):
    values = np.array([numerator], np.int64 if numerator < 2**63 else object)
    assert decimal_texts(values, denominator, places).to_pylist() == [text]


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**63 - 1), max_size=20), st.integers(1, 10**9), st.integers(0, 6))
def test_rule_s4_is_exact_rounding_half_to_even(numerators, denominator, places):
    rounded = [round(Fraction(each, denominator) * 10**places) for each in numerators]
    texts = decimal_texts(np.array(numerators, np.int64), denominator, places).to_pylist()
    assert [Fraction(text) * 10**places for text in texts] == rounded
    assert not any("e" in text.lower() or (("." in text) and text.endswith(("0", "."))) for text in texts)


@pytest.mark.parametrize(
    ("weight", "total", "text"),
    [
        (1, 1, "1"),
        (0, 5, "0"),
        (0, 0, "0"),
        (1, 2, "0.5"),
        (2, 3, "0.666666666666667"),
        (130_000, 300_000_000_000, "0.000000433333333333333"),
        (1, 2**61, "0.000000000000000000433680868994202"),
        (10**16 - 1, 10**16, "1"),
        (10**15 - 5, 10**16, "0.0999999999999995"),
        (10**16 // 10 - 1, 10**17, "0.00999999999999999"),
        (1_000_000_000_000_005, 10**16, "0.1"),
        (1_000_000_000_000_015, 10**16, "0.100000000000002"),
    ],
)
def test_rule_s2_a_share_has_15_significant_digits_half_to_even(weight, total, text):
    assert share_text(weight, total) == text
    assert share_texts(np.array([weight]), total).to_pylist() == [text]


@settings(deadline=None)
@given(st.data(), st.integers(1, 2**64))
def test_rule_s2_a_column_is_written_as_the_decimal_module_would(data, total):
    weights = data.draw(st.lists(st.one_of(st.integers(0, total), st.integers(0, min(total, 1000))), max_size=30))
    context = Context(prec=15, rounding=ROUND_HALF_EVEN)
    values = np.array(weights, np.int64 if total < 2**63 else object)
    texts = share_texts(values, total).to_pylist()
    assert [Decimal(text) for text in texts] == [context.divide(Decimal(each), Decimal(total)) for each in weights]
    assert not any("e" in text.lower() or (("." in text) and text.endswith(("0", "."))) for text in texts)
