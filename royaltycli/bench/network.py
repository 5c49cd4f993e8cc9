"""The part `network`: the attribution network beside its control on random weights, and stacked with the text.

Nothing is chosen by the held-out text: the language models are trained with a fixed budget, and how network and text
are weighed is fitted to documents of the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.attribution.calibration import Calibration
from royaltycli.attribution.evidence import Evidence
from royaltycli.attribution.stacking import Beside
from royaltycli.bench import method, rows
from royaltycli.bench.learning import Learned, fitted_beside, learned, scores
from royaltycli.bench.measures import Estimate, accuracy
from royaltycli.bench.results import Goal, Row, seeded
from royaltycli.bench.setting import TEXT, WHOLE, Answers, Asked, Cases, Headed, Setting, Size, right, weighed
from royaltycli.bench.spans import SIZES, Spans
from royaltycli.tokens.engines import Ids

BySize = Mapping[Size, Floats]
"""What a network says of the spans of each size: logarithms of probabilities, spans by sources."""

ALONE: dict[Size, Goal] = {32: Goal(".624"), 128: Goal(".729", 0.78), WHOLE: Goal(".862")}
CONTROL: dict[Size, Goal] = {32: Goal(".488"), 128: Goal(".584"), WHOLE: Goal(".753")}
LEAD: dict[Size, Goal] = {32: Goal(".136"), 128: Goal(".145", 0.15), WHOLE: Goal(".109")}
STACKED: dict[Size, Goal] = {32: Goal(".745", 0.78), 128: Goal(".832", 0.86), WHOLE: Goal(".907", 0.93)}


def measure(setting: Setting) -> Headed:
    """The rows of this part, each heading as soon as it is measured."""
    seeds = setting.form.seeds[: setting.form.models]
    models = learned(setting)
    yield "Network: the language models and their networks", _trained(models)
    asked = setting.asked(seeds)
    said = [_read(setting, of, each.spans) for of, each in zip(models, asked, strict=True)]
    random = [_read(setting, of, each.spans, control=True) for of, each in zip(models, asked, strict=True)]
    alone, control = (
        [_right(setting, *one) for one in zip(models, asked, which, strict=True)] for which in (said, random)
    )
    answers = _stacked(setting, models, asked, said) if setting.form.stacked else []
    for size in (*SIZES, WHOLE):
        ours, theirs = ([case[size] for case in cases] for cases in (alone, control))
        yield f"Network: top-1 source of {rows.named(size)}", _accuracy(setting, size, ours, theirs, answers)
    if not answers:
        return
    yield "Network and text stacked: calibration, of the likeliest source", rows.calibration(asked, answers)
    heading = "Network and text stacked: payouts of 100 skewed mixtures, total variation from the true usage"
    yield heading, rows.paid_out(setting, asked, answers, ("argmax", "mean", "corrected", "nobody", "chance"))
    yield "Network and text stacked: known against unknown corpora", rows.known_or_not(asked, answers)


def fitted(setting: Setting, models: Sequence[Learned], seeds: Sequence[int]) -> list[Calibration]:
    """How network and text are weighed together, as `--method all` does, for each model fitted with its seed."""
    pairs = list(zip(models, seeds, strict=True))
    missing = [(of.folder, seed) for of, seed in pairs if ("stacked", of.folder, seed) not in setting.kept]
    fits = method.each(setting.pool, partial(fitted_beside, setting.gatherer.path, "all"), missing)
    for number, (folder, seed) in enumerate(missing):
        setting.tell("fitting network and text", number, len(missing))
        setting.kept["stacked", folder, seed] = next(fits)
    return [setting.kept["stacked", of.folder, seed] for of, seed in pairs]


def _stacked(
    setting: Setting, models: Sequence[Learned], asked: Sequence[Asked], said: Sequence[BySize]
) -> list[Answers]:
    """What network and text together say of all that is asked with the seed of each model."""
    fits = fitted(setting, models, [each.seed for each in asked])
    answers = []
    for of, fit, each, ours in zip(models, fits, asked, said, strict=True):
        theirs = _read(setting, of, each.strangers)
        found, found_of_strangers = (
            {size: beside(setting, of, spans[size].tokens, evidence[size], logs[size]) for size in spans}
            for spans, evidence, logs in (
                (each.spans, each.found, ours),
                (each.strangers, each.found_of_strangers, theirs),
            )
        )
        extended = replace(each, found=found, found_of_strangers=found_of_strangers)
        answers.append(weighed(setting.gatherer.index, fit, extended))
    return answers


def beside(
    setting: Setting, of: Learned, tokens: Sequence[Ids], found: Sequence[Evidence], said: Floats
) -> list[Evidence]:
    """The evidence of text on spans, with what the network said of them beside it."""
    index, sources = setting.gatherer.index, of.sources
    return Beside(index, sources, lambda _texts, _folds: said, setting.decode, "all").beside(tokens, found)


def _read(setting: Setting, of: Learned, spans: Mapping[Size, Spans], *, control: bool = False) -> BySize:
    """What the network, or the control, says of spans."""
    return {size: scores(setting, of, each.tokens, control=control) for size, each in spans.items()}


def _right(setting: Setting, of: Learned, asked: Asked, said: BySize) -> dict[Size, dict[str, Any]]:
    """By size, for which spans the likeliest source is the right one."""
    numbers = np.array([setting.data.sources.index(source) for source in of.sources])
    return {size: right(numbers[said[size].argmax(axis=1)], spans) for size, spans in asked.spans.items()}


def _accuracy(setting: Setting, size: Size, alone: Cases, control: Cases, answers: Sequence[Answers]) -> list[Row]:
    """The network, its control, the text and, if there are answers of it, network and text stacked."""
    seeds = setting.form.seeds[: setting.form.models]
    asked, compared = setting.asked(seeds), setting.compared(seeds)
    pairs = [{**one, "other": other["right"]} for one, other in zip(alone, control, strict=True)]
    found = [
        seeded("network alone", ALONE[size], rows.accuracy_of, alone),
        seeded("the same on random weights, the control", CONTROL[size], rows.accuracy_of, control),
        seeded("lead of the network over the control", LEAD[size], _lead, pairs),
        seeded(TEXT, Goal(), rows.accuracy_of, compared[TEXT, size]),
    ]
    if not answers:
        return found
    both = [
        right(said.odds[size].sources.argmax(axis=1), each.spans[size])
        for each, said in zip(asked, answers, strict=True)
    ]
    best = rows.best_of(compared, size, list(dict.fromkeys(name for name, _ in compared)))
    return [
        *found,
        seeded("network and text stacked", STACKED[size], rows.accuracy_of, both),
        rows.fewer_errors(both, compared[best, size], f"fewer errors than the best method of text ({best})"),
    ]


def _lead(case: Mapping[str, Any], weights: rows.Weights) -> float:
    return accuracy(case["right"], weights) - accuracy(case["other"], weights)


def _trained(models: Sequence[Learned]) -> list[Row]:
    """What was trained: a figure for each language model."""
    figures = {
        "language models, each of a seed of its own": ([float(len(models))], 0),
        "tokens that a model was trained with, millions": ([each.language.tokens / 1e6 for each in models], 2),
        "loss at the end of the training, nats a token": ([each.language.loss for each in models], 3),
        "seconds to train a model": ([each.language.seconds for each in models], 0),
        "seconds to train its network and the control": ([each.seconds for each in models], 0),
    }
    found = []
    for words, (values, places) in figures.items():
        estimate = Estimate(float(np.mean(values)), min(values), max(values))
        found.append(Row(words, Goal(), estimate, tuple(values) if len(values) > 1 else (), places))
    return found
