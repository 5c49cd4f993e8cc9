"""How wide the columns of a table are on a terminal: each row on one line, wherever that is possible."""

from __future__ import annotations

from collections.abc import Collection, Mapping

GAP = 2
"""Cells between two columns."""

BAR = 10
"""Cells of a bar before titles get theirs; where much is left it grows to twice as many."""

ASIDE = 12
"""A title, name or list of holders is left out where fewer cells than these are left for it."""


def fit(room: int, natural: Mapping[str, int], asides: Collection[str]) -> tuple[dict[str, int], int]:
    """The widths of the columns that are shown in `room` cells, and that of the bars, which is 0 where none fit.

    `natural` is how wide each column would be. All but the `asides` keep that; then come the bars, and the
    asides share what is left, the first of them first where it is not enough for all.
    """
    widths = {name: cells for name, cells in natural.items() if name not in asides}
    left = room - sum(widths.values()) - GAP * (len(widths) - 1)
    bar = BAR if left >= BAR + GAP else 0
    left -= bar + GAP if bar else 0
    waiting = [name for name in natural if name in asides and natural[name]]
    while waiting:
        name = waiting.pop(0)
        cells = min(natural[name], max(left // (len(waiting) + 1) - GAP, ASIDE))
        if cells + GAP <= left:
            widths[name] = cells
            left -= cells + GAP
    if bar:
        bar += max(0, min(BAR, left))
    return {name: widths[name] for name in natural if name in widths}, bar
