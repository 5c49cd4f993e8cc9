"""Rule U8: probabilities, and the weights they are fitted with."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution.choice import Choice, Example, fit, probabilities
from royaltycli.attribution.evidence import Evidence


def evidence(measures, before=None):
    measures = np.array(measures, float)
    before = np.zeros(len(measures)) if before is None else np.array(before, float)
    return Evidence(np.arange(len(measures)), before, measures, np.array([1.0]), ())


def test_probabilities_by_hand():
    """Scores ln 2, ln 1 and ln 1 for none make 1/2, 1/4 and 1/4."""
    odds, none = probabilities(Choice(np.array([1.0]), np.array([0.0])), evidence([[np.log(2)], [0.0]]))
    assert odds.tolist() == pytest.approx([0.5, 0.25])
    assert none == pytest.approx(0.25)


def test_without_evidence_units_stand_as_their_sizes_do():
    odds, _ = probabilities(Choice(np.array([1.0]), np.array([0.0])), evidence([[0.0], [0.0]], np.log([0.3, 0.1])))
    assert odds[0] / odds[1] == pytest.approx(3)


def test_the_weights_that_made_the_answers_are_found_again():
    random = np.random.default_rng(1)
    truth = Choice(np.array([2.0, -1.0]), np.array([0.5]))
    examples = []
    for _ in range(4000):
        found = evidence(random.normal(size=(5, 2)), random.normal(size=5))
        odds, none = probabilities(truth, found)
        drawn = int(random.choice(6, p=[*odds, none]))
        examples.append(Example(found, drawn if drawn < 5 else -1))
    fitted = fit(examples)
    assert fitted.weights.tolist() == pytest.approx([2.0, -1.0], abs=0.15)
    assert fitted.none.tolist() == pytest.approx([0.5], abs=0.15)


def test_a_weight_counts_as_so_many_examples():
    one, two = evidence([[1.0], [0.0]]), evidence([[0.0], [1.0]])
    thrice = fit([Example(one, 0), Example(one, 0), Example(one, 0), Example(two, 0)])
    weighed = fit([Example(one, 0, 3.0), Example(two, 0)])
    assert weighed.weights.tolist() == pytest.approx(thrice.weights.tolist(), rel=1e-6)
