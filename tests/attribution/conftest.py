"""Small corpora and their indexes."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli import attributing
from royaltycli.attribution.index import open_index

WORDS = [
    "river",
    "ledger",
    "stone",
    "garden",
    "clock",
    "paper",
    "winter",
    "bridge",
    "copper",
    "lantern",
    "salt",
    "mill",
]


def prose(seed, length=400, words=WORDS):
    """Sentences of random words, each seed with its own habits."""
    random = np.random.default_rng(seed)
    habits = random.dirichlet(np.full(len(words), 0.4), size=len(words))
    at, said = 0, []
    for _ in range(length):
        at = int(random.choice(len(words), p=habits[at]))
        said.append(words[at])
    return " ".join(said)


@pytest.fixture
def corpus(tmp_path):
    """Writes a corpus of sources, each a dict of file names and texts, and builds its index; gives it opened."""

    def make(sources, folder="index"):
        lines = ['[corpus]\nencoding = "r50k_base"\n']
        for source, texts in sources.items():
            place = tmp_path / source
            place.mkdir(exist_ok=True)
            for name, text in texts.items():
                (place / name).write_text(text, encoding="utf-8")
            lines.append(f'[[source]]\nid = "{source}"\npath = "{source}"\n')
        (tmp_path / "corpus.toml").write_text("".join(lines), encoding="utf-8")
        attributing.index(tmp_path, tmp_path / folder)
        return open_index(tmp_path / folder)

    return make
