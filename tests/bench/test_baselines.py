"""The methods of comparison find the source where it is plain, and payouts are what they say."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from royaltycli.bench.baselines import baselines, check_installed, naive_bayes, verbatim
from royaltycli.bench.method import Odds
from royaltycli.bench.payouts import WINDOWS, errors, mixtures, paid_on_unknown
from royaltycli.bench.spans import Spans, Texts, cut
from royaltycli.errors import CallError


def texts(*words):
    """Documents of tokens, one a source."""
    return Texts(tuple(np.array(each, np.uint32) for each in words), np.arange(len(words)))


def drawn(size=400):
    """Two sources that share half of their tokens."""
    random = np.random.default_rng(0)
    return [
        np.where(random.random(size) < 0.5, random.integers(0, 9, size), random.integers(low, low + 20, size)).astype(
            np.uint32
        )
        for low in (10, 40)
    ]


@pytest.mark.parametrize("name", baselines(texts([1]), 1))
def test_each_method_tells_sources_of_different_words_apart(name):
    method = baselines(texts(*drawn()), 2)[name]()
    spans = [np.array(each, np.uint32) for each in ([10, 12, 3, 15, 11, 10, 14], [41, 3, 45, 50, 44, 41, 59])]
    scores = method([*(part for each in drawn() for part in (each[:40], each[200:240])), *spans])
    assert scores.argmax(axis=1)[:4].tolist() == [0, 0, 1, 1]
    assert scores.shape == (6, 2)


def test_naive_bayes_by_hand():
    # Pairs of source 0: 12 23; of source 1: 12 24. With one added to each of 4 kinds, unknown ones among them.
    method = naive_bayes(texts([1, 2, 3], [1, 2, 4]), 2, None)
    found = method([np.array([2, 3], np.uint32)])[0]
    assert np.exp(found) == pytest.approx([2 / 6, 1 / 6])


def test_verbatim_credits_a_match_to_all_who_have_it():
    method = verbatim(texts([1, 2, 3, 4, 9], [1, 2, 3, 5, 6, 7, 8]), 2, excess=False)
    assert method([np.array([1, 2, 3], np.uint32)])[0].tolist() == [1.5, 1.5]
    assert method([np.array([1, 2, 3, 4], np.uint32)])[0].tolist() == [4, 0]
    assert method([np.array([3, 5, 6, 99, 2, 3, 4], np.uint32)])[0].tolist() == [3, 3]


def test_spans_lie_side_by_side_within_documents():
    found = cut(texts(range(10), range(100, 104), range(200, 209)), 4)
    assert [each.tolist() for each in found.tokens] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [100, 101, 102, 103], [200, 201, 202, 203], [204, 205, 206, 207],
    ]  # fmt: skip
    assert found.documents.tolist() == [0, 0, 1, 2, 2]
    assert len(cut(texts(range(10)), None)) == 1
    drawn_once, again, other = (cut(texts(range(400)), 4, 20, seed).tokens for seed in (1, 1, 2))
    assert [each.tolist() for each in drawn_once] == [each.tolist() for each in again]
    assert [each.tolist() for each in drawn_once] != [each.tolist() for each in other]


def test_each_source_has_the_same_part_of_the_spans():
    """Were the spans drawn alike from all text, a source with little held out would hardly be asked about."""
    long, short = range(4000), range(5000, 5100)
    drawn = [cut(texts(long, short), 4, 20, seed).sources.mean() for seed in range(50)]
    assert 0.4 < np.mean(drawn) < 0.6
    assert len(cut(texts(long, short), 4, 1020)) == 1020


def certain(sources):
    """Odds of spans that are sure of a source, or (2) of none."""
    table = np.zeros((len(sources), 3))
    table[np.arange(len(sources)), sources] = 1
    return Odds(table, np.eye(3))


PRIOR = np.array([0.4, 0.4, 0.1, 0.1])
"""Of two sources, and of none that is like either."""


def test_who_is_sure_and_right_pays_without_error():
    spans = Spans((np.zeros(1, np.uint32),) * 20, np.arange(20), np.repeat([0, 1], 10))
    mixed = mixtures(spans, 2, 0, 5)
    assert all(len(each.spans) == WINDOWS for each in mixed)
    assert all((spans.sources[each.spans] == 1).mean() == pytest.approx(each.truth[1]) for each in mixed)
    found = errors(certain(spans.sources), PRIOR, mixed, np.array([7.0, 7.0]))
    assert [found[way].max() for way in ("argmax", "mean", "corrected")] == pytest.approx([0, 0, 0], abs=0.005)
    assert found["tokens"].tolist() == pytest.approx([abs(each.truth[0] - 0.5) for each in mixed])


def test_what_is_unsure_is_corrected():
    """Of probabilities that are calibrated to equal parts, a skewed mixture gets its own by expectation and maximisation."""
    spans = Spans((np.zeros(1, np.uint32),) * 200, np.arange(200), np.repeat([0, 1], 100))
    table = np.array([[0.7, 0.3, 0.0]] * 70 + [[0.3, 0.7, 0.0]] * 30 + [[0.7, 0.3, 0.0]] * 30 + [[0.3, 0.7, 0.0]] * 70)
    found = errors(Odds(table, np.eye(3)), PRIOR, mixtures(spans, 2, 0, 20), np.ones(2))
    assert found["corrected"].mean() < found["mean"].mean() / 2
    assert found["corrected"].mean() < found["argmax"].mean() / 2


def test_unknown_corpora_are_paid_what_is_not_told_to_be_of_none():
    found = certain(np.repeat([2, 2, 2, 0], 500))
    paid = paid_on_unknown(found, PRIOR, np.repeat([-1, -1, -2, -2], 500))
    assert paid.tolist() == pytest.approx([0.5, 0.0], abs=0.005)


def test_a_missing_package_is_an_error_that_says_how_to_get_it(monkeypatch):
    check_installed()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else name)
    with pytest.raises(CallError, match=r"^scikit-learn is not installed; pip install 'royaltycli\[bench\]'$"):
        check_installed()
