"""Fits the choice to an index: spans of its own documents, each judged as if its document were not there (rule U9).

No document need be set aside: what a document adds to the models is taken out while its own spans are judged. Of a
source with a single document a fifth of it is taken out around the span. Others are judged with the whole source
taken out: the right answer is then that nothing in the corpus is the source.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from royaltycli.attribution import folder
from royaltycli.attribution.choice import Choice, Example, Vector, fit, probabilities
from royaltycli.attribution.evidence import Evidence, LeftOut, evidence
from royaltycli.attribution.index import Index
from royaltycli.attribution.machine import FOLDS, Machine, Machines, machines
from royaltycli.tokens.engines import Ids

SIZES = (32, 128, 512, 2048)
"""Tokens of the spans."""

SPANS = 600
"""Spans of each size; at most a third as many as there are stretches of that size in the corpus."""

UNKNOWN_EVERY = 3
"""Of so many spans one is judged a second time, with its whole source taken out."""

QUOTED_EVERY = 10
"""Of so many spans one is matched with its own document, as what a model has by heart and quotes."""

UNKNOWN = 0.2
"""The part that those have together, whatever their number."""

FEW = 10
"""So many spans of a unit tell as much of how likely it is found to be as its tokens do."""

BINS = 15


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document, and what is left out while it is judged; but of one that is `quoted` it is matched."""

    tokens: Ids
    left_out: LeftOut
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted choice, and how well it does on spans that it was not fitted to.

    `prior` has the probability of each unit, and last of none, in the mean over those spans, or nearly. `right` is the
    part of known spans of 128 tokens whose likeliest unit is the right one; `error` the expected calibration error of
    that probability, in 15 bins (Naeini and others 2015). `machine` gives some of the measures; None if there is none.
    """

    choice: Choice
    machine: Machine | None
    prior: npt.NDArray[np.float64]
    spans: int
    right: float
    error: float


Extend = Callable[[int, Evidence], Evidence]
"""Adds measures to the evidence on a span, by its number."""


def calibrate(
    index: Index,
    tick: Callable[[int, int], None],
    seed: int = 0,
    extend: Callable[[list[Span]], Extend] | None = None,
) -> Calibration:
    """Train the machines, and fit the choice. `tick` is told how many steps of how many are done.

    `extend` is given all spans, and gives what adds measures to the evidence on each.
    """
    spans = list(sample(index, seed))
    more = None if extend is None else extend(spans)
    steps = 2 * FOLDS + len(spans)  # the machines, and then the spans
    trained = machines(index, lambda done, _of: tick(done, steps))
    examples = []
    for number, span in enumerate(spans):
        tick(2 * FOLDS + number, steps)
        machine = None if trained is None else _unseeing(trained, index, span)
        found = evidence(index, span.tokens, machine, span.left_out, quoted=span.quoted)
        examples.append(_example(span, found if more is None else more(number, found)))
    tick(steps, steps)
    examples = _weighted(examples)
    return Calibration(fit(examples), None if trained is None else trained.mean(), *_crossed(index, spans, examples))


def _unseeing(trained: Machines, index: Index, span: Span) -> Machine:
    """A machine that has not seen what is left out while a span is judged."""
    left_out = span.left_out
    if left_out.whole_unit:
        return trained.without_unit(left_out.unit)
    if index.documents[left_out.unit] > 1:
        return trained.without_document(_document(index, span))
    model = index.models[left_out.model]
    own = model.suffixes.documents[left_out.start]
    begin, end = int(model.starts[own]), int(model.starts[own + 1]) - 1
    return trained.without_part(((left_out.start + left_out.stop) / 2 - begin) / (end - begin))


def write_calibration(index: Index, calibration: Calibration) -> None:
    """Keep a calibration in its index. Raises OutputError."""
    choice = calibration.choice
    value: dict[str, object] = {
        "of": _of(index),
        "weights": choice.weights.tolist(),
        "none": choice.none.tolist(),
        "spans": calibration.spans,
        "right": calibration.right,
        "error": calibration.error,
    }
    folder.save(index.path, "prior", calibration.prior)
    value["prior"] = folder.digest_of(index.path / "prior.npy")
    if calibration.machine is not None:
        folder.save_all(index.path, "machine", calibration.machine)
        value["machine"] = {name: folder.digest_of(index.path / name) for name in folder.MACHINE}
    folder.write_json(index.path / folder.CALIBRATION, value | {"digest": folder.digest_of_value(value)})


def read_calibration(index: Index) -> Calibration | None:
    """The calibration that is kept in an index; None if there is none, or it is of other models.

    Raises AttributionError if it has changed by as much as a bit.
    """
    if not (index.path / folder.CALIBRATION).is_file():
        return None
    value = folder.read_json(index.path / folder.CALIBRATION)
    if value.pop("digest", None) != folder.digest_of_value(value):
        raise folder.damaged(index.path / folder.CALIBRATION)
    if value["of"] != _of(index):
        return None
    trained: dict[str, str] = value.get("machine", {})
    folder.check_digests(index.path, {"prior.npy": value["prior"], **trained})
    choice = Choice(np.array(value["weights"]), np.array(value["none"]))
    machine = folder.load_all(index.path, "machine", Machine) if trained else None
    prior = folder.load(index.path, "prior")
    return Calibration(choice, machine, prior, value["spans"], value["right"], value["error"])


def _of(index: Index) -> str:
    """The digest of all that a calibration depends on."""
    said = json.dumps([folder.VERSION, index.about["models"], SIZES, SPANS, UNKNOWN, UNKNOWN_EVERY, QUOTED_EVERY])
    return hashlib.sha256(said.encode()).hexdigest()


def sample(index: Index, seed: int) -> Iterator[Span]:
    """Spans of documents, drawn by the tokens of the documents, in an order that the seed alone decides."""
    random = np.random.default_rng(seed)
    lengths = [np.diff(model.starts) - 1 for model in index.models]
    in_unit = index.documents
    models = np.repeat(np.arange(len(lengths)), [len(each) for each in lengths])
    every = np.concatenate(lengths)
    documents = np.concatenate([np.arange(len(each)) for each in lengths])
    count = 0
    for size in SIZES:
        draws = min(SPANS, max(1, int(every.sum()) // (3 * size)))
        for chosen in random.choice(len(every), draws, p=every / every.sum()).tolist():
            number, document, length = int(models[chosen]), int(documents[chosen]), int(every[chosen])
            model = index.models[number]
            unit, begin = int(model.units[document]), int(model.starts[document])
            out = length if in_unit[unit] > 1 else max(1, length // FOLDS)
            taken = min(size, out)
            start = int(random.integers(0, length - taken + 1))
            first = 0 if out == length else max(0, min(start - (out - taken) // 2, length - out))
            left_out = LeftOut(number, begin + first, begin + first + out, unit)
            tokens = model.tokens(begin + start, begin + start + taken)
            count += 1
            yield Span(tokens, left_out, quoted=count % QUOTED_EVERY == 0)
            if count % UNKNOWN_EVERY == 0:
                yield Span(tokens, LeftOut(number, left_out.start, left_out.stop, unit, whole_unit=True))


def _example(span: Span, found: Evidence) -> Example:
    right = np.flatnonzero(found.units == span.left_out.unit)
    return Example(found, int(right[0]) if len(right) and not span.left_out.whole_unit else -1)


def _weighted(examples: list[Example]) -> list[Example]:
    """The examples with weights by which the unknown ones are a part of UNKNOWN."""
    unknown = sum(example.right < 0 for example in examples)
    if unknown in (0, len(examples)):
        return examples
    more = UNKNOWN / (1 - UNKNOWN) * (len(examples) - unknown) / unknown
    return [Example(each.evidence, each.right, more if each.right < 0 else 1.0) for each in examples]


def _crossed(
    index: Index, spans: list[Span], examples: list[Example]
) -> tuple[npt.NDArray[np.float64], int, float, float]:
    """What a calibration says of itself, each span judged by a fit to the spans of other documents."""
    fold = np.array([_document(index, span) for span in spans]) % FOLDS
    prior = np.zeros(len(index.units) + 1)
    sure, right = [], []
    for number in range(FOLDS):
        others = [example for example, own in zip(examples, fold, strict=True) if own != number]
        choice = fit(others or examples)
        for at in np.flatnonzero(fold == number).tolist():
            example, span = examples[at], spans[at]
            odds, none = probabilities(choice, example.evidence)
            prior[example.evidence.units] += example.weight * odds
            prior[-1] += example.weight * none
            if example.right >= 0 and not span.quoted and len(span.tokens) == SIZES[1]:
                sure.append(float(odds.max() / odds.sum()))
                right.append(int(odds.argmax()) == example.right)
    # Where a unit has hardly a span, the mean says little, and what its tokens make likely counts more.
    likely = np.append(index.sizes / index.tokens * (1 - UNKNOWN), UNKNOWN)
    prior = np.maximum(likely, 1e-12) * (prior + FEW) / (likely * prior.sum() + FEW)
    measured = (float(np.mean(right)), calibration_error(np.array(sure), np.array(right))) if sure else (0.0, 0.0)
    return prior / prior.sum(), len(spans), *measured


def _document(index: Index, span: Span) -> int:
    """The number of the document that a span is of, among those of all models."""
    before = sum(len(model.units) for model in index.models[: span.left_out.model])
    return before + int(index.models[span.left_out.model].suffixes.documents[span.left_out.start])


def calibration_error(sure: Vector, right: npt.NDArray[np.bool_], weights: Vector | None = None) -> float:
    """Expected calibration error: the distance between how sure and how often right, on average over BINS.

    The bins are of equal width in (0, 1], and count by the weight that falls into them (Naeini, Cooper and
    Hauskrecht 2015; Guo and others 2017).
    """
    weights = np.ones(len(sure)) if weights is None else weights
    bin_of = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.bincount(bin_of, weights * (sure - right), BINS)
    return float(np.abs(gaps).sum() / weights.sum())
