"""Rule U2: which documents are copies."""

from __future__ import annotations

import numpy as np

from royaltycli.attribution.copies import _runs, groups, sketches


def grouped(*texts):
    lengths = np.array([len(text) for text in texts], np.int64)
    tokens = np.concatenate([np.empty(0, np.uint32), *(np.array(text, np.uint32) for text in texts)])
    return groups(sketches(tokens, lengths), lengths).tolist()


def some(seed, size=500):
    return np.random.default_rng(seed).integers(0, 5000, size).tolist()


def test_a_copy_belongs_to_the_first_wherever_it_stands():
    assert grouped(some(1), some(2), some(1), some(3), some(2)) == [0, 1, 0, 3, 1]


def test_a_copy_with_a_few_other_words_is_one_too():
    changed = some(1)
    changed[100] = changed[300] = 9999
    assert grouped(some(1), some(2), changed) == [0, 1, 0]


def test_a_document_that_shares_half_is_none():
    assert grouped(some(1), some(1)[:250] + some(2)[:250]) == [0, 1]


def test_52_of_64_places_are_needed():
    sketch = np.arange(64, dtype=np.uint32)
    for agree, expected in ((51, [0, 1]), (52, [0, 0])):
        other = np.where(np.arange(64) < agree, sketch, sketch + 1000).astype(np.uint32)
        assert groups(np.stack([sketch, other]), np.array([100, 100])).tolist() == expected


def test_copies_of_a_copy_are_of_the_first():
    one, two = some(1), some(1)
    two[50] = 9999
    three = list(two)
    three[450] = 9998
    assert grouped(one, two, three) == [0, 0, 0]


def test_short_documents_are_copies_only_of_their_like():
    assert grouped([1, 2, 3], [1, 2], [1, 2, 3], [4]) == [0, 1, 0, 3]


def test_empty_documents_are_copies_of_nothing():
    assert grouped([], [], [1]) == [0, 1, 2]


def test_copies_of_a_copy_are_of_the_first_whatever_is_found_first():
    """The first band tells that the third is a copy of the second, the fifth that this is one of the first."""
    one = np.arange(64, dtype=np.uint32)
    two = one.copy()
    two[[0, 4, 8, 12]] += 1000
    three = two.copy()
    three[16::4] += 2000
    assert groups(np.stack([one, two, three]), np.array([100, 100, 100])).tolist() == [0, 0, 0]


def test_a_document_is_known_by_whole_runs_of_8_tokens_unless_it_has_fewer():
    tokens = np.arange(25, dtype=np.uint32)
    runs = _runs(tokens, np.array([20, 5]))
    assert len(np.unique(runs[:20])) == 20 - 7
    assert len(np.unique(runs[20:])) == 5
