"""What attribution is compared with: well-known ways to tell which source a span is of.

Each is fitted to the documents of the corpus, and gives a score for each span and source, the highest for the
likeliest. None of them is tuned here; where it has a setting, it is the one that is stated.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.suffixes import Suffixes, longest, occurrences, query_of, searchable, sort_suffixes
from royaltycli.bench.spans import Texts, cut
from royaltycli.errors import CallError
from royaltycli.tokens.engines import Ids

Method = Callable[[Sequence[Ids]], Floats]
"""Gives a row of scores for each span, a column for each source."""

STRENGTH = 10_000.0
"""How many pairs of the whole corpus are mixed into those of each source: the Dirichlet prior of naive Bayes."""

PASSAGE, NEIGHBOURS = 128, 20
LEAST_MATCH = 3
SVM_COST = 0.3


def check_installed() -> None:
    """Raises CallError if a package is missing that only the benchmark needs."""
    for module, name in (("sklearn", "scikit-learn"), ("tokenizers", "tokenizers")):
        if importlib.util.find_spec(module) is None:
            raise CallError(f"{name} is not installed; pip install 'royaltycli[bench]'")


def baselines(texts: Texts, sources: int) -> dict[str, Callable[[], Method]]:
    """The ways by name, each to be fitted when it is called."""
    return {
        "naive Bayes on bigrams, Laplace": lambda: naive_bayes(texts, sources, None),
        "naive Bayes on bigrams, Dirichlet": lambda: naive_bayes(texts, sources, STRENGTH),
        "BM25, vote of the top 20": lambda: nearest_passages(texts, sources),
        "verbatim, matched tokens": lambda: verbatim(texts, sources, excess=False),
        "verbatim, excess surprisal": lambda: verbatim(texts, sources, excess=True),
        "TF-IDF and a linear SVM": lambda: linear(texts, sources),
    }


def answers(name: str, texts: Texts, sources: int, batches: Sequence[Sequence[Ids]]) -> list[Numbers]:
    """The likeliest source of each span of some batches by one of the ways, which is fitted first."""
    method = baselines(texts, sources)[name]()
    return [method(batch).argmax(axis=1) for batch in batches]


def naive_bayes(texts: Texts, sources: int, strength: float | None) -> Method:
    """Multinomial naive Bayes on pairs of tokens (McCallum and Nigam 1998), all sources equally likely before.

    With a `strength`, each source's distribution has so many pairs of the whole corpus mixed in (a Dirichlet prior:
    Zhai and Lafferty 2004); without one, 1 is added to each count (Laplace).
    """
    keys = [_pairs(tokens) for tokens in texts.tokens]
    owners = np.repeat(texts.sources, [len(each) for each in keys])
    kinds, at = np.unique(np.concatenate(keys), return_inverse=True)
    counts = np.zeros((len(kinds) + 1, sources), np.float32)  # the last for pairs that the corpus has not
    np.add.at(counts, (at, owners), 1)
    sizes = counts.sum(axis=0, dtype=np.float64)
    everyone = counts.sum(axis=1, dtype=np.float64)

    def score(tokens: Ids) -> Floats:
        wanted = _pairs(tokens)
        rows = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
        rows = np.where(kinds[rows] == wanted, rows, len(kinds))
        if strength is None:
            likely = (counts[rows] + 1.0) / (sizes + len(kinds) + 1)
        else:
            common = (everyone[rows] + 0.5) / (everyone.sum() + 0.5 * len(everyone))
            likely = (counts[rows] / common[:, None] + strength) / (sizes + strength)
        found: Floats = np.log(likely).sum(axis=0)
        return found

    return _each(score)


def nearest_passages(texts: Texts, sources: int) -> Method:
    """BM25 (Robertson and others 1994) over passages of 128 tokens, terms being tokens and pairs; the best 20 vote."""
    import bm25s  # type: ignore[import-untyped]

    passages = cut(texts, PASSAGE)
    kinds, at = np.unique(np.concatenate([_terms(tokens) for tokens in passages.tokens]), return_inverse=True)
    sizes = [len(_terms(tokens)) for tokens in passages.tokens]
    ids = [part.tolist() for part in np.split(at, np.cumsum(sizes)[:-1])]
    index: Any = bm25s.BM25()
    index.index((ids, {str(number): number for number in range(len(kinds))}), show_progress=False)

    def score(tokens: Ids) -> Floats:
        wanted = _terms(tokens)
        rows = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
        found = np.asarray(index.get_scores_from_ids(rows[kinds[rows] == wanted].tolist()))
        best = np.argpartition(-found, NEIGHBOURS)[:NEIGHBOURS] if len(found) > NEIGHBOURS else np.arange(len(found))
        votes: Floats = np.bincount(passages.sources[best], found[best], sources).astype(np.float64)
        return votes

    return _each(score)


def verbatim(texts: Texts, sources: int, *, excess: bool) -> Method:
    """The longest matches of a span in the corpus that are not within others; each shared by the sources that have it.

    A match counts by its tokens or, for the `excess`, by how much its surprisal in nats, from counts of tokens and
    pairs, is above the logarithm of the size of the corpus, at which chance alone would find it.
    """
    lengths = np.array([len(tokens) for tokens in texts.tokens], np.int64)
    text = searchable(np.concatenate(texts.tokens), lengths)
    suffixes = Suffixes(text, sort_suffixes(text), np.repeat(np.arange(len(lengths), dtype=np.int32), lengths + 1))
    surprisal = _surprisal(texts) if excess else None
    chance = np.log(lengths.sum())

    def score(tokens: Ids) -> Floats:
        sizes = longest(suffixes, query_of(tokens))
        before = np.concatenate([[0], sizes[:-1]])
        worth = np.concatenate([[0.0], np.cumsum(np.ones(len(tokens)) if surprisal is None else surprisal(tokens))])
        found = np.zeros(sources)
        for start in np.flatnonzero((sizes >= LEAST_MATCH) & (sizes > before - 1)).tolist():
            stop = start + int(sizes[start])
            value = worth[stop] - worth[start] - (chance if excess else 0.0)
            if value > 0:
                (places,) = occurrences(suffixes, [tokens[start:stop]])
                owners = np.unique(texts.sources[suffixes.documents[places]])
                found[owners] += value / len(owners)
        return found

    return _each(score)


def linear(texts: Texts, sources: int) -> Method:
    """A linear support vector machine on TF-IDF of tokens and pairs (Joachims 1998), by scikit-learn.

    Sublinear term frequency, terms of at least two spans, cost 0.3; fitted to all spans of 128 tokens.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    spans = cut(texts, PASSAGE)
    vectors = TfidfVectorizer(analyzer=_words, sublinear_tf=True, min_df=2)
    model = LinearSVC(C=SVM_COST, random_state=0).fit(vectors.fit_transform(spans.tokens), spans.sources)

    def score(batch: Sequence[Ids]) -> Floats:
        found = np.full((len(batch), sources), -np.inf)
        decided = model.decision_function(vectors.transform(batch))
        found[:, model.classes_] = np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided
        return found

    return score


