"""What all parts of the benchmark share: the corpus, the index, the spans that are asked about, and what text says.

Each of these is made when a part first asks for it, and once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from royaltycli.arrays import Numbers
from royaltycli.attribution.calibration import Calibration
from royaltycli.attribution.evidence import Evidence
from royaltycli.attribution.index import Index, reference_of
from royaltycli.attribution.judging import Decode
from royaltycli.bench import method
from royaltycli.bench.baselines import answers as baseline_answers
from royaltycli.bench.baselines import baselines
from royaltycli.bench.corpus import Prepared
from royaltycli.bench.results import Row
from royaltycli.bench.shape import Shape
from royaltycli.bench.spans import SIZES, Data, Spans, cut
from royaltycli.progress import Tell
from royaltycli.tokens.engines import Ids

Size = int | str
"""So many tokens, or WHOLE."""

WHOLE = "document"
TEXT = "all evidence of the text"

Cases = list[dict[str, Any]]
"""Of each seed: arrays with an entry for each span."""

Headed = Iterator[tuple[str, list[Row]]]
"""What a part of the benchmark gives: headings, and the rows under each."""


@dataclass(frozen=True, slots=True)
class Budget:
    """For a language model: tokens to train it with, the most seconds; and spans of a source for its network."""

    tokens: int
    seconds: float | None
    spans: int
    shape: Shape = field(default_factory=Shape)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many `sources` are left out, one at a time, and how many `spans` of each are asked about.

    Language models are trained on `tokens_before` of all other sources first, and then by the budget on these; all of
    it as often as `trainings` says, each time with a seed of its own.
    """

    sources: int
    spans: int
    trainings: int
    tokens_before: int
    budget: Budget


@dataclass(frozen=True, slots=True)
class Form:
    """How much is measured: unless told otherwise, some `parts`.

    `spans` are those of each size and seed, and `documents` those that are asked about as a whole, at the most. There
    are so many `attackers`, each with the first so many of the `attacks`; each also fills `logs` with quotes. Costs
    are those of one in so many documents, for each of `one_in`, and if `everything`, of all that is in the packages.
    `models` language models are trained for the network, each with a seed of its own, the first of `seeds`; what is
    measured of the network is so with those, and if `stacked`, of network and text together. `left_out` is for the
    part of that name.
    """

    name: str
    parts: tuple[str, ...]
    spans: int
    documents: int
    attackers: int
    attacks: int
    logs: int
    one_in: tuple[int, ...]
    everything: bool
    models: int
    stacked: bool
    budget: Budget
    left_out: LeftOut
    seeds: tuple[int, ...]


SMALL = Shape(layers=2, width=64, heads=4, neurons=172, batch=4, rate=6e-3)
MIDDLE = Shape(layers=3, width=96, heads=4, neurons=256, batch=4)
LARGE = Shape(batch=8)
"""Of 0.23, 0.53 and 1.05 million parameters. In little time small models learn more, and so do many small steps: after
40 seconds the losses were 5.4, 5.7 and 6.1, all in batches of 4; after 400,000 tokens that of the largest was 5.56 in
batches of 4, 5.69 of 8 and 5.91 of 16."""

