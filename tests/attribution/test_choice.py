"""Rule U8: probabilities, and the weights they are fitted with."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution import choice
from royaltycli.attribution.choice import Choice, Example, fit, probabilities
from royaltycli.attribution.evidence import Evidence


def evidence(measures, before=None):
    measures = np.array(measures, float)
    before = np.zeros(len(measures)) if before is None else np.array(before, float)
    return Evidence(np.arange(len(measures)), before, measures, np.array([1.0]), ())


def test_probabilities_by_hand():
    """Scores ln 2, ln 1 and ln 1 for none make 1/2, 1/4 and 1/4."""
    odds, none = probabilities(Choice(np.array([1.0]), np.array([0.0]), np.zeros(2)), evidence([[np.log(2)], [0.0]]))
    assert odds.tolist() == pytest.approx([0.5, 0.25])
    assert none == pytest.approx(0.25)


def test_without_evidence_units_stand_as_their_sizes_do():
    even = Choice(np.array([1.0]), np.array([0.0]), np.zeros(2))
    odds, _ = probabilities(even, evidence([[0.0], [0.0]], np.log([0.3, 0.1])))
    assert odds[0] / odds[1] == pytest.approx(3)


def test_the_weights_that_made_the_answers_are_found_again():
    random = np.random.default_rng(1)
    truth = Choice(np.array([2.0, -1.0]), np.array([0.5]), np.array([0.5, -0.5, 0.0, 0.0, 0.0]))
    examples = []
    for _ in range(4000):
        found = evidence(random.normal(size=(5, 2)), random.normal(size=5))
        odds, none = probabilities(truth, found)
        drawn = int(random.choice(6, p=[*odds, none]))
        examples.append(Example(found, drawn if drawn < 5 else -1))
    fitted = fit(examples, 5)
    assert fitted.weights.tolist() == pytest.approx([2.0, -1.0], abs=0.15)
    assert fitted.none.tolist() == pytest.approx([0.5], abs=0.15)
    assert fitted.own.tolist() == pytest.approx(truth.own.tolist(), abs=0.15)


def test_of_too_many_units_none_has_a_factor_of_its_own(monkeypatch):
    examples = [Example(evidence([[1.0], [0.0]]), right) for right in (0, 0, 1)]
    assert fit(examples, 2).own[0] > 0
    monkeypatch.setattr(choice, "FACTORS", 1)
    assert fit(examples, 2).own.tolist() == [0, 0]


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
    assert len({round(one, 1) for one in fitted.own.tolist()}) == 3


def test_a_weight_counts_as_so_many_examples():
    one, two = evidence([[1.0], [0.0]]), evidence([[0.0], [1.0]])
    thrice = fit([Example(one, 0), Example(one, 0), Example(one, 0), Example(two, 0)], 2)
    weighed = fit([Example(one, 0, 3.0), Example(two, 0)], 2)
    assert weighed.weights.tolist() == pytest.approx(thrice.weights.tolist(), rel=1e-6)
