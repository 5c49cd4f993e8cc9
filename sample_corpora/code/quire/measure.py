"""How wide a string is on a terminal, in cells.

The rules, in order, for each character:

    kind                                    cells       example
    -----------------------------------     -----       -----------------
    control characters                      0           U+0007 (the bell)
    combining marks                         0           U+0301 (acute)
    zero-width space, joiner, non-joiner    0           U+200B .. U+200D
    variation selectors                     0           U+FE0F
    wide and full-width East Asian          2           U+4E2D
    everything else                         1           U+0041

A sequence held together by joiners counts as its first character. This is what most
terminals do on most days, and a program that needs more than that needs a terminal
that agrees with it, which is a larger project.
"""

import unicodedata

JOINER = "\u200d"
ELLIPSIS = "\u2026"

ALIGNMENTS = {"left": 0.0, "centre": 0.5, "right": 1.0}


def char_cells(char):
    """The width of one character, taken by itself."""
    code = ord(char)
    if code < 32 or 0x7F <= code < 0xA0:
        return 0
    if unicodedata.combining(char):
        return 0
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 2
    return 1


def clusters(text):
    """Yield the pieces that must not be cut: a character with its marks, and what joiners join."""
    piece = ""
    joined = False
    for char in text:
        width = char_cells(char)
        if piece and (width == 0 or joined):
            piece += char
        else:
            if piece:
                yield piece
            piece = char
        joined = char == JOINER
    if piece:
        yield piece


def cells(text):
    """The width of a string.

    >>> cells("quire"), cells("中文"), cells("e\\u0301")
    (5, 4, 1)
    """
    total = 0
    for piece in clusters(text):
        total += char_cells(piece[0])
    return total


def clip(text, width, mark=ELLIPSIS):
    """Cut to at most `width` cells; what was cut is shown by `mark`, which counts.

    >>> clip("parchment", 6)
    'parch…'
    """
    if cells(text) <= width:
        return text
    room = width - cells(mark)
    if room < 0:
        return ""
    kept, used = [], 0
    for piece in clusters(text):
        size = char_cells(piece[0])
        if used + size > room:
            break
        kept.append(piece)
        used += size
    return "".join(kept).rstrip() + mark


def pad(text, width, align="left", fill=" "):
    """Fill up to `width` cells; a string that is wider already is given back as it is."""
    gap = width - cells(text)
    if gap <= 0:
        return text
    before = int(gap * ALIGNMENTS[align])
    return fill * before + text + fill * (gap - before)
