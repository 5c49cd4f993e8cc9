"""Rules U10 to U16 by hand: from judgements on spans to the table of usage and its details, without an index."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from royaltycli.attribution import usage
from royaltycli.attribution.logs import Log
from royaltycli.attribution.usage import exact
from royaltycli.payout.measures import UNATTRIBUTED


def index_of(names, units=None):
    """An index of some sources; each is a unit of its own, unless `units` are given: their sources, and `earliest`."""
    units = units or [((number,), 1) for number in range(len(names))]
    return SimpleNamespace(
        units=[SimpleNamespace(sources=sources, earliest=earliest) for sources, earliest in units],
        source_ids=list(names),
        sources=pa.table({"title": [name.title() for name in names]}),
    )


def span(*odds):
    """A judgement: the probability of each unit; the rest is of none."""
    units = np.flatnonzero(odds)
    return SimpleNamespace(units=units, odds=np.array(odds)[units], none=1 - sum(odds))


def log_of(*outputs, weights=None, accounts=None):
    """A log of outputs, each the judgements on its spans, which are parts of it of the same size."""
    owners = np.repeat(np.arange(len(outputs)), [len(spans) for spans in outputs])
    parts = np.concatenate([np.full(len(spans), 1 / len(spans)) for spans in outputs])
    each = np.ones(len(outputs)) if weights is None else np.array(weights, float)
    ids, none = [f"o{number:03}" for number in range(len(outputs))], [None] * len(outputs)
    judgements = [one for spans in outputs for one in spans]
    return Log(ids, accounts or none, none, each[owners] * parts, parts, owners, judgements, [{}] * len(ids), 70, 5)


def of(index, log, prior=None, **how):
    """The usage of a log by an index."""
    return usage.attribute(index, log, prior, **how)


def credits_of(found):
    rows = found.table.to_pylist()
    return {row["source_id"]: float(row["credit"]) for row in rows}


def test_rule_u15_the_sources_of_the_earliest_copy_share_it():
    """It names two sources, and a later one a third, which is also a unit of its own."""
    index, log = index_of("abc", [((1, 2, 0), 2), ((0,), 1)]), log_of([span(1.0, 0.0), span(0.0, 1.0)])
    assert credits_of(of(index, log)) == pytest.approx({"a": 4 / 6, "b": 1 / 6, "c": 1 / 6, UNATTRIBUTED: 0})
    assert credits_of(of(index, log, copies="first")) == {"a": 0.5, "b": 0.25, "c": 0.25, UNATTRIBUTED: 0}


def test_rule_u16_the_largest_remainder_gets_what_is_left():
    assert exact(np.array([1 / 3, 2 / 3])) == [333333333333, 666666666667]
    assert exact(np.array([1 / 3] * 3)) == [333333333334, 333333333333, 333333333333]


def bounds_of(share, spread):
    rows = usage._table(index_of("ab"), np.array(share), np.array(spread), np.zeros(3, np.int64)).to_pylist()
    return [(row["source_id"], row["low"], row["high"]) for row in rows]


def test_rule_u11_bounds_are_those_of_the_middle_95_percent_of_draws():
    steps = np.linspace(0, 1, 201)
    spread = np.stack([steps, np.zeros(201), 1 - steps], axis=1)
    assert bounds_of([0.5, 0.0, 0.5], spread)[0] == ("a", "0.025000", "0.975000")


def test_rule_u11_bounds_are_rounded_outwards_and_hold_the_share():
    drawn = [[0.1234567, 0.0, 0.8765433]] * 3
    assert bounds_of([0.1234567, 0.0, 0.8765433], drawn) == [
        ("a", "0.123456", "0.123457"),
        (UNATTRIBUTED, "0.876543", "0.876544"),
    ]
    assert bounds_of([0.7654321, 0.0, 0.2345679], drawn) == [
        ("a", "0.123456", "0.765433"),
        (UNATTRIBUTED, "0.234567", "0.876544"),
    ]


def test_rule_u13_what_an_account_counts_counts_in_the_draws_too():
    """Twenty outputs of one account count as a tenth of all that count, beside ten others, whether they name one."""
    log = log_of(*[[span(1.0, 0.0)]] * 20, *[[span(0.0, 1.0)]] * 10, accounts=["x"] * 20 + [*"uvwyz", *[None] * 5])
    found = of(index_of("ab"), log)
    row = found.table.to_pylist()[1]
    assert (row["source_id"], float(row["credit"])) == ("a", pytest.approx(0.1))
    assert 0.12 < float(row["high"]) < 0.3
    assert found.alike == pytest.approx(float(Fraction(100, 9) ** 2 / (10 + Fraction(10, 9) ** 2 / 20)))
    assert (found.capped, found.outputs, found.groups, found.tokens, found.repeated) == (1, 30, 30, 70, 5)


def test_outputs_are_those_in_which_a_source_is_the_likeliest():
    found = of(index_of("ab"), log_of([span(0.6, 0.3)], [span(0.5, 0.1)], [span(0.2, 0.3)]))
    assert dict(zip("ab", found.table["outputs"].to_pylist()[:2], strict=True)) == {"a": 2, "b": 0}
    assert found.table["outputs"].to_pylist()[-1] == 1


def details_of(found):
    return [(row["output_id"], row["rank"], row["source_id"], row["score"]) for row in found.details.to_pylist()]


def test_the_score_of_a_source_is_its_part_of_all_spans_of_an_output():
    found = of(
        index_of("ab"), log_of([span(0.5, 0.5), span(1.0, 0.0), span(0.0, 0.0), span(0.0, 0.0)], [span(0.0, 1.0)])
    )
    assert details_of(found) == [
        ("o000", 1, "a", "0.375000"),
        ("o000", 2, "b", "0.125000"),
        ("o000", 3, UNATTRIBUTED, "0.500000"),
        ("o001", 1, "b", "1.000000"),
        ("o001", 2, UNATTRIBUTED, "0.000000"),
    ]


def test_five_sources_of_an_output_are_named_the_first_of_those_that_tie():
    found = of(index_of("abcdefg"), log_of([span(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3)], [span(4e-7, 0.5)]))
    assert [(name, rank, source) for name, rank, source, _ in details_of(found)] == [
        *(("o000", rank, source) for rank, source in enumerate([*"gabcd", UNATTRIBUTED], 1)),
        *(("o001", rank, source) for rank, source in enumerate(["b", UNATTRIBUTED], 1)),
    ]


def test_rule_u10_scores_are_corrected_by_the_shares_of_the_log():
    """Of a log that is nine to one, what looks like four to one of a is 36 to 1, and what looks so of b 4 to 9."""
    log = log_of(*[[span(0.8, 0.2)]] * 74, *[[span(0.2, 0.8)]] * 25, [span(0.2, 0.8), span(0.0, 0.0)])
    found = details_of(of(index_of("ab"), log, np.array([0.5, 0.5, 1e-9, 1e-9])))
    scores = {(name, source): float(score) for name, _, source, score in found}
    assert scores["o000", "a"] == pytest.approx(36 / 37, abs=0.005)
    assert scores["o098", "a"] == pytest.approx(9 / 13, abs=0.03)
    assert scores["o099", "a"] == pytest.approx(scores["o098", "a"] / 2, abs=1e-6)
    assert scores["o099", UNATTRIBUTED] == pytest.approx(0.5, abs=1e-6)
