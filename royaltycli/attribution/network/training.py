"""Trains an attribution network: from a corpus and a language model to a folder that `open_network` opens.

What is read of the corpus's spans stays in the folder until the network is written, so that a training that was
stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from royaltycli.attribution.digests import NETWORK_FOLDS
from royaltycli.attribution.network import store
from royaltycli.attribution.network.activations import Reader
from royaltycli.attribution.network.calibration import Calibration, calibrate, calibration_error, seen
from royaltycli.attribution.network.corpus import Documents, Spans, read_documents, spans_of
from royaltycli.attribution.network.features import Table, read_features, remove_features
from royaltycli.attribution.network.learning import Examples, learn
from royaltycli.attribution.network.measuring import KINDS, Held, held_out, hits, text_alone
from royaltycli.attribution.network.model import open_model, with_random_weights
from royaltycli.attribution.network.network import by_collection, collections_of, probabilities
from royaltycli.corpus.files import File
from royaltycli.errors import AttributionError
from royaltycli.manifest.model import Corpus
from royaltycli.progress import Tell

SPANS = 2000
"""Spans of a source to train with, of either length, unless another number is asked for."""

MANY = 512
"""Sources of which more go by collection."""

TESTED = 0
"""The fold whose documents the measures are of."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What was trained, and how good it is on documents that were held out.

    `measured` has a row each for the network, the same with random weights, and text alone: `what`, the part of texts
    of each of KINDS whose source was found, and for the network its calibration error, `ece`.
    """

    sources: int
    documents: int
    copies: int
    spans: int
    features: int
    layers: tuple[int, ...]
    kinds: tuple[str, ...]
    measured: list[dict[str, Any]]


def train_network(
    corpus: Corpus, files: Sequence[File], model: Path, place: Path, tell: Tell, *, spans: int = SPANS
) -> Trained:
    """Train a network on the activations that a language model has on a corpus, and write it to a folder of its own.

    Raises DocumentError, EncodingError, OutputError, and AttributionError for a model or a corpus that does not serve.
    """
    tell("loading the model", 0, 0)
    language = open_model(model)
    reader = Reader(language)
    documents = read_documents(corpus, files, language, lambda done, of: tell("reading documents", done, of))
    chosen = spans_of(documents.kept, spans)
    examples = examples_of(documents, chosen)
    _check_folds(corpus, examples)
    features = place / store.FEATURES
    table = read_features(features, reader, chosen.tokens, lambda done, of: tell("reading activations", done, of))
    folds = (*range(NETWORK_FOLDS), -1)
    learning = lambda done, of: tell("training", done, of)  # noqa: E731
    head = learn(table, examples, len(documents.sources), folds, language.device, learning)
    held = held_out(head, range(NETWORK_FOLDS), table, chosen, documents.kept)
    calibration, within = _calibrations(held, documents.sources)
    control = Reader(with_random_weights(language), reader.layers)
    table = read_features(features, control, chosen.tokens, lambda done, of: tell("reading the control", done, of))
    measured = _measured(
        documents, chosen, held, _control(table, examples, documents, chosen, language.device, learning)
    )
    about = store.About(
        model=str(model.absolute()),
        model_digest=language.digest,
        layers=tuple(reader.layers),
        features=reader.size,
        manifest=corpus.digest,
        documents=tuple(one.digest for one in documents.kept),
        sources=tuple(documents.sources),
        calibration=calibration,
        within=within,
        measured=measured,
    )
    store.save(place, about, head)
    del table
    remove_features(features)
    return Trained(
        len(documents.sources), len(documents.kept), documents.copies, len(chosen.tokens), reader.size, about.layers,
        KINDS, measured,
    )  # fmt: skip


def examples_of(documents: Documents, spans: Spans) -> Examples:
    """The examples to learn from: each span once for each of its sources."""
    rows, sources, weights = [], [], []
    for row, document in enumerate(spans.documents.tolist()):
        of = documents.kept[document].sources
        rows += [row] * len(of)
        sources += of
        weights += [1 / len(of)] * len(of)
    at = np.array(rows, np.int64)
    folds = np.array([one.fold for one in documents.kept], np.int64)[spans.documents]
    return Examples(
        at, np.array(sources, np.int64), folds[at], np.array(weights, np.float32), spans.lengths, spans.short
    )


def _check_folds(corpus: Corpus, examples: Examples) -> None:
    """Raises AttributionError if a fold has no document, or the tested one none of a source that others have, too."""
    if len(np.unique(examples.folds)) < NETWORK_FOLDS:
        raise AttributionError(
            f"{corpus.file} leads to too few documents; a network learns from four fifths, and is measured on one"
        )
    tested = examples.folds == TESTED
    if not np.isin(examples.sources[tested], examples.sources[~tested]).any():
        raise AttributionError(
            f"{corpus.file} leads to too few documents of each source; a network is measured on some of a source, and "
            "learns from others of it"
        )


def _control(
    table: Table,
    examples: Examples,
    documents: Documents,
    spans: Spans,
    device: torch.device,
    tell: Callable[[int, int], None],
) -> Held:
    """The documents of the fold that is measured, as a head sees them that was trained on the control's activations."""
    head = learn(table, examples, len(documents.sources), [TESTED], device, tell)
    return held_out(head, [TESTED], table, spans, documents.kept)


def _calibrations(held: Held, sources: Sequence[str]) -> tuple[Calibration, Calibration | None]:
    """The calibration, and that within collections where there are so many sources that they go by collection."""
    groups = collections_of(sources)
    if len(sources) <= MANY or groups.max() + 1 == len(sources):
        return calibrate(held.means, held.tokens, held.right), None
    _, best, inside = by_collection(held.means, sources)
    outer = calibrate(best, held.tokens, [tuple({int(groups[one]) for one in ones}) for ones in held.right])
    own = groups[[ones[0] for ones in held.right]]
    inside = np.where(groups == own[:, None], inside, -np.inf)
    mine = [tuple(one for one in ones if groups[one] == group) for ones, group in zip(held.right, own, strict=True)]
    return outer, calibrate(inside, held.tokens, mine)


def _measured(documents: Documents, spans: Spans, held: Held, control: Held) -> list[dict[str, Any]]:
    """The rows of `Trained.measured`, on one fold; the calibration that is judged is that of the others.

    Texts of sources that no other fold has say nothing of how well sources are told apart, and are left out.
    """
    tested = held.chosen(held.folds == TESTED)
    known = seen(tested.means, tested.right)
    calibration, within = _calibrations(held.chosen(held.folds != TESTED), documents.sources)
    logs = probabilities(tested.means, tested.tokens, documents.sources, calibration, within)
    text = text_alone(tested, TESTED, spans, documents.kept, len(documents.sources))
    tested = tested.chosen(known)
    return [
        {"what": "network", **hits(tested), "ece": calibration_error(logs[known], tested.right)},
        {"what": "the same, random weights", **hits(control.chosen(known))},
        {"what": "text alone", **hits(text.chosen(known))},
    ]
