"""Small corpora and their indexes; and a language model and a network, which are made once, and which nobody changes."""

from __future__ import annotations

import functools
import shutil

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


@functools.cache
def prose(seed, length=400):
    """Sentences of random words, each seed with its own habits."""
    random = np.random.default_rng(seed)
    habits = random.dirichlet(np.full(len(WORDS), 0.4), size=len(WORDS))
    at, said = 0, []
    for _ in range(length):
        at = int(random.choice(len(WORDS), p=habits[at]))
        said.append(WORDS[at])
    return " ".join(said)


@pytest.fixture(scope="package")
def built(tmp_path_factory):
    """Gives the folder of a corpus of some sources with its index, which is built once for all who ask for the same."""
    folders = {}

    def build(sources):
        if (key := repr(sources)) not in folders:
            folders[key] = tmp_path_factory.mktemp("built")
            write_sources(folders[key], sources)
            attributing.index(folders[key], folders[key] / "index")
        return folders[key]

    return build


def write_sources(place, sources):
    lines = ['[corpus]\nencoding = "r50k_base"\n']
    for source, texts in sources.items():
        (place / source).mkdir(exist_ok=True)
        for name, text in texts.items():
            (place / source / name).write_text(text, encoding="utf-8")
        lines.append(f'[[source]]\nid = "{source}"\npath = "{source}"\n')
    (place / "corpus.toml").write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def corpus(tmp_path):
    """Writes a corpus of sources, each a dict of file names and texts, and builds its index; gives it opened."""

    def make(sources, folder="index"):
        write_sources(tmp_path, sources)
        attributing.index(tmp_path, tmp_path / folder)
        return open_index(tmp_path / folder)

    return make


@pytest.fixture
def copied(tmp_path, built):
    """The same as a copy of what was built once, for tests that do not change beforehand how an index is built."""

    def make(sources):
        shutil.copytree(built(sources), tmp_path, dirs_exist_ok=True)
        return open_index(tmp_path / "index")

    return make


@pytest.fixture
def index(copied):
    """That of four documents each of two sources; a module may have another."""
    return copied({name: {f"{n}.txt": prose(10 * at + n) for n in range(4)} for at, name in enumerate(("ann", "bob"))})


@pytest.fixture(scope="package")
def _quick():
    """Models this small gain nothing from a second thread, and lose much where tests run beside each other."""
    import torch

    from royaltycli.attribution.network import learning

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "STEPS", 80)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def network_documents():
    from tests.attribution.language import sample_documents

    return sample_documents()


@pytest.fixture(scope="package")
def network_corpus(network_documents, tmp_path_factory):
    from tests.attribution.language import write_corpus

    return write_corpus(tmp_path_factory.mktemp("corpus"), network_documents)


@pytest.fixture(scope="package")
def language_model(_quick, network_documents, tmp_path_factory):
    from tests.attribution.language import train_model

    return train_model(tmp_path_factory.mktemp("model") / "lm", [text for _, text in network_documents], tokens=80_000)


@pytest.fixture(scope="package")
def trained(network_corpus, language_model, tmp_path_factory):
    """What training a network came to, and its folder."""
    from royaltycli.networks import train_network

    place = tmp_path_factory.mktemp("network") / "network"
    return train_network(network_corpus, model=language_model, output=place), place


@pytest.fixture(scope="package")
def network(trained):
    from royaltycli.attribution.network.network import open_network

    return open_network(trained[1])
