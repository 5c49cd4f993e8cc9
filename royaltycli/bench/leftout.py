"""The part `left-out`: a language model is trained again without a source, to see which text it then knows less.

The truth is by how much the loss of a text rises when a source is left out. A model is trained on all sources but
some; then it is trained further on these, and again without each of them, by the same seed and as many tokens. So
these models differ in what they were trained on last, and by as little chance as can be; what is left of that, the
mean over several such trainings makes less. Each text is judged by the index and by the network beside the first model
of all sources, both of which know all sources, and asked is which of those that were left out it draws on most.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.bench import method
from royaltycli.bench.baselines import nearest_passages
from royaltycli.bench.language import losses, write
from royaltycli.bench.learning import MODEL, Learned, Training, scores, train_on, train_with_network
from royaltycli.bench.measures import spearman
from royaltycli.bench.network import beside, fitted
from royaltycli.bench.results import Goal, Row, seeded
from royaltycli.bench.rows import Weights, accuracy_of
from royaltycli.bench.setting import TEXT, Headed, Setting
from royaltycli.bench.spans import SIZES, Spans, cut
from royaltycli.tokens.engines import Ids

Goals = tuple[Goal, Goal]
"""Of the part of texts whose source is found (top-1), and of the agreement of ranks (Spearman)."""

COMPARABLE = 8
"""The goals are for so many sources: of fewer it is easier to find the right one."""

PROMPT, WRITTEN = SIZES
"""Tokens of a prompt, and of what is written after it: as many as a span has."""

STACKED, ALONE, BM25 = "network and text stacked", "network alone", "BM25, vote of the top 20"
OWN = "the source that the text, or its prompt, is of"

HELD_OUT: dict[str, Goals] = {
    OWN: (Goal(), Goal()),
    BM25: (Goal(".76"), Goal(".51")),
    TEXT: (Goal(), Goal()),
    ALONE: (Goal(".65"), Goal(".40")),
    STACKED: (Goal(".772", 0.80), Goal(".512", 0.55)),
}
GENERATED: dict[str, Goals] = {
    OWN: (Goal(".30"), Goal()),
    BM25: (Goal(".679"), Goal(".620")),
    TEXT: (Goal(), Goal()),
    ALONE: (Goal(".52"), Goal(".52")),
    STACKED: (Goal(".65; .679 by BM25", 0.72), Goal(".61; .620 by BM25", 0.65)),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of the sources that are left out: the prompt of each, which may have no token, and the text itself."""

    prompts: tuple[Ids, ...]
    spans: Spans


def measure(setting: Setting) -> Headed:
    """The rows of this part, each heading as soon as it is measured."""
    plan, seed = setting.form.left_out, setting.form.seeds[0]
    left_out = drawn(len(setting.data.sources), plan.sources, seed)
    base, trainings = _trained(setting, left_out)
    spans = of_sources(cut(setting.data.held_out, WRITTEN), left_out, plan.spans, seed)
    names = ", ".join(setting.data.sources[source] for source in left_out.tolist())
    held_out = Texts(tuple(tokens[:0] for tokens in spans.tokens), spans)
    prompts = tuple(tokens[:PROMPT] for tokens in spans.tokens)
    setting.tell("writing text", 0, 0)
    (tokens,) = method.each(setting.pool, partial(write, base.folder / MODEL, WRITTEN, seed), [prompts])
    generated = Texts(prompts, replace(spans, tokens=tuple(tokens)))
    for what, texts, goals in (
        ("held-out text", held_out, HELD_OUT),
        ("text that the base model wrote", generated, GENERATED),
    ):
        heading = f"Left out and trained again, {what}: the source whose loss counts most, of {names}"
        setting.tell("measuring losses", 0, 0)
        rises = [_rises(setting, models, texts) for models in trainings]
        yield heading, _rows(setting, base, rises, left_out, texts, goals)


def drawn(sources: int, count: int, seed: int) -> Numbers:
    """The sources that are left out, one at a time."""
    return np.sort(np.random.default_rng([seed, 2]).choice(sources, min(count, sources), replace=False))


def of_sources(spans: Spans, sources: Numbers, most: int, seed: int) -> Spans:
    """The spans of some sources, at most so many of each, drawn by the seed."""
    random = np.random.default_rng([seed, 3])
    chosen = []
    for source in sources.tolist():
        own = np.flatnonzero(spans.sources == source)
        chosen.append(own if len(own) <= most else np.sort(random.choice(own, most, replace=False)))
    return spans.some(np.concatenate(chosen))


