"""The benchmark's corpus: built once into a folder, split by document, and known again by its digests.

    FOLDER/
        wheels/              what pip fetched
        code/                or documentation/, which is made in the same way
            corpus/          what `royalty index` reads: corpus.toml, tokenizer.json, a file of documents a source
            held-out.jsonl   documents of the same sources that are not in the corpus
            unknown.jsonl    documents of sources that are not in the corpus at all
            benchmark.json   what all that was made from, and the digest of each file (written last)

The digests of their texts decide which documents are taken, and which of them are held out: a fifth of what a source
would have in the corpus and, to make the figures firmer, some of what it has beyond that. A document that is a copy of
another, or nearly (rule U2), is left out, so that nothing held out stands in the corpus under another name.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from royaltycli.arrays import Numbers
from royaltycli.attribution.copies import groups, sketches
from royaltycli.bench.packages import (
    Document,
    Kind,
    Package,
    digest_of,
    documents_of,
    fetch,
    pinned,
    python_version,
    standard_library,
)
from royaltycli.errors import AttributionError
from royaltycli.storage import make_folder, write_text

VERSION = 2
"""The version of the way in which the corpus is made."""

CHARACTERS = 260_000
"""Characters of a source, roughly: its documents are taken until they have more. A fifth of these is held out."""

MORE_CHARACTERS = 1_040_000
"""Further characters, where a source has more documents; these are all held out. With few, chance would decide."""

UNKNOWN_CHARACTERS = 520_000
HELD_OUT = 0.2
VOCABULARY = 2048
"""Tokens of the encoding, as in the prototype, so that spans of so many tokens compare."""

ABOUT = "benchmark.json"
WORD = re.compile(r"\w+|[^\w\s]")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """The documents of the benchmark: in the corpus, held out, and of sources that it does not know."""

    known: list[Document]
    held_out: list[Document]
    unknown: list[Document]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A corpus that is ready: its folder, the wheels and the kind of text it is made of, and its parts."""

    folder: Path
    wheels: Path
    kind: Kind
    parts: Parts
    about: dict[str, Any]

    @property
    def manifest(self) -> Path:
        """The corpus as `royalty scan` and `royalty index` take it."""
        return self.folder / "corpus" / "corpus.toml"


def prepare(
    top: Path, tell: Tell, kind: Kind = "code", packages: tuple[list[Package], list[Package]] | None = None
) -> Prepared:
    """A corpus in a folder, built unless it is there and whole. Raises RemoteError, AttributionError, OutputError.

    `packages` are those of the corpus and those unknown to it, by default the pinned ones with the standard library.
    """
    folder, wheels = top / kind, top / "wheels"
    known, unknown = packages or pinned()
    library = [] if packages else list(standard_library(kind))
    made_from = {
        "version": VERSION,
        "kind": kind,
        "settings": [CHARACTERS, MORE_CHARACTERS, UNKNOWN_CHARACTERS, HELD_OUT, VOCABULARY],
        "python": python_version() if library else None,
        "standard library": digest_of(library) if library else None,
        "known": [asdict(package) for package in known],
        "unknown": [asdict(package) for package in unknown],
    }
    if not _is_there(folder, made_from):
        tell("fetching packages")
        fetch([*known, *unknown], wheels)
        tell("building the corpus")
        sources = [list(documents_of(package, wheels, kind)) for package in known] + [library] * bool(library)
        others = [list(documents_of(package, wheels, kind)) for package in unknown]
        _write(folder, split(sources, others), made_from)
    parts = Parts(
        [each for source in _ids(folder) for each in _read(folder / "corpus" / f"{source}.jsonl", source)],
        list(_read(folder / "held-out.jsonl")),
        list(_read(folder / "unknown.jsonl")),
    )
    check_apart(parts)
    return Prepared(folder, wheels, kind, parts, json.loads((folder / ABOUT).read_text(encoding="utf-8")))


def split(sources: Sequence[list[Document]], others: Sequence[list[Document]]) -> Parts:
    """The documents to take of each source, and which of them are held out; of copies the first alone is taken."""
    known: list[Document] = []
    held_out: list[Document] = []
    for source in sources:
        first, more = _some(source, CHARACTERS, MORE_CHARACTERS)
        first.sort(key=lambda document: hashlib.sha256(b"split" + document.digest.encode()).digest())
        cut = math.ceil(len(first) * HELD_OUT)
        held_out += first[:cut] + more
        known += first[cut:]
    unknown = [document for source in others for document in _some(source, UNKNOWN_CHARACTERS, 0)[0]]
    documents = [*known, *held_out, *unknown]
    kept = _groups(documents) == np.arange(len(documents))
    parts = np.split(kept, np.cumsum([len(known), len(held_out)]))
    return Parts(*(list(compress(part, mask)) for part, mask in zip((known, held_out, unknown), parts, strict=True)))


