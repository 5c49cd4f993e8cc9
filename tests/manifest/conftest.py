"""A folder with a manifest, as a user stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from royaltycli.corpus.files import find_files
from royaltycli.manifest.reading import read_manifest


@pytest.fixture
def here(folder, monkeypatch):
    """Writes files, goes to their folder, and gives it back."""

    def write(files):
        root = folder(files)
        monkeypatch.chdir(root)
        return root

    return write


@pytest.fixture
def read(here):
    """The corpus that a manifest's text describes; it must be right."""

    def read_text(text, files=None, **options):
        here({"corpus.toml": text, **(files or {})})
        corpus, problems = read_manifest(Path("corpus.toml"), **options)
        assert problems == []
        return corpus

    return read_text


@pytest.fixture
def complaints(here):
    """What is said of a manifest, its lists and its files, as the user reads it."""

    def read_text(text, files=None, **options):
        here({"corpus.toml": text, **(files or {})})
        return complaints_here(**options)

    return read_text


def complaints_here(**options):
    corpus, problems = read_manifest(Path("corpus.toml"), **options)
    found = find_files(corpus, **options)
    return [str(problem) for problem in sorted([*problems, *found.problems])]
