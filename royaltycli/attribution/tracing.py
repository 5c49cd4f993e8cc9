"""Which passages of one text the corpus has, too, word for word, and where: for the eye, not for shares.

The passages are longest matches of the text (`evidence.find_matches`): none is within another, but two may overlap.
Only those are shown whose surprisal is above what the sizes of the corpus and of the text make likely by chance: of
a text of T tokens, in a corpus of N, ln T + ln N nats.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from royaltycli.attribution.evidence import LEAST_MATCH, Match, background, find_matches
from royaltycli.attribution.index import Index, Model, reference_of
from royaltycli.errors import CallError
from royaltycli.limits import PLACES, TRACE_BYTES, MiB
from royaltycli.tokens.reference import Reference

CONTEXT = 24
"""Tokens of a document that are shown before a passage, and after it."""

UNKNOWN = "\ufffd"
"""What stands for a part of a character."""

SCHEMA = pa.schema(
    [
        ("passage", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.int64()),
        ("excess", pa.decimal128(12, 3)),
        ("source_id", pa.string()),
        ("title", pa.string()),
        ("place", pa.string()),
        ("documents", pa.int64()),
        ("copy", pa.bool_()),
        ("excerpt", pa.string()),
    ]
)
"""The rows of a traced text: one for each passage and source (docs/attribution.md)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A document that has a passage: where it stands, such as `posts.jsonl:12`, and its text around the passage.

    Of a long passage the middle is left out of `match`. If the document is not the source's own, but one that the
    source has a copy of, or nearly one, `copy` is true.
    """

    document: str
    copy: bool
    before: str
    match: str
    after: str

    @property
    def excerpt(self) -> str:
        """The passage with what stands around it."""
        return self.before + self.match + self.after


@dataclass(frozen=True, slots=True)
class TracedSource:
    """A source that has a passage in so many `documents`, the first of which are `places`."""

    id: str
    title: str | None
    documents: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """The characters `start` to `end` of a text, which are `text`, of so many tokens; and the sources that have them.

    `excess` is by how much its surprisal, in nats, is above what is likely by chance: above 0.
    """

    start: int
    end: int
    text: str
    tokens: int
    excess: float
    sources: tuple[TracedSource, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """A text of so many `tokens`, its passages in order, and how many of the tokens are in one (`covered`).

    `sources` are the ids of all that have one, from the one with the most surprising passages on.
    """

    text: str
    tokens: int
    covered: int
    passages: tuple[Passage, ...]
    sources: tuple[str, ...]


def trace(index: Index, text: str, *, least: int = LEAST_MATCH) -> Traced:
    """Trace a text in an index; `least` is how many tokens a passage has at the least.

    Raises CallError for a text that is empty, too long or no text, AttributionError, and EncodingError.
    """
    check_text(text, least)
    reference = reference_of(index)
    tokens = np.array(reference.encode(text), np.uint32)
    chance = math.log(len(tokens))
    matches = [
        replace(match, excess=float(match.excess) - chance)
        for match in find_matches(index, tokens, background(index, tokens))
        if match.size >= least and match.excess > chance
    ]
    found = [documents_of(index, match) for match in matches]
    weights: dict[int, float] = {}
    for match, documents in zip(matches, found, strict=True):
        for source in documents:
            weights[source] = weights.get(source, 0.0) + match.excess
    order = sorted(weights, key=lambda source: (-weights[source], source))
    spans = reference.spans(text) if matches else []
    passages = []
    for match, documents in zip(matches, found, strict=True):
        start, end = spans[match.start][0], spans[match.start + match.size - 1][1]
        sources = [
            _source(index, reference, match, source, documents[source]) for source in order if source in documents
        ]
        passages.append(Passage(start, end, text[start:end], match.size, match.excess, tuple(sources)))
    covered = np.zeros(len(tokens), bool)
    for match in matches:
        covered[match.start : match.start + match.size] = True
    ids = index.source_ids
    return Traced(text, len(tokens), int(covered.sum()), tuple(passages), tuple(ids[source] for source in order))


def pieces(traced: Traced) -> list[tuple[str, int | None]]:
    """The text in pieces that together are all of it, each with the number of its passage, from 0, if it is in one.

    What is in several is of the one with the greatest excess; blanks at the ends of a piece are of none.
    """
    owners = np.full(len(traced.text), -1)
    for number in sorted(range(len(traced.passages)), key=lambda number: traced.passages[number].excess):
        passage = traced.passages[number]
        owners[passage.start : passage.end] = number
    bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
    for start, end in itertools.pairwise(bounds):
        piece = traced.text[start:end]
        owners[start : start + len(piece) - len(piece.lstrip())] = -1
        owners[start + len(piece.rstrip()) : end] = -1
    bounds = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
    return [
        (traced.text[start:end], None if owners[start] < 0 else int(owners[start]))
        for start, end in itertools.pairwise(bounds)
    ]


def rows(traced: Traced) -> pa.Table:
    """One row for each passage and source, in the order of the text."""
    found = [
        {
            "passage": number,
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            "tokens": passage.tokens,
            "excess": Decimal(f"{passage.excess:.3f}"),
            "source_id": source.id,
            "title": source.title,
            "place": source.places[0].document,
            "documents": source.documents,
            "copy": source.places[0].copy,
            "excerpt": source.places[0].excerpt,
        }
        for number, passage in enumerate(traced.passages, 1)
        for source in passage.sources
    ]
    return pa.Table.from_pylist(found, SCHEMA)


def check_text(text: str, least: int) -> None:
    """Raises CallError for a text that cannot be traced, and for a least size that is none."""
    if least < 1:
        raise CallError(f"least is {least}; it must be 1 token or more")
    if not text.strip():
        raise CallError("the text is empty; give one, or a file that holds one")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise CallError("the text holds half of a surrogate pair, which is no character; write it in UTF-8") from error
    if size > TRACE_BYTES:
        raise too_long()


def too_long() -> CallError:
    """The error for a text of more than TRACE_BYTES."""
    return CallError(f"the text is longer than {TRACE_BYTES // MiB} MiB; trace it in parts")


def documents_of(index: Index, match: Match) -> dict[int, list[tuple[bool, int, int, int]]]:
    """By source, the documents that have a match: whether only a copy is its own, model, place in its text, document.

    Its own come first, and all in the order of the corpus; each document once.
    """
    found: dict[int, dict[tuple[int, int], tuple[bool, int, int, int]]] = {}
    for model, document, place in sorted(match.places):
        unit = index.units[int(index.models[model].units[document])]
        for number, source in enumerate(unit.sources):
            entry = (number >= unit.earliest, model, place, document)
            found.setdefault(source, {}).setdefault((model, document), entry)
    return {source: sorted(documents.values()) for source, documents in found.items()}


def _source(
    index: Index, reference: Reference, match: Match, source: int, documents: list[tuple[bool, int, int, int]]
) -> TracedSource:
    places = []
    for copy, number, place, document in documents[:PLACES]:
        model = index.models[number]
        parts = _excerpt(model, reference, document, place, match.size)
        places.append(Place(model.places[document].as_py(), copy, *parts))
    row = index.sources.slice(source, 1)
    title = row["title"][0].as_py()
    return TracedSource(row["source_id"][0].as_py(), title, len(documents), tuple(places))


def _excerpt(model: Model, reference: Reference, document: int, place: int, size: int) -> tuple[str, str, str]:
    """What a document says before a match at a place of the text, in it, and after it."""
    first = max(int(model.starts[document]), place - CONTEXT)
    last = min(int(model.starts[document + 1]) - 1, place + size + CONTEXT)
    if size <= 2 * CONTEXT:
        return _said(model, reference, (first, place, place + size, last))
    before, head, _ = _said(model, reference, (first, place, place + CONTEXT, place + CONTEXT))
    middle = place + size - CONTEXT
    _, tail, after = _said(model, reference, (middle, middle, place + size, last))
    return before, f"{head.rstrip(UNKNOWN)} … {tail.lstrip(UNKNOWN)}", after


def _said(model: Model, reference: Reference, bounds: tuple[int, int, int, int]) -> tuple[str, str, str]:
    """What the tokens say between four places of a text; a character in two parts is all of the one in the middle."""
    first, start, end, last = bounds
    tokens: list[int] = (model.suffixes.text[first:last] - np.uint32(1)).tolist()
    whole = reference.decode(tokens)
    before, upto = reference.decode(tokens[: start - first]), reference.decode(tokens[: end - first])
    begin, stop = _alike(before, whole), _alike(upto, whole)
    stop += stop < len(upto)  # the last of these characters is another than the whole one
    return whole[:begin].lstrip(UNKNOWN), whole[begin:stop], whole[stop:].rstrip(UNKNOWN)


def _alike(one: str, two: str) -> int:
    """How many characters are the same from the beginning on."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(two)))
