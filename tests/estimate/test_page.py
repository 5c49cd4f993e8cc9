"""docs/mixtures.md says what the data says."""

from __future__ import annotations

from fractions import Fraction

from royaltycli.mixtures import find_mixture, find_part
from royaltycli.numerals import percent
from royaltycli.payout.currency import Currency
from royaltycli.payout.estimate import estimate

from .page import PAGE, renewed


def test_the_figures_are_those_of_the_data() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == renewed(page), "renew them with `python -m tests.estimate.page`"


def test_a_changed_figure_is_noticed() -> None:
    page = PAGE.read_text(encoding="utf-8").replace("292,150,000,000", "300,000,000,000")
    assert page != renewed(page)


def test_the_example_of_books2() -> None:
    gpt_3 = find_mixture("gpt-3")
    books2 = find_part(gpt_3, "Books2")
    outcome = estimate(130_000, total=gpt_3.total, part=books2, profit=0, rate=Fraction(1), currency=Currency("USD", 2))
    prose = " ".join(PAGE.read_text(encoding="utf-8").split())

    assert outcome.by_weight is not None
    assert f"seen 0.43 times, which is {percent(outcome.share)} % of the run" in prose
    assert f"by its weight of 8 % it is {percent(outcome.by_weight.share)} %" in prose