LITTLE = Budget(2_500_000, 75, 300, SMALL)
SHORT = Form(
    "short",
    ("text", "network", "attacks", "cost"),
    spans=3000,
    documents=300,
    attackers=1,
    attacks=2,
    logs=1,
    one_in=(32, 16),
    everything=False,
    models=1,
    stacked=False,
    budget=LITTLE,
    left_out=LeftOut(3, 60, 1, 1_000_000, Budget(600_000, None, 300, SMALL)),
    seeds=(0,),
)
FULL = Form(
    "full",
    ("text", "network", "left-out", "attacks", "cost"),
    spans=4000,
    documents=1000,
    attackers=2,
    attacks=5,
    logs=5,
    one_in=(4, 1),
    everything=True,
    models=3,
    stacked=True,
    budget=Budget(5_000_000, 600, 2000, LARGE),
    left_out=LeftOut(8, 100, 3, 1_000_000, Budget(800_000, None, 300, MIDDLE)),
    seeds=(0, 1, 2),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one seed asks about: spans by size, of held-out text and of unknown sources, and the evidence on each."""

    seed: int
    spans: dict[Size, Spans]
    strangers: dict[Size, Spans]
    found: dict[Size, list[Evidence]]
    found_of_strangers: dict[Size, list[Evidence]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a method says of all that a seed asks about, and what was fitted for it."""

    fitted: Calibration
    odds: dict[Size, method.Odds]
    odds_of_strangers: dict[Size, method.Odds]


@dataclass(frozen=True)
class Setting:
    """What every part of the benchmark is given.

    `kept` has what parts make that others need as well.
    """

    form: Form
    prepared: Prepared
    data: Data
    pool: Executor | None
    tell: Tell
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the corpus is, and what is built of it."""
        return self.prepared.folder

    def tick(self, words: str) -> method.Tick:
        """The progress of one piece of work."""
        return lambda done, all_: self.tell(words, done, all_)

    @cached_property
    def gatherer(self) -> method.Gatherer:
        """What asks the index, which is built anew, so that nothing is measured of an older version."""
        self.tell("building the index", 0, 0)
        index = self.folder / "index"
        shutil.rmtree(index, ignore_errors=True)
        method.build(self.prepared.manifest, index)
        return method.Gatherer(index, self.pool)

    def asked(self, seeds: Sequence[int]) -> list[Asked]:
        """What is asked with some seeds; whole documents are the same for all."""
        data, form = self.data, self.form
        for seed in self._missing("asked", seeds):
            tick = self.tick(f"seed {seed}: judging spans")
            spans, evidence = list[dict[Size, Spans]](), list[dict[Size, list[Evidence]]]()
            for texts, (documents, on_documents) in zip((data.held_out, data.unknown), self._whole, strict=True):
                some: dict[Size, Spans] = {size: cut(texts, size, form.spans, seed) for size in SIZES}
                judged = {size: self.gatherer.gather(each.tokens, tick) for size, each in some.items()}
                spans.append(some | {WHOLE: documents})
                evidence.append(judged | {WHOLE: on_documents})
            self.kept["asked", seed] = Asked(seed, spans[0], spans[1], evidence[0], evidence[1])
        return [self.kept["asked", seed] for seed in seeds]

    @cached_property
    def _whole(self) -> list[tuple[Spans, list[Evidence]]]:
        """Whole documents of held-out text and of unknown sources, and the evidence on each."""
        whole = [cut(texts, None, self.form.documents) for texts in (self.data.held_out, self.data.unknown)]
        return [(each, self.gatherer.gather(each.tokens, self.tick("judging documents"))) for each in whole]

    def fitted(self, seeds: Sequence[int]) -> list[Calibration]:
        """How the text method weighs evidence, fitted with each of some seeds."""
        missing = self._missing("fitted", seeds)
        fits = method.each(self.pool, partial(method.fitted_to, self.gatherer.path), missing)
        for number, seed in enumerate(missing):
            self.tell("fitting the text method", number, len(missing))
            self.kept["fitted", seed] = next(fits)
        return [self.kept["fitted", seed] for seed in seeds]

    def by_text(self, seeds: Sequence[int]) -> list[Answers]:
        """What the text method says of all that is asked with some seeds."""
        missing = self._missing("by text", seeds)
        for fit, asked in zip(self.fitted(missing), self.asked(missing), strict=True):
            self.kept["by text", asked.seed] = weighed(self.gatherer.index, fit, asked)
        return [self.kept["by text", seed] for seed in seeds]

    def compared(self, seeds: Sequence[int]) -> dict[tuple[str, Size], Cases]:
        """By method and size, which spans each method of comparison, and that of text, is right about."""
        missing = self._missing("compared", seeds)
        asked = self.asked(missing)
        said = self.by_text(missing)
        batches = [(each, size) for each in asked for size in each.spans if size != WHOLE or each is asked[0]]
        for seed in missing:
            self.kept["compared", seed] = {}
        for name, chosen in self._chosen([each.spans[size].tokens for each, size in batches]):
            likeliest = {(each.seed, size): one for (each, size), one in zip(batches, chosen, strict=True)}
            for each in asked:
                for size, spans in each.spans.items():
                    of = likeliest[asked[0].seed if size == WHOLE else each.seed, size]
                    self.kept["compared", each.seed][name, size] = right(of, spans)
        for each, answers in zip(asked, said, strict=True):
            for size, spans in each.spans.items():
                of = answers.odds[size].sources.argmax(axis=1)
                self.kept["compared", each.seed][TEXT, size] = right(of, spans)
        cases = [self.kept["compared", seed] for seed in seeds]
        return {key: [case[key] for case in cases] for key in cases[0]}

    def _missing(self, what: str, seeds: Sequence[int]) -> list[int]:
        return [seed for seed in seeds if (what, seed) not in self.kept]

    def _chosen(self, batches: Sequence[tuple[Ids, ...]]) -> Iterator[tuple[str, list[Numbers]]]:
        """The likeliest source of each span of each batch, method by method, in the worker processes."""
        if not batches:
            return
        texts, sources = self.data.known, len(self.data.sources)
        names = list(baselines(texts, sources))
        answer = partial(baseline_answers, texts=texts, sources=sources, batches=batches)
        for number, (name, found) in enumerate(zip(names, method.each(self.pool, answer, names), strict=True)):
            self.tell(f"comparing with {name}", number, len(names))
            yield name, found

    @cached_property
    def decode(self) -> Decode:
        """From tokens of the corpus's encoding to text."""
        return reference_of(self.gatherer.index).decode


def weighed(index: Index, fitted: Calibration, asked: Asked) -> Answers:
    """What comes of the evidence on all that is asked with a seed, once it is known how it is weighed."""
    ours, theirs = (
        {size: method.weighed(index, fitted, evidence) for size, evidence in by_size.items()}
        for by_size in (asked.found, asked.found_of_strangers)
    )
    return Answers(fitted, ours, theirs)


def right(likeliest: Numbers, spans: Spans) -> dict[str, Any]:
    """A case: which spans a method is right about, and their documents."""
    return {"right": likeliest == spans.sources, "documents": spans.documents}
