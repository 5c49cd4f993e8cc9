"""Fits the choice to an index: spans of its own documents, each judged as if its fold were not there (rule U9).

No document need be set aside: what the documents of a fold add to the models of all units is taken out while their
spans are judged. Were only the span's own document taken out, its unit would be the one that is smaller than usual,
and that would give it away. Some are judged with their whole unit taken out as well: the right answer is then that
nothing in the corpus is the source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.attribution import folder
from royaltycli.attribution.choice import (
    BEYOND,
    DOUBT,
    FINER,
    PENALTY,
    RARE,
    SPREAD,
    Choice,
    Example,
    fit,
    probabilities,
)
from royaltycli.attribution.evidence import STRENGTHS, Evidence
from royaltycli.attribution.folds import FOLDS
from royaltycli.attribution.index import Index, Model
from royaltycli.attribution.machine import Machine
from royaltycli.attribution.unseen import Span, judged_unseen
from royaltycli.errors import AttributionError
from royaltycli.parallel.threads import one_thread

SPANS = {8: 500, 32: 2000, 128: 2000, 512: 500, 2048: 350}
"""Tokens of the spans, and how many there are; at most a third as many as the corpus has stretches of that size."""

USUAL = 128
"""Tokens of the spans by which a calibration says how well it does."""

UNKNOWN_EVERY = 3
"""Of so many spans one is judged a second time, with its whole unit taken out."""

QUOTED_EVERY = 10
"""Of so many spans one is judged with nothing taken out, as what a model has by heart and quotes."""

UNKNOWN = 0.2
"""The part that those have together, whatever their number."""

FITS = 5
"""How many say what a calibration says of itself, each with no span of a part of the folds."""

FEW = 10
"""So many spans of a unit tell as much of how likely it is found to be as its tokens do."""

BINS = 15


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted choice, and how well it does on spans that it was not fitted to.

    `prior` has the probability of each unit, and then that of none by the unit that it leans to, as `shift.leaning`
    has it, in the mean over those spans, or nearly. `right` is the part of known spans of 128 tokens whose likeliest
    unit is the right one; `error` the expected calibration error of that probability, in 15 bins (Naeini and others
    2015). `machine` gives some of the measures; None if there is none.
    """

    choice: Choice
    machine: Machine | None
    prior: Floats
    spans: int
    right: float
    error: float

    @property
    def of_one(self) -> bool:
        """Whether all text is of one unit, so that there was no other of which a span would be of none."""
        return int(np.count_nonzero(self.prior[: len(self.prior) // 2])) == 1


Extend = Callable[[int, Evidence], Evidence]
"""Adds measures to the evidence on a span, by its number."""


def calibrate(
    index: Index,
    tick: Callable[[int, int], None],
    seed: int = 0,
    extend: Callable[[list[Span]], Extend] | None = None,
    workers: int = 1,
) -> Calibration:
    """Train the machines, and fit the choice. `tick` is told how many steps of how many are done.

    `extend` is given all spans, and gives what adds measures to the evidence on each. Raises WorkerError.
    """
    spans = list(sample(index, seed))
    more = None if extend is None else extend(spans)
    found, machine = judged_unseen(index, spans, workers, tick)
    if more is not None:
        found = [more(number, each) for number, each in enumerate(found)]
    examples = _weighted([_example(span, each) for span, each in zip(spans, found, strict=True)])
    with one_thread():
        choice = fit(examples, len(index.units))
        return Calibration(choice, machine, *_crossed(index, spans, examples, choice))


def write_calibration(index: Index, calibration: Calibration) -> None:
    """Keep a calibration in its index. Raises OutputError."""
    machine: dict[str, object] = {}
    if calibration.machine is not None:
        folder.save_all(index.path, "machine", calibration.machine)
        machine = {"machine": {name: folder.digest_of(index.path / name) for name in folder.MACHINE}}
    _write(index.path, folder.CALIBRATION, _of(index), calibration, machine)


def read_calibration(index: Index) -> Calibration | None:
    """The calibration that is kept in an index; None if there is none, or it is of other models.

    Raises AttributionError if it has changed by as much as a bit.
    """
    value = _read(index.path, folder.CALIBRATION, _of(index))
    if value is None:
        return None
    trained: dict[str, str] = value.get("machine", {})
    folder.check_digests(index.path, trained)
    machine = folder.load_all(index.path, "machine", Machine) if trained else None
    return _calibration(index.path, folder.CALIBRATION, value, machine)


def remember(index: Index, network: Path, method: str, calibration: Calibration) -> None:
    """Keep in the folder of a network how it is weighed, by a method, beside an index. Raises OutputError."""
    _write(network, f"{folder.CALIBRATION}-{method}", _of(index, network, method), calibration, {})


def remembered(index: Index, network: Path, method: str, machine: Machine | None) -> Calibration | None:
    """What was kept of this very index and network, with the machine of the index; None if that is not there whole."""
    name = f"{folder.CALIBRATION}-{method}"
    try:
        value = _read(network, name, _of(index, network, method))
        return None if value is None else _calibration(network, name, value, machine)
    except AttributionError:  # damaged
        return None


def _write(place: Path, name: str, of: str, calibration: Calibration, more: dict[str, object]) -> None:
    folder.save(place, f"{name}-prior", calibration.prior)
    value: dict[str, object] = {
        "of": of,
        **{name: values.tolist() for name, values in asdict(calibration.choice).items()},
        "spans": calibration.spans,
        "right": calibration.right,
        "error": calibration.error,
        "prior": folder.digest_of(place / f"{name}-prior.npy"),
        **more,
    }
    folder.write_json(place / f"{name}.json", value | {"digest": folder.digest_of_value(value)})


def _read(place: Path, name: str, of: str) -> dict[str, Any] | None:
    """What was written; None if it is not there, or of something else. Raises AttributionError if it has changed."""
    path = place / f"{name}.json"
    if not path.is_file():
        return None
    value = folder.read_json(path)
    if value.pop("digest", None) != folder.digest_of_value(value):
        raise folder.damaged(path)
    return value if value["of"] == of else None


def _calibration(place: Path, name: str, value: dict[str, Any], machine: Machine | None) -> Calibration:
    folder.check_digests(place, {f"{name}-prior.npy": value["prior"]})
    choice = Choice(**{part.name: np.array(value[part.name]) for part in fields(Choice)})
    prior = folder.load(place, f"{name}-prior")
    return Calibration(choice, machine, prior, value["spans"], value["right"], value["error"])


def _of(index: Index, network: Path | None = None, method: str = "text") -> str:
    """The digest of all that a calibration depends on."""
    settings = [*SPANS.items(), *STRENGTHS, UNKNOWN, UNKNOWN_EVERY, QUOTED_EVERY, FITS]
    settings += [PENALTY, FINER, SPREAD, DOUBT, RARE, BEYOND]
    beside = None if network is None else folder.digest_of(network / folder.NETWORK)
    said = json.dumps([folder.VERSION, index.about["models"], settings, method, beside])
    return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The documents of an index, and the stretches of those that are cut into folds, in the order of their strata.

    A stratum is a fold of a unit, unit * FOLDS + fold: `strata[i]` has the pieces `firsts[i]` to `firsts[i + 1]`.
    """

    models: Numbers
    documents: Numbers
    starts: Numbers
    sizes: Numbers
    strata: Numbers
    firsts: Numbers


def sample(index: Index, seed: int) -> Iterator[Span]:
    """Spans of documents, in an order that the seed alone decides.

    Each unit has as many as it has tokens, and each of its folds as many as the others: how large a fold is must not
    say whose the spans are.
    """
    random = np.random.default_rng(seed)
    pieces = _pieces(index)
    units = pieces.strata // FOLDS
    part = (index.sizes / np.maximum(np.bincount(units, minlength=len(index.units)), 1) / index.tokens)[units]
    count = 0
    for size, most in SPANS.items():
        draws = min(most, max(1, index.tokens // (3 * size)))
        # As many of each as its part makes, rounded in such a way that all together are as many as are drawn.
        ends = np.floor(np.cumsum(part) * draws + random.random()).astype(np.int64)
        for at in np.repeat(np.arange(len(part)), np.diff(ends, prepend=0)).tolist():
            span = _drawn(index, pieces, at, size, random)
            count += 1
            yield replace(span, quoted=count % QUOTED_EVERY == 0)
            if count % UNKNOWN_EVERY == 0:
                yield replace(span, unknown=True)


def _drawn(index: Index, pieces: _Pieces, at: int, size: int, random: np.random.Generator) -> Span:
    """A span of a stratum, by its place."""
    sizes = pieces.sizes[pieces.firsts[at] : pieces.firsts[at + 1]]
    piece = int(pieces.firsts[at]) + int(random.choice(len(sizes), p=sizes / sizes.sum()))
    taken = min(size, int(pieces.sizes[piece]))
    start = int(pieces.starts[piece]) + int(random.integers(0, pieces.sizes[piece] - taken + 1))
    model, (unit, fold) = int(pieces.models[piece]), divmod(int(pieces.strata[at]), FOLDS)
    return Span(index.models[model].tokens(start, start + taken), model, int(pieces.documents[piece]), unit, fold)


def _pieces(index: Index) -> _Pieces:
    parts = [_pieces_of(number, model) for number, model in enumerate(index.models)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[-1], kind="stable")
    order = order[columns[3][order] > 0]
    models, documents, starts, sizes, strata = (column[order] for column in columns)
    found, firsts = np.unique(strata, return_index=True)
    return _Pieces(models, documents, starts, sizes, found, np.append(firsts, len(strata)))


def _pieces_of(number: int, model: Model) -> list[Numbers]:
    """The columns of the pieces of one model, the last with the stratum of each."""
    starts = np.unique(np.concatenate([model.starts[:-1], np.flatnonzero(np.diff(model.folds)) + 1]))
    documents = model.suffixes.documents[starts]
    ends = np.append(starts[1:], model.starts[-1])
    sizes = ends - starts - (ends == model.starts[documents + 1])  # a place more follows each document
    strata = model.units[documents].astype(np.int64) * FOLDS + model.folds[starts]
    return [np.full(len(starts), number), starts * 0 + documents, starts, sizes, strata]


def _example(span: Span, found: Evidence) -> Example:
    right = np.flatnonzero(found.units == span.unit)
    return Example(found, int(right[0]) if len(right) and not span.unknown else -1)


def _weighted(examples: list[Example]) -> list[Example]:
    """The examples with weights by which the unknown ones are a part of UNKNOWN."""
    unknown = sum(example.right < 0 for example in examples)
    if unknown in (0, len(examples)):
        return examples
    more = UNKNOWN / (1 - UNKNOWN) * (len(examples) - unknown) / unknown
    return [Example(each.evidence, each.right, more if each.right < 0 else 1.0) for each in examples]


def _crossed(
    index: Index, spans: list[Span], examples: list[Example], near: Choice
) -> tuple[Floats, int, float, float]:
    """What a calibration says of itself, each span judged by a fit to the spans of other folds."""
    part = np.array([span.fold % FITS for span in spans])
    prior = np.zeros((2, len(index.units)))
    sure, right = [], []
    for number in range(FITS):
        others = [example for example, own in zip(examples, part, strict=True) if own != number]
        choice = fit(others or examples, len(index.units), near)
        for at in np.flatnonzero(part == number).tolist():
            example, span = examples[at], spans[at]
            odds, none = probabilities(choice, example.evidence)
            units, sizes = example.evidence.units, index.sizes / index.tokens
            prior[0, units] += example.weight * odds
            # Where there is no other unit to lean to, as their tokens are.
            lean = np.bincount(units, odds, minlength=len(sizes)) / odds.sum() if odds.sum() > 0 else sizes
            prior[1] += example.weight * none * lean
            if example.right >= 0 and not span.quoted and len(span.tokens) == USUAL:
                sure.append(float(odds.max() / odds.sum()))
                right.append(int(odds.argmax()) == example.right)
    # Where a unit has hardly a span, the mean says little, and what its tokens make likely counts more.
    likely = np.outer([1 - UNKNOWN, UNKNOWN], index.sizes / index.tokens)
    prior = likely * (prior + FEW) / (likely * prior.sum() + FEW)
    measured = (float(np.mean(right)), calibration_error(np.array(sure), np.array(right))) if sure else (0.0, 0.0)
    return prior.ravel() / prior.sum(), len(spans), *measured


def calibration_error(sure: Floats, right: Mask, weights: Floats | None = None) -> float:
    """Expected calibration error: the distance between how sure and how often right, on average over BINS.

    The bins are of equal width in (0, 1], and count by the weight that falls into them (Naeini, Cooper and
    Hauskrecht 2015; Guo and others 2017).
    """
    weights = np.ones(len(sure)) if weights is None else weights
    bin_of = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.bincount(bin_of, weights * (sure - right), BINS)
    return float(np.abs(gaps).sum() / weights.sum())
