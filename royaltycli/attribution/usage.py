"""The usage of sources in a log of outputs that were judged: corrected, and shared out (rules U10 to U16)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.accounts import most_of_one
from royaltycli.attribution.drawing import Draw, groups_of, resampled
from royaltycli.attribution.index import Index
from royaltycli.attribution.logs import Log
from royaltycli.attribution.shift import Judged, as_many, corrected, folded, leaning, mean, shares
from royaltycli.errors import CallError
from royaltycli.parallel.threads import one_thread
from royaltycli.payout.measures import UNATTRIBUTED

PLACES = 12
"""Decimal places of credits, which sum to one."""

ROUND = 10**6
"""Parts of one in which the bounds of an interval are stated, outwards."""

SCORED_AT_ONCE = 2_000_000
"""Scores of units, of all outputs that are scored at a time."""

ROUNDING = 1e-9
"""A factor that is closer to one is one: sums of weights are off by their last bits, and ten accounts with a tenth each
have no more than their part."""

NAMED, NOTHING = 5, 0.5e-6
"""Sources that are named for each output, and the score that is rounded to nothing."""

USAGE = pa.schema(
    [
        ("source_id", pa.string()),
        ("title", pa.string()),
        ("credit", pa.string()),
        ("low", pa.string()),
        ("high", pa.string()),
        ("outputs", pa.int64()),
    ]
)
"""The table of usage: credits sum to one; `outputs` is in how many a source is the likeliest."""

DETAILS = pa.schema(
    [
        ("output_id", pa.string()),
        ("rank", pa.int64()),
        ("source_id", pa.string()),
        ("score", pa.string()),
        ("passage", pa.string()),
        ("place", pa.string()),
    ]
)
"""The sources of each output, up to NAMED, and UNATTRIBUTED; the scores of all sources of an output sum to one.

`passage` is the most surprising match of the output with the source, if there is one, and `place` the first document
in which the source has it, such as `posts.jsonl:12`.
"""

Copies = Literal["split", "first"]


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage table, the details, and how many outputs of how many tokens it rests on.

    For the intervals so many `groups` of outputs were drawn, each what `draw` says, and `alike` ones of the same weight
    tell as much as these do by theirs. `repeated` tokens are from prompts, and `capped` accounts count for less than
    they weigh. What judged the outputs was `calibrated` on so many spans; None if it was not. `of_one` is whether they
    all were of one source. `strangers` are the sources of the index that a network does not know.
    """

    table: pa.Table
    details: pa.Table
    outputs: int
    groups: int
    alike: float
    tokens: int
    repeated: int
    capped: int
    draw: Draw = "outputs"
    calibrated: int | None = None
    of_one: bool = False
    strangers: int = 0


def attribute(
    index: Index,
    log: Log,
    prior: Floats | None,
    *,
    copies: Copies = "split",
    account_cap: Fraction = Fraction(1, 10),
    draw: Draw = "outputs",
) -> Usage:
    """The usage of the sources of an index in a log that was judged.

    With a `prior`, the shares of units and of none that the judges were calibrated on, shares are corrected (U10);
    without one they are means. `copies` says who is credited with what several sources hold alike,
    `account_cap` which part of all that counts one account may have (U13), and `draw` what is drawn anew for the
    intervals (U11).

    Raises CallError for a log without weight.
    """
    weights, capped = _capped(log, account_cap)
    if not weights.sum() > 0:
        raise CallError("no output has any weight; there is nothing to share out")
    groups = groups_of(log, draw)
    judged = _entries(log, len(index.units) + 1)
    credit = _crediting(index, copies)
    with one_thread():
        found = mean(judged, weights) if prior is None else shares(judged, prior, weights)
        spread = credit(_plain(resampled(judged, prior, weights, groups[log.owners]), prior))
    likeliest, details = np.zeros(len(index.sources) + 1, np.int64), list[pa.Table]()
    for first, scores in _scores(judged, prior, found, log):
        by_source = credit(scores)
        likeliest += np.bincount(by_source.argmax(axis=1), minlength=len(likeliest))
        details.append(_details(index, log, first, by_source))
    table = _table(index, credit(_plain(found[None, :], prior))[0], spread, likeliest)
    alike = as_many(np.bincount(groups[log.owners], weights).astype(np.float64))
    many = int(groups.max()) + 1
    figures = len(log.ids), many, alike, log.tokens, log.repeated, capped
    return Usage(table, pa.concat_tables(details), *figures, draw)


def _capped(log: Log, cap: Fraction) -> tuple[Floats, int]:
    """The weights of spans, those of an account that has more than its part scaled down; and of how many it was."""
    names = sorted({account for account in log.accounts if account is not None})
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    of_output = np.array([numbers.get(account, len(names)) for account in log.accounts], np.int64)
    of_span = of_output[log.owners]
    *sums, others = np.bincount(of_span, log.weights, minlength=len(names) + 1)
    most = most_of_one(np.array(sums), others, cap)
    factors = np.minimum(1.0, most / np.maximum(sums, 1e-300))
    return log.weights * np.append(factors, 1.0)[of_span], int(np.count_nonzero(factors < 1 - ROUNDING))


def _entries(log: Log, size: int) -> Judged:
    """All judgements as entries; that of none is the last unit."""
    spans = [np.full(len(each.units) + 1, number) for number, each in enumerate(log.judgements)]
    units = [np.append(each.units, size - 1) for each in log.judgements]
    odds = [np.append(each.odds, each.none) for each in log.judgements]
    empty = np.empty(0, np.int64)
    return Judged(
        np.concatenate([empty, *spans]), np.concatenate([empty, *units]), np.concatenate([np.empty(0), *odds]), size
    )


