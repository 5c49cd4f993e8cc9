"""The part `attacks`: what a source gains by changing the corpus and not its text: copies, splitting, stuffing.

Each attack is a corpus in which one source is changed; an index is built and fitted to it anew, as the payer would,
and the same mixtures of outputs are shared out. The gain is by how much the attacker's shares, all together, grow.
What an attacker gains who changes the outputs and not the corpus is in `prompting`.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from royaltycli.arrays import Floats, Numbers
from royaltycli.bench import method, prompting
from royaltycli.bench.corpus import Prepared, write_corpus
from royaltycli.bench.gains import GOAL, Outcome, Pairs, attackers_of, outcome_of, rows
from royaltycli.bench.packages import Document
from royaltycli.bench.payouts import Mixture, mixtures
from royaltycli.bench.setting import Headed, Setting
from royaltycli.bench.spans import SIZES
from royaltycli.progress import say_nothing
from royaltycli.tokens.engines import Ids

Attack = Callable[[Sequence[Document], str], list[Document]]

TIMES = 10
CHANGED = 0.1
"""The part of all words that is another one in a changed copy: enough not to be known as a copy (rule U2)."""

STUFFED_DOCUMENTS, STUFFED_WORDS, KEYWORDS = 10, 2000, 40
WORD = re.compile(r"\w+")


def copied(documents: Sequence[Document], attacker: str) -> list[Document]:
    """The attacker's documents ten times, as ten sources."""
    return _others(documents, attacker) + [
        Document(_part(attacker, number), each.name, each.text)
        for each in _own(documents, attacker)
        for number in range(TIMES)
    ]


def changed_copies(documents: Sequence[Document], attacker: str) -> list[Document]:
    """The attacker's documents, and nine copies as other sources, with one word in ten replaced by another one."""
    own = _own(documents, attacker)
    chance = random.Random(attacker)  # noqa: S311 -- the same attack each time
    words = [word for each in own for word in WORD.findall(each.text)]

    def other(found: re.Match[str]) -> str:
        return chance.choice(words) if chance.random() < CHANGED else found[0]

    found = _others(documents, attacker) + [Document(_part(attacker, 0), each.name, each.text) for each in own]
    for number in range(1, TIMES):
        found += [Document(_part(attacker, number), each.name, WORD.sub(other, each.text)) for each in own]
    return found


def split_up(documents: Sequence[Document], attacker: str, parts: int = TIMES) -> list[Document]:
    """The attacker's documents as those of ten sources, or of another number."""
    return _others(documents, attacker) + [
        Document(_part(attacker, at % parts), each.name, each.text) for at, each in enumerate(_own(documents, attacker))
    ]


def stuffed(documents: Sequence[Document], attacker: str) -> list[Document]:
    """Ten more documents of the attacker, made of the words that are the most typical of all other sources."""
    chance = random.Random(attacker)  # noqa: S311 -- the same attack each time
    counts: dict[str, Counter[str]] = {}
    for each in documents:
        counts.setdefault(each.source, Counter()).update(WORD.findall(each.text))
    everywhere = Counter[str]()
    for own in counts.values():
        everywhere.update(own)
    keywords = [
        word
        for source, own in sorted(counts.items())
        if source != attacker
        for _, word in sorted((-count * count / everywhere[word], word) for word, count in own.items())[:KEYWORDS]
    ]
    texts = [" ".join(chance.choices(keywords, k=STUFFED_WORDS)) for _ in range(STUFFED_DOCUMENTS)]
    return [*documents, *(Document(attacker, f"stuffed-{at}", text) for at, text in enumerate(texts))]


ATTACKS: dict[str, Attack] = {
    "copying a source ten times": copied,
    "splitting a source in ten": split_up,
    "splitting a source in two": partial(split_up, parts=2),
    "copying it ten times, one word in ten changed": changed_copies,
    "stuffing a source with others' keywords": stuffed,
}


def owners_of(ids: Sequence[str], sources: Sequence[str]) -> Numbers:
    """For each source of an attacked corpus, the number of the source that it is, or was made from."""
    return np.array([sources.index(source.partition(PART)[0]) for source in ids])


PART = "--"


def outcome(found: method.Odds, prior: Floats, mixed: Sequence[Mixture], owners: Numbers, own: int) -> Outcome:
    """The outcome of an attacked corpus. `owners` has, for each of its sources, the number that `owners_of` gives."""
    shares = np.zeros((len(mixed), len(mixed[0].truth) + 1))
    for row, mixture in zip(shares, mixed, strict=True):
        np.add.at(row, np.append(owners, -1), method.usage(found.some(mixture.spans), prior))
    return outcome_of(shares, mixed, own)


def measure(setting: Setting) -> Headed:
    """A row for each attack: by how much the attackers' shares grow, in the mean over mixtures and attackers.

    And those of self-prompting.
    """
    first = setting.form.seeds[:1]
    asked, said = setting.asked(first)[0], setting.by_text(first)[0]
    spans, sources = asked.spans[SIZES[1]], setting.data.sources
    mixed = mixtures(spans, len(sources), asked.seed)
    attackers = attackers_of(setting)
    tried = [(words, name) for name in attackers for words in islice(ATTACKS, setting.form.attacks)]
    attack = partial(_attack, setting.prepared, spans.tokens, mixed)
    after = method.each(setting.pool, attack, tried)
    pairs: dict[str, Pairs] = {}
    for number, (words, name) in enumerate(tried):
        setting.tell(f"{name}: {words}", number, len(tried))
        numbers, own = np.arange(len(sources)), sources.index(name)
        before = outcome(said.odds[SIZES[1]], said.fitted.prior, mixed, numbers, own)
        pairs.setdefault(words, []).append((before, next(after)))
    heading = f"Attacks: gain of the attacker's share of payouts; attackers, one at a time: {', '.join(attackers)}"
    yield heading, rows(pairs, dict.fromkeys(pairs, GOAL))
    yield from prompting.measure(setting)


def _attack(prepared: Prepared, spans: Sequence[Ids], mixed: Sequence[Mixture], tried: tuple[str, str]) -> Outcome:
    """What comes of an attack."""
    words, name = tried
    documents = ATTACKS[words](prepared.parts.known, name)
    sources = sorted({each.source for each in prepared.parts.known})
    with tempfile.TemporaryDirectory(prefix="attack-", dir=prepared.folder) as passing:
        place = Path(passing)
        ids = write_corpus(documents, place / "corpus", prepared.manifest.parent / "tokenizer.json")
        method.build(place / "corpus", place / "index")
        fitted = method.fitted_to(place / "index", 0)
        odds = method.odds(method.Gatherer(place / "index", None), fitted, spans, say_nothing)
    return outcome(odds, fitted.prior, mixed, owners_of(ids, sources), sources.index(name))


def _part(attacker: str, number: int) -> str:
    return f"{attacker}{PART}{number}" if number else attacker


def _own(documents: Sequence[Document], attacker: str) -> list[Document]:
    return [each for each in documents if each.source == attacker]


def _others(documents: Sequence[Document], attacker: str) -> list[Document]:
    return [each for each in documents if each.source != attacker]
