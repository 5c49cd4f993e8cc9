"""`royalty bench attribution`: all of it, from the packages to the table."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from royaltycli.attribution.calibration import Calibration, calibration_error
from royaltycli.bench import attacks, payouts, text
from royaltycli.bench.baselines import Method, answers, baselines, check_installed
from royaltycli.bench.corpus import Prepared, prepare, write_corpus
from royaltycli.bench.costs import costs
from royaltycli.bench.measures import accuracy, auroc, mean_interval
from royaltycli.bench.results import Goal, Report, Row, seeded
from royaltycli.bench.spans import SIZES, Data, Spans, cut, encode
from royaltycli.tokens.engines import Ids

Cases = list[dict[str, Any]]
"""Of each seed: arrays with an entry for each span."""

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is to do; 0 if that is not known."""

WHOLE = "document"
TEXT = "all evidence of the text"

TOP = {
    32: Goal(".733 text, .745 stacked", 0.78),
    128: Goal(".831 text, .832 stacked", 0.86),
    WHOLE: Goal(".901 text, .907 stacked", 0.93),
}
BASELINE_GOALS = {
    ("naive Bayes on bigrams, Laplace", 32): ".715",
    ("naive Bayes on bigrams, Laplace", 128): ".821",
    ("naive Bayes on bigrams, Laplace", WHOLE): ".853",
    ("BM25, vote of the top 20", 32): ".696",
    ("BM25, vote of the top 20", 128): ".763",
    ("verbatim, matched tokens", 32): ".660",
    ("verbatim, matched tokens", 128): ".788",
}
FEWER_ERRORS = 1 / 6


@dataclass(frozen=True, slots=True)
class Form:
    """How much is measured: spans of each size and seed, attackers, and whether everything there is is indexed."""

    name: str
    spans: int
    attackers: int
    everything: bool
    seeds: tuple[int, ...] = (0, 1, 2)


