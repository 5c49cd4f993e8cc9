"""Rule U4: what is surprising in a long text takes no more memory than in a short one."""

from __future__ import annotations

import numpy as np

from royaltycli.attribution import evidence
from royaltycli.attribution.evidence import background
from royaltycli.attribution.grams import look_up, runs_of
from royaltycli.attribution.index import reference_of
from tests.attribution.conftest import prose


def test_each_run_of_a_text_is_looked_up_once_and_few_together(corpus, monkeypatch):
    index = corpus({name: {f"{n}.txt": prose(10 * at + n) for n in range(3)} for at, name in enumerate(("ann", "bob"))})
    tokens = np.array(reference_of(index).encode(f"{prose(1)} {prose(99)} {prose(1)}"), np.uint32)
    at_once = background(index, tokens)
    asked = []
    monkeypatch.setattr(evidence, "look_up", lambda tables, runs: asked.append(runs.tolist()) or look_up(tables, runs))
    monkeypatch.setattr(evidence, "AT_ONCE", 16)
    assert background(index, tokens).tolist() == at_once.tolist()
    assert max(map(len, asked)) == 16
    distinct = [run for order in (1, 2) for run in set(runs_of(tokens, order).tolist())]
    assert sorted(run for runs in asked for run in runs) == sorted(distinct)


def test_the_background_of_a_text_is_that_of_its_measures(corpus):
    """The sums are those that the measures of a span rest on, for one token as for many."""
    index = corpus({name: {"1.txt": prose(at)} for at, name in enumerate(("ann", "bob"))})
    tokens = np.array(reference_of(index).encode(prose(0)), np.uint32)
    for size in (1, 2, 100):
        for order in (1, 2):
            expected = evidence._found(index, tokens[:size], order, None).totals
            assert evidence._totals(index, tokens[:size], order).tolist() == expected.tolist()