def _plain(found: Floats, prior: Floats | None) -> Floats:
    """Shares in rows with one place for none, also of those that were corrected, which tell it apart."""
    return found if prior is None else folded(found)


def _crediting(index: Index, copies: Copies) -> Callable[[Floats], Floats]:
    """From rows of shares of units, and of none, to rows of those of sources, and of none."""
    credited = [unit.sources if copies == "split" else unit.sources[: unit.earliest] for unit in index.units]
    units = np.repeat(np.arange(len(credited)), list(map(len, credited)))
    sources = np.array([source for own in credited for source in own], np.int64)
    parts = np.array([1 / len(own) for own in credited for _ in own])
    order = np.argsort(sources, kind="stable")
    units, parts = units[order], parts[order]
    named, first = np.unique(sources[order], return_index=True)

    def credit(rows: Floats) -> Floats:
        table = np.zeros((len(rows), len(index.sources) + 1))
        if len(named):
            table[:, named] = np.add.reduceat(rows[:, units] * parts, first, axis=1)
        table[:, -1] = rows[:, -1]
        return table

    return credit


def _scores(judged: Judged, prior: Floats | None, found: Floats, log: Log) -> Iterator[tuple[int, Floats]]:
    """By output and unit, what of the output is the unit's: the number of the first of some outputs, and their rows.

    Rows sum to one.
    """
    at_once = max(1, SCORED_AT_ONCE // judged.size)
    for first in range(0, len(log.ids), at_once):
        count = min(at_once, len(log.ids) - first)
        spans = slice(*np.searchsorted(log.owners, [first, first + count]).tolist())
        entries = slice(*np.searchsorted(judged.spans, [spans.start, spans.stop]).tolist())
        some = Judged(judged.spans[entries] - spans.start, judged.units[entries], judged.odds[entries], judged.size)
        yield first, _plain(_scored(some, prior, found, log.owners[spans] - first, log.parts[spans], count), prior)


def _scored(
    judged: Judged, prior: Floats | None, found: Floats, owners: Numbers, inside: Floats, outputs: int
) -> Floats:
    """Of so many outputs, whose spans have these owners, and these parts of their output."""
    split, odds = judged, judged.odds
    if prior is not None:
        split = leaning(judged)
        odds = corrected(split, split.odds / prior[split.units], found, len(owners))
    table = np.zeros((outputs, len(found)))
    np.add.at(table, (owners[split.spans], split.units), odds * inside[split.spans])
    rest = 1 - np.bincount(split.spans, odds, minlength=len(owners))  # corrected spans that are surely of none
    np.add.at(table[:, -1], owners, np.maximum(rest, 0) * inside)
    return table


def _table(index: Index, share: Floats, spread: Floats, likeliest: Numbers) -> pa.Table:
    """USAGE, from the largest share to the smallest; UNATTRIBUTED last."""
    parts = exact(share)
    low, high = np.quantile(spread, [0.025, 0.975], axis=0).round(PLACES)  # last bits of sums are chance
    ids, titles = index.source_ids, index.sources["title"].to_pylist()
    order = sorted((number for number in range(len(ids)) if parts[number]), key=lambda one: (-parts[one], ids[one]))
    rows = [*order, len(ids)]
    columns = [
        [*(ids[one] for one in order), UNATTRIBUTED],
        [*(titles[one] for one in order), None],
        [_decimal(parts[one]) for one in rows],
        [f"{min(math.floor(low[one] * ROUND), parts[one] * ROUND // 10**PLACES) / ROUND:.6f}" for one in rows],
        [f"{max(math.ceil(high[one] * ROUND), -(-parts[one] * ROUND // 10**PLACES)) / ROUND:.6f}" for one in rows],
        [int(likeliest[one]) for one in rows],
    ]
    return pa.table(columns, schema=USAGE)


def exact(share: Floats) -> list[int]:
    """Shares in whole parts of 10**PLACES that make one, by the largest remainder."""
    whole = 10**PLACES
    scaled = np.maximum(share, 0) / share.sum() * whole
    floors = np.floor(scaled).astype(np.int64)
    left = whole - int(floors.sum())
    order = np.lexsort((np.arange(len(share)), -(scaled - floors)))
    floors[order[:left]] += 1
    parts: list[int] = floors.tolist()
    return parts


def _decimal(parts: int) -> str:
    return f"{Decimal(parts).scaleb(-PLACES):f}"


def _details(index: Index, log: Log, first: int, scores: Floats) -> pa.Table:
    """DETAILS of some outputs, the first by its number."""
    ids = [*index.source_ids, UNATTRIBUTED]
    some = slice(first, first + len(scores))
    rows: list[tuple[str, int, str, str, str | None, str | None]] = []
    for name, row, quotes in zip(log.ids[some], scores, log.quotes[some], strict=True):
        order = np.argsort(-row[:-1], kind="stable")[:NAMED]
        named = [int(one) for one in order if row[one] >= NOTHING]
        for rank, one in enumerate(named, 1):
            quote = quotes.get(one)
            shown = (None, None) if quote is None else (quote.passage, quote.place)
            rows.append((name, rank, ids[one], f"{row[one]:.6f}", *shown))
        rows.append((name, len(named) + 1, UNATTRIBUTED, f"{row[-1]:.6f}", None, None))
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * len(DETAILS), schema=DETAILS)
