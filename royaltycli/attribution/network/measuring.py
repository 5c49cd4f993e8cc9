"""How good a head is on documents that it has not seen, and how good text alone is on the same (rule V5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.attribution.grams import count_grams, look_up, runs_of
from royaltycli.attribution.network.calibration import mean_scores
from royaltycli.attribution.network.corpus import Document, Spans
from royaltycli.attribution.network.features import Table
from royaltycli.attribution.network.head import UNSEEN, Head
from royaltycli.attribution.network.spans import LONG, SHORT

STRENGTH = 10_000.0
"""So many tokens of the corpus as a whole are mixed into the text model of each source."""

KINDS = (f"{SHORT} tokens", f"{LONG} tokens", "document")
CELLS = 50_000_000
"""The most scores, texts × sources, that are held at once."""


@dataclass(frozen=True, slots=True)
class Held:
    """Texts that were held out: mean scores of the sources, tokens, right sources, of which of KINDS, and the fold."""

    means: Floats
    tokens: Numbers
    right: list[tuple[int, ...]]
    kinds: Numbers
    folds: Numbers

    def chosen(self, which: Mask) -> Held:
        """Some of the texts."""
        right = [self.right[row] for row in np.flatnonzero(which).tolist()]
        return Held(self.means[which], self.tokens[which], right, self.kinds[which], self.folds[which])


def held_out(head: Head, folds: Iterable[int], table: Table, spans: Spans, documents: Sequence[Document]) -> Held:
    """Spans, and whole documents of them, as the head of their fold sees them. `folds` are those of the heads."""
    fold_of = np.array([one.fold for one in documents], np.int64)[spans.documents]
    lengths = spans.lengths
    parts: list[Held] = []
    for number, fold in enumerate(folds):
        mine = np.flatnonzero(fold_of == fold)
        mine = mine[: max(1, CELLS // (len(list(KINDS)) * head.sources))]
        if not len(mine):
            continue
        device = head.projections.device
        raw = np.concatenate(
            [
                head.scores(table.rows(part).to(device), lengths[part], number)
                for part in np.array_split(mine, -(-len(mine) // 4096))
            ]
        )
        long = ~spans.short[mine]
        whole, owners = np.unique(spans.documents[mine[long]], return_inverse=True)
        means, sizes = mean_scores(raw[long], lengths[mine[long]], owners, len(whole))
        kinds = np.concatenate([np.where(long, 1, 0), np.full(len(whole), 2)])
        right = [documents[one].sources for one in (*spans.documents[mine].tolist(), *whole.tolist())]
        tokens = np.concatenate([lengths[mine], sizes])
        parts.append(Held(np.concatenate([raw, means]), tokens, right, kinds, np.full(len(kinds), fold)))
    return _joined(parts)


def _joined(parts: list[Held]) -> Held:
    return Held(
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.tokens for part in parts]),
        [one for part in parts for one in part.right],
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.folds for part in parts]),
    )


def hits(held: Held) -> dict[str, float | None]:
    """By kind, the part of the texts whose likeliest source is right; None where there is no text of a kind."""
    best = held.means.argmax(axis=1).tolist()
    right = np.array([one in ones for one, ones in zip(best, held.right, strict=True)], bool)
    whole = (held.kinds != 1) | (held.tokens == LONG)
    return {
        name: float(right[(held.kinds == kind) & whole].mean()) if ((held.kinds == kind) & whole).any() else None
        for kind, name in enumerate(KINDS)
    }


def text_alone(held: Held, fold: int, spans: Spans, documents: Sequence[Document], sources: int) -> Held:
    """What naive Bayes on pairs of tokens, learned from all other folds, says of the texts that are held out."""
    known = [one for one in documents if one.fold != fold]
    owners = [source for one in known for source in one.sources]
    tokens = [one.tokens for one in known for _ in one.sources]
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    of_tokens = np.repeat(np.array(owners, np.int64), lengths)
    table = count_grams(np.concatenate([np.empty(0, np.uint32), *tokens]), lengths, of_tokens, 2)
    sizes = np.bincount(owners, lengths, minlength=sources).astype(np.float64)
    total = float(sizes.sum())
    mine = np.flatnonzero(np.array([documents[one].fold for one in spans.documents.tolist()]) == fold)
    whole = np.unique(spans.documents[mine[~spans.short[mine]]])
    texts = [spans.tokens[one] for one in mine.tolist()] + [documents[one].tokens for one in whole.tolist()]
    scores = np.zeros((len(texts), sources))
    for row, text in enumerate(texts):
        found = look_up([table], runs_of(text, 2))
        background = (found.totals + 0.5) / (total + 1.0)
        more = np.log1p(found.counts / (STRENGTH * background[found.places]))
        scores[row] = np.bincount(found.units, more, minlength=sources)
        scores[row] += int((~found.common).sum()) * np.log(STRENGTH / (sizes + STRENGTH))
    scores[:, sizes == 0] = UNSEEN  # as a head has it, too
    return Held(scores, held.tokens, held.right, held.kinds, held.folds)
