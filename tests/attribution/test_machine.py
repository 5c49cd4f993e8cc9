"""Rule U18: the linear machine, against scikit-learn's, and that it has not seen what it is asked about."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from royaltycli.attribution import calibration, machine
from royaltycli.attribution.calibration import calibrate, sample
from royaltycli.attribution.evidence import MEASURES
from tests.attribution.conftest import prose


def noise(seed, length=700):
    """Words that no other text has, in no order: nothing but having seen a text tells whose it is."""
    random = np.random.default_rng(seed)
    return " ".join(f"{random.integers(10**6):06}" for _ in range(length))


def told_right(index, train, choose):
    """How many of the spans of the index's own documents are most like their own unit, but for what is quoted."""
    spans = [span for span in sample(index, 0) if not span.unknown | span.quoted and len(span.tokens) == 128]
    assert len(spans) > 20
    return np.mean([choose(train, span).decide(span.tokens).argmax() == span.unit for span in spans])


def trainer(index):
    """Trains each machine once."""
    return functools.cache(machine.trainer(index))


def seen(train, _span):
    """A machine that has seen the document of a span: a leak."""
    return train(machine.OF_ALL)


def unseeing(train, span):
    return train(span.machine)


@pytest.mark.parametrize("documents", [1, 3])
def test_a_span_is_judged_by_a_machine_that_has_not_seen_it(corpus, documents):
    names = [f"s{number}" for number in range(6)]
    texts = {
        name: {f"{part}.txt": noise(100 * number + part, 2100 // documents) for part in range(documents)}
        for number, name in enumerate(names)
    }
    index = corpus(texts)
    train = trainer(index)
    assert told_right(index, train, seen) > 0.8
    assert told_right(index, train, unseeing) < 0.45


def test_what_is_unknown_is_judged_by_a_machine_that_has_not_seen_its_unit(corpus):
    index = corpus({f"s{number}": {"a.txt": noise(number), "b.txt": noise(50 + number)} for number in range(6)})
    train = trainer(index)
    unknown = [span for span in sample(index, 0) if span.unknown and len(span.tokens) > 8]  # of fewer chance decides
    assert unknown
    for span in unknown:
        decided = unseeing(train, span).decide(span.tokens)[span.unit]
        assert decided < 0
        assert train(machine.OF_ALL).decide(span.tokens)[span.unit] > decided


def test_it_decides_as_scikit_learn_does(corpus, monkeypatch):
    from sklearn.svm import LinearSVC

    monkeypatch.setattr(machine, "ROUNDS", 300)
    index = corpus({f"s{seed}": {f"{n}.txt": prose(10 * seed + n, 500) for n in range(3)} for seed in range(4)})
    passages = machine._passages(index)
    everything = np.arange(len(passages.rows))
    rarity = machine._rarity(passages, everything)
    rows = np.zeros((len(passages.rows), len(passages.terms)), np.float32)
    for row, terms in zip(rows, passages.rows, strict=True):
        row[terms] = machine._scaled(terms, rarity)[1]
    ours = rows @ machine._trained(passages, everything, len(index.units)).weights.astype(np.float32)
    theirs = LinearSVC(C=machine.COST, fit_intercept=False, tol=1e-8, max_iter=10**6).fit(rows, passages.units)
    assert np.abs(ours - theirs.decision_function(rows)).max() < 5e-3  # the weights are of half precision


def test_it_is_the_same_each_time_and_bounded(corpus, monkeypatch):
    index = corpus({f"s{seed}": {f"{n}.txt": prose(10 * seed + n, 500) for n in range(3)} for seed in range(3)})
    monkeypatch.setattr(machine, "MACHINE_PASSAGES", 20)
    assert len(machine._passages(index).rows) == 20
    one, two = (machine.trainer(index)(machine.OF_ALL) for _ in range(2))
    assert one.weights.tobytes() == two.weights.tobytes()
    tokens = index.models[0].tokens(0, 50)
    assert np.isfinite(one.decide(tokens)).all()
    assert one.decide(tokens[:1]).shape == (3,)


def test_where_weights_would_be_too_many_a_term_is_in_more_passages(corpus, monkeypatch):
    index = corpus({f"s{seed}": {f"{n}.txt": prose(10 * seed + n, 500) for n in range(3)} for seed in range(3)})
    free = machine._passages(index)
    assert free.least == machine.LEAST
    monkeypatch.setattr(machine, "MACHINE_WEIGHTS", len(free.terms))
    bounded = machine._passages(index)
    assert 0 < len(bounded.terms) * 3 <= len(free.terms)
    assert bounded.least > free.least
    having = np.bincount(np.concatenate(bounded.rows))
    assert having.min() >= bounded.least
    assert set(bounded.terms.tolist()) < set(free.terms.tolist())


@pytest.mark.parametrize("units", [1, 3])
def test_of_one_unit_or_too_many_there_is_none(corpus, monkeypatch, units):
    """And all else is as it was."""
    monkeypatch.setattr(machine, "MACHINE_UNITS", 2)
    index = corpus({f"s{seed}": {f"{n}.txt": prose(10 * seed + n, 300) for n in range(2)} for seed in range(units)})
    fitted = calibrate(index, lambda *_: None)
    assert fitted.machine is None
    assert calibration.read_calibration(index).machine is None
    assert fitted.choice.whether.reshape(2, -1)[:, MEASURES - 1].tolist() == [0, 0]
    assert fitted.choice.which.reshape(4, -1)[:3, MEASURES - 1].tolist() == [0, 0, 0]
