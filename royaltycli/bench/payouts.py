"""What attribution does to money: shares of mixtures of known usage, and of text of sources that are not known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.bench.measures import total_variation
from royaltycli.bench.method import Odds, usage
from royaltycli.bench.spans import Spans

SKEW = 0.3
"""Of the Dirichlet distribution that usage is drawn from: of 30 sources some 3 have half of it."""

MIXTURES, WINDOWS = 100, 400


@dataclass(frozen=True, slots=True)
class Mixture:
    """Spans by their numbers, drawn with replacement, and the part of each source in them."""

    spans: Numbers
    truth: Floats


def mixtures(spans: Spans, sources: int, seed: int, count: int = MIXTURES) -> list[Mixture]:
    """Mixtures of WINDOWS spans whose sources are skewed, each another way."""
    random = np.random.default_rng([seed, 1])
    own = [np.flatnonzero(spans.sources == source) for source in range(sources)]
    there = np.array([len(each) > 0 for each in own])
    found = []
    for _ in range(count):
        share = random.dirichlet([SKEW] * sources) * there
        counts = random.multinomial(WINDOWS, share / share.sum())
        drawn = [random.choice(own[source], times) for source, times in enumerate(counts.tolist()) if times]
        found.append(Mixture(np.concatenate(drawn), counts / WINDOWS))
    return found


def errors(found: Odds, prior: Floats, mixed: list[Mixture], tokens: Floats) -> dict[str, Floats]:
    """The total variation between shares and truth in each mixture, by the way in which the shares are made.

    `tokens` has those of each source, in the corpus. What goes to nobody is a share as well; in truth it is 0.
    """
    ways: dict[str, list[float]] = {"argmax": [], "mean": [], "corrected": [], "nobody": [], "tokens": []}
    by_tokens = np.append(tokens / tokens.sum(), 0.0)
    for mixture in mixed:
        part = found.some(mixture.spans)
        truth = np.append(mixture.truth, 0.0)
        likeliest = np.bincount(part.sources.argmax(axis=1), minlength=len(truth)) / len(part.table)
        ways["argmax"].append(total_variation(likeliest, truth))
        ways["mean"].append(total_variation(part.table.mean(axis=0) @ found.shared, truth))
        corrected = usage(part, prior)
        ways["corrected"].append(total_variation(corrected, truth))
        ways["nobody"].append(float(corrected[-1]))
        ways["tokens"].append(total_variation(by_tokens, truth))
    return {way: np.array(values) for way, values in ways.items()}


def left_open(found: Odds, prior: Floats, spans: Spans, seed: int) -> Floats:
    """The error of corrected shares, were every probability right: what the evidence leaves open, whoever reads it.

    The mixtures are of the same spans, but the source of each span is drawn by the span's own probabilities.
    """
    random = np.random.default_rng([seed, 4])
    odds = found.sources
    drawn = (np.cumsum(odds, axis=1) < random.random((len(odds), 1)) * odds.sum(axis=1, keepdims=True)).sum(axis=1)
    mixed = mixtures(replace(spans, sources=drawn), odds.shape[1], seed)
    return np.array(
        [total_variation(usage(found.some(each.spans), prior), np.append(each.truth, 0.0)) for each in mixed]
    )


def paid_on_unknown(found: Odds, prior: Floats, sources: Numbers) -> Floats:
    """For each unknown source, the part of a log of its text alone that known sources would be paid."""
    return np.array([1 - usage(found.some(sources == one), prior)[-1] for one in np.unique(sources)])
