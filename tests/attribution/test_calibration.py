"""Rules U7 and U9: the evidence on a span, and how it is weighed."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution.calibration import calibrate, calibration_error, sample
from royaltycli.attribution.evidence import MEASURES, SPAN_MEASURES, evidence
from tests.attribution.conftest import prose


@pytest.fixture
def index(corpus):
    names = ("ann", "bob", "eve")
    sources = {name: {f"{n}.txt": prose(10 * seed + n, 300) for n in range(3)} for seed, name in enumerate(names)}
    return corpus(sources | {"one": {"only.txt": prose(77, 900)}})


def longest_of(found):
    return max((match.size for match in found.matches), default=0)


def test_a_span_is_not_matched_with_what_is_left_out(index):
    """Or every span would be its own best evidence: a check that a leak must fail."""
    seen = 0
    for span in sample(index, 0):
        found = evidence(index, span.tokens, None, span.left_out)
        leaky = evidence(index, span.tokens, None)
        assert longest_of(leaky) == len(span.tokens)
        if len(span.tokens) > 20:
            seen += 1
            assert longest_of(found) < len(span.tokens)
    assert seen > 10


def test_a_whole_source_that_is_left_out_is_no_candidate(index):
    spans = [span for span in sample(index, 0) if span.left_out.whole_unit]
    assert spans
    for span in spans:
        found = evidence(index, span.tokens, None, span.left_out)
        assert span.left_out.unit not in found.units
        assert all(span.left_out.unit not in match.units for match in found.matches)


def test_of_a_single_document_a_part_is_left_out(index):
    only = next(number for number, unit in enumerate(index.units) if index.source_ids[unit.sources[0]] == "one")
    outs = [span.left_out for span in sample(index, 0) if span.left_out.unit == only and not span.left_out.whole_unit]
    size = int(index.sizes[only])
    assert outs
    assert all(out.stop - out.start == size // 5 for out in outs)


def test_measures_have_their_numbers_and_are_finite(index):
    found = evidence(index, np.array([5, 9, 7], np.uint32), None)
    assert found.measures.shape == (len(index.units), MEASURES)
    assert found.span.shape == (SPAN_MEASURES,)
    assert np.isfinite(found.measures).all()
    assert np.isfinite(found.span).all()


def test_a_calibration_is_the_same_each_time_and_its_prior_makes_one(index):
    one, two = (calibrate(index, lambda *_: None) for _ in range(2))
    assert one.choice.weights.tolist() == two.choice.weights.tolist()
    assert one.prior.tolist() == two.prior.tolist()
    assert one.prior.sum() == pytest.approx(1)
    assert (one.prior > 0).all()


def test_the_calibration_error_by_hand():
    """Of two sure at 0.9 one is right: 0.4 off; two at 0.2, none right: 0.2 off; half of the answers each."""
    sure, right = np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, False, False])
    assert calibration_error(sure, right) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
