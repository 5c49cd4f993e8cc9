"""Rule U5: counts of runs, against collections.Counter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.attribution.grams import count_grams, look_up, runs_of, without, without_unit

texts = st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 3), max_size=20)), min_size=1, max_size=5)


def table_of(documents, order):
    tokens = np.array([token for _, text in documents for token in text], np.uint32)
    lengths = np.array([len(text) for _, text in documents], np.int64)
    return count_grams(tokens, lengths, np.array([unit for unit, _ in documents], np.int64), order)


def by_hand(documents, order):
    return Counter(
        (tuple(text[at : at + order]), unit) for unit, text in documents for at in range(len(text) - order + 1)
    )


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


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(deadline=None)
@given(documents=texts, query=st.lists(st.integers(0, 3), min_size=1, max_size=20), data=st.data())
def test_what_is_left_out_is_as_if_it_were_not_there(order, documents, query, data):
    gone = data.draw(st.integers(0, len(documents) - 1))
    unit, text = documents[gone]
    runs = runs_of(np.array(query, np.uint32), order)
    found = without(look_up([table_of(documents, order)], runs), runs, unit, runs_of(np.array(text, np.uint32), order))
    others = [document for number, document in enumerate(documents) if number != gone]
    assert counts_of(found, query, order) == expected_of(by_hand(others, order), query, order)
    assert found.totals.tolist() == look_up([table_of(others, order)], runs).totals.tolist()
    whole = without_unit(look_up([table_of(documents, order)], runs), unit)
    others = [document for document in documents if document[0] != unit]
    assert counts_of(whole, query, order) == expected_of(by_hand(others, order), query, order)
