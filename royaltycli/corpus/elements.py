"""The elements of an HTML page that are open at some tag, as far as its tags tell, without a parser's tree.

Where a parser may see it in another way, an element is taken to be open: a page is hardly ever deeper than
it is taken for. Each tag costs the same, however many elements are open.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

VOID = frozenset((
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr",
))  # fmt: skip
"""Elements without content: they are never open."""

CLOSING = frozenset((
    "a", "caption", "colgroup", "dd", "dt", "li", "nobr", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr",
))  # fmt: skip
"""Elements that close the one before of their own name, unless another stands between: these are not counted."""

COPIED = frozenset(("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"))
"""Elements that, left open, are opened again in the next block, the same one at most COPIES times."""

COPIES = 3

ROOTS = frozenset(("math", "svg"))
"""In these a tag that ends with `/>` closes itself."""

CELLS = frozenset(("caption", "td", "th"))

TABLE_PARTS = CELLS | {"colgroup", "tbody", "tfoot", "thead", "tr"}
"""In a table these close all that is open in the cell before; they mean nothing elsewhere."""

BREAKING_FONT = frozenset(("color", "face", "size"))
"""The attributes with which `font` ends a drawing or formula."""

MARKED = CELLS | {"applet", "marquee", "object", "template"}
"""What is left open in these is not opened again behind them."""

ALONE = frozenset((
    "a", "b", "big", "body", "code", "em", "font", "form", "frameset", "head", "html", "i", "image", "nobr", "s",
    "select", "small", "strike", "strong", "tt", "u",
))  # fmt: skip
"""Their end tags may leave open what stands in them."""

BLOCKS = frozenset((
    "address", "applet", "article", "aside", "blockquote", "button", "center", "details", "dialog", "dir", "div", "dl",
    "fieldset", "figcaption", "figure", "footer", "header", "hgroup", "listing", "main", "marquee", "menu", "nav",
    "object", "ol", "pre", "search", "section", "summary", "ul",
))  # fmt: skip
"""Their end tags close all that is open in them, but not through one of BOUNDS."""

HTML_WITHIN = frozenset(("annotation-xml", "desc", "foreignobject", "mi", "mn", "mo", "ms", "mtext", "title"))
"""Elements of a drawing or formula whose content is HTML."""

BOUNDS = CELLS | HTML_WITHIN | {"applet", "html", "marquee", "object", "table", "template"}

SPECIAL = BLOCKS | BOUNDS | TABLE_PARTS | {
    "body", "dd", "dt", "form", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "iframe", "li", "noembed",
    "noframes", "noscript", "p", "plaintext", "script", "select", "style", "textarea", "xmp",
}  # fmt: skip
"""The end tags of all other elements close nothing through these."""

BREAKING = frozenset((
    "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1",
    "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre",
    "ruby", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tt", "u", "ul", "var",
))  # fmt: skip
"""Elements that end a drawing or formula which was left open."""

ATTRIBUTE = r"""
    [^\t\n\f\r />][^\t\n\f\r />=]*+
    (?:[\t\n\f\r ]*+ = [\t\n\f\r ]*+ (?:"[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) | [^\t\n\f\r >"'][^\t\n\f\r >]*+)?+)?+
"""
_ATTRIBUTE = re.compile(ATTRIBUTE, re.VERBOSE)


def attributes_of(tag: str) -> list[str]:
    """The attributes of a tag, as they are written."""
    return _ATTRIBUTE.findall(tag)


def names_of(tag: str) -> list[str]:
    """The names of the attributes of a tag."""
    return [attribute.partition("=")[0].strip().lower() for attribute in attributes_of(tag)]


class Elements:
    """The open elements from the outermost to the innermost; `depth` is how many they are."""

    def __init__(self) -> None:
        self.depth = 0
        self._names: list[str | None] = []  # None where one was closed, but not what stands in it
        self._attributes: list[str] = []
        self._drawn: list[bool] = []  # whether what stands directly in it is drawing or formula
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        self._special: list[int] = []
        self._bounds: list[int] = []

    @property
    def in_drawing(self) -> bool:
        """Whether a drawing or a formula is open."""
        return bool(self._places["svg"] or self._places["math"])

    def start(self, name: str, attributes: str) -> None:
        """A start tag."""
        if name in BREAKING or (name == "font" and not BREAKING_FONT.isdisjoint(names_of(attributes))):
            self._leave_drawing()
        drawn = name in ROOTS or (bool(self._drawn) and self._drawn[-1])
        if name in VOID or (drawn and _closes_itself(attributes)):
            return
        table = self._table()
        if not self.in_drawing:
            if name in TABLE_PARTS and table >= 0:
                self._cut(table + 1)
            elif name == "table" and table > max(map(self._last, CELLS)):
                self._cut(table)
            if name in CLOSING and not (name in CELLS and table >= 0):
                return
        self._open(name, attributes, drawn=drawn and name not in HTML_WITHIN)

    def end(self, name: str) -> None:
        """An end tag, which may have no start."""
        if name in ("br", "p"):  # the parser makes elements of these
            self._leave_drawing()
        here = self._last(name)
        if here < 0:
            return
        if name in CELLS and self._last("table") > here:
            return
        if name in CELLS or name == "table":
            free = self._last("template") < here
        else:
            barriers = self._bounds if name in BLOCKS else self._special
            free = name not in ALONE and (not barriers or barriers[-1] <= here)
        if free:
            self._cut(here)
        else:
            self._places[name].pop()
            self._names[here] = None
            self.depth -= 1

    def _last(self, name: str) -> int:
        places = self._places[name]
        return places[-1] if places else -1

    def _table(self) -> int:
        """Where the table stands that cells would belong to; -1 if there is none."""
        table = self._last("table")
        return table if table > self._last("template") else -1

    def _leave_drawing(self) -> None:
        length = len(self._drawn)
        while length and self._drawn[length - 1]:
            length -= 1
        self._cut(length)

    def _open(self, name: str, attributes: str, *, drawn: bool) -> None:
        place = len(self._names)
        self._places[name].append(place)
        if name in SPECIAL:
            self._special.append(place)
        if name in BOUNDS:
            self._bounds.append(place)
        self._names.append(name)
        self._attributes.append(attributes)
        self._drawn.append(drawn)
        self.depth += 1

    def _cut(self, length: int) -> None:
        """Close all elements from a place on, and open again what the parser opens again behind them."""
        again: list[tuple[str, str]] = []
        marked = False
        for name, attributes, drawn in zip(
            self._names[length:], self._attributes[length:], self._drawn[length:], strict=True
        ):
            if name is None:
                continue
            self._places[name].pop()
            self.depth -= 1
            marked = marked or name in MARKED
            if name in COPIED and not drawn and not marked:
                again.append((name, attributes))
        del self._names[length:], self._attributes[length:], self._drawn[length:]
        for places in (self._special, self._bounds):
            while places and places[-1] >= length:
                places.pop()
        copies = Counter[tuple[str, str]]()
        for name, attributes in again:
            copies[name, attributes] += 1
            if copies[name, attributes] <= COPIES:
                self._open(name, attributes, drawn=False)


def _closes_itself(attributes: str) -> bool:
    """Whether a tag ends with `/>`, and the `/` is no part of a value without quotation marks."""
    if not attributes.endswith("/"):
        return False
    written = attributes_of(attributes)
    return not written or not written[-1].endswith("/")
