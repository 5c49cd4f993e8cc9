"""Language models that are trained on the corpus, and the network beside each; in the worker processes.

Each process uses one thread. That takes less time, for several models at a time, than to train them one after the
other with several threads.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from royaltycli import networks
from royaltycli.arrays import Floats
from royaltycli.attribution.calibration import Calibration, calibrate
from royaltycli.attribution.index import open_index, reference_of
from royaltycli.attribution.network import store
from royaltycli.attribution.network.activations import Reader
from royaltycli.attribution.network.calibration import Calibration as NetworkCalibration
from royaltycli.attribution.network.corpus import read_documents, spans_of
from royaltycli.attribution.network.features import read_features
from royaltycli.attribution.network.learning import learn
from royaltycli.attribution.network.model import open_model, with_random_weights
from royaltycli.attribution.network.network import Network, open_network
from royaltycli.attribution.network.training import examples_of
from royaltycli.attribution.stacking import Beside, Method
from royaltycli.bench.language import Trained, train_language_model, use_one_thread
from royaltycli.bench.method import each
from royaltycli.bench.setting import Budget, Setting
from royaltycli.corpus.opening import open_corpus
from royaltycli.progress import say_nothing
from royaltycli.tokens.engines import Ids

AT_ONCE = 128
"""Texts that a process scores before it takes others."""

MODEL, NETWORK, CONTROL = "model", "network", "control"
"""In a folder: a language model, the network that reads its activations, and the one on random weights."""

ALL = -1
"""The head that no fold is left out of."""


@dataclass(frozen=True, slots=True)
class Training:
    """A language model to be trained: its folder, its seed, the texts that it must not see, and what it starts from."""

    place: Path
    seed: int
    left_out: Sequence[bool] = ()
    start: Path | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """A language model of the corpus, its network and the control: where they are, and what they took."""

    folder: Path
    sources: tuple[str, ...]
    language: Trained
    seconds: float


def begin(setting: Setting) -> None:
    """Have the worker processes train the form's language models and their networks, beside all else."""
    form = setting.form
    texts = [one.text for one in setting.prepared.parts.known]
    trainings = []
    for seed in form.seeds[: form.models]:
        folder = setting.folder / f"language-{form.budget.tokens}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        trainings.append(Training(folder / MODEL, seed))
    train = partial(train_with_network, setting.prepared.manifest, texts, form.budget)
    setting.kept["learning",] = each(setting.pool, train, trainings)


def learned(setting: Setting) -> list[Learned]:
    """The form's language models with their networks, once they are trained."""
    models = list[Learned]()
    for model in setting.kept.pop(("learning",)):
        models.append(model)
        setting.tell("training language models and their networks", len(models), setting.form.models)
    return models


def train_with_network(manifest: Path, texts: Sequence[str], budget: Budget, training: Training) -> Learned:
    """Train a language model and then, in the folder that it is in, its network and the control."""
    language = train_on(manifest, texts, budget, training)
    folder = training.place.parent
    started = time.monotonic()
    _control(manifest, budget.spans, folder)
    networks.train_network(manifest, model=training.place, output=folder / NETWORK, spans=budget.spans)
    about, _ = store.load(folder / NETWORK)
    return Learned(folder, about.sources, language, time.monotonic() - started)


def train_on(manifest: Path, texts: Sequence[str], budget: Budget, training: Training) -> Trained:
    """Train a language model on some texts."""
    use_one_thread()
    tokenizer = manifest.parent / "tokenizer.json"
    return train_language_model(
        texts,
        tokenizer,
        training.place,
        budget.shape,
        tokens=budget.tokens,
        seconds=math.inf if budget.seconds is None else budget.seconds,
        seed=training.seed,
        left_out=training.left_out,
        start=training.start,
    )


def _control(manifest: Path, spans: int, folder: Path) -> None:
    """Train the control: the network that learns from all documents, on the activations of random weights.

    What it reads stays in the network's folder. The training of the network, which has a control of its own, would
    otherwise read it again.
    """
    opened = open_corpus(manifest)
    language = open_model(folder / MODEL)
    reader = Reader(language)
    documents = read_documents(opened.corpus, opened.files, language, say_nothing)
    chosen = spans_of(documents.kept, spans)
    control = Reader(with_random_weights(language), reader.layers)
    table = read_features(folder / NETWORK / store.FEATURES, control, chosen.tokens, say_nothing)
    examples = examples_of(documents, chosen)
    head = learn(table, examples, len(documents.sources), [ALL], language.device, say_nothing)
    about = store.About(
        model=str((folder / MODEL).absolute()),
        model_digest=control.model.digest,
        layers=tuple(reader.layers),
        features=reader.size,
        manifest=opened.corpus.digest,
        documents=(),
        sources=tuple(documents.sources),
        calibration=NetworkCalibration(),
        within=None,
        measured=[],
    )
    store.save(folder / CONTROL, about, head)


def scores(setting: Setting, of: Learned, spans: Sequence[Ids], *, control: bool = False) -> Floats:
    """What the network, or the control, says of spans: logarithms of probabilities, spans by its sources."""
    texts = [setting.decode(tokens.tolist()) for tokens in spans]
    parts = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
    found = [np.empty((0, len(of.sources)))]
    for part in each(setting.pool, partial(_scores, of.folder, CONTROL if control else NETWORK), parts):
        found.append(part)
        setting.tell("reading activations", sum(map(len, found)), len(texts))
    return np.concatenate(found)


_readers: dict[str, Reader] = {}
"""The one that this process used last, by the digest of its model."""


def _scores(folder: Path, which: str, texts: Sequence[str]) -> Floats:
    use_one_thread()
    about, head = store.load(folder / which)
    if about.model_digest not in _readers:
        _readers.clear()
        language = open_model(folder / MODEL)
        _readers[about.model_digest] = Reader(
            with_random_weights(language) if which == CONTROL else language, about.layers
        )
    reader = _readers[about.model_digest]
    network = Network(about, store.to_device(head, reader.model.device), reader)
    return network.scores(texts, [0] * len(texts) if which == CONTROL else None)  # of the control there is but one head


def fitted_beside(index: Path, method: Method, job: tuple[Path, int]) -> Calibration:
    """How the network's scores are weighed, with all evidence of the text or in its place, fitted with a seed."""
    folder, seed = job
    use_one_thread()
    opened, network = open_index(index, check=False), open_network(folder / NETWORK)
    decode = reference_of(opened).decode
    beside = Beside(opened, network.sources, network.scores, decode, method)
    return calibrate(opened, say_nothing, seed, beside.extend)
