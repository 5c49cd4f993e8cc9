"""The network beside the evidence of text, or alone: one more measure, weighed by a choice of its own (rule U17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.calibration import Calibration, Extend
from royaltycli.attribution.choice import probabilities
from royaltycli.attribution.evidence import Evidence, evidence
from royaltycli.attribution.index import Index
from royaltycli.attribution.judging import Decode, Judge, Judgement, kept_of
from royaltycli.attribution.unseen import Span
from royaltycli.errors import AttributionError
from royaltycli.tokens.engines import Ids

Method = Literal["network", "all"]

Scores = Callable[[Sequence[str], Sequence[int] | None], npt.NDArray[np.float64]]
"""A network's logarithms of probabilities, texts by sources; of texts of the corpus by the heads of their folds."""

LOWEST = -14.0
"""The logarithm for a source that the network does not know."""


class Beside:
    """A network's scores as measures of the units of an index, for all evidence together or in its place."""

    def __init__(
        self,
        index: Index,
        sources: Sequence[str],
        scores: Scores,
        fold_of: Callable[[str], int],
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
        self._index, self._scores, self._fold_of, self._decode = index, scores, fold_of, decode
        self._known, self._method = np.array(known), method

    @property
    def strangers(self) -> int:
        """How many sources of the index the network does not know, as they came after it was trained."""
        return int(np.count_nonzero(self._known < 0))

    def extend(self, spans: Sequence[Span]) -> Extend:
        """Adds the network's measures to the evidence on spans of the corpus's own documents."""
        texts = [self._decode(span.tokens.tolist()) for span in spans]
        # What is quoted is judged as any other text is, by the head that has seen it.
        folds = [-1 if span.quoted else self._fold_of(self._document(span)) for span in spans]
        logs = self._of_units(self._scores(texts, folds))
        for row, span in zip(logs, spans, strict=True):
            if span.unknown:  # the others have all probability then
                own = min(float(np.exp(row[span.unit])), 1 - np.exp(LOWEST))
                np.subtract(row, np.log1p(-own), out=row)
        return lambda number, found: self._with(found, logs[number])

    def judge(self, calibration: Calibration) -> Judge:
        """Judges by the extended evidence."""

        def judge(tokens: Ids) -> Judgement:
            found = evidence(self._index, tokens, calibration.machine)
            (extended,) = self.beside([tokens], [found])
            return kept_of(found, *probabilities(calibration.choice, extended))

        return judge

    def beside(self, spans: Sequence[Ids], found: Sequence[Evidence]) -> list[Evidence]:
        """The evidence on spans of other texts, with the network's measures."""
        logs = self._of_units(self._scores([self._decode(tokens.tolist()) for tokens in spans], None))
        return [self._with(each, row) for each, row in zip(found, logs, strict=True)]

    def _document(self, span: Span) -> str:
        """The whole text of the document that a span is of."""
        model = self._index.models[span.model]
        start, stop = model.starts[span.document : span.document + 2].tolist()
        return self._decode(model.tokens(start, stop).tolist())

    def _of_units(self, logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The logarithm of the probability of each unit: that of its sources together."""
        by_source = np.where(self._known >= 0, logs[:, self._known], LOWEST)
        units = [np.logaddexp.reduce(by_source[:, list(unit.sources)], axis=1) for unit in self._index.units]
        return np.stack(units, axis=1)

    def _with(self, found: Evidence, logs: npt.NDArray[np.float64]) -> Evidence:
        # What the network says of a unit's part of the corpus is in its probability already.
        beyond = (logs[found.units] - found.before)[:, None]
        return replace(found, measures=np.hstack([found.measures, beyond]) if self._method == "all" else beyond)
