"""The computation behind `royalty estimate`: the worked example first, then each rule of docs/mixtures.md."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.errors import CallError
from royaltycli.mixtures import find_mixture, find_part
from royaltycli.numerals import percent, significant
from royaltycli.payout.currency import Currency
from royaltycli.payout.estimate import (
    Estimate,
    Exact,
    Part,
    amount_text,
    estimate,
    tokens_from_pages,
    tokens_from_words,
    works_text,
)

USD, JPY, KWD = Currency("USD", 2), Currency("JPY", 0), Currency("KWD", 3)
PROFIT, RATE = Decimal("500e6"), Fraction(1, 5)

tokens_of_works = st.integers(0, 10**9)
profits = st.decimals(0, 10**15, allow_nan=False, allow_infinity=False, places=2)
rates = st.fractions(0, 1)


def of_gpt_3(tokens: Exact, part: str | None = None, currency: Currency = USD) -> Estimate:
    gpt_3 = find_mixture("gpt-3")
    chosen = None if part is None else find_part(gpt_3, part)
    return estimate(tokens, total=gpt_3.total, part=chosen, profit=PROFIT, rate=RATE, currency=currency)


# -- the worked example -----------------------------------------------------------------------------


def test_a_textbook_of_130_000_tokens_in_gpt_3() -> None:
    textbook = of_gpt_3(130_000)

    assert textbook.share == Fraction(130_000, 300 * 10**9)
    assert significant(textbook.share, 5) == "0.00000043333"
    assert percent(textbook.share) == "0.0000433"
    assert (str(textbook.full_payout), str(textbook.rate_payout)) == ("216.67", "43.33")
    assert (textbook.at_full, textbook.at_rate) == (Fraction(650, 3), Fraction(130, 3))
    assert works_text(textbook) == ""  # one makes many
    assert textbook.rule == "the work counts as seen once: its tokens over all tokens of the corpus"
    assert textbook.by_weight is None


def test_a_tweet_earns_fractions_of_a_penny() -> None:
    tweet = of_gpt_3(40)

    assert tweet.at_rate == Fraction(1, 75)
    assert amount_text(tweet.at_rate, USD) == "0.0133333"
    assert tweet.works_per_unit == 75
    assert works_text(tweet) == "75 such works make 1 USD"


# -- the rules for a part (docs/mixtures.md, rules 1 to 3) ------------------------------------------


def test_rule_1_epochs_and_the_figure_by_weight_beside_it() -> None:
    novel = of_gpt_3(130_000, "Books2")

    assert novel.seen_tokens == 55_900  # 130,000 times 0.43
    assert novel.share == Fraction(55_900, 300 * 10**9)
    assert percent(novel.share) == "0.0000186"
    assert novel.rule == "Books2 was seen 0.43 times: tokens times epochs over all tokens of the corpus"
    assert novel.by_weight is not None
    assert novel.by_weight.share == Fraction(8, 100) * 130_000 / (55 * 10**9)
    assert percent(novel.by_weight.share) == "0.0000189"
    assert novel.by_weight.at_full == novel.by_weight.share * 500 * 10**6
    assert novel.by_weight.at_rate == novel.by_weight.at_full / 5


def test_rule_1_without_a_size_there_is_no_figure_by_weight() -> None:
    llama = find_mixture("llama-1")
    book = estimate(140_000, total=llama.total, part=find_part(llama, "books"), profit=PROFIT, rate=RATE, currency=USD)

    assert book.seen_tokens == 312_200  # 140,000 times 2.23
    assert book.by_weight is None


def test_rule_2_weight_and_size() -> None:
    shelf = Part("Shelf", size=Decimal("10e9"), weight=Fraction(1, 4), tokens=Fraction(10**10))
    book = estimate(100_000, total=Decimal("80e9"), part=shelf, profit=PROFIT, rate=RATE, currency=USD)

    assert book.share == Fraction(1, 4) * 100_000 / 10**10
    assert book.seen_tokens == 200_000  # a quarter of 80B is the shelf twice over
    assert book.rule == "Shelf has no published epochs: its weight of 25 % times the work's tokens over its own"
    assert book.by_weight is None


@pytest.mark.parametrize(
    ("corpus", "part"), [("redpajama-v1", "Books"), ("slimpajama", "Books"), ("comma-0.1", "DOAB")]
)
def test_rule_3_neither(corpus: str, part: str) -> None:
    mixture = find_mixture(corpus)
    book = estimate(100_000, total=mixture.total, part=find_part(mixture, part), profit=PROFIT, rate=RATE, currency=USD)

    assert book.seen_tokens == 100_000
    assert book.rule == (
        f"{part} has neither epochs nor both weight and size here: "
        "the work counts as seen once, its tokens over all tokens of the corpus"
    )


def test_a_part_in_gib_is_compared_by_its_own_tokens_per_byte() -> None:
    pile = find_mixture("the-pile")
    books3 = find_part(pile, "Books3")
    assert books3.tokens == Fraction("100.96") * 2**30 * Fraction("0.2477")

    book = estimate(100_000, total=pile.total, part=books3, profit=PROFIT, rate=RATE, currency=USD)

    assert book.seen_tokens == 150_000
    assert book.share == 150_000 / (Fraction("1254.20") * 2**30 * Fraction("0.29335"))
    assert book.by_weight is not None
    assert book.by_weight.share == Fraction("0.1207") * 100_000 / books3.tokens


# -- amounts as they are shown ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "amount", "currency"),
    [
        ("0.00", "0", USD),
        ("43.33", "130/3", USD),
        ("1.00", "1", USD),
        ("0.50", "1/2", USD),
        ("0.30", "3/10", USD),
        ("0.33", "1/3", USD),
        ("0.0333333", "1/30", USD),
        ("0.0000000133333", "1/75000000", USD),
        ("2.12", "2.125", USD),  # half to even
        ("2.14", "2.135", USD),
        ("217", "216.67", JPY),
        ("1.5", "3/2", JPY),
        ("7", "7", JPY),
        ("0.043", "0.043", KWD),
        ("0.100", "0.1", KWD),
        ("0.133", "2/15", KWD),
    ],
)
def test_amounts_below_ten_minor_units_are_shown_finer(shown: str, amount: str, currency: Currency) -> None:
    assert amount_text(Fraction(amount), currency) == shown


@pytest.mark.parametrize(
    ("shown", "value", "digits"),
    [
        ("0", "0", 3),
        ("0.0000433", "0.0000433333", 3),
        ("0.999", "0.9991", 3),
        ("1", "0.9996", 3),
        ("12.4", "12.35", 3),
        ("12.2", "12.25", 3),
        ("100", "100", 3),
        ("123000", "123456", 3),
    ],
)
def test_significant_digits_round_half_to_even(shown: str, value: str, digits: int) -> None:
    assert significant(Fraction(value), digits) == shown


@given(st.fractions(min_value=0, max_denominator=10**30), st.integers(1, 12))
def test_significant_digits_are_off_by_half_of_the_last_digit_at_most(value: Fraction, digits: int) -> None:
    shown = significant(value, digits)

    assert "e" not in shown.lower()
    assert abs(Fraction(shown) - value) <= value / (2 * Fraction(10) ** (digits - 1))


def test_works_that_earn_nothing() -> None:
    nothing = estimate(40, total=1000, profit=Decimal(0), rate=RATE, currency=USD)

    assert nothing.works_per_unit is None
    assert works_text(nothing) == "no number of such works makes 1 USD"


def test_works_are_counted_until_they_reach_one_unit() -> None:
    assert works_text(of_gpt_3(41)) == "74 such works make 1 USD"  # 73.17 of them
    assert works_text(of_gpt_3(3000)) == "1 such work makes 1 USD"
    assert works_text(of_gpt_3(3000, currency=JPY)) == "1 such work makes 1 JPY"
    assert works_text(of_gpt_3(6000)) == ""


# -- words and pages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(133_333, Decimal("100e3")), (0, 0), (4, 3), (1, 1), (2, Decimal("1.875")), (0, Decimal("0.375"))],
)
def test_words_are_three_quarters_of_a_token_each_half_to_even(tokens: int, words: Exact) -> None:
    assert tokens_from_words(words) == tokens


def test_pages_have_250_words_unless_said_otherwise() -> None:
    assert tokens_from_pages(300) == 100_000
    assert tokens_from_pages(Decimal("1.5")) == 500


# -- properties -------------------------------------------------------------------------------------


@given(tokens_of_works, tokens_of_works, profits, rates)
def test_two_works_earn_what_their_tokens_together_earn(a: int, b: int, profit: Decimal, rate: Fraction) -> None:
    one, other, both = (
        estimate(tokens, total=Decimal("300e9"), profit=profit, rate=rate, currency=USD) for tokens in (a, b, a + b)
    )

    assert one.share + other.share == both.share
    assert one.at_rate + other.at_rate == both.at_rate


@given(tokens_of_works, profits, st.integers(0, 1000), rates)
def test_amounts_grow_in_step_with_the_profit(tokens: int, profit: Decimal, times: int, rate: Fraction) -> None:
    once = estimate(tokens, total=Decimal("300e9"), profit=profit, rate=rate, currency=USD)
    more = estimate(tokens, total=Decimal("300e9"), profit=Fraction(profit) * times, rate=rate, currency=USD)

    assert more.at_full == times * once.at_full
    assert more.at_rate == times * once.at_rate
    assert once.at_rate == rate * once.at_full


@given(tokens_of_works, profits, rates, st.sampled_from([USD, JPY, KWD]))
def test_payouts_are_off_by_half_a_minor_unit_at_most(
    tokens: int, profit: Decimal, rate: Fraction, currency: Currency
) -> None:
    outcome = estimate(tokens, total=Decimal("300e9"), profit=profit, rate=rate, currency=currency)

    for payout, exact in ((outcome.full_payout, outcome.at_full), (outcome.rate_payout, outcome.at_rate)):
        assert abs(Fraction(payout) - exact) <= Fraction(1, 2 * 10**currency.places)
        assert payout.as_tuple().exponent == -currency.places


@pytest.mark.parametrize("name", ["gpt-3", "dolma-1.7", "the-pile"])
def test_the_parts_taken_whole_come_to_what_was_seen(name: str) -> None:
    mixture = find_mixture(name)
    wholes = [
        estimate(part.tokens or 0, total=mixture.total, part=part, profit=PROFIT, rate=RATE, currency=USD)
        for part in mixture.parts
    ]

    seen = sum(Fraction(part.epochs or 0) * (part.tokens or 0) for part in mixture.parts)
    assert sum(whole.seen_tokens for whole in wholes) == seen
    assert sum(whole.at_full for whole in wholes) == seen / mixture.total * 500 * 10**6


def test_gpt_3_whole_by_weight_comes_to_101_percent() -> None:
    gpt_3 = find_mixture("gpt-3")
    by_weight = [of_gpt_3(part.tokens or 0, part.name).by_weight for part in gpt_3.parts]

    assert sum(earning.share for earning in by_weight if earning) == Fraction(101, 100)


def test_a_work_that_is_the_whole_corpus_earns_the_whole_profit() -> None:
    assert estimate(1000, total=1000, profit=PROFIT, rate=RATE, currency=USD).at_full == PROFIT


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("tokens is -1, but must not be negative", {"tokens": -1}),
        ("tokens is NaN, which is no number; write it as 500e6, 500_000_000 or 500M", {"tokens": Decimal("nan")}),
        ("the profit is -0.01, but must not be negative", {"profit": Decimal("-0.01")}),
        (
            "the profit is Infinity, which is no number; write it as 500e6, 500_000_000 or 500M",
            {"profit": Decimal("inf")},
        ),
        ("the rate is 1.5, but must lie between 0 and 1 (0 % and 100 %)", {"rate": Fraction(3, 2)}),
        (
            "the size of the corpus is 0 tokens; name a preset, or write a number such as 300e9",
            {"total": 0},
        ),
        (
            (
                "the work has 2000 tokens and would be 200 % of the corpus of 1000 tokens; "
                "check the number of tokens and the corpus"
            ),
            {"tokens": 2000},
        ),
        (
            "the work has 11 tokens, but all of Shelf has 10 tokens; check the number of tokens and the part",
            {"tokens": 11, "part": Part("Shelf", tokens=Fraction(10))},
        ),
    ],
)
def test_refused(message: str, change: dict[str, object]) -> None:
    call: dict[str, object] = {"tokens": 10, "total": 1000, "profit": PROFIT, "rate": RATE, "currency": USD, **change}
    with pytest.raises(CallError) as caught:
        estimate(call.pop("tokens"), **call)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_refused_words_and_pages() -> None:
    with pytest.raises(CallError, match="the number of words is -3, but must not be negative"):
        tokens_from_words(-3)
    with pytest.raises(CallError, match="the number of pages is -1/3, but must not be negative"):
        tokens_from_pages(Fraction(-1, 3))
