"""Rule U6: the BM25 index of passages, against the formula, and without terms that are too common."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from royaltycli.attribution import passages
from royaltycli.attribution.passages import index_passages, scores


def tokens(*documents):
    """Documents that follow one another, and the length of each."""
    return np.concatenate([np.array(one, np.uint32) for one in documents]), np.array([len(one) for one in documents])


def terms(document):
    """Tokens, and pairs of them."""
    return [*((one,) for one in document), *itertools.pairwise(document)]


def by_formula(query, documents, skipped=(), others=()):
    """BM25 as Lucene has it, k1 1.5 and b 0.75, which is what bm25s does unless told otherwise."""
    bags = [terms(one) for one in documents]
    mean = np.mean([len(bag) for bag in bags])
    everywhere = bags + [terms(one) for one in others]

    def score(bag):
        total = 0.0
        for term in terms(query):
            having = sum(term in other for other in everywhere)
            if term in skipped or not having:
                continue
            rarity = math.log(1 + (len(everywhere) - having + 0.5) / (having + 0.5))
            times = bag.count(term)
            total += rarity * times / (times + 1.5 * (1 - 0.75 + 0.75 * len(bag) / mean))
        return total

    return [score(bag) for bag in bags]


DOCUMENTS = ([5, 6, 7, 5, 6], [5, 9], [5, 7, 7, 8, 9, 1, 2], [3])
QUERY = [5, 7, 8, 4, 5, 6]


def test_scores_are_those_of_the_formula():
    (found,) = scores([index_passages(*tokens(*DOCUMENTS))], np.array(QUERY, np.uint32))
    assert found.tolist() == pytest.approx(by_formula(QUERY, DOCUMENTS), rel=1e-5)


def test_a_term_that_too_many_passages_have_says_nothing(monkeypatch):
    monkeypatch.setattr(passages, "COMMON_TERM", 2)
    (found,) = scores([index_passages(*tokens(*DOCUMENTS))], np.array(QUERY, np.uint32))
    assert found.tolist() == pytest.approx(by_formula(QUERY, DOCUMENTS, skipped=[(5,)]), rel=1e-5)
    assert found.tolist() != pytest.approx(by_formula(QUERY, DOCUMENTS), rel=1e-2)


def test_a_term_counts_by_how_rare_it_is_in_all_shards():
    """A source fares no worse for standing in a small shard, or among others that say the same."""
    others = ([5, 6], [4, 8], [4, 4, 7])
    made = [index_passages(*tokens(*some)) for some in (DOCUMENTS, others, [[]])]
    first, second, empty = scores(made, np.array(QUERY, np.uint32))
    assert first.tolist() == pytest.approx(by_formula(QUERY, DOCUMENTS, others=others), rel=1e-5)
    assert second.tolist() == pytest.approx(by_formula(QUERY, others, others=DOCUMENTS), rel=1e-5)
    assert empty.tolist() == []


def test_a_long_document_is_cut_and_an_empty_one_has_no_passage():
    made = index_passages(*tokens(range(300), [], [7]))
    assert made.places.tolist() == [0, 128, 256, 302]
    assert len(scores([made], np.array([7], np.uint32))[0]) == 4


def test_of_no_documents_there_is_no_score():
    assert scores([index_passages(*tokens([]))], np.array([7], np.uint32))[0].tolist() == []