SHORT = Form("short", spans=1000, attackers=1, everything=False)
FULL = Form("full", spans=4000, attackers=5, everything=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of the benchmark is given."""

    form: Form
    prepared: Prepared
    data: Data
    pool: Executor | None
    tell: Tell

    def tick(self, words: str) -> text.Tick:
        """The progress of one piece of work."""
        return lambda done, all_: self.tell(words, done, all_)


@dataclass(frozen=True, slots=True)
class Seed:
    """What one seed asks about: spans by size, and what was fitted with it."""

    number: int
    spans: dict[int | str, Spans]
    strangers: dict[int | str, Spans]
    fitted: Calibration
    odds: dict[int | str, text.Odds]
    odds_of_strangers: dict[int | str, text.Odds]


def run(
    folder: Path,
    form: Form,
    workers: int,
    tell: Tell,
    prepared: Prepared | None = None,
    more: Callable[[Data], Mapping[str, Callable[[], Method]]] = lambda _data: {},
    listen: Callable[[str, Sequence[Row]], None] = lambda _part, _rows: None,
) -> Report:
    """Measure everything, in a folder that keeps the corpus and the index for the next time.

    `more` gives further methods to compare, by name; `listen` is told of each part when it is done.
    Raises RemoteError, CallError, AttributionError, OutputError.
    """
    check_installed()
    prepared = prepared or prepare(folder, lambda words: tell(words, 0, 0))
    data = encode(prepared.parts, prepared.manifest.parent)
    report = Report({"form": asdict(form), "corpus": _described(prepared, data)}, listen=listen)
    with text.processes(workers) as pool:
        setting = Setting(form, prepared, data, pool, tell)
        tell("building the index", 0, 0)
        shutil.rmtree(folder / "index", ignore_errors=True)  # so that nothing is measured of an older version
        text.build(prepared.manifest, folder / "index")
        judges = text.Judges(folder / "index", pool)
        seeds = _seeds(setting, judges)
        right = _compared(setting, seeds, more(data))
        _add_accuracy(report, right)
        _add_calibration(report, seeds)
        _add_money(report, setting, seeds)
        for heading, rows in _attacked(setting, folder, seeds).items():
            report.add(heading, rows)
    report.add("Cost", costs(prepared, folder, lambda words: tell(words, 0, 0), everything=form.everything))
    return report


def _described(prepared: Prepared, data: Data) -> dict[str, Any]:
    sizes = {
        name: {"documents": len(part.tokens), "tokens": sum(map(len, part.tokens))}
        for name, part in (("known", data.known), ("held out", data.held_out), ("unknown", data.unknown))
    }
    return {"sources": list(data.sources), **sizes, **prepared.about}


def _seeds(setting: Setting, judges: text.Judges) -> list[Seed]:
    """What is asked with each seed, and answered; whole documents are the same for all."""
    data, form = setting.data, setting.form
    whole, strange = cut(data.held_out, None), cut(data.unknown, None)
    looked = [judges.judge(each.tokens, setting.tick("judging documents")) for each in (whole, strange)]
    found = []
    calibrations = text.each(setting.pool, partial(text.fitted_to, judges.path), form.seeds)
    for seed in form.seeds:
        setting.tell(f"seed {seed}: fitting", 0, 0)
        fitted = next(calibrations)
        words = f"seed {seed}: judging spans"
        spans: dict[int | str, Spans] = {size: cut(data.held_out, size, form.spans, seed) for size in SIZES}
        strangers: dict[int | str, Spans] = {size: cut(data.unknown, size, form.spans, seed) for size in SIZES}
        odds, odds_of = (
            {size: text.odds(judges, fitted, each.tokens, setting.tick(words)) for size, each in of.items()}
            for of in (spans, strangers)
        )
        odds[WHOLE], odds_of[WHOLE] = (text.weighed(judges.index, fitted, each) for each in looked)
        every, every_stranger = spans | {WHOLE: whole}, strangers | {WHOLE: strange}
        found.append(Seed(seed, every, every_stranger, fitted, odds, odds_of))
    return found


def _compared(
    setting: Setting, seeds: list[Seed], more: Mapping[str, Callable[[], Method]]
) -> dict[tuple[str, int | str], Cases]:
    """By method and size, which spans each method is right about."""
    found: dict[tuple[str, int | str], Cases] = {}
    asked = [(seed, size) for seed in seeds for size in seed.spans if size != WHOLE or seed is seeds[0]]
    batches = [seed.spans[size].tokens for seed, size in asked]
    for name, chosen in _chosen(setting, batches, more):
        by_case = {(seed.number, size): each for (seed, size), each in zip(asked, chosen, strict=True)}
        for seed in seeds:
            for size, spans in seed.spans.items():
                likeliest = by_case[seeds[0].number if size == WHOLE else seed.number, size]
                found.setdefault((name, size), []).append(_right(likeliest, spans))
    for seed in seeds:
        for size, spans in seed.spans.items():
            found.setdefault((TEXT, size), []).append(_right(seed.odds[size].sources.argmax(axis=1), spans))
    return found


def _chosen(
    setting: Setting, batches: list[tuple[Ids, ...]], more: Mapping[str, Callable[[], Method]]
) -> Iterator[tuple[str, list[npt.NDArray[np.int64]]]]:
    """The likeliest source of each span of each batch, method by method; the baselines in the worker processes."""
    texts, sources = setting.data.known, len(setting.data.sources)
    names = list(baselines(texts, sources))
    answer = partial(answers, texts=texts, sources=sources, batches=batches)
    results = text.each(setting.pool, answer, names)
    for number, name in enumerate(names):
        setting.tell(f"comparing with {name}", number, len(names))
        yield name, next(results)
    for name, make in more.items():
        setting.tell(f"comparing with {name}", 0, 0)
        method = make()
        yield name, [method(batch).argmax(axis=1) for batch in batches]


def _right(likeliest: npt.NDArray[np.int64], spans: Spans) -> dict[str, Any]:
    return {"right": likeliest == spans.sources, "documents": spans.documents}


def _add_accuracy(report: Report, right: Mapping[tuple[str, int | str], Cases]) -> None:
    """Accuracy of each method, and by how many fewer errors than the best of the others the text method makes."""
    others = list(dict.fromkeys(name for name, _ in right if name != TEXT))
    for size in (*SIZES, WHOLE):
        part = f"Top-1 source of {_span(size)}"
        for name in others:
            goal = Goal(BASELINE_GOALS.get((name, size), ""))
            report.add(part, [seeded(name, goal, _accuracy, right[name, size])])
        best = max(others, key=lambda name: np.mean(np.concatenate([case["right"] for case in right[name, size]])))
        report.add(part, [seeded(TEXT, TOP[size], _accuracy, right[TEXT, size])])
        pairs = zip(right[TEXT, size], right[best, size], strict=True)
        both = [{**ours, "other": theirs["right"]} for ours, theirs in pairs]
        words = f"fewer errors than the best other ({best})"
        report.add(part, [seeded(words, Goal("", round(FEWER_ERRORS, 3)), _fewer_errors, both)])


def _span(size: int | str) -> str:
    return f"{size} tokens" if isinstance(size, int) else "a whole document (its first 4,000 tokens, as one span)"


def _accuracy(case: Mapping[str, Any], weights: npt.NDArray[np.float64] | None) -> float:
    return accuracy(case["right"], weights)


def _fewer_errors(case: Mapping[str, Any], weights: npt.NDArray[np.float64] | None) -> float:
    theirs = 1 - accuracy(case["other"], weights)
    return 1 - (1 - accuracy(case["right"], weights)) / theirs if theirs else 0.0


def _add_calibration(report: Report, seeds: list[Seed]) -> None:
    rows = []
    for size in (*SIZES, WHOLE):
        cases = []
        for seed in seeds:
            odds = seed.odds[size].sources
            sure = odds.max(axis=1) / np.maximum(odds.sum(axis=1), 1e-12)
            cases.append({"sure": sure} | _right(odds.argmax(axis=1), seed.spans[size]))
        words = f"expected calibration error, {size} tokens" if isinstance(size, int) else "the same, whole documents"
        goal = Goal(".021", 0.02, most=True)
        rows.append(seeded(words, goal, lambda case, by: calibration_error(case["sure"], case["right"], by), cases))
    report.add("Calibration, of the likeliest source if it is a known one", rows)


def _add_money(report: Report, setting: Setting, seeds: list[Seed]) -> None:
    """Payouts of mixtures, and what unknown corpora would be paid."""
    size = SIZES[1]
    by_way: dict[str, list[npt.NDArray[np.float64]]] = {}
    known = setting.data.known
    tokens = np.bincount(known.sources, [len(each) for each in known.tokens]).astype(np.float64)
    for number, seed in enumerate(seeds):
        setting.tell("paying out mixtures", number, len(seeds))
        mixed = payouts.mixtures(seed.spans[size], len(setting.data.sources), seed.number)
        for way, values in payouts.errors(seed.odds[size], seed.fitted.prior, mixed, tokens).items():
            by_way.setdefault(way, []).append(values)
    ways = {
        "argmax": ("by the likeliest source of each span", Goal(".12")),
        "mean": ("by the mean of probabilities", Goal(".15")),
        "corrected": ("corrected by expectation and maximisation", Goal(".071", 0.05, most=True)),
        "nobody": ("what that leaves to nobody, a part of its error", Goal()),
        "tokens": ("by token share instead of usage", Goal(".565")),
    }
    rows = [
        Row(words, goal, mean_interval(np.concatenate(by_way[way]), 0), tuple(each.mean() for each in by_way[way]))
        for way, (words, goal) in ways.items()
    ]
    report.add("Payouts of 100 skewed mixtures of 400 spans: total variation from the true usage", rows)
    rows = []
    for size_of in (*SIZES, WHOLE):
        cases = [_known_or_not(seed, size_of) for seed in seeds]
        goal = Goal(".79 to .87", 0.90) if size_of == size else Goal()
        words = f"AUROC, {size_of} tokens" if isinstance(size_of, int) else "AUROC, whole documents"
        rows.append(seeded(words, goal, _auroc, cases))
    mass = [
        payouts.paid_on_unknown(seed.odds_of_strangers[size], seed.fitted.prior, seed.strangers[size].sources)
        for seed in seeds
    ]
    paid = mean_interval(np.mean(mass, axis=0), 0)
    goal = Goal("not measured", 0.10, most=True)
    rows.append(Row("mass paid on unknown corpora, each alone", goal, paid, tuple(float(each.mean()) for each in mass)))
    lost = np.array([1 - seed.odds[size].known.mean() for seed in seeds])
    rows.append(Row("mass of known text that nobody is paid", Goal(), mean_interval(lost, 0), tuple(lost.tolist())))
    report.add("Known against unknown corpora", rows)


def _known_or_not(seed: Seed, size: int | str) -> dict[str, Any]:
    """How sure it is of each span that it is known, and whether it is; no document has the number of another."""
    ours, theirs = seed.spans[size].documents, seed.strangers[size].documents
    return {
        "sure": np.concatenate([seed.odds[size].known, seed.odds_of_strangers[size].known]),
        "known": np.repeat([True, False], [len(ours), len(theirs)]),
        "documents": np.concatenate([ours, -1 - theirs]),
    }


def _auroc(case: Mapping[str, Any], weights: npt.NDArray[np.float64] | None) -> float:
    known, by = case["known"], None
    if weights is not None:
        by = weights[known], weights[~known]
    return auroc(case["sure"][known], case["sure"][~known], by)


def _attacked(setting: Setting, folder: Path, seeds: list[Seed]) -> dict[str, list[Row]]:
    """A row for each attack: by how much the attackers' shares grow, in the mean over mixtures and attackers."""
    seed, size = seeds[0], SIZES[1]
    data, form = setting.data, setting.form
    random = np.random.default_rng(seed.number)
    attackers = random.choice(len(data.sources), min(form.attackers, len(data.sources)), replace=False).tolist()
    mixed = payouts.mixtures(seed.spans[size], len(data.sources), seed.number)
    asked = [(words, data.sources[attacker]) for attacker in attackers for words in attacks.ATTACKS]
    attack = partial(_attack, setting.prepared, folder, seed.spans[size].tokens, mixed)
    after = text.each(setting.pool, attack, asked)
    pairs: dict[str, list[tuple[attacks.Outcome, attacks.Outcome]]] = {}
    for number, (words, name) in enumerate(asked):
        setting.tell(f"{name}: {words}", number, len(asked))
        numbers, own = np.arange(len(data.sources)), data.sources.index(name)
        before = attacks.outcome(seed.odds[size], seed.fitted.prior, mixed, numbers, own)
        pairs.setdefault(words, []).append((before, next(after)))
    named = ", ".join(data.sources[attacker] for attacker in attackers)
    goal = Goal("not measured", 0.05, most=True)
    honest = np.concatenate([before.error for before, _ in next(iter(pairs.values()))])
    errors = [Row("error of all payouts without an attack", Goal(), mean_interval(honest, 0))]
    for words, both in pairs.items():
        values = np.concatenate([after.error for _, after in both])
        errors.append(Row(f"error of all payouts after {words}", Goal(), mean_interval(values, 0)))
    heading = f"Attacks: gain of the attacker's share of payouts; attackers, one at a time: {named}"
    return {heading: [*(_gain(words, goal, both) for words, both in pairs.items()), *errors]}


def _attack(
    prepared: Prepared, folder: Path, spans: Sequence[Ids], mixed: Sequence[payouts.Mixture], asked: tuple[str, str]
) -> attacks.Outcome:
    """What comes of an attack."""
    words, name = asked
    documents = attacks.ATTACKS[words](prepared.parts.known, name)
    sources = sorted({each.source for each in prepared.parts.known})
    with tempfile.TemporaryDirectory(prefix="attack-", dir=folder) as passing:
        place = Path(passing)
        ids = write_corpus(documents, place / "corpus", prepared.manifest.parent / "tokenizer.json")
        text.build(place / "corpus", place / "index")
        fitted = text.fitted_to(place / "index", 0)
        odds = text.odds(text.Judges(place / "index", None), fitted, spans, lambda *_said: None)
    return attacks.outcome(odds, fitted.prior, mixed, attacks.owners_of(ids, sources), sources.index(name))


def _gain(words: str, goal: Goal, pairs: list[tuple[attacks.Outcome, attacks.Outcome]]) -> Row:
    """What attackers get after over what they got before, less one; a seed's figure is here an attacker's."""
    before, after = (np.concatenate([pair[at].own for pair in pairs]) for at in (0, 1))
    case = {"before": before, "after": after, "mixtures": np.arange(len(before))}

    def of(case: Mapping[str, Any], weights: npt.NDArray[np.float64] | None) -> float:
        by = np.ones(len(case["before"])) if weights is None else weights
        return float(by @ case["after"] / max(by @ case["before"], 1e-12) - 1)

    row = seeded(words, goal, of, [case], groups="mixtures")
    each = tuple(float(after.own.sum() / before.own.sum() - 1) for before, after in pairs)
    return Row(row.measure, row.goal, row.estimate, each)
