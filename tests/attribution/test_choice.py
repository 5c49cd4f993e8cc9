"""Rule U8: probabilities, and the weights they are fitted with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from royaltycli.attribution import choice
from royaltycli.attribution.choice import DOUBT, Choice, Example, fit, probabilities
from royaltycli.attribution.evidence import Evidence


def evidence(measures, before=None, length=0.0):
    measures = np.array(measures, float)
    before = np.zeros(len(measures)) if before is None else np.array(before, float)
    return Evidence(np.arange(len(measures)), before, length, measures, np.empty(0), ())


def by_hand(measures, mean, *, none=0.0, own=(0.0, 0.0), unsure=0.0, roots=0.0):
    """A choice of so much for each measure, and for their mean; half as much more times the length; and more of the rest.

    `unsure` is how much each counts times how unsure it is, `roots` how much the roots of its probabilities count. By
    itself each measure counts for as much as it is.
    """
    weights = np.array([*measures, mean])
    plain = np.concatenate([weights, weights / 2])
    more = [np.full(len(weights), each) for each in (unsure, roots)]
    alone = np.tile([1.0, 0.0], (len(measures), 1))
    lengths = np.array([-3.0, 3.0])
    return Choice(lengths, alone, np.concatenate([plain, *more]), plain, np.array([none, 0.0]), np.array([own, own]))


def test_probabilities_by_hand():
    """Scores ln 2, ln 1 and ln 1 for none make 1/2, 1/4 and 1/4."""
    odds, none = probabilities(by_hand([1.0], 0.0), evidence([[np.log(2)], [0.0]]))
    assert odds.tolist() == pytest.approx([0.5, 0.25])
    assert none == pytest.approx(0.25)


def test_a_measure_may_count_for_more_in_longer_spans():
    odds, _ = probabilities(by_hand([1.0], 0.0), evidence([[np.log(2)], [0.0]], length=2.0))
    assert odds[0] / odds[1] == pytest.approx(4)


def test_spans_of_lengths_without_an_example_count_as_the_nearest_that_have_one():
    """Of three and of more the measure counts for 1 + 3 / 2 times as much; and none less, the longer the span is."""
    of_three, of_nine = (evidence([[np.log(2)], [0.0]], length=length) for length in (3.0, 9.0))
    odds, _ = probabilities(by_hand([1.0], 0.0), of_nine)
    assert odds[0] / odds[1] == pytest.approx(2**2.5)
    by_length = replace(by_hand([1.0], 0.0), none=np.array([0.0, 1.0]))
    assert probabilities(by_length, of_nine)[1] == probabilities(by_length, of_three)[1]
    examples = [
        Example(evidence([[1.0], [0.0]], length=length), 0) for length in [-2.0] + [0.0] * 50 + [1.0] * 50 + [4.0]
    ]
    assert fit(examples, 2).lengths.tolist() == [-0.125, 1.125]  # those but the rarest, and an eighth more


def test_a_measure_may_count_for_more_where_it_is_unsure():
    """By itself it says three to one: of an entropy of ln 4 - 3/4 ln 3, which is that of the mean of one as well."""
    three = evidence([[np.log(3)], [0.0]])
    odds, _ = probabilities(by_hand([0.0], 0.0, unsure=1.0), three)
    mean = np.log((0.75 + DOUBT) / (0.25 + DOUBT))
    assert np.log(odds[0] / odds[1]) == pytest.approx((np.log(3) + mean) * (np.log(4) - 0.75 * np.log(3)))
    sure = evidence([[400.0], [0.0]])
    odds, _ = probabilities(by_hand([0.0], 0.0, unsure=1.0), sure)
    assert odds[0] / odds[1] == pytest.approx(1)


def test_the_roots_of_probabilities_may_count():
    odds, _ = probabilities(by_hand([0.0], 0.0, roots=1.0), evidence([[np.log(3)], [0.0]]))
    assert np.log(odds[0] / odds[1]) == pytest.approx(2 * (np.sqrt(0.75) - np.sqrt(0.25)))


def test_what_measures_say_in_the_mean_is_never_that_a_unit_is_out_of_the_question():
    """One says nine to one, the other one to nine hundred and ninety-nine; and no measure counts but in the mean."""
    two = evidence([[np.log(9), 0.0], [0.0, np.log(999)]])
    odds, _ = probabilities(by_hand([0.0, 0.0], 1.0), two)
    assert odds[0] / odds[1] == pytest.approx((0.4505 + DOUBT) / (0.5495 + DOUBT))
    sure = evidence([[100.0, 100.0], [0.0, 0.0]])
    odds, _ = probabilities(by_hand([0.0, 0.0], 1.0), sure)
    assert odds[0] / odds[1] == pytest.approx((1 + DOUBT) / DOUBT)


def test_without_evidence_units_stand_as_their_sizes_do():
    odds, _ = probabilities(by_hand([1.0], 0.0), evidence([[0.0], [0.0]], np.log([0.3, 0.1])))
    assert odds[0] / odds[1] == pytest.approx(3)


def test_the_choice_that_made_the_answers_is_found_again():
    """Its probabilities; the weights say the same thing in more ways than one."""
    random = np.random.default_rng(1)
    truth = by_hand([2.0, -1.0], 0.0, none=0.5, own=[0.5, -0.5, 0.0, 0.0, 0.0])

    def drawn():
        return evidence(random.normal(size=(5, 2)), random.normal(size=5), random.choice([-1.0, 0.0, 1.0]))

    examples = []
    for _ in range(4000):
        found = drawn()
        odds, none = probabilities(truth, found)
        right = int(random.choice(6, p=[*odds, none]))
        examples.append(Example(found, right if right < 5 else -1))
    fitted = fit(examples, 5)
    for found, made in zip(fitted.own, truth.own, strict=True):
        assert found.tolist() == pytest.approx(made.tolist(), abs=0.15)
    others = [drawn() for _ in range(200)]
    gaps = [np.abs(np.subtract(*(np.append(*probabilities(of, each)) for of in (fitted, truth)))) for each in others]
    assert np.sum(gaps, axis=1).mean() < 0.05
    again = fit(examples, 5, fitted)
    assert again.which.tolist() == pytest.approx(fitted.which.tolist(), abs=1e-3)
    assert again.whether.tolist() == pytest.approx(fitted.whether.tolist(), abs=1e-3)


def test_loud_measures_are_believed_less_for_their_mean(monkeypatch):
    """Two that say the same, right in 85 of 100 cases, however large they are: by their sum they are too sure."""
    random = np.random.default_rng(5)
    examples = []
    for _ in range(2000):
        measures = np.zeros((4, 2))
        said = int(random.integers(0, 4))
        measures[said] = random.exponential(4, 2)
        examples.append(Example(evidence(measures), said if random.random() < 0.8 else int(random.integers(0, 4))))

    def loss():
        fitted = fit(examples, 4)
        return -np.mean([np.log(probabilities(fitted, each.evidence)[0][each.right]) for each in examples])

    with_mean = loss()
    monkeypatch.setattr(choice, "DOUBT", 1e9)  # of the mean nothing is left
    assert with_mean < loss() - 0.01


def test_of_too_many_units_none_has_a_factor_of_its_own(monkeypatch):
    examples = [Example(evidence([[1.0], [0.0]]), right) for right in (0, 0, 1)]
    assert (fit(examples, 2).own[:, 0] > 0).all()
    monkeypatch.setattr(choice, "FACTORS", 1)
    assert fit(examples, 2).own.tolist() == [[0, 0], [0, 0]]


def test_the_mean_probability_of_each_unit_is_how_often_it_is_right():
    """By its own factor, which is fitted: so a unit that looks like others is found as often as it is there."""
    random = np.random.default_rng(3)
    examples = []
    for _ in range(2000):
        right = int(random.integers(0, 3))
        measures = random.normal(size=(3, 1))
        measures[right] += (3.0, 1.0, 0.2)[right]
        examples.append(Example(evidence(measures), right))
    fitted = fit(examples, 3)
    mean = np.mean([probabilities(fitted, each.evidence)[0] for each in examples], axis=0)
    often = np.bincount([each.right for each in examples]) / len(examples)
    assert mean.tolist() == pytest.approx(often.tolist(), abs=0.005)
    assert len({round(one, 1) for one in fitted.own[0].tolist()}) == 3


def test_a_weight_counts_as_so_many_examples():
    one, two = evidence([[1.0], [0.0]]), evidence([[0.0], [1.0]])
    thrice = fit([Example(one, 0), Example(one, 0), Example(one, 0), Example(two, 0)], 2)
    weighed = fit([Example(one, 0, 3.0), Example(two, 0)], 2)
    assert weighed.which.tolist() == pytest.approx(thrice.which.tolist(), rel=1e-6)
