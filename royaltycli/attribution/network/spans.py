"""Documents in spans: what the network reads at once, in training and later."""

from __future__ import annotations

LONG, SHORT, LEAST = 128, 32, 16
"""Tokens of a span; of a short one, so that these are learned too; of the rest of a document, at the least."""


def windows(length: int) -> list[tuple[int, int]]:
    """The spans of a text of so many tokens, one after the other; a rest that says little is left out."""
    found = [(start, min(start + LONG, length)) for start in range(0, length, LONG)]
    return found[:-1] if len(found) > 1 and found[-1][1] - found[-1][0] < LEAST else found


def short_windows(length: int) -> list[tuple[int, int]]:
    """One short span of each that is longer than one: at places that go through the window, the same each time."""
    found = []
    for number, (start, stop) in enumerate(windows(length)):
        if stop - start > SHORT:
            begin = start + number * 41 % (stop - start - SHORT + 1)
            found.append((begin, begin + SHORT))
    return found
