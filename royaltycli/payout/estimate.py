"""What one work would earn, without any corpus at hand: the computation behind `royalty estimate`.

Everything is exact: fractions from the figures as published to the amount, which is rounded only where
it is shown. No files and no terminal here; the published figures are read by `royaltycli.mixtures`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from royaltycli.errors import CallError
from royaltycli.numerals import percent, percentage, plain, plain_fraction, significant

if TYPE_CHECKING:
    from royaltycli.payout.currency import Currency

Exact = int | Decimal | Fraction
Unit = Literal["tokens", "GiB"]

TOKENS_PER_WORD = Fraction(4, 3)
"""0.75 words a token: the rule of thumb for English text in OpenAI's help pages on counting tokens."""

WORDS_PER_PAGE = 250
"""The customary manuscript page of the book trade: 25 double-spaced lines of 10 words."""

AMOUNT_DIGITS = 6
"""Significant digits of an amount too small for its minor units to say it well."""

ENOUGH_UNITS = 10
"""Minor units from which on an amount is said well by whole ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a published mixture; None where nothing is published.

    `size` is in the mixture's unit, and `tokens` is the same in tokens. `weight` is the component's
    part of what was trained on, from 0 to 1. `epochs` is how often training saw it.
    """

    name: str
    size: Decimal | None = None
    weight: Fraction | None = None
    epochs: Decimal | None = None
    tokens_per_byte: Decimal | None = None
    tokens: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """A published training mixture: figures as published, None where nothing is.

    `trained` is what one run over it saw, repeats included; `stated` what the source says the sizes
    come to; the computed ones are our sums of sizes, of size times epochs, and of weights. All but the
    weights are in `unit`. `total` is the whole that shares are of, in tokens: `trained`, else `stated`,
    else `computed`. `date` is that of publication, as YYYY-MM or YYYY-MM-DD.
    """

    name: str
    title: str
    unit: Unit
    source: str
    date: str
    total: Fraction
    aliases: tuple[str, ...] = ()
    tokenizer: str | None = None
    tokens_per_byte: Decimal | None = None
    trained: Decimal | None = None
    stated: Decimal | None = None
    computed: Decimal | None = None
    computed_seen: Decimal | None = None
    computed_weight: Fraction | None = None
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Earning:
    """A share of the corpus, and what it comes to in units of the currency (dollars, not cents), exactly."""

    share: Fraction
    at_full: Fraction
    at_rate: Fraction


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one work would earn.

    `seen_tokens` is the share times `total`. `at_full` is the share of the whole profit, `at_rate` of the
    pool, both exact; `full_payout` and `rate_payout` are the same rounded half-even to the minor unit.
    `works_per_unit` says how many such works make one unit of the currency, None where they earn nothing.
    `rule` says in words how the share was found. `by_weight` is the same from the part's published
    weight and size, where the share itself rests on its epochs: published figures may differ.
    """

    tokens: Fraction
    seen_tokens: Fraction
    total: Fraction
    share: Fraction
    at_full: Fraction
    at_rate: Fraction
    full_payout: Decimal
    rate_payout: Decimal
    works_per_unit: Fraction | None
    currency: Currency
    rule: str
    by_weight: Earning | None = None


def estimate(
    tokens: Exact, *, total: Exact, part: Part | None = None, profit: Exact, rate: Fraction, currency: Currency
) -> Estimate:
    """What a work of `tokens` tokens would earn of `profit` at `rate` in a corpus of `total` tokens.

    With a part, the work is one of that component's: its share is tokens times epochs over total where epochs
    are published, else weight times tokens over size where both are, else tokens over total.

    Raises CallError if a figure is negative or not finite, the total is zero, the rate is not between
    0 and 1, or the work is larger than what it is said to be a part of.
    """
    work, whole, gain = _exact(tokens, "tokens"), _exact(total, "the size of the corpus"), _exact(profit, "the profit")
    if whole == 0:
        raise CallError("the size of the corpus is 0 tokens; name a preset, or write a number such as 300e9")
    if not 0 <= rate <= 1:
        raise CallError(f"the rate is {plain_fraction(rate)}, but must lie between 0 and 1 (0 % and 100 %)")
    if part is not None and part.tokens is not None and work > part.tokens:
        raise CallError(
            f"the work has {plain_fraction(work)} tokens, but all of {part.name} has {_whole(part.tokens)}; "
            "check the number of tokens and the part"
        )
    share, rule = _share(work, whole, part)
    if share > 1:
        raise CallError(
            f"the work has {plain_fraction(work)} tokens and would be {percent(share)} % of the corpus of "
            f"{_whole(whole)}; check the number of tokens and the corpus"
        )
    earning = _earning(share, gain, rate)
    weighted = _share_by_weight(work, part) if part is not None and part.epochs is not None else None
    return Estimate(
        tokens=work,
        seen_tokens=share * whole,
        total=whole,
        share=share,
        at_full=earning.at_full,
        at_rate=earning.at_rate,
        full_payout=rounded(earning.at_full, currency),
        rate_payout=rounded(earning.at_rate, currency),
        works_per_unit=1 / earning.at_rate if earning.at_rate else None,
        currency=currency,
        rule=rule,
        by_weight=None if weighted is None else _earning(weighted, gain, rate),
    )


def tokens_from_words(words: Exact) -> int:
    """Tokens that so many words of English come to, at 0.75 words a token, rounded half-even."""
    return round(_exact(words, "the number of words") * TOKENS_PER_WORD)


def tokens_from_pages(pages: Exact) -> int:
    """Tokens that so many pages come to, at 250 words a page and 0.75 words a token, rounded half-even."""
    return tokens_from_words(_exact(pages, "the number of pages") * WORDS_PER_PAGE)


def rounded(amount: Fraction, currency: Currency) -> Decimal:
    """An amount in units of the currency, rounded half-even to its minor unit."""
    return Decimal(f"{round(amount * 10**currency.places)}e-{currency.places}")


def amount_text(amount: Fraction, currency: Currency) -> str:
    """An amount as people read it: `43.33`, and below ten minor units `0.0133333`.

    A small amount rounded to minor units would say little or nothing of what a small work earns, so it
    is shown with six significant digits instead, half-even.
    """
    if amount == 0 or amount * 10**currency.places >= ENOUGH_UNITS:
        return format(rounded(amount, currency), "f")
    text = significant(amount, AMOUNT_DIGITS)  # where the currency has places, below one, so with a point
    return text + "0" * (currency.places - len(text.partition(".")[2]))


def works_text(outcome: Estimate) -> str:
    """How many such works make one unit of the currency at the rate, without full stop; empty if one makes more."""
    code = outcome.currency.code
    if outcome.works_per_unit is None:
        return f"no number of such works makes 1 {code}"
    if outcome.works_per_unit == 1:
        return f"1 such work makes 1 {code}"
    if outcome.works_per_unit < 1:
        return ""
    return f"{math.ceil(outcome.works_per_unit)} such works make 1 {code}"


def _share(work: Fraction, whole: Fraction, part: Part | None) -> tuple[Fraction, str]:
    """The share of the whole that the work is, and in words how it was found."""
    if part is None:
        return work / whole, "the work counts as seen once: its tokens over all tokens of the corpus"
    if part.epochs is not None:
        rule = f"{part.name} was seen {plain(part.epochs)} times: tokens times epochs over all tokens of the corpus"
        return work * Fraction(part.epochs) / whole, rule
    weighted = _share_by_weight(work, part)
    if weighted is not None and part.weight is not None:
        rule = (
            f"{part.name} has no published epochs: its weight of {percentage(part.weight)} "
            "times the work's tokens over its own"
        )
        return weighted, rule
    rule = (
        f"{part.name} has neither epochs nor both weight and size here: "
        "the work counts as seen once, its tokens over all tokens of the corpus"
    )
    return work / whole, rule


def _share_by_weight(work: Fraction, part: Part) -> Fraction | None:
    if part.weight is None or not part.tokens:
        return None
    return part.weight * work / part.tokens


def _earning(share: Fraction, profit: Fraction, rate: Fraction) -> Earning:
    return Earning(share, share * profit, share * profit * rate)


def _exact(value: Exact, what: str) -> Fraction:
    if isinstance(value, Decimal) and not value.is_finite():
        raise CallError(f"{what} is {value}, which is no number; write it as 500e6, 500_000_000 or 500M")
    if value < 0:
        raise CallError(f"{what} is {plain_fraction(Fraction(value))}, but must not be negative")
    return Fraction(value)


def _whole(tokens: Fraction) -> str:
    return f"{round(tokens)} tokens"
