"""A traced text as HTML: its passages in the colours of their sources, each with a link to where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from royaltycli.attribution.tracing import Passage, Place, Traced, TracedSource, pieces
from royaltycli.report.pages import template

COLOURS = 6
"""Sources with a colour of their own in the style; all others share one, which has the number 0."""

SOURCES = 5
"""Sources of one passage that stand open; the others can be opened."""

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What HTML cannot hold, or what turns around the direction of a text for whatever comes after it."""

QUOTED = 300
"""Characters of a passage that are quoted beside its sources."""


@dataclass(frozen=True, slots=True)
class Credited:
    """A source in the list of all: in how many passages, and of how many tokens, it is."""

    id: str
    title: str | None
    colour: int
    passages: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text: `number` is that of its passage, from 1; `first` says whether a passage begins with it."""

    text: str
    number: int = 0
    colour: int = 0
    first: bool = False
    sources: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage beside the text; `linked` says whether the text has a piece of it to lead back to."""

    number: int
    colour: int
    linked: bool
    quote: str
    tokens: int
    excess: str
    open: tuple[TracedSource, ...]
    more: tuple[TracedSource, ...]


def as_html(traced: Traced) -> bytes:
    """One page that needs nothing else, light or dark, also for printing; without a script."""
    colours = {source: place if place <= COLOURS else 0 for place, source in enumerate(traced.sources, 1)}
    shown = _pieces(traced, colours)
    linked = {piece.number for piece in shown}
    page = {
        "traced": traced,
        "pieces": shown,
        "sources": _credited(traced, colours),
        "passages": [
            _shown(number, passage, colours, linked=number in linked)
            for number, passage in enumerate(traced.passages, 1)
        ],
    }
    made = template("traces", "trace.html.j2", "trace.css", visible=visible, in_line=in_line, where=_where)
    return made.render(page).encode("utf-8")


def visible(text: str) -> str:
    """A text with U+FFFD for what is STEERING; line ends and tabs stay."""
    return STEERING.sub("\ufffd", text.replace("\r\n", "\n"))


def in_line(text: str) -> str:
    """A text with one blank for any others and line ends."""
    return visible(re.sub(r"\s+", " ", text))


def _pieces(traced: Traced, colours: dict[str, int]) -> list[Piece]:
    seen: set[int] = set()
    found = []
    for text, number in pieces(traced):
        if number is None:
            found.append(Piece(text))
            continue
        sources = traced.passages[number].sources
        names = ", ".join(source.title or source.id for source in sources[:SOURCES])
        found.append(Piece(text, number + 1, colours[sources[0].id], number not in seen, names))
        seen.add(number)
    return found


def _credited(traced: Traced, colours: dict[str, int]) -> list[Credited]:
    titles: dict[str, str | None] = {}
    counts: dict[str, list[int]] = {}
    for passage in traced.passages:
        for source in passage.sources:
            titles[source.id] = source.title
            counts.setdefault(source.id, []).append(passage.tokens)
    return [
        Credited(source, titles[source], colours[source], len(counts[source]), sum(counts[source]))
        for source in traced.sources
    ]


def _shown(number: int, passage: Passage, colours: dict[str, int], *, linked: bool) -> Shown:
    quote = in_line(passage.text.strip())
    if len(quote) > QUOTED:
        quote = f"{quote[: QUOTED // 2].rstrip()} … {quote[-QUOTED // 2 :].lstrip()}"
    return Shown(
        number,
        colours[passage.sources[0].id],
        linked,
        quote,
        passage.tokens,
        f"{passage.excess:.1f}",
        passage.sources[:SOURCES],
        passage.sources[SOURCES:],
    )


def _where(place: Place) -> str:
    return f"{'a copy, or nearly, of ' if place.copy else ''}{place.document}"
