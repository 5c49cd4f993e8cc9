"""The network as attribution uses it: texts in, the probability of each source out (rules V1 to V4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.digests import NETWORK_FOLDS, digest_of_text
from royaltycli.attribution.network import store
from royaltycli.attribution.network.activations import Reader
from royaltycli.attribution.network.calibration import Calibration, logarithms, mean_scores
from royaltycli.attribution.network.head import Head
from royaltycli.attribution.network.model import open_model
from royaltycli.attribution.network.spans import windows
from royaltycli.errors import AttributionError

FLOOR = -14.0
"""About the logarithm of one in a million, below which no network says anything: its sources have fewer spans."""

TEXTS = 256
"""Texts that are read at a time."""


@dataclass(frozen=True, slots=True)
class Network:
    """A trained network, and the language model whose activations it reads."""

    about: store.About
    head: Head
    reader: Reader

    @property
    def sources(self) -> list[str]:
        """The ids of the sources, in the order of the scores."""
        return list(self.about.sources)

    def scores(self, texts: Sequence[str], fold: Sequence[int] | None = None) -> Floats:
        """The logarithm of the probability of each source for each text: texts × sources, each row of sum one.

        `fold` is, of a text of the corpus itself, its `fold_of`, so that it is judged by a head that has not seen it;
        -1 for another text. Of a text without a token nothing is known: each is as likely as the next.
        """
        found = np.empty((len(texts), len(self.about.sources)))
        for start in range(0, len(texts), TEXTS):
            part = slice(start, start + TEXTS)
            found[part] = self._scores(texts[part], None if fold is None else fold[part])
        return found

    def _scores(self, texts: Sequence[str], fold: Sequence[int] | None) -> Floats:
        tokens = self.reader.model.encode(texts)
        places = [(text, start, stop) for text, ids in enumerate(tokens) for start, stop in windows(len(ids))]
        spans = [tokens[text][start:stop] for text, start, stop in places]
        owners = np.array([text for text, _, _ in places], np.int64)
        lengths = np.fromiter(map(len, spans), np.int64, len(spans))
        heads = np.full(len(texts), NETWORK_FOLDS) if fold is None else np.asarray(fold, np.int64) % (NETWORK_FOLDS + 1)
        rows = torch.from_numpy(self.reader.read(spans)).to(self.reader.model.device)
        raw = np.zeros((len(spans), len(self.about.sources)))
        for head in np.unique(heads[owners]).tolist():
            which = np.flatnonzero(heads[owners] == head)
            raw[which] = self.head.scores(rows[torch.from_numpy(which)], lengths[which], head)
        means, sizes = mean_scores(raw, lengths, owners, len(texts))
        return probabilities(means, sizes, self.about.sources, self.about.calibration, self.about.within)

    def add_source(self, source: str, documents: Sequence[str]) -> Network:
        """The network with one more source, the last, which is known by its documents; nothing is trained anew.

        Raises AttributionError if they hold no token, or the source is there, or its id would be taken for none.
        """
        if source in ("", "(none)"):
            raise AttributionError(f"the id of the new source is {source!r}, which is that of none; give it another")
        if source in self.about.sources:
            raise AttributionError(f"the network knows {source} already; give the new source an id of its own")
        spans = [ids[start:stop] for ids in self.reader.model.encode(documents) for start, stop in windows(len(ids))]
        if not spans:
            raise AttributionError(f"the documents of {source} hold no token; give some that do")
        rows = torch.from_numpy(self.reader.read(spans)).to(self.reader.model.device)
        head = self.head.with_source(rows, np.fromiter(map(len, spans), np.int64, len(spans)))
        more = (*self.about.documents, *map(digest_of_text, documents))
        about = dataclasses.replace(self.about, sources=(*self.about.sources, source), documents=more)
        return Network(about, head, self.reader)

    def save(self, place: Path) -> None:
        """Write the network to a folder. Raises OutputError."""
        store.check_folder(place)
        store.save(place, self.about, self.head)


def open_network(path: Path, model: Path | None = None) -> Network:
    """Load a network, and its language model: the one at `model`, or where it was when the network was trained.

    Raises AttributionError if either is missing or damaged, or the network is of another model.
    """
    about, head = store.load(path)
    language = open_model(Path(about.model) if model is None else model)
    mend = "name that model with `--model`, or run `royalty network train` again"
    if language.digest != about.model_digest:
        raise AttributionError(f"{path} reads the activations of another model than {language.path}; {mend}")
    reader = Reader(language, about.layers)
    if reader.size != about.features:
        raise AttributionError(
            f"{path} is for {about.features} features of a span, but {language.path} has {reader.size}; {mend}"
        )
    return Network(about, store.to_device(head, language.device), reader)


def probabilities(
    means: Floats, sizes: Numbers, sources: Sequence[str], calibration: Calibration, within: Calibration | None
) -> Floats:
    """The logarithms of probabilities, from the mean scores of texts.

    With `within`, a text is first of a collection, whose score is that of its likeliest source, and then of one of the
    collection's sources.
    """
    if within is None:
        return _floored(means * calibration.factor(sizes)[:, None])
    groups, best, inside = by_collection(means, sources)
    outer = logarithms(best * calibration.factor(sizes)[:, None])
    found = outer[:, groups]
    inside = inside * within.factor(sizes)[:, None]
    sums = np.zeros_like(best)
    np.add.at(sums.T, groups, np.exp(inside).T)
    return _floored(found + inside - np.log(sums)[:, groups])


def _floored(scores: Floats) -> Floats:
    """The logarithms of probabilities, of which none is below the least that a network can know."""
    return logarithms(np.maximum(logarithms(scores), FLOOR))


def by_collection(means: Floats, sources: Sequence[str]) -> tuple[Numbers, Floats, Floats]:
    """The collection of each source, the best score of each collection, and by how much sources are below theirs."""
    groups = collections_of(sources)
    best = np.full((len(means), int(groups.max()) + 1), -np.inf)
    np.maximum.at(best.T, groups, means.T)
    return groups, best, means - best[:, groups]


def collections_of(sources: Sequence[str]) -> Numbers:
    """The collection of each source, by its number: sources of a collection, `posts/ann`, have that one, `posts`."""
    _, found = np.unique([source.partition("/")[0] for source in sources], return_inverse=True)
    return found.astype(np.int64)