def _each(score: Callable[[Ids], Floats]) -> Method:
    return lambda batch: np.stack([score(tokens) for tokens in batch])


def _pairs(tokens: Ids) -> Numbers:
    """A number for each pair of neighbours."""
    wide = tokens.astype(np.int64)
    return (wide[:-1] << 32) | wide[1:]


def _terms(tokens: Ids) -> Numbers:
    """A number for each token and each pair."""
    return np.concatenate([-1 - tokens.astype(np.int64), _pairs(tokens)])


def _words(tokens: Ids) -> list[str]:
    said = [str(token) for token in tokens.tolist()]
    return said + [f"{one} {two}" for one, two in pairwise(said)]


def _surprisal(texts: Texts) -> Callable[[Ids], Floats]:
    """Gives surprisal in nats: by how often each token follows the one before and, weighing 20 pairs, occurs at all."""
    singles = np.bincount(np.concatenate(texts.tokens)).astype(np.float64)
    kinds, counts = np.unique(np.concatenate([_pairs(tokens) for tokens in texts.tokens]), return_counts=True)
    everything = singles.sum()

    def surprisal(tokens: Ids) -> Floats:
        alone = np.zeros(len(tokens))
        inside = tokens < len(singles)
        alone[inside] = singles[tokens[inside]]
        likely = (alone + 0.5) / (everything + 1000.0)
        wanted = _pairs(tokens)
        at = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
        both = np.where(kinds[at] == wanted, counts[at], 0)
        likely[1:] = (both + 20.0 * likely[1:]) / (np.maximum(alone[:-1], both) + 20.0)
        found: Floats = -np.log(np.minimum(likely, 1.0))
        return found

    return surprisal
