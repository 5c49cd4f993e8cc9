"""Where to break the lines of a paragraph.

A greedy setter fills each line and moves on, like a guest who eats from the nearest dish.
This one looks at the whole paragraph first. For every place where a line could end it keeps
the cheapest way to have got there, and at the end it walks back along the cheap ways.

The cost of a line with `gap` cells left over, in a measure of `width` cells, is

    (gap / width) ** 3  *  1000                 for every line but the last
    0                                           for the last, unless it is a single short word
    + HYPHEN_COST                               if the line ends in a hyphen
    + HYPHEN_COST * 3                           if the line before it did as well

so that two lines with a gap of three are better than one with a gap of six. This is the
whole secret. It takes time proportional to words times words per line.
"""

from dataclasses import dataclass

from .measure import cells

HYPHEN_COST = 40
ORPHAN_COST = 90
OVERFULL = 1_000_000


@dataclass(frozen=True)
class Break:
    """A place where a line may end: after `piece`, which adds `hyphen` if it does."""

    piece: str
    hyphen: bool = False
    glue: bool = True


def pieces_of(text, hyphenator=None):
    """Split a paragraph into pieces between which lines may be broken."""
    pieces = []
    for word in text.split():
        parts = hyphenator.split(word) if hyphenator is not None else [word]
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            pieces.append(Break(part, hyphen=not last, glue=last))
    return pieces


def line_text(pieces, start, end):
    """The text of the line that holds pieces[start:end]."""
    out = []
    for number in range(start, end):
        piece = pieces[number]
        out.append(piece.piece)
        if number < end - 1:
            if piece.glue:
                out.append(" ")
        elif piece.hyphen:
            out.append("-")
    return "".join(out)


def cost_of(pieces, start, end, width, after_hyphen):
    """What it costs to set pieces[start:end] as one line."""
    gap = width - cells(line_text(pieces, start, end))
    if gap < 0:
        if end - start > 1:
            return None
        return OVERFULL - gap
    if end == len(pieces):
        alone = end - start == 1 and start > 0 and gap > width * 2 // 3
        return ORPHAN_COST if alone else 0
    cost = int((gap / width) ** 3 * 1000)
    if pieces[end - 1].hyphen:
        cost += HYPHEN_COST
        if after_hyphen:
            cost += HYPHEN_COST * 3
    return cost


def break_lines(pieces, width):
    """The cheapest list of (start, end) pairs that covers all pieces, in order."""
    if width < 1:
        raise ValueError("a line needs at least one cell")
    count = len(pieces)
    best = [0] + [None] * count
    came = [0] * (count + 1)
    for end in range(1, count + 1):
        for start in range(end - 1, -1, -1):
            if best[start] is None:
                continue
            after_hyphen = start > 0 and pieces[start - 1].hyphen
            cost = cost_of(pieces, start, end, width, after_hyphen)
            if cost is None:
                break
            total = best[start] + cost
            if best[end] is None or total < best[end]:
                best[end] = total
                came[end] = start
    lines = []
    end = count
    while end > 0:
        lines.append((came[end], end))
        end = came[end]
    lines.reverse()
    return lines


def justify(line, width):
    """Spread the spaces of a line until it is `width` cells wide, the wide ones alternately outward.

    >>> justify("a b c", 9)
    'a   b   c'
    """
    words = line.split(" ")
    gaps = len(words) - 1
    spare = width - cells(line)
    if gaps == 0 or spare <= 0:
        return line
    each, extra = divmod(spare, gaps)
    out = [words[0]]
    for number, word in enumerate(words[1:]):
        wide = number < extra
        out.append(" " * (1 + each + (1 if wide else 0)))
        out.append(word)
    return "".join(out)


def set_paragraph(text, width, hyphenator=None, justified=False, indent=0):
    """Set one paragraph; gives a list of lines without trailing space."""
    pieces = pieces_of(text, hyphenator)
    if not pieces:
        return []
    if indent:
        first = pieces[0]
        pieces[0] = Break("\u00a0" * indent + first.piece, first.hyphen, first.glue)
    lines = []
    spans = break_lines(pieces, width)
    for number, (start, end) in enumerate(spans):
        line = line_text(pieces, start, end)
        if justified and number < len(spans) - 1:
            line = justify(line, width)
        lines.append(line.replace("\u00a0", " ").rstrip())
    return lines
