"""Each measure against values that were computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution.calibration import calibration_error
from royaltycli.bench import payouts
from royaltycli.bench.measures import (
    Estimate,
    accuracy,
    auroc,
    interval,
    mean_interval,
    spearman,
    total_variation,
)
from royaltycli.bench.method import Odds
from royaltycli.bench.rows import by_chance
from royaltycli.bench.spans import Spans


def test_accuracy_is_the_part_that_is_right_by_weight():
    right = np.array([True, False, True, True])
    assert accuracy(right) == 0.75
    assert accuracy(right, np.array([1.0, 3.0, 0.0, 0.0])) == 0.25


def test_calibration_error_of_two_bins():
    # Of 3 cases at .9 two are right: off by .9 - 2/3, with 3/4 of the weight; one at .5 is wrong: off by .5.
    sure = np.array([0.9, 0.9, 0.9, 0.5])
    right = np.array([True, True, False, False])
    assert calibration_error(sure, right) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.5)


def test_a_case_by_weight_counts_as_often():
    sure, right = np.array([0.9, 0.5]), np.array([True, False])
    repeated = calibration_error(np.array([0.9, 0.9, 0.5]), np.array([True, True, False]))
    assert calibration_error(sure, right, np.array([2.0, 1.0])) == pytest.approx(repeated)


def test_who_is_sure_and_right_is_calibrated():
    assert calibration_error(np.ones(5), np.ones(5, bool)) == 0
    assert calibration_error(np.ones(5), np.zeros(5, bool)) == 1


def test_the_bins_are_fifteen_and_closed_above():
    # 1/15 belongs to the first bin, a little more to the second: there they do not make up for each other.
    same = calibration_error(np.array([1 / 15, 1 / 15]), np.array([True, False]))
    other = calibration_error(np.array([1 / 15, 1 / 15 + 1e-6]), np.array([True, False]))
    assert same == pytest.approx(0.5 - 1 / 15)
    assert other == pytest.approx(0.5 * (1 - 1 / 15) + 0.5 / 15, abs=1e-5)


def test_total_variation_is_the_money_that_goes_astray():
    assert total_variation(np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.5, 0.3])) == pytest.approx(0.3)
    assert total_variation(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1


def test_auroc_counts_pairs_and_half_of_ties():
    # Pairs: 3>1, 3>2, 2>1 are won, 2=2 is half: 3.5 of 4.
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4
    assert auroc(np.array([1.0]), np.array([2.0])) == 0


def test_auroc_by_weight_is_that_of_cases_repeated():
    weights = np.array([2.0, 1.0]), np.array([1.0, 3.0])
    repeated = auroc(np.array([3.0, 3.0, 2.0]), np.array([1.0, 2.0, 2.0, 2.0]))
    assert auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0]), weights) == pytest.approx(repeated)


def test_an_interval_is_wider_when_whole_documents_are_drawn():
    right = np.repeat([True, False] * 10, 50)
    spans, documents = np.arange(1000), np.repeat(np.arange(20), 50)
    by_span = interval(lambda by: accuracy(right, by), spans)
    by_document = interval(lambda by: accuracy(right, by), documents)
    assert by_span.value == by_document.value == 0.5
    assert by_span.high - by_span.low < 0.08
    # The mean of 20 coins has a standard deviation of .112, so 95 % lie within some .22 of a half.
    assert 0.35 < by_document.high - by_document.low < 0.55


def test_the_interval_of_what_is_always_the_same_is_a_point():
    assert mean_interval(np.full(9, 0.25)) == Estimate(0.25, 0.25, 0.25)


def test_spearman_is_the_correlation_of_ranks_row_by_row():
    one = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 30.0, 31.0], [5.0, 5.0, 5.0, 5.0]])
    two = np.array([[10.0, 20.0, 30.0, 99.0], [4.0, 3.0, 2.0, 1.0], [1.0, 0.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]])
    # Of four, one swap of neighbours: 1 - 6 * 2 / (4 * 15).
    assert spearman(one, two).tolist() == pytest.approx([1, -1, 0.8, 0])


def test_ranks_that_are_alike_share_their_place():
    # Ranks 1.5, 1.5, 3 beside 1, 2, 3: by hand, 1.5 / sqrt(1.5 * 2).
    assert spearman(np.array([[0.0, 0.0, 1.0]]), np.array([[1.0, 2.0, 3.0]])) == pytest.approx(1.5 / np.sqrt(3))


def test_the_calibration_error_that_is_chance_gets_smaller_with_the_number_of_answers():
    """Of n answers at 1/2 in one bin it is the mean distance of their mean from 1/2: the root of 1/(2 pi n)."""
    few, many = (by_chance(np.full(size, 0.5)) for size in (100, 10_000))
    assert few.value == pytest.approx(np.sqrt(1 / (2 * np.pi * 100)), rel=0.15)
    assert many.value == pytest.approx(few.value / 10, rel=0.3)
    assert few.low < few.value < few.high


def test_of_payouts_chance_is_what_the_probabilities_leave_open():
    """Sure ones leave nothing open. Of two sources that look alike, the shares stay halves whatever the mixture is."""
    sources = np.arange(40) % 2
    spans = Spans(tuple(np.zeros(1, np.uint32) for _ in sources), np.arange(40), sources)
    shared, prior = np.eye(3), np.array([0.45, 0.45, 0.05, 0.05])
    sure = np.eye(3)[sources]
    assert payouts.left_open(Odds(sure, shared), prior, spans, 0) == pytest.approx(0, abs=1e-3)
    alike = np.full((40, 3), [0.5, 0.5, 0.0])
    truth = [mixture.truth[0] for mixture in payouts.mixtures(spans, 2, 0)]
    found = payouts.left_open(Odds(alike, shared), prior, spans, 0)
    assert found.mean() == pytest.approx(np.abs(np.array(truth) - 0.5).mean(), rel=0.2)
