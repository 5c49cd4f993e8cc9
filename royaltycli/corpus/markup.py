"""What a page asks of an HTML parser, estimated from its tags before it is parsed.

The tree takes time in proportion to tags times open elements, and to the square of a tag's attributes; where
`<b>` and its like are left open, each is copied into every block that follows. So a page of a megabyte, made
for it, could take hours and all memory. Real pages stay far below the limits, also where they are untidy.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from royaltycli.limits import HTML_COMPARISONS, HTML_COPIES, HTML_DEPTH, HTML_SMALL, HTML_TAGS

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

RAW = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
"""Elements whose content has no tags, and how each ends."""

COPIES = 3

ATTRIBUTE = r"""
    [^\t\n\f\r />][^\t\n\f\r />=]*+
    (?:[\t\n\f\r ]*+ = [\t\n\f\r ]*+ (?:"[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) | [^\t\n\f\r >"'][^\t\n\f\r >]*+)?+)?+
"""
TOKEN = re.compile(
    rf"""
      <!--(?:-?> | .*?(?:--!?>|\Z))
    | <[!?][^>]*+ | </[^a-z>][^>]*+
    | <(/?)([a-z][^\t\n\f\r />]*+)((?:[\t\n\f\r /]++ | {ATTRIBUTE})*+)(?:>|\Z)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""A comment, what is taken for one, or a tag: whether it ends an element, its name, its attributes."""

_ATTRIBUTE = re.compile(ATTRIBUTE, re.VERBOSE)


def excess(page: str) -> str | None:
    """What of a page is beyond a limit; None of one that can be parsed.

    An end tag counts only where the parser sees one too: not in a comment, an attribute or a script, nor
    without a start tag. A page that gets around this makes a scan slow, and nothing else.
    """
    if len(page) <= HTML_SMALL and page.count("<") <= HTML_TAGS:
        return None
    opened: Counter[str] = Counter()
    shapes: defaultdict[str, set[str]] = defaultdict(set)
    deep = reopened = copies = at = 0
    while (tag := TOKEN.search(page, at)) is not None:
        at = tag.end()
        end, name, attributes = tag.groups()
        if name is None:
            continue
        name = name.lower()
        before = min(opened[name], COPIES * len(shapes[name])) if name in COPIED else 0
        if end:
            if not opened[name]:
                continue
            opened[name] -= 1
            deep -= 1
        else:
            copies += reopened
            if copies > HTML_COPIES + len(page) // 2:
                return f"leaves elements open that would be opened again more than {copies - 1:,} times"
            if len(attributes) > HTML_SMALL and _comparisons(attributes) > HTML_COMPARISONS:
                return "has too many attributes in one tag"
            foreign = opened["svg"] or opened["math"]
            if name in RAW and not foreign:
                ending = RAW[name].search(page, at)
                at = len(page) if ending is None else ending.start()
            if name in VOID or (name in CLOSING and not foreign):
                continue
            opened[name] += 1
            deep += 1
            if deep > HTML_DEPTH:
                return f"has more than {HTML_DEPTH:,} elements open, one in another"
        if name in COPIED:
            shapes[name].add(tag[0])
            reopened += min(opened[name], COPIES * len(shapes[name])) - before
    return None


def _comparisons(attributes: str) -> int:
    """Each attribute of a tag is compared with those before it; of two of one name the first is kept."""
    names = [match[0].partition("=")[0].strip().lower() for match in _ATTRIBUTE.finditer(attributes)]
    return len(names) * len(set(names))
