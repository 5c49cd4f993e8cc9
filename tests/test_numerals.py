"""Numbers as people type them, exact from the text to the last digit (P1: a decimal profit, and a fraction as rate)."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.errors import CallError
from royaltycli.limits import NUMBER_DIGITS
from royaltycli.numerals import parse_amount, parse_decimal, parse_fraction, percentage, plain, plain_fraction

AMOUNTS = [
    (500_000_000, "500e6 500E+6 500_000_000 500,000,000 500M 500m 0.5B 5e8 500000k 500000000.000 +500e6 5000e5"),
    (1_500_000_000, "1.5B 1.5b 1_500M 1,500,000,000 .0015T"),
    (130_000, "130k 130K 130,000 1.3e5 0.13m"),
    (Fraction(1, 5), "0.2 .2 20% 0.20 2e-1 +.2 00.2 200e-3"),
    (Fraction(1, 2), "0.5 .5 50% 5e-1"),
    (5, "5 5. 5.0 05 5e0 5.e0"),
    (0, "0 0. .0 -0 0e9 0% 0,000"),
    (Fraction(10**35), "1e35"),
    (Fraction(1, 10**36), "1e-36 0.1e-35"),
    (
        10**36 - 1,
        "999999999999999999999999999999999999 999,999,999,999,999,999,999,999,999,999,999,999 " + "9" * 33 + ".999k",
    ),
]


@pytest.mark.parametrize(("value", "text"), [(value, text) for value, texts in AMOUNTS for text in texts.split()])
def test_the_ways_to_write_an_amount(value, text):
    assert Fraction(parse_amount(text, "profit")) == value


@pytest.mark.parametrize("text", ["20 %", " 20% ", "\t0.2\n"])
def test_blanks_around_a_number_and_before_a_percent_sign(text):
    assert parse_fraction(text, "rate") == Fraction(1, 5)


NO_NUMBER = [
    *["", " ", "\t", "\n", "abc", "nan", "NaN", "inf", "-inf", "Infinity", "sNaN", "None", "True"],
    *[".", "-", "+", "--1", "+-1", "1-", "e5", "1e", "1e+", "1e5.5", "%", "k", "1%%", "1 2", "1. 5", "5 M", "1 000"],
    *["1,5", "1,00", "1,0000", ",100", "1,,000", "1000,000", "1,000_000", "1.000,50", "1'000", "1.2.3"],
    *["1__0", "_10", "10_", "1._5", "1.5_", "0x10", "0b1", "1e5k", "5kk", "5kM", "5Q", "$5", "5 USD", "5€"],
    *["\uff11\uff12", "١٢", "१२", "Ⅻ", "½", "²", "１", "−1", "1\u200b", "1\x00"],
]


@pytest.mark.parametrize("text", NO_NUMBER)
def test_what_is_no_number(text):
    with pytest.raises(CallError) as caught:
        parse_decimal(text, "profit")
    assert str(caught.value).startswith(f"profit is {text!r}, which is no number; write it as 500e6")


@pytest.mark.parametrize(
    "text", ["1e999", "1e-999", "1e9999", "9" * 37, "0." + "1" * 37, "1e36", "1e-37", "1" + "0" * 34 + "k"]
)
def test_what_has_too_many_digits(text):
    with pytest.raises(CallError) as caught:
        parse_decimal(text, "profit")
    assert str(caught.value) == f"profit is {text!r}, which has more than 36 digits; write a shorter number"


def test_an_exponent_of_any_length_is_refused_at_once():
    for text in ("1e99999", "1e" + "9" * 100_000, "9" * 100_000):
        with pytest.raises(CallError, match=r"which (is no number|has more than 36 digits)"):
            parse_decimal(text, "profit")


@pytest.mark.parametrize("text", ["-1", "-0.001", "-1e6", "-5%"])
def test_an_amount_is_not_negative(text):
    with pytest.raises(CallError) as caught:
        parse_amount(text, "profit")
    assert str(caught.value) == f"profit is {text}, but must not be negative"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "1/3"),
        (Fraction(2, 3), "2 / 3"),
        (Fraction(1, 3), "333/999"),
        (Fraction(0), "0/5"),
        (Fraction(1), "7/7"),
        (Fraction(1), "100%"),
        (Fraction(1), "1"),
        (Fraction(333, 1000), "33.3%"),
    ],
)
def test_the_ways_to_write_a_fraction(value, text):
    assert parse_fraction(text, "share") == value


@pytest.mark.parametrize(
    "text", ["1/0", "0/0", "1/3/5", "-1/3", "1/-3", "1.5/3", "1/3%", "1e1/20", "1//3", "/3", "1/", "１/３"]
)
def test_what_is_no_fraction(text):
    with pytest.raises(CallError, match="which is no number"):
        parse_fraction(text, "share")


@pytest.mark.parametrize("text", ["1.5", "101%", "4/3", "-0.1", "2", "1.0000000001", "20"])
def test_a_fraction_lies_between_0_and_1(text):
    with pytest.raises(CallError) as caught:
        parse_fraction(text, "rate")
    assert str(caught.value) == f"rate is {text}, but must lie between 0 and 1 (0 % and 100 %)"


# -- exactness, against Fraction --------------------------------------------------------------------

digits = st.text("0123456789", min_size=1, max_size=11)


@given(whole=digits, part=digits, exponent=st.integers(-9, 9), suffix=st.sampled_from(["", "%"]))
def test_nothing_is_rounded(whole, part, exponent, suffix):
    expected = Fraction(int(whole + part), 10 ** len(part)) * Fraction(10) ** exponent / (100 if suffix else 1)
    assert Fraction(parse_decimal(f"{whole}.{part}e{exponent}{suffix}", "number")) == expected


@given(number=st.integers(0, 10**12), suffix=st.sampled_from(["", "k", "M", "B", "T", "m"]))
def test_separators_and_suffixes(number, suffix):
    expected = number * {"": 1, "k": 10**3, "M": 10**6, "m": 10**6, "B": 10**9, "T": 10**12}[suffix]
    for text in (f"{number}", f"{number:,}", f"{number:_}"):
        assert parse_decimal(text + suffix, "number") == expected


@given(text=st.text(max_size=12) | st.text("0123456789.,_eE+-kMB%/ ", max_size=12))
def test_any_text_is_a_number_or_a_clear_error(text):
    with contextlib.suppress(CallError):
        value = parse_decimal(text, "number")
        assert value.is_finite()
        assert len(plain(abs(value)).replace(".", "")) <= NUMBER_DIGITS + 1


# -- and back ---------------------------------------------------------------------------------------

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=17)


@given(value=decimals)
def test_plain_can_be_read_again(value):
    text = plain(value)
    assert parse_decimal(text, "number") == value
    assert Fraction(text) == Fraction(value)


@given(value=decimals)
def test_plain_is_plain(value):
    """No exponent, no trailing zeros, no lonely point, no negative zero: one text for each number."""
    text = plain(value)
    assert set(text) <= set("-0123456789.")
    assert text == plain(Decimal(text))
    assert not text.endswith(".")
    assert not ("." in text and text.endswith("0"))
    assert text != "-0"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300000000000", "300e9"),
        ("1.5", "1.50"),
        ("0", "-0.00"),
        ("0", "0e5"),
        ("-10", "-1e1"),
        ("100", "100"),
        ("0.001", "1e-3"),
    ],
)
def test_plain(text, value):
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.2", (1, 5)),
        ("1/3", (1, 3)),
        ("1", (4, 4)),
        ("0", (0, 7)),
        ("0.125", (1, 8)),
        ("1/7", (2, 14)),
        ("2/3", (2, 3)),
    ],
)
def test_plain_fraction(text, value):
    """An exact decimal where there is one, else the fraction in lowest terms."""
    assert plain_fraction(Fraction(*value)) == text


@pytest.mark.parametrize(("part", "text"), [("0.7", "70 %"), ("0", "0 %"), ("1/800", "0.125 %"), ("2/6", "1/3")])
def test_a_percentage_that_has_no_end_is_a_fraction(part, text):
    assert percentage(Fraction(part)) == text


@given(value=st.fractions(0, 1, max_denominator=10**18))
def test_plain_fraction_can_be_read_again(value):
    assert parse_fraction(plain_fraction(value), "share") == value


@given(places=st.integers(0, 30), number=st.integers(0))
def test_a_decimal_fraction_is_written_as_a_decimal(places, number):
    value = Fraction(number % 10**places, 10**places)
    assert "/" not in plain_fraction(value)
    assert parse_fraction(plain_fraction(value), "share") == value
