"""Rules U6, U7, U9 and U19: the evidence on a span, how it is weighed, and the folds that are overlooked meanwhile."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest

from royaltycli.attribution import calibration
from royaltycli.attribution import evidence as evidence_module
from royaltycli.attribution.calibration import SPANS, calibrate, calibration_error, sample
from royaltycli.attribution.choice import Example
from royaltycli.attribution.evidence import MEASURES, SPAN_MEASURES, LeftOut, evidence
from royaltycli.attribution.folds import FOLDS, folds_of
from royaltycli.attribution.unseen import Span
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.reference import load_reference
from tests.attribution.conftest import prose

VOTES = -3
WORD = re.compile(" [a-z]{4,}")
"""A token that is a word of its own, whatever stands beside it."""


@pytest.fixture
def index(copied):
    names = ("ann", "bob", "eve")
    texts = range(FOLDS)
    sources = {name: {f"{n}.txt": prose(100 * seed + n, 100) for n in texts} for seed, name in enumerate(names)}
    return copied(sources | {"one": {"only.txt": prose(777, 2000)}})


def longest_of(found):
    return max((match.size for match in found.matches), default=0)


def test_folds_of_a_unit_have_about_as_many_tokens_each():
    random = np.random.default_rng(0)
    lengths, units = random.integers(50, 150, 400), random.integers(0, 4, 400)
    folds = folds_of(lengths, units, np.zeros(400, bool))
    owners = np.repeat(units, lengths + 1)
    sizes = np.stack([np.bincount(folds[owners == unit], minlength=FOLDS) for unit in range(4)])
    assert sizes.sum() == lengths.sum() + 400
    assert (np.ptp(sizes, axis=1) < 150).all()


def test_the_longest_documents_are_dealt_first_and_not_all_shards_begin_with_the_same_fold():
    sizes = np.bincount(folds_of(np.array([1] * 10 + [9]), np.zeros(11, int), np.zeros(11, bool)), minlength=FOLDS)
    assert sorted(sizes.tolist()) == [2] * 8 + [4, 10]  # with the place more that follows each
    alone = [folds_of(np.array([size]), np.array([0]), np.zeros(1, bool))[0] for size in range(FOLDS)]
    assert sorted(alone) == list(range(FOLDS))


def test_a_document_is_of_one_fold_unless_it_is_cut():
    lengths = np.array([8 * FOLDS, 7, 0, 30])
    folds = np.split(
        folds_of(lengths, np.array([0, 1, 1, 1]), np.array([True, False, False, False])),
        [8 * FOLDS + 1, 8 * FOLDS + 9, 8 * FOLDS + 10],
    )
    assert np.bincount(folds[0]).tolist() == [9] + [8] * (FOLDS - 1)
    assert (np.diff(folds[0]) >= 0).all()
    assert [len(np.unique(each)) for each in folds[1:]] == [1, 1, 1]
    assert folds[1][0] != folds[3][0]


def test_the_folds_of_a_unit_have_as_many_spans_each_whatever_their_sizes(corpus):
    """Else a unit of which much is left out would be the likelier one: what is left out must not say whose a span is."""
    big = {f"{n}.txt": prose(n, 3000 if n == 0 else 300) for n in range(FOLDS + 1)}
    index = corpus({"big": big, "even": {f"{n}.txt": prose(20 + n, 600) for n in range(FOLDS)}})
    spans = [span for span in sample(index, 0) if len(span.tokens) == 32 and not span.unknown]
    counts = np.zeros((2, FOLDS))
    for span in spans:
        counts[span.unit, span.fold] += 1
    expected = len(spans) * index.sizes / index.tokens / FOLDS
    assert (np.abs(counts - expected[:, None]) < 1).all()
    assert len(np.unique(index.weights[1][0])) > 1


def test_how_many_spans_there_are_and_how_they_are_judged(index):
    """A third as many as there are stretches; of ten known ones one is quoted, of three one is judged as unknown, too."""
    spans = list(sample(index, 0))
    known = [span for span in spans if not span.unknown]
    assert index.tokens < 3 * 8 * SPANS[8]
    assert len(known) == sum(max(1, index.tokens // (3 * size)) for size in SPANS)
    assert [span.quoted for span in known] == [number % 10 == 0 for number in range(1, len(known) + 1)]
    again = [before for before, span in itertools.pairwise(spans) if span.unknown]
    assert again == known[2::3]
    assert not any(span.quoted for span in spans if span.unknown)


def test_within_a_fold_spans_are_drawn_by_tokens_and_from_any_place():
    """Of a stretch of four tokens, and of one of twelve."""
    index = SimpleNamespace(models=[SimpleNamespace(tokens=np.arange)])
    columns = [0, 0], [3, 4], [5, 20], [4, 12], [27], [0, 2]
    pieces, random = calibration._Pieces(*map(np.array, columns)), np.random.default_rng(0)
    spans = [calibration._drawn(index, pieces, 0, 3, random) for _ in range(400)]
    assert {(span.unit, span.fold, len(span.tokens)) for span in spans} == {(2, 7, 3)}
    starts = [int(span.tokens[0]) for span in spans if span.document == 3]
    assert 70 < len(starts) < 130
    assert set(starts) == {5, 6}
    assert {int(span.tokens[0]) for span in spans if span.document == 4} == set(range(20, 30))


def test_a_span_is_not_matched_with_what_is_left_out(index):
    """Or every span would be its own best evidence: a check that a leak must fail. Nothing is left out of quotes."""
    seen = 0
    for span in sample(index, 0):
        if span.quoted:
            assert span.left_out is None
            continue
        found = evidence(index, span.tokens, None, span.left_out)
        leaky = evidence(index, span.tokens, None)
        assert longest_of(leaky) == len(span.tokens)
        if len(span.tokens) > 20:
            seen += 1
            assert longest_of(found) < len(span.tokens)
    assert seen > 10


@pytest.mark.parametrize("length", [640, 1000, 1500])
def test_rule_u19_no_passage_is_near_that_has_a_token_of_what_is_left_out(corpus, length):
    """A document in which no token is twice is not like a stretch of its own that is left out."""
    reference = load_reference(find_encoding("r50k_base"))
    words = [word for word in map(reference.decode, ([number] for number in range(2000, 9000))) if WORD.fullmatch(word)]
    index = corpus({"ann": {"a.txt": "".join(words[:length])}, "bob": {"a.txt": "".join(words[2000:2400])}})
    (model,) = index.models
    ann = int(model.units[0])
    for fold in range(FOLDS):
        places = np.flatnonzero(model.folds[: length + 1] == fold)
        tokens = model.tokens(places[0], places[-1] + 1)
        assert evidence_module._neighbours(index, tokens, LeftOut(fold))[1][ann] == 0
        assert evidence_module._neighbours(index, tokens, None)[1][ann] > 0


def test_a_whole_source_that_is_left_out_is_no_candidate(index):
    spans = [span for span in sample(index, 0) if span.unknown]
    assert spans
    for span in spans:
        found = evidence(index, span.tokens, None, span.left_out)
        assert span.unit not in found.units
        assert all(span.unit not in match.units for match in found.matches)


def test_of_a_single_document_a_part_is_left_out(index):
    only = next(number for number, unit in enumerate(index.units) if index.source_ids[unit.sources[0]] == "one")
    assert {span.fold for span in sample(index, 0) if span.unit == only} == set(range(FOLDS))
    (model,) = index.models
    (document,) = np.flatnonzero(model.units == only)
    start, stop = model.starts[document : document + 2]
    assert np.ptp(np.bincount(model.folds[start:stop])) <= 1


def test_what_is_left_out_counts_nowhere(index):
    """Evidence without a fold is that of an index in which the weights, matches and passages of the fold are not."""
    (model,) = index.models
    for fold in range(FOLDS):
        gone = model.folds[model.starts[:-1]] == fold
        document = int(np.flatnonzero(gone & (model.units != model.units.max()))[0])
        tokens = model.tokens(int(model.starts[document]), int(model.starts[document]) + 40)
        found = evidence(index, tokens, None, LeftOut(fold))
        assert all(model.folds[place] != fold for match in found.matches for _, _, place in match.places)
        assert (found.measures[:, :9] < evidence(index, tokens, None).measures[:, :9]).any()


def test_measures_have_their_numbers_and_are_finite(index):
    found = evidence(index, np.array([5, 9, 7], np.uint32), None)
    assert found.measures.shape == (len(index.units), MEASURES)
    assert found.span.shape == (SPAN_MEASURES,)
    assert np.isfinite(found.measures).all()
    assert np.isfinite(found.span).all()


def test_weighed_are_the_first_four_by_any_measure_and_those_as_good_unless_they_are_many():
    """Rule U7, of more than 64 units: those that are alike by a measure are all weighed for it, or none is."""
    measures = np.zeros((100, MEASURES))
    measures[[3, 50], 0] = 2
    measures[60:66, 1] = 1
    measures[:70, 2], measures[80, 2] = 1, 2
    assert evidence_module._candidates(measures, None).tolist() == [3, 50, *range(60, 66), 80]
    assert evidence_module._candidates(measures[:64], None).tolist() == list(range(64))


def test_passages_as_good_as_the_last_that_votes_share_its_vote(corpus, monkeypatch):
    """Rule U6: three sources begin with the same 128 tokens, which are the best; two may vote, or one, or all."""
    index = corpus({name: {"a.txt": prose(1, 150) + prose(2 + n, 300)} for n, name in enumerate(("ann", "bob", "eve"))})
    tokens = index.models[0].tokens(20, 60)
    for voting in (1, 2, 3):
        monkeypatch.setattr(evidence_module, "NEIGHBOURS", voting)
        assert evidence(index, tokens, None).measures[:, VOTES] == pytest.approx([1 / 3] * 3)


def test_a_calibration_is_the_same_each_time_and_its_prior_makes_one(index):
    one, two = (calibrate(index, lambda *_: None) for _ in range(2))
    assert one.choice.which.tolist() == two.choice.which.tolist()
    assert one.prior.tolist() == two.prior.tolist()
    assert one.prior.sum() == pytest.approx(1)
    assert (one.prior > 0).all()


def test_the_calibration_error_by_hand():
    """Of two sure at 0.9 one is right: 0.4 off; two at 0.2, none right: 0.2 off; half of the answers each."""
    sure, right = np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, False, False])
    assert calibration_error(sure, right) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)


def test_unknown_spans_weigh_a_fifth_of_all():
    examples = [Example(None, right) for right in (0, 1, -1, 0, -1, 2, 1, 0, 0, -1)]
    weights = [each.weight for each in calibration._weighted(examples)]
    assert [weight == 1 for weight in weights] == [each.right >= 0 for each in examples]
    assert sum(weight for weight in weights if weight != 1) == pytest.approx(sum(weights) / 5)


def crossed(monkeypatch, rows, sizes):
    """What a calibration says of itself: of (fold, right, tokens, quoted, weight, odds, none), judged as they say.

    And that none is judged by a fit that was given a span of its own fold, or of the one that goes with it.
    """
    folds, evidence = {}, []
    for fold, *_, odds, none in rows:
        evidence.append(SimpleNamespace(units=np.arange(len(odds)), said=(np.array(odds), none)))
        folds[id(evidence[-1])] = fold

    def judged(seen, one):
        assert folds[id(one)] % 5 not in seen
        return one.said

    monkeypatch.setattr(calibration, "fit", lambda given, *_: {folds[id(each.evidence)] % 5 for each in given})
    monkeypatch.setattr(calibration, "probabilities", judged)
    spans = [Span(np.zeros(tokens, np.uint32), 0, 0, 0, fold, quoted=quoted) for fold, _, tokens, quoted, *_ in rows]
    examples = [Example(each, row[1], row[4]) for each, row in zip(evidence, rows, strict=True)]
    index = SimpleNamespace(units=[None] * len(sizes), sizes=np.array(sizes), tokens=sum(sizes))
    return calibration._crossed(index, spans, examples, None)


def test_how_well_a_calibration_does_is_that_of_spans_of_128_tokens_it_was_not_fitted_to_and_that_are_not_quoted(
    monkeypatch,
):
    """Of three one is right: two are at 3/4, of which one is wrong, as is the one at 1/2. What is of none is none."""
    rows = [
        (0, 0, 128, False, 1.0, [0.6, 0.2], 0.2),
        (1, 1, 128, False, 1.0, [0.3, 0.1], 0.6),
        (5, 1, 128, False, 1.0, [0.4, 0.4], 0.2),
        (9, 0, 128, True, 1.0, [1.0, 0.0], 0.0),
        (3, 0, 32, False, 1.0, [1.0, 0.0], 0.0),
        (4, -1, 128, False, 1.0, [0.9, 0.0], 0.1),
    ]
    _, spans, right, error = crossed(monkeypatch, rows, [50, 50])
    assert (spans, right) == (6, pytest.approx(1 / 3))
    assert error == pytest.approx((2 * (0.75 - 0.5) + 0.5) / 3)


def test_the_shares_of_a_calibration_are_the_means_and_of_a_unit_with_few_spans_nearly_its_part_of_the_tokens(
    monkeypatch,
):
    """Each weighs what it weighs; what is of none leans as the units do, or as their tokens are, if to none of them."""
    rows = [
        (0, 0, 128, False, 1.0, [0.6, 0.2, 0.0], 0.2),
        (2, 1, 128, False, 3.0, [0.1, 0.4, 0.0], 0.5),
        (6, -1, 128, False, 2.0, [0.0, 0.0, 0.0], 1.0),
    ]
    parts = np.array([0.7, 0.2, 0.1])
    found = np.array([[0.9, 1.4, 0.0], [0.15 + 0.3 + 1.4, 0.05 + 1.2 + 0.4, 0.2]])
    likely = np.outer([0.8, 0.2], parts)
    expected = likely * (found + 10) / (6 * likely + 10)
    prior, *_ = crossed(monkeypatch, rows, [70, 20, 10])
    assert prior.tolist() == pytest.approx((expected / expected.sum()).ravel().tolist())
