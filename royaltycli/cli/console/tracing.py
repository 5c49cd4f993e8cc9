"""A traced text on the terminal: its passages in the colours of their sources, or in brackets; and a legend."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from royaltycli.cli.columns import ASIDE, GAP
from royaltycli.cli.console.messages import clean, make_console
from royaltycli.cli.console.tables import new_table, print_whole
from royaltycli.numerals import percent_text, several

if TYPE_CHECKING:
    from rich.console import Console

    from royaltycli.attribution.tracing import Passage, Traced, TracedSource

COLOURS = ("cyan", "magenta", "yellow", "green", "red", "bright_blue")
"""Of the sources with the most surprising passages, in their order; all others are bold."""

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

SOURCES = 5
"""Sources of one passage that the legend lists; it counts the others."""


def show_trace(traced: Traced) -> None:
    """The text in its pieces, a legend of its passages, and a line that sums up."""
    from royaltycli.attribution.tracing import pieces

    console = make_console()
    if not traced.passages:
        console.print(Text("No passage of the text is in the corpus, but for what could be there by chance."))
        return
    styles = {source: COLOURS[place] if place < len(COLOURS) else "bold" for place, source in enumerate(traced.sources)}
    coloured = console.color_system is not None and not console.no_color and not console.options.ascii_only
    shown = Text()
    for piece, number in pieces(traced):
        words = "\n".join(clean(line.replace("\t", "    ")) for line in piece.replace("\r\n", "\n").split("\n"))
        if number is None:
            shown.append(words)
        elif coloured:
            style = styles[traced.passages[number].sources[0].id]
            shown.append(words, style).append(str(number + 1).translate(RAISED), f"bold {style}")
        else:
            shown.append(f"[{words}][{number + 1}]")
    shown.rstrip()
    console.print(shown)
    _legend(console, traced, styles)
    part = percent_text(Fraction(traced.covered, traced.tokens))
    console.print(
        f"{several(len(traced.passages), 'passage')} of {several(len(traced.sources), 'source')}: "
        f"{traced.covered:,} of {several(traced.tokens, 'token')} ({part})."
    )


def _legend(console: Console, traced: Traced, styles: dict[str, str]) -> None:
    rows = [row for number, passage in enumerate(traced.passages, 1) for row in _rows(number, passage)]
    headers = ("", "Source", "Title", "Tokens", "Place")
    widths = [max(map(cell_len, column)) for column in zip(headers, *rows, strict=True)]
    room = console.width - 2 - GAP * (len(widths) - 1) - sum(widths) + widths[2]
    has_titles = any(row[2] for row in rows) and room >= min(ASIDE, widths[2])
    table = new_table(collapse_padding=True)
    table.add_column(headers[0], justify="right", no_wrap=True)
    table.add_column(headers[1], overflow="fold")
    if has_titles:
        table.add_column(headers[2], no_wrap=True, overflow="ellipsis", max_width=room, style="dim")
    table.add_column(headers[3], justify="right", no_wrap=True)
    table.add_column(headers[4], overflow="fold")
    for number, source, title, tokens, place in rows:
        style = styles.get(source, "dim")
        titles = [title] if has_titles else []
        table.add_row(Text(number, f"bold {style}"), Text(source, style), *titles, tokens, place)
    print_whole(console, table)


def _rows(number: int, passage: Passage) -> list[tuple[str, str, str, str, str]]:
    """The cells of the legend for a passage, a row a source."""
    rows = [(clean(source.id), clean(source.title or ""), _place(source)) for source in passage.sources[:SOURCES]]
    if others := passage.sources[SOURCES:]:
        rows.append((f"and {several(len(others), 'source')} more", "", ""))
    firsts = [(f"{number}", f"{passage.tokens:,}"), *[("", "")] * (len(rows) - 1)]
    return [(first, *row[:2], tokens, row[2]) for (first, tokens), row in zip(firsts, rows, strict=True)]


def _place(source: TracedSource) -> str:
    place = source.places[0]
    others = f" and {source.documents - 1:,} more" if source.documents > 1 else ""
    return clean(f"{'copy of ' if place.copy else ''}{place.document}{others}")
