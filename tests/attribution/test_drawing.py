"""Rule U11: what is drawn anew for the intervals of usage: outputs, or all those of an account or a prompt together."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli import attributing
from royaltycli.attribution.drawing import groups_of, resampled
from royaltycli.attribution.logs import Log
from royaltycli.attribution.shift import Judged
from tests.attribution.conftest import prose
from tests.attribution.test_usage import log

QUOTES = {name: " ".join(prose(seed).split()[100:200]) for name, seed in (("ann", 0), ("bob", 10))}
"""Of the first document of each."""


def interval_of_ann(usage):
    (row,) = [row for row in usage.table.to_pylist() if row["source_id"] == "ann"]
    return float(row["low"]), float(row["high"])


@pytest.mark.parametrize(("field", "draw"), [("prompt", "prompts"), ("account", "accounts")])
def test_what_hangs_together_is_drawn_together(index, tmp_path, field, draw):
    """Twenty outputs quote ann, and twenty bob. If each is one answer of two, one draw in four has ann's alone."""
    outputs = log(tmp_path, *({"text": QUOTES[name], field: name} for name in ("ann", "bob") for _ in range(20)))
    each = attributing.attribute(outputs, index=index.path, method="verbatim", account_cap=1)
    together = attributing.attribute(outputs, index=index.path, method="verbatim", account_cap=1, draw=draw)
    assert (each.groups, round(each.alike)) == (40, 40)
    assert (together.groups, round(together.alike)) == (2, 2)
    assert each.table["credit"].equals(together.table["credit"])
    low, high = interval_of_ann(each)
    assert 0.3 < low < high < 0.7
    low, high = interval_of_ann(together)
    assert low == 0
    assert high > 0.95


def test_what_names_nothing_is_drawn_by_itself(index, tmp_path):
    """A blank prompt says no more than none."""
    said = [{"prompt": "Write."}] * 2 + [{"prompt": ""}] * 2 + [{"prompt": " \n"}, {}, {"account": "x"}]
    outputs = log(tmp_path, *({"text": QUOTES["ann"]} | more for more in said))
    assert attributing.attribute(outputs, index=index.path, method="verbatim", draw="prompts").groups == 6
    assert attributing.attribute(outputs, index=index.path, method="verbatim", draw="accounts").groups == 7


@pytest.mark.parametrize("draw", ["outputs", "accounts", "prompts"])
def test_the_order_of_the_log_changes_no_interval(index, tmp_path, draw):
    outputs = [
        {"id": f"o{n}", "text": QUOTES["ann" if n % 3 else "bob"], "account": f"a{n % 4}", "prompt": f"p{n % 5}"}
        for n in range(20)
    ]
    tables = [
        attributing.attribute(log(tmp_path, *some), index=index.path, method="verbatim", draw=draw).table
        for some in (outputs, outputs[::-1], outputs[7:] + outputs[:7])
    ]
    assert all(table.equals(tables[0]) for table in tables)


def of(ids, accounts):
    nothing = np.empty(0)
    return Log(ids, accounts, [None] * len(ids), nothing, nothing, np.empty(0, np.int64), [], [], 0, 0)


def test_groups_are_numbered_by_their_names():
    """Names come before the ids of what names none, which may be the same words."""
    log = of(["o3", "o1", "b", "o2", "a"], ["b", None, None, "a", "b"])
    assert groups_of(log, "accounts").tolist() == [1, 3, 2, 0, 1]
    assert groups_of(log, "outputs").tolist() == [4, 2, 1, 3, 0]


def test_each_draw_is_of_as_many_groups_as_weigh_anything():
    """Three groups of two spans, and one of no weight: the shares of a draw are thirds, and often not those of all."""
    units = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    judged = Judged(np.arange(8), units, np.ones(8), 4)
    weights = np.array([1.0, 1, 1, 1, 1, 1, 0, 0])
    rows = resampled(judged, None, weights, units)
    assert rows.shape == (200, 4)
    assert np.allclose(rows * 3, np.round(rows * 3))
    assert (rows[:, 3] == 0).all()
    assert 20 < (rows[:, 0] == 0).sum() < 100  # (2/3)**3 of them are 59