def check_apart(parts: Parts) -> None:
    """Raises AttributionError if a document that is held out or unknown is in the corpus as well, or nearly so."""
    documents = [*parts.known, *parts.held_out, *parts.unknown]
    first = _groups(documents)
    leaked = [
        document
        for document, of in zip(documents[len(parts.known) :], first[len(parts.known) :].tolist(), strict=True)
        if of < len(parts.known)
    ]
    if leaked:
        raise AttributionError(
            f"{leaked[0].source}: {leaked[0].name} is held out but a copy of it is in the corpus, and so are "
            f"{len(leaked) - 1} others; remove the folder of the benchmark, and run it again"
        )


def _some(documents: Iterable[Document], first: int, more: int) -> tuple[list[Document], list[Document]]:
    """Documents in the order of their digests: the first until they have more characters, and then some more."""
    parts: tuple[list[Document], list[Document]] = [], []
    size = 0
    for document in sorted(documents, key=lambda each: each.digest):
        if size > first + more:
            break
        parts[size > first].append(document)
        size += len(document.text)
    return parts


def _groups(documents: Sequence[Document]) -> Numbers:
    """For each document the first that it is a copy of, by its words: the encoding is not there yet."""
    words = [np.array([zlib.crc32(word.encode()) for word in WORD.findall(each.text)]) for each in documents]
    lengths = np.array([len(each) for each in words], np.int64)
    flat = np.concatenate([np.empty(0, np.uint32), *words]).astype(np.uint32)
    return groups(sketches(flat, lengths), lengths)


def _is_there(folder: Path, made_from: dict[str, Any]) -> bool:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        same = about["made from"] == made_from
        return same and all(_digest(folder / name) == digest for name, digest in about["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def _ids(folder: Path) -> list[str]:
    ids: list[str] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))["sources"]
    return ids


def _write(folder: Path, parts: Parts, made_from: dict[str, Any]) -> None:
    place = folder / "corpus"
    make_folder(place)
    ids = sorted({document.source for document in parts.known})
    for source in ids:
        _write_documents(place / f"{source}.jsonl", [each for each in parts.known if each.source == source])
    write_text(place / "tokenizer.json", _encoding([document.text for document in parts.known]))
    _write_manifest(place, ids)
    _write_documents(folder / "held-out.jsonl", parts.held_out)
    _write_documents(folder / "unknown.jsonl", parts.unknown)
    names = [f"corpus/{source}.jsonl" for source in ids]
    names += ["corpus/corpus.toml", "corpus/tokenizer.json", "held-out.jsonl", "unknown.jsonl"]
    about = {"made from": made_from, "sources": ids, "files": {name: _digest(folder / name) for name in names}}
    write_text(folder / ABOUT, json.dumps(about, indent=1) + "\n")


def write_corpus(documents: Sequence[Document], place: Path, tokenizer: Path) -> list[str]:
    """Write a corpus of documents into a new folder, with the encoding of the corpus; the ids of its sources."""
    shutil.rmtree(place, ignore_errors=True)
    make_folder(place)
    ids = sorted({each.source for each in documents})
    for source in ids:
        _write_documents(place / f"{source}.jsonl", [each for each in documents if each.source == source])
    shutil.copy(tokenizer, place / "tokenizer.json")
    _write_manifest(place, ids)
    return ids


def _write_manifest(place: Path, ids: Iterable[str]) -> None:
    """Write the manifest of a folder with a file of documents for each source."""
    head = '[corpus]\nname = "Benchmark of attribution"\nencoding = "tokenizer.json"\n'
    body = "".join(f'\n[[source]]\nid = "{source}"\npath = "{source}.jsonl"\nholder = "{source}"\n' for source in ids)
    write_text(place / "corpus.toml", head + body)


def _encoding(texts: list[str]) -> str:
    """A byte-level BPE trained on the corpus, as a tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    said: str = tokenizer.to_str()
    return said


def _write_documents(path: Path, documents: Iterable[Document]) -> None:
    """Write documents as JSON Lines."""
    write_text(path, "".join(json.dumps(asdict(document), ensure_ascii=False) + "\n" for document in documents))


def _read(path: Path, source: str | None = None) -> Iterable[Document]:
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line:
            document = Document(**json.loads(line))
            assert source in (None, document.source)
            yield document


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
