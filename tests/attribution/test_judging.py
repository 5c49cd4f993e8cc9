"""Rules U10, U12 and U14 by hand: what is kept of a judgement on a span, and what an output is divided into."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from royaltycli.attribution import judging, logs
from royaltycli.attribution.evidence import LENGTH, Match
from royaltycli.attribution.judging import Judgement, by_matches, kept_of
from royaltycli.attribution.logs import Judges, judge_log
from royaltycli.attribution.outputs import Output


def match(start, size, units, excess):
    return Match(start, size, units, excess, ())


def kept(tokens, odds, none, matches=()):
    found = SimpleNamespace(units=np.arange(len(odds)) + 5, length=np.log(tokens / LENGTH), matches=matches)
    judged = kept_of(found, np.array(odds), none)
    return dict(zip(judged.units.tolist(), judged.odds.tolist(), strict=True)), judged.none


def test_rule_u10_what_is_slight_is_left_out_and_the_others_make_one():
    odds, none = kept(128, [0.5, 0.00009, 0.0001, 0.3], 0.19981)
    assert list(odds) == [5, 7, 8]
    assert sum(odds.values()) + none == pytest.approx(1, abs=1e-12)
    assert odds[5] / none == pytest.approx(0.5 / 0.19981)
    assert odds[5] / odds[8] == pytest.approx(0.5 / 0.3)


def test_rule_u10_fewer_than_eight_tokens_without_a_match_are_of_none():
    assert kept(7, [0.9], 0.1) == ({}, 1.0)
    for tokens, matches in ((8, ()), (7, (match(0, 3, (0,), 1.0),))):
        assert kept(tokens, [0.9], 0.1, matches) == ({5: pytest.approx(0.9)}, pytest.approx(0.1))


def test_rule_u12_a_token_is_of_the_match_of_the_highest_excess_in_equal_parts_to_those_who_have_it(monkeypatch):
    """Of ten tokens four are of the first match alone, four of the second, and two of none."""
    matches = [match(0, 6, (0,), 2.0), match(4, 4, (1, 3), 5.0), match(5, 2, (2,), 3.0)]
    monkeypatch.setattr(judging, "background", lambda *_: None)
    monkeypatch.setattr(judging, "find_matches", lambda *_: matches)
    judged = by_matches(SimpleNamespace(units=[None] * 5))(np.zeros(10, np.uint32))
    assert judged.units.tolist() == [0, 1, 3]
    assert [*judged.odds.tolist(), judged.none] == pytest.approx([0.4, 0.2, 0.2, 0.2])


def by_letters(texts):
    """As an engine to which each letter is a token."""
    letters = [np.array([*map(ord, text)], np.uint32) for text in texts.to_pylist()]
    return np.concatenate(letters), np.array([*map(len, letters)], np.int64)


def test_rules_u10_and_u14_spans_weigh_by_their_tokens_and_what_is_left_is_of_none():
    """Of 400 letters the prompt has 200, after the first 50: three spans are left, of 50, of 75 and of 75."""
    letters = "".join(map(chr, range(1000, 1400)))
    outputs = [
        Output("a", letters, Decimal(8), letters[50:250]),
        Output("b", "", Decimal(2)),
        Output("c", letters[:10], Decimal(3)),
    ]
    judge = Judges(lambda _: Judgement(np.array([0]), np.array([1.0]), 0.0, ()))
    engine = SimpleNamespace(encode=by_letters)
    log = judge_log(None, outputs, engine, None, judge, lambda *_: None)
    assert log.parts.tolist() == [0.125, 0.1875, 0.1875, 0.5, 1, 1]
    assert log.weights.tolist() == [1, 1.5, 1.5, 4, 2, 3]
    assert log.owners.tolist() == [0, 0, 0, 0, 1, 2]
    assert [each.none for each in log.judgements] == [0, 0, 0, 1, 1, 0]
    assert (log.tokens, log.repeated) == (410, 200)


def test_the_passage_of_a_source_is_the_first_of_its_most_surprising_ones(monkeypatch):
    """In all spans of an output; two sources have the unit that has it, each in a document of its own."""
    found, index = (
        {},
        SimpleNamespace(
            units=[SimpleNamespace(sources=(4, 6))], models=[SimpleNamespace(places=pa.array(["x.txt", "y.txt"]))]
        ),
    )
    monkeypatch.setattr(logs, "documents_of", lambda *_: {4: [(False, 0, 0, 1)], 6: [(True, 0, 0, 0)]})
    for starts in ((0, 2.0), (1, 5.0)), ((2, 5.0), (3, 4.0)):
        judged = Judgement(np.array([0]), np.array([1.0]), 0.0, tuple(match(at, 1, (0,), much) for at, much in starts))
        logs._quote(index, judged, np.arange(4, dtype=np.uint32), str, found)
    assert {source: (quote.excess, quote.passage, quote.place) for source, quote in found.items()} == {
        4: (5.0, "[1]", "y.txt"),
        6: (5.0, "[1]", "x.txt"),
    }