def _trained(setting: Setting, left_out: Numbers) -> tuple[Learned, list[list[Path]]]:
    """The base model with its network; and of each training the model of all sources, and those without one."""
    form, known, manifest = setting.form, setting.prepared.parts.known, setting.prepared.manifest
    plan, names = form.left_out, [setting.data.sources[source] for source in left_out.tolist()]
    folder = setting.folder / "left-out"
    shutil.rmtree(folder, ignore_errors=True)
    starts = [Training(folder / f"{seed}" / "before", seed) for seed in form.seeds[: plan.trainings]]
    others = [one.text for one in known if one.source not in names]
    before = partial(train_on, manifest, others, replace(plan.budget, tokens=plan.tokens_before))
    for number, _ in enumerate(method.each(setting.pool, before, starts)):
        setting.tell("training language models of the other sources", number + 1, len(starts))
    last = [one for one in known if one.source in names]
    again = [_again(start, names, [one.source for one in last]) for start in starts]
    first, *rest = [training for trainings in again for training in trainings]
    what = manifest, [one.text for one in last], plan.budget
    learning = method.each(setting.pool, partial(train_with_network, *what), [first])
    training = method.each(setting.pool, partial(train_on, *what), rest)
    setting.tell("training language models without a source", 0, len(rest))
    (base,) = learning
    for number, _ in enumerate(training):
        setting.tell("training language models without a source", number + 1, len(rest))
    return base, [[one.place for one in trainings] for trainings in again]


def _again(start: Training, names: Sequence[str], sources: Sequence[str]) -> list[Training]:
    """What a model is trained to be: of all sources, and without each of some; `sources` has that of each text."""
    folder = start.place.parent
    every = replace(start, place=folder / MODEL, start=start.place)
    return [every] + [
        replace(every, place=folder / f"without-{name}", left_out=[source == name for source in sources])
        for name in names
    ]


def _rises(setting: Setting, models: Sequence[Path], texts: Texts) -> Floats:
    """By how much the loss of each text rises, in nats a token, without each source: texts by sources."""
    measured = list(method.each(setting.pool, partial(losses, texts.prompts, texts.spans.tokens), models))
    return np.stack([without - measured[0] for without in measured[1:]], axis=1)


def _rows(
    setting: Setting,
    of: Learned,
    trainings: Sequence[Floats],
    left_out: Numbers,
    texts: Texts,
    goals: Mapping[str, Goals],
) -> list[Row]:
    """How often each method finds the source whose loss counts most, and how well it ranks the sources by that."""
    rises = np.mean(trainings, axis=0)
    own = np.searchsorted(left_out, texts.spans.sources)
    documents = texts.spans.documents
    first, ranks = list[Row](), list[Row]()
    if len(left_out) < COMPARABLE:
        goals = dict.fromkeys(goals, (Goal(), Goal()))
    likely = {name: found[:, left_out] for name, found in _likely(setting, of, texts.spans.tokens).items()}
    for name, chosen in {OWN: own, **{name: found.argmax(axis=1) for name, found in likely.items()}}.items():
        case = {"right": chosen == rises.argmax(axis=1), "documents": documents}
        first.append(seeded(f"top-1, {name}", goals[name][0], accuracy_of, [case]))
    for name, found in likely.items():
        case = {"agreement": spearman(found, rises), "documents": documents}
        ranks.append(seeded(f"Spearman, {name}", goals[name][1], _mean_of("agreement"), [case]))
    return [*first, *ranks, *_reliability(trainings, documents), *_sizes(rises, own, documents)]


def _reliability(trainings: Sequence[Floats], documents: Numbers) -> list[Row]:
    """How far two trainings agree, if there are several: what one of them alone says of the truth."""
    pairs = list(combinations(trainings, 2))
    if not pairs:
        return []
    agreement = {
        "top-1, of one training by another": [one.argmax(axis=1) == two.argmax(axis=1) for one, two in pairs],
        "Spearman, of one training and another": [spearman(one, two) for one, two in pairs],
    }
    return [
        seeded(words, Goal(), _mean_of("agreement"), [{"agreement": np.mean(values, axis=0), "documents": documents}])
        for words, values in agreement.items()
    ]


def _sizes(rises: Floats, own: Numbers, documents: Numbers) -> list[Row]:
    """How large the rises are."""
    mine = np.arange(rises.shape[1]) == own[:, None]
    others = rises[~mine].reshape(len(rises), -1)
    figures = {
        "rise of the loss without the source of the text, or its prompt, nats a token": rises[mine],
        "the same without another source, in the mean": others.mean(axis=1),
        "the same, its standard deviation": others.std(axis=1),  # a part of it by chance
    }
    return [
        seeded(words, Goal(), _mean_of("rise"), [{"rise": values, "documents": documents}], places=4)
        for words, values in figures.items()
    ]


def _likely(setting: Setting, of: Learned, tokens: Sequence[Ids]) -> dict[str, Floats]:
    """What each method says of texts: a score for each source, those that are left out and all others."""
    seed = setting.form.seeds[0]
    index, sources = setting.gatherer.index, setting.data.sources
    evidence = setting.gatherer.gather(tokens, setting.tick("judging spans"))
    (by_text,), (by_both,) = setting.fitted([seed]), fitted(setting, [of], [seed])
    said = scores(setting, of, tokens)
    return {
        BM25: nearest_passages(setting.data.known, len(sources))(tokens),
        TEXT: method.weighed(index, by_text, evidence).sources,
        ALONE: said[:, [of.sources.index(source) for source in sources]],
        STACKED: method.weighed(index, by_both, beside(setting, of, tokens, evidence, said)).sources,
    }


def _mean_of(name: str) -> Callable[[Mapping[str, Any], Weights], float]:
    return lambda case, weights: float(np.average(case[name], weights=weights))
