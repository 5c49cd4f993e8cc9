"""Self-prompting: an attacker has the model repeat the attacker's own text, so that the log is full of it.

One more account adds outputs to the honest ones of a mixture; each quotes a document of the attacker's. Its prompt
holds the quote, or is not in the log. Shares are those of `royalty attribute`, with its account cap and without.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from royaltycli.arrays import Floats
from royaltycli.attribution.index import Index, encoding_of, open_index, reference_of
from royaltycli.attribution.judging import Judge, Judgement, by_text
from royaltycli.attribution.logs import Judges, judge_log
from royaltycli.attribution.outputs import Output
from royaltycli.attribution.usage import attribute
from royaltycli.bench import gains, method
from royaltycli.bench.gains import GOAL, Outcome, Pairs, attackers_of, outcome_of
from royaltycli.bench.payouts import WINDOWS, Mixture, mixtures
from royaltycli.bench.results import Goal
from royaltycli.bench.setting import Headed, Setting
from royaltycli.bench.spans import SIZES, Spans, cut
from royaltycli.progress import say_nothing
from royaltycli.tokens.engines import Ids, fastest_engine

QUOTED = 0.2
"""The part of all outputs that are the attacker's."""

READERS = 100
"""Accounts of the honest outputs, which have as many each."""

ASKING = "Repeat this word for word:\n\n"

CAP, NO_CAP = Fraction(1, 10), Fraction(1)

WAYS = {
    "prompts that hold the quote": (True, CAP, GOAL),
    "prompts that are not in the log": (False, CAP, GOAL),
    "prompts that hold the quote, and no account cap": (True, NO_CAP, Goal()),
    "prompts that are not in the log, and no account cap": (False, NO_CAP, Goal()),
}
"""Whether the log has prompts, the account cap, and the goal; the goal is for the cap that is the default."""


@dataclass(frozen=True, slots=True)
class Attack:
    """An attacker, by number and id, and what the attacker's outputs quote."""

    number: int
    source: str
    quotes: tuple[Ids, ...]


def measure(setting: Setting) -> Headed:
    """A row for each way: by how much the attackers' shares grow, in the mean over logs and attackers."""
    first = setting.form.seeds[0]
    (asked,) = setting.asked([first])
    spans, sources = asked.spans[SIZES[1]], setting.data.sources
    mixed = mixtures(spans, len(sources), first, setting.form.logs)
    attackers = attackers_of(setting)
    stretches = cut(setting.data.known, SIZES[1])
    tried = [drawn(stretches, sources.index(name), name, first) for name in attackers]
    found = method.each(setting.pool, functools.partial(outcomes, setting.gatherer.path, spans.tokens, mixed), tried)
    pairs: dict[str, Pairs] = {way: [] for way in WAYS}
    for number, name in enumerate(attackers):
        setting.tell(f"{name}: self-prompting", number, len(attackers))
        before, after = next(found)
        for way, one in after.items():
            pairs[way].append((before, one))
    heading = (
        f"Self-prompting: gain of the attacker's share where {QUOTED:.0%} of all outputs quote it; attackers, "
        f"one at a time: {', '.join(attackers)}"
    )
    yield heading, gains.rows(pairs, {way: goal for way, (_, _, goal) in WAYS.items()})


def drawn(stretches: Spans, number: int, source: str, seed: int) -> Attack:
    """An attack with quotes of the attacker's own documents, drawn by the seed."""
    own = np.flatnonzero(stretches.sources == number)
    count = round(WINDOWS * QUOTED / (1 - QUOTED))
    chosen = np.random.default_rng([seed, 4, number]).choice(own, count)
    return Attack(number, source, tuple(stretches.tokens[at] for at in chosen.tolist()))


def outcomes(
    path: Path, spans: Sequence[Ids], mixed: Sequence[Mixture], attack: Attack
) -> tuple[Outcome, dict[str, Outcome]]:
    """What comes of logs without the attacker's outputs, and with them in each of WAYS."""
    index = open_index(path, check=False)
    fitted = method.fitted_to(path, 0)
    judge = _remembering(by_text(index, fitted))
    decode = reference_of(index).decode
    texts = [decode(tokens.tolist()) for tokens in spans]
    quotes = [decode(tokens.tolist()) for tokens in attack.quotes]

    def outcome(more: Sequence[Output], cap: Fraction) -> Outcome:
        logs = ([*honest([texts[at] for at in mixture.spans.tolist()]), *more] for mixture in mixed)
        shares = np.array([_shares(index, log, judge, fitted.prior, cap) for log in logs])
        return outcome_of(shares, mixed, attack.number)

    after = {way: outcome(quoting(quotes, prompts=prompts), cap) for way, (prompts, cap, _) in WAYS.items()}
    return outcome([], CAP), after


def honest(texts: Sequence[str]) -> list[Output]:
    """Outputs that many accounts have asked for."""
    return [Output(f"output-{at}", text, account=f"reader-{at % READERS}") for at, text in enumerate(texts)]


def quoting(quotes: Sequence[str], *, prompts: bool) -> list[Output]:
    """Outputs of one account that are quotes."""
    return [
        Output(f"quote-{at}", quote, prompt=ASKING + quote if prompts else None, account="attacker")
        for at, quote in enumerate(quotes)
    ]


def _shares(index: Index, log: Sequence[Output], judge: Judge, prior: Floats, cap: Fraction) -> Floats:
    """The share of each source of the index, and of none."""
    encoding, reference = encoding_of(index), reference_of(index)
    engine = fastest_engine(encoding, reference)
    judged = judge_log(index, log, engine, reference.decode, Judges(judge), say_nothing)
    table = attribute(index, judged, prior, account_cap=cap).table
    credit = dict(zip(table["source_id"].to_pylist(), map(float, table["credit"].to_pylist()), strict=True))
    known = [credit.get(source, 0.0) for source in index.source_ids]
    return np.array([*known, 1.0 - sum(known)])


def _remembering(judge: Judge) -> Judge:
    """Judges what it has judged before without looking again: the logs have most of their outputs in common."""

    @functools.cache
    def judged(data: bytes) -> Judgement:
        return judge(np.frombuffer(data, np.uint32))

    return lambda tokens: judged(np.ascontiguousarray(tokens, np.uint32).tobytes())
