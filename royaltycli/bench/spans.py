"""Spans of held-out documents, which attribution is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.bench.corpus import Parts
from royaltycli.bench.packages import Document
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.engines import Ids, fastest_engine
from royaltycli.tokens.reference import load_reference

SIZES = (32, 128)
WHOLE = 4000
"""The most tokens of a whole document that are looked at."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Documents as tokens, each of a source by number; those of unknown sources are -1, -2 and so on."""

    tokens: tuple[Ids, ...]
    sources: Numbers


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of documents: the tokens of each, the number of its document, and its source."""

    tokens: tuple[Ids, ...]
    documents: Numbers
    sources: Numbers

    def __len__(self) -> int:
        return len(self.tokens)

    def some(self, chosen: Numbers) -> Spans:
        """Only those at some places."""
        return Spans(tuple(self.tokens[one] for one in chosen.tolist()), self.documents[chosen], self.sources[chosen])


@dataclass(frozen=True, slots=True)
class Data:
    """The benchmark's documents as tokens of the corpus's encoding, and the ids of the sources by their number."""

    sources: tuple[str, ...]
    known: Texts
    held_out: Texts
    unknown: Texts


def encode(parts: Parts, corpus: Path) -> Data:
    """The documents as tokens, by the same engine that an index is built with."""
    encoding = find_encoding("tokenizer.json", folder=corpus)
    reference = load_reference(encoding)
    engine = fastest_engine(encoding, reference)
    ids = sorted({document.source for document in parts.known})
    number = {source: at for at, source in enumerate(ids)}
    strangers = dict.fromkeys(document.source for document in parts.unknown)
    number |= {source: -1 - at for at, source in enumerate(strangers)}

    def texts(documents: Sequence[Document]) -> Texts:
        flat, lengths = engine.encode(pa.array([each.text for each in documents], pa.large_string()))
        tokens = np.split(flat, np.cumsum(lengths)[:-1]) if documents else []
        return Texts(tuple(tokens), np.array([number[each.source] for each in documents], np.int64))

    return Data(tuple(ids), texts(parts.known), texts(parts.held_out), texts(parts.unknown))


def cut(texts: Texts, size: int | None, most: int | None = None, seed: int = 0) -> Spans:
    """Spans of a size, side by side, of all documents; at most so many of them, drawn by the seed.

    About as many are drawn from each source, if it has so many. Without a size each document is a
    span, up to WHOLE tokens of it.
    """
    found: list[tuple[int, int, int]] = []
    for document, tokens in enumerate(texts.tokens):
        if size is None:
            found.append((document, 0, min(len(tokens), WHOLE)))
        else:
            found += [(document, start, start + size) for start in range(0, len(tokens) - size + 1, size)]
    documents = np.array([document for document, _, _ in found], np.int64)
    if most is not None and len(found) > most:
        _, at, count = np.unique(texts.sources[documents], return_inverse=True, return_counts=True)
        likely = 1 / count[at]
        chosen = np.sort(np.random.default_rng(seed).choice(len(found), most, replace=False, p=likely / likely.sum()))
        found, documents = [found[at] for at in chosen.tolist()], documents[chosen]
    tokens_of = tuple(texts.tokens[document][start:stop] for document, start, stop in found)
    return Spans(tokens_of, documents, texts.sources[documents])
