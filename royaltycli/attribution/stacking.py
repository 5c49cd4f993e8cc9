"""The network beside the evidence of text, or alone: one more measure, weighed by a choice of its own (rule U17)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.attribution.calibration import Calibration, Extend
from royaltycli.attribution.choice import probabilities
from royaltycli.attribution.digests import NETWORK_FOLDS
from royaltycli.attribution.evidence import Evidence, evidence
from royaltycli.attribution.index import Index
from royaltycli.attribution.judging import Decode, Judge, Judgement, kept_of
from royaltycli.attribution.unseen import Span
from royaltycli.errors import AttributionError
from royaltycli.tokens.engines import Ids

Method = Literal["network", "all"]

Scores = Callable[[Sequence[str], Sequence[int] | None], Floats]
"""A network's logarithms of probabilities, texts by sources; of texts of the corpus by the heads of their folds."""

LOWEST = -14.0
"""The logarithm for a source that the network does not know."""

TEXTS = 256
"""Texts that a network is asked about at a time, in the calibration."""


def check_documents(index: Index, digests: Sequence[int]) -> None:
    """Raises AttributionError if a network, of documents with these digests, was trained on none of an index."""
    known = np.array(digests, np.uint64)
    if not any(np.isin(model.digests, known).any() for model in index.models):
        raise AttributionError(
            "the network and the index have no document in common; train one on the corpus of the index, or name "
            "another with `--network`"
        )


class Beside:
    """A network's scores as measures of the units of an index, for all evidence together or in its place."""

    def __init__(
        self,
        index: Index,
        sources: Sequence[str],
        scores: Scores,
        decode: Decode,
        method: Method,
    ) -> None:
        """Raises AttributionError if the network knows no source of the index."""
        numbers = {name: number for number, name in enumerate(sources)}
        known = [numbers.get(name, -1) for name in index.source_ids]
        if max(known, default=-1) < 0:
            raise AttributionError(
                "the network knows no source of the index; train one on its corpus, or name another with `--index`"
            )
        self._index, self._scores, self._decode = index, scores, decode
        self._known, self._method = np.array(known), method

    @property
    def strangers(self) -> int:
        """How many sources of the index the network does not know, as they came after it was trained."""
        return int(np.count_nonzero(self._known < 0))

    def extend(self, spans: Sequence[Span]) -> Extend:
        """Adds the network's measures to the evidence on spans of the corpus's own documents, best in their order.

        The network is asked about few at a time: what it says of all of them by very many sources may be too much.
        """
        texts = [self._decode(span.tokens.tolist()) for span in spans]
        # What is quoted is judged as any other text is, by the head that has seen it.
        folds = [-1 if span.quoted else self._fold(span) for span in spans]

        @functools.lru_cache(maxsize=1)
        def some(first: int) -> Floats:
            return self._scores(texts[first : first + TEXTS], folds[first : first + TEXTS])

        def add(number: int, found: Evidence) -> Evidence:
            span, row = spans[number], some(number - number % TEXTS)[number % TEXTS]
            return self._with(found, row, span.unit if span.unknown else None)

        return add

    def judge(self, calibration: Calibration) -> Judge:
        """Judges by the extended evidence."""

        def judge(tokens: Ids) -> Judgement:
            found = evidence(self._index, tokens, calibration.machine)
            (extended,) = self.beside([tokens], [found])
            return kept_of(found, *probabilities(calibration.choice, extended))

        return judge

    def beside(self, spans: Sequence[Ids], found: Sequence[Evidence]) -> list[Evidence]:
        """The evidence on spans of other texts, with the network's measures."""
        logs = self._scores([self._decode(tokens.tolist()) for tokens in spans], None)
        return [self._with(each, row) for each, row in zip(found, logs, strict=True)]

    def _fold(self, span: Span) -> int:
        """The network's fold of the document that a span is of, by its text as it was read: tokens may lose some."""
        return int(self._index.models[span.model].digests[span.document]) % NETWORK_FOLDS

    def _of_units(self, row: Floats, units: Sequence[int]) -> Floats:
        """The logarithm of the probability of some units: that of their sources together."""
        by_source = np.where(self._known >= 0, row[self._known], LOWEST)
        return np.array([np.logaddexp.reduce(by_source[list(self._index.units[unit].sources)]) for unit in units])

    def _with(self, found: Evidence, row: Floats, unknown: int | None = None) -> Evidence:
        logs = self._of_units(row, found.units.tolist())
        if unknown is not None:  # the others have all probability then
            own = min(float(np.exp(self._of_units(row, [unknown])[0])), 1 - np.exp(LOWEST))
            logs -= np.log1p(-own)
        # What the network says of a unit's part of the corpus is in its probability already.
        beyond = (logs - found.before)[:, None]
        return replace(found, measures=np.hstack([found.measures, beyond]) if self._method == "all" else beyond)
