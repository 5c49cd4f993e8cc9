"""Rule U5: counts of runs, against collections.Counter."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.attribution import grams
from royaltycli.attribution.grams import count_grams, look_up, of_units, runs_of

texts = st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 3), max_size=20)), min_size=1, max_size=5)


def table_of(documents, order):
    tokens = np.array([token for _, text in documents for token in text], np.uint32)
    lengths = np.array([len(text) for _, text in documents], np.int64)
    owners = np.array([owner for owner, text in documents for _ in text], np.int64)
    return count_grams(tokens, lengths, owners, order)


def by_hand(documents, order):
    return Counter(
        (tuple(text[at : at + order]), unit) for unit, text in documents for at in range(len(text) - order + 1)
    )


def weights_by_hand(documents, order):
    """256 times log2(1 + n) for each document that has a run n times, rounded."""
    weights = Counter()
    for unit, text in documents:
        for (run, _), count in by_hand([(unit, text)], order).items():
            weights[run, unit] += round(256 * math.log2(1 + count))
    return weights


def weights_of(found, query, order):
    runs = [tuple(query[at : at + order]) for at in range(len(query) - order + 1)]
    entries = zip(found.places.tolist(), found.units.tolist(), found.weights.tolist(), strict=True)
    return {(runs[place], unit): weight for place, unit, weight in entries}


def counts_of(found, query, order):
    runs = [tuple(query[at : at + order]) for at in range(len(query) - order + 1)]
    entries = zip(found.places.tolist(), found.units.tolist(), found.counts.tolist(), strict=True)
    return {(runs[place], unit): count for place, unit, count in entries}


def expected_of(counted, query, order):
    runs = {tuple(query[at : at + order]) for at in range(len(query) - order + 1)}
    return {key: count for key, count in counted.items() if key[0] in runs}


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(deadline=None)
@given(first=texts, second=texts, query=st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_the_tables_of_two_shards_add_up(order, first, second, query):
    found = look_up([table_of(first, order), table_of(second, order)], runs_of(np.array(query, np.uint32), order))
    counted = by_hand([*first, *second], order)
    assert counts_of(found, query, order) == expected_of(counted, query, order)
    runs = [tuple(query[at : at + order]) for at in range(len(query) - order + 1)]
    assert found.totals.tolist() == [sum(counted[run, unit] for unit in range(3)) for run in runs]
    weighed = weights_by_hand([*first, *second], order)
    assert weights_of(found, query, order) == expected_of(weighed, query, order)
    table = table_of(first, order)
    weighed = weights_by_hand(first, order)
    sums = {unit: sum(weight for (_, own), weight in weighed.items() if own == unit) for unit in range(3)}
    assert dict(zip(table.owners.tolist(), table.sums.tolist(), strict=True)) == {u: w for u, w in sums.items() if w}


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(deadline=None)
@given(
    documents=st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 3), max_size=20)), min_size=1, max_size=6),
    query=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    fold=st.none() | st.integers(0, 1),
    unit=st.none() | st.integers(0, 2),
)
def test_what_is_left_out_is_as_if_it_were_not_there(order, documents, query, fold, unit):
    """Three units of two folds each: the owner 2 * unit + fold."""

    def gone(owners):
        return (owners % 2 == fold) | (owners // 2 == unit)

    runs = runs_of(np.array(query, np.uint32), order)
    found = of_units(look_up([table_of(documents, order)], runs, gone), 2)
    others = [(owner // 2, text) for owner, text in documents if owner % 2 != fold and owner // 2 != unit]
    assert counts_of(found, query, order) == expected_of(by_hand(others, order), query, order)
    assert weights_of(found, query, order) == expected_of(weights_by_hand(others, order), query, order)
    assert found.totals.tolist() == look_up([table_of(others or [(0, [])], order)], runs).totals.tolist()


@pytest.mark.parametrize("gone", [None, lambda owners: owners == 1])
def test_runs_that_too_many_have_are_counted_but_have_no_entries(monkeypatch, gone):
    """Three have 1, in two shards; two have 2, one of them, with the third, is gone or not."""
    monkeypatch.setattr(grams, "COMMON_RUN", 2)
    tables = [table_of([(0, [1, 1, 2]), (1, [1, 2])], 1), table_of([(2, [1, 3])], 1)]
    found = look_up(tables, runs_of(np.array([1, 2, 1, 4], np.uint32), 1), gone)
    assert found.common.tolist() == [True, False, True, False]
    assert found.totals.tolist() == ([4, 2, 4, 0] if gone is None else [3, 1, 3, 0])
    entries = sorted(zip(found.places.tolist(), found.units.tolist(), strict=True))
    assert entries == ([(1, 0), (1, 1)] if gone is None else [(1, 0)])


def test_a_run_of_a_document_in_two_folds_is_of_the_one_that_it_begins_in():
    table = count_grams(np.array([1, 2, 3], np.uint32), np.array([3]), np.array([0, 1, 1]), 2)
    found = look_up([table], runs_of(np.array([1, 2, 3], np.uint32), 2))
    assert sorted(zip(found.places.tolist(), found.units.tolist(), strict=True)) == [(0, 0), (1, 1)]
