"""Rules V3 and V4: heads, calibration and collections, on numbers that are made up."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from royaltycli.attribution.network import head, learning, training
from royaltycli.attribution.network.calibration import (
    Calibration,
    calibrate,
    calibration_error,
    logarithms,
    mean_scores,
    seen,
)
from royaltycli.attribution.network.corpus import Document, spans_of
from royaltycli.attribution.network.features import PART, Table
from royaltycli.attribution.network.head import UNSEEN
from royaltycli.attribution.network.learning import Examples, learn
from royaltycli.attribution.network.measuring import Held, hits, text_alone
from royaltycli.attribution.network.network import collections_of, probabilities
from royaltycli.attribution.network.spans import short_windows, windows

pytestmark = pytest.mark.usefixtures("_quick")

SOURCES = 6


def quiet(_done, _all):
    pass


def clouds(count=600, size=20, seed=0):
    """Features of spans around a centre for each source; long spans have larger values, whatever the source."""
    random = np.random.default_rng(seed)
    sources = np.arange(count) % SOURCES
    short = random.random(count) < 0.5
    rows = 2 * np.random.default_rng(9).normal(size=(SOURCES, size))[sources] + random.normal(size=(count, size))
    rows[~short] += 30
    examples = Examples(
        np.arange(count),
        sources,
        np.arange(count) // SOURCES % 5,
        np.ones(count, np.float32),
        np.where(short, 32, 128),
        short,
    )
    return Table([rows.astype(np.float16)]), examples


def accuracy(trained, table, examples, which, number):
    rows = table.rows(np.flatnonzero(which))
    best = trained.scores(rows, examples.lengths[which], number).argmax(axis=1)
    return np.mean(best == examples.sources[which])


@pytest.mark.parametrize("sampled", [4096, 3])
def test_heads_find_the_sources_of_the_fold_that_they_have_not_seen(sampled, monkeypatch):
    monkeypatch.setattr(learning, "SAMPLED", sampled)
    table, examples = clouds()
    trained = learn(table, examples, SOURCES, [0, 1, -1], torch.device("cpu"), quiet)
    assert trained.projections.shape == (3, head.NARROW, 20)
    for number, fold in enumerate((0, 1)):
        assert accuracy(trained, table, examples, examples.folds == fold, number) > 0.9
    new = clouds(seed=1)
    assert accuracy(trained, *new, np.ones(600, bool), 2) > 0.9


def test_a_source_that_a_head_has_not_seen_is_never_likely():
    table, examples = clouds()
    folds = np.where(examples.sources == 2, 0, 1)
    given = Examples(examples.spans, examples.sources, folds, examples.weights, examples.lengths, examples.short)
    trained = learn(table, given, SOURCES, [0, -1], torch.device("cpu"), quiet)
    scores = trained.scores(table.rows(np.arange(600)), examples.lengths, 0)
    assert not (scores.argmax(axis=1) == 2).any()
    assert (trained.scores(table.rows(np.arange(600)), examples.lengths, 1).argmax(axis=1) == 2).any()


def test_the_same_seed_gives_the_same_heads():
    table, examples = clouds(120)
    one, two = (learn(table, examples, SOURCES, [0, -1], torch.device("cpu"), quiet) for _ in range(2))
    assert torch.equal(one.projections, two.projections)
    assert torch.equal(one.prototypes, two.prototypes)


def test_steps_among_a_choice_of_very_many_sources(monkeypatch):
    monkeypatch.setattr(learning, "SAMPLED", 3)
    right, among = learning._choice(np.array([900, 5, 900]), 1000, np.random.default_rng(0))
    assert 2 <= len(among) <= 5
    assert among[right].tolist() == [900, 5, 900]


def test_features_lie_between_those_of_short_and_long_spans():
    scale = head.Scale(torch.tensor([[0.0], [10.0]]), torch.tensor([[1.0], [3.0]]))
    lengths = np.array([1, 32, 64, 128, 999])
    assert scale.apply(torch.full((5, 1), 10.0), lengths)[:, 0].tolist() == pytest.approx([8, 8, 2.5, 0, 0])


def test_rows_of_a_table_come_from_its_files():
    parts = [np.full((PART, 2), 1, np.float16), np.full((3, 2), 2, np.float16)]
    table = Table(parts)
    assert len(table) == PART + 3
    assert table.rows(np.array([PART + 1, 0, PART]))[:, 0].tolist() == [2, 1, 2]


def test_windows_cover_a_document_but_for_a_rest_that_says_little():
    assert windows(0) == []
    assert windows(5) == [(0, 5)]
    assert windows(300) == [(0, 128), (128, 256), (256, 300)]
    assert windows(260) == [(0, 128), (128, 256)]
    assert short_windows(32) == []
    assert all(stop - start == 32 and start >= 0 and stop <= 1000 for start, stop in short_windows(1000))


def test_of_a_large_source_evenly_spread_spans_are_taken():
    documents = [
        Document(np.arange(1280, dtype=np.uint32), (0,), 0),
        Document(np.arange(256, dtype=np.uint32), (1,), 1),
    ]
    spans = spans_of(documents, 5)
    taken = [int(tokens[0]) for tokens, short in zip(spans.tokens, spans.short, strict=True) if not short]
    assert taken == [0, 256, 512, 768, 1024, 0, 128]
    assert spans.documents[~spans.short].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert spans.short.sum() == 7


def test_texts_have_the_mean_of_their_spans_by_tokens():
    means, tokens = mean_scores(np.array([[1.0], [5.0], [2.0]]), np.array([30, 10, 7]), np.array([0, 0, 2]), 3)
    assert means[:, 0].tolist() == [2, 0, 2]
    assert tokens.tolist() == [40, 0, 7]


def test_calibration_finds_the_factor_that_the_scores_lack():
    random = np.random.default_rng(0)
    tokens = random.choice([32, 128, 2048], 6000)
    true = Calibration(0.4, 0.3)
    means = random.normal(size=(6000, 4))
    logs = logarithms(means * true.factor(tokens)[:, None])
    right = [(int(random.choice(4, p=np.exp(row))),) for row in logs]
    calibrated = calibrate(means, tokens, right)
    assert calibrated.level == pytest.approx(0.4, abs=0.1)
    assert calibrated.growth == pytest.approx(0.3, abs=0.1)
    assert calibration_error(logs, right) < 0.03
    assert calibration_error(logarithms(5 * means), right) > 0.1


def test_sources_go_by_collection_where_there_are_many():
    sources = ["book", "posts/ann", "posts/ben", "posts2"]
    assert collections_of(sources).tolist() == [0, 1, 1, 2]
    means = np.array([[0.0, 1.0, 0.0, 0.0]])
    flat = np.exp(probabilities(means, np.array([128]), sources, Calibration(), None))[0]
    assert flat == pytest.approx(np.exp([0, 1, 0, 0]) / np.exp([0, 1, 0, 0]).sum())
    sharp = np.exp(probabilities(means, np.array([128]), sources, Calibration(), Calibration(level=5)))[0]
    assert sharp.sum() == pytest.approx(1)
    assert sharp[1] == pytest.approx(np.e / (np.e + 2))
    assert sharp[2] < 1e-5


def test_of_many_sources_publishers_and_their_sources_are_calibrated_apart(monkeypatch):
    monkeypatch.setattr(training, "MANY", 3)
    random = np.random.default_rng(0)
    sources = ["book", "posts/ann", "posts/ben", "posts/cy"]
    right = random.integers(0, 4, 2000)
    means = random.normal(size=(2000, 4))
    means[np.arange(2000), right] += 1  # which is right says something,
    means[right > 0, 1:] += 3  # and whose it is says more
    ones = [(one,) for one in right.tolist()]
    held = Held(means, np.full(2000, 128), ones, np.ones(2000, np.int64), np.zeros(2000, np.int64))
    calibration, within = training._calibrations(held, sources)
    logs = probabilities(means, held.tokens, sources, calibration, within)
    assert np.exp(logs).sum(axis=1) == pytest.approx(np.ones(2000))
    assert calibration_error(logs, ones) < 0.05
    assert training._calibrations(held, ["a", "b", "c", "d"])[1] is None


def test_a_source_that_was_not_seen_does_not_spoil_the_calibration():
    means = np.array([[2.0, 0.0, UNSEEN], [0.0, 2.0, UNSEEN], [1.0, 0.0, UNSEEN]])
    tokens = np.full(3, 128)
    with_it = calibrate(means, tokens, [(0,), (0,), (2,)])
    assert with_it == calibrate(means[:2], tokens[:2], [(0,), (0,)])
    logs = probabilities(means, tokens, ["a", "b", "c"], with_it, None)
    assert logs.min() == pytest.approx(-14, abs=0.01)


def test_text_alone_finds_sources_by_pairs_of_tokens():
    one, two = np.array([1, 2, 3, 4] * 20, np.uint32), np.array([5, 6, 7, 8] * 20, np.uint32)
    documents = [
        Document(one, (0,), 1),
        Document(two, (1,), 1),
        Document(one[:40], (0,), 0),
        Document(two[:40], (1,), 0),
    ]
    spans = spans_of(documents, 10)
    of_fold = np.flatnonzero(spans.documents >= 2)
    owners = [documents[number] for number in [*spans.documents[of_fold], 2, 3]]
    kinds = np.array([0 if short else 1 for short in spans.short[of_fold]] + [2, 2])
    size = len(owners)
    held = Held(np.zeros((size, 2)), np.full(size, 40), [each.sources for each in owners], kinds, np.zeros(size))
    text = text_alone(held, 0, spans, documents, 2)
    assert hits(text) == {"32 tokens": 1.0, "128 tokens": None, "document": 1.0}
    assert hits(held)["document"] == 0.5


def test_text_alone_says_nothing_of_sources_that_it_has_not_seen():
    """As a head does; else a source without tokens would be the likeliest of all."""
    text = np.array([1, 2, 3, 4] * 20, np.uint32)
    documents = [Document(text, (0,), 1), Document(text, (1,), 0)]
    spans = spans_of(documents, 10)
    mine = np.flatnonzero(spans.documents == 1)
    size = len(mine) + 1
    held = Held(np.zeros((size, 2)), np.full(size, 40), [(1,)] * size, np.zeros(size, int), np.zeros(size))
    found = text_alone(held, 0, spans, documents, 2)
    assert (found.means.argmax(axis=1) == 0).all()
    assert not seen(found.means, found.right).any()
