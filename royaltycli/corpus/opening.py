"""Opens a corpus: reads its manifest, finds its files, and reports all that is wrong with either at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from royaltycli.corpus.files import File, find_files
from royaltycli.errors import ManifestError
from royaltycli.manifest.model import Corpus
from royaltycli.manifest.reading import find_manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Opened:
    """A corpus without problems: its manifest, its files, and the names of files that are no documents."""

    corpus: Corpus
    files: tuple[File, ...]
    skipped: tuple[str, ...]


def open_corpus(manifest: str | Path | None = None, *, outside: bool = False) -> Opened:
    """Open the corpus of a manifest: a file, a folder that holds corpus.toml, or None for the folder here.

    `outside` lets paths leave the manifest's folder. Raises ManifestError with all problems.
    """
    corpus, problems = read_manifest(find_manifest(manifest), outside=outside)
    found = find_files(corpus, outside=outside)
    if problems or found.problems:
        raise ManifestError([*problems, *found.problems])
    return Opened(corpus, found.files, found.skipped)
