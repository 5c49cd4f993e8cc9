"""Rule U4: longest matches, against a search of every place by hand."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.attribution import suffixes as module
from royaltycli.attribution.suffixes import (
    MATCH_TOKENS,
    Suffixes,
    longest,
    occurrences,
    query_of,
    searchable,
    sort_suffixes,
)

documents = st.lists(st.lists(st.integers(0, 3), max_size=30), min_size=1, max_size=5)


def suffixes_of(texts):
    lengths = np.array([len(text) for text in texts], np.int64)
    tokens = np.array([token for text in texts for token in text], np.uint32)
    text = searchable(tokens, lengths)
    return Suffixes(text, sort_suffixes(text), np.repeat(np.arange(len(texts), dtype=np.int32), lengths + 1))


def by_hand(texts, query):
    """The longest match from each place of a query on."""
    spans = {tuple(text[a:b]) for text in texts for a in range(len(text)) for b in range(a + 1, len(text) + 1)}
    spans.add(())
    ends = len(query) + 1
    return [max(stop - at for stop in range(at, ends) if tuple(query[at:stop]) in spans) for at in range(len(query))]


@settings(deadline=None)
@given(documents, st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_the_longest_match_is_that_of_a_search_by_hand(texts, query):
    found = longest(suffixes_of(texts), query_of(np.array(query, np.uint32)))
    assert found.tolist() == by_hand(texts, query)


@contextlib.contextmanager
def short():
    """Two tokens are compared at once, so that short texts are longer than that; and queries of more than four long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MATCH_TOKENS", 2)
        patch.setattr(module, "KEY", "S8")
        patch.setattr(module, "APART", 4)
        yield


@settings(deadline=None)
@given(documents, st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_the_longest_of_matches_that_are_longer_than_what_is_compared_at_once(texts, query):
    with short():
        found = longest(suffixes_of(texts), query_of(np.array(query, np.uint32)))
    assert found.tolist() == by_hand(texts, query)


repeated = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 15)), min_size=1, max_size=4).map(
    lambda runs: [token for token, times in runs for _ in range(times)]
)


@settings(deadline=None)
@given(st.lists(repeated, min_size=1, max_size=3), repeated)
def test_the_longest_matches_of_a_query_that_repeats_tokens(texts, query):
    with short():
        found = longest(suffixes_of(texts), query_of(np.array(query, np.uint32)))
    assert found.tolist() == by_hand(texts, query)


@settings(deadline=None)
@given(documents, st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_what_is_hidden_does_not_match_however_long_it_is(texts, query, data):
    gone = data.draw(st.integers(0, len(texts) - 1))
    with short():
        suffixes = suffixes_of(texts)
        asked = query_of(np.array(query, np.uint32))
        found = longest(suffixes, asked, lambda places: suffixes.documents[places] == gone)
    assert found.tolist() == by_hand([text for number, text in enumerate(texts) if number != gone], query)


def test_of_documents_that_begin_alike_the_one_is_found_that_goes_on_alike():
    """As those do that begin with one licence."""
    licence = list(range(100, 100 + 2 * MATCH_TOKENS))
    suffixes = suffixes_of([[*licence, 1, 2, 3], [*licence, 7, 8, 9], [*licence, 4, 5, 6]])
    for end in ([1, 2, 3], [4, 5, 6], [7, 8, 9]):
        query = np.array([*licence, *end], np.uint32)
        assert longest(suffixes, query_of(query)).tolist() == list(range(len(query), 0, -1))


@pytest.fixture
def looked(monkeypatch):
    """How many places of a query are looked at, each time that some are."""
    found, common = [], module._common
    monkeypatch.setattr(
        module, "_common", lambda text, places, *how: found.append(len(places)) or common(text, places, *how)
    )
    return found


def test_of_a_text_that_the_corpus_has_word_for_word_few_places_are_looked_for(looked):
    text = list(range(20 * module.APART))
    assert longest(suffixes_of([text]), query_of(np.array(text, np.uint32))).tolist() == list(range(len(text), 0, -1))
    assert sum(looked) < 100


def test_of_one_token_over_and_over_few_places_are_looked_for(looked):
    """As a model writes that does not find the end; each place is then as good as the one before."""
    times, most = 20 * module.APART, 4 * module.APART
    suffixes = suffixes_of([[1, 2, *[7] * most, 3]])
    query = np.full(times, 7, np.uint32)
    assert longest(suffixes, query_of(query)).tolist() == [min(most, times - at) for at in range(times)]
    assert sum(looked) < 1000
    looked.clear()
    assert [places.tolist() for places in occurrences(suffixes, [query[:most]] * 100)] == [[2]] * 100
    assert sum(looked) < 50


def test_a_long_query_is_looked_for_in_parts(looked, monkeypatch):
    texts, query = (
        [[0, 1, 2, 0, 1, 1, 3], [2, 2, 1, 0]],
        np.array([0, 1, 2, 2, 1, 0, 5, 0, 1, 1, 3, 0, 0, 1], np.uint32),
    )
    at_once = longest(suffixes_of(texts), query_of(query)).tolist()
    assert at_once == by_hand(texts, query.tolist())
    monkeypatch.setattr(module, "AT_ONCE", 4)
    looked.clear()
    assert longest(suffixes_of(texts), query_of(query)).tolist() == at_once
    assert max(looked) <= 4


@settings(deadline=None)
@given(documents, st.lists(st.integers(0, 3), min_size=1, max_size=20), st.data())
def test_what_is_hidden_does_not_match(texts, query, data):
    gone = data.draw(st.integers(0, len(texts) - 1))
    suffixes = suffixes_of(texts)
    found = longest(suffixes, query_of(np.array(query, np.uint32)), lambda places: suffixes.documents[places] == gone)
    assert found.tolist() == by_hand([text for number, text in enumerate(texts) if number != gone], query)


@settings(deadline=None)
@given(documents, st.lists(st.integers(0, 3), min_size=1, max_size=6), st.booleans())
def test_every_occurrence_is_found(texts, query, is_long):
    with short() if is_long else contextlib.nullcontext():
        suffixes = suffixes_of(texts)
        found = occurrences(suffixes, [np.array(query, np.uint32)])[0].tolist()
    starts = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])])
    expected = [
        int(starts[number]) + at
        for number, text in enumerate(texts)
        for at in range(len(text) - len(query) + 1)
        if text[at : at + len(query)] == query
    ]
    assert sorted(found) == expected


def test_a_match_longer_than_what_is_compared_at_once():
    text = list(range(3 * MATCH_TOKENS))
    other = [*text[: 2 * MATCH_TOKENS], 9999]
    suffixes = suffixes_of([text, other])
    query = np.array(text, np.uint32)
    assert longest(suffixes, query_of(query)).tolist() == list(range(len(text), 0, -1))
    runs = [query[: 2 * MATCH_TOKENS], query[: 2 * MATCH_TOKENS + 1]]
    assert [len(places) for places in occurrences(suffixes, runs)] == [2, 1]
