"""What a page asks of an HTML parser, estimated from its tags before it is parsed.

The tree takes time in proportion to tags times open elements, and to the square of a tag's attributes; where
`<b>` and its like are left open, each is copied into every block that follows. So a page of a megabyte, made
for it, could take hours and all memory. Real pages stay far below the limits, also where they are untidy.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from royaltycli.corpus.elements import ATTRIBUTE, COPIED, COPIES, Elements, names_of
from royaltycli.limits import HTML_COMPARISONS, HTML_COPIES, HTML_DEPTH, HTML_SMALL, HTML_TAGS

RAW = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
"""Elements whose content has no tags, and how each ends."""

TOKEN = re.compile(
    rf"""
      <!--(?:-?> | .*?(?:--!?>|\Z))
    | <[!?][^>]*+ | </[^a-z>][^>]*+
    | <(/?)([a-z][^\t\n\f\r />]*+)((?:[\t\n\f\r /]++ | {ATTRIBUTE})*+)(?:>|\Z)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""A comment, what is taken for one, or a tag: whether it ends an element, its name, its attributes."""


def excess(page: str) -> str | None:
    """What of a page is beyond a limit; None of one that can be parsed.

    A tag counts only where the parser sees one too: not in a comment, an attribute or a script. A page that
    gets around this makes a scan slow, and nothing else.
    """
    if len(page) <= HTML_SMALL and page.count("<") <= HTML_TAGS:
        return None
    elements = Elements()
    left_open: Counter[str] = Counter()  # also where the block around it was closed
    shapes: defaultdict[str, set[str]] = defaultdict(set)
    reopened = copies = at = 0
    while (tag := TOKEN.search(page, at)) is not None:
        at = tag.end()
        end, name, attributes = tag.groups()
        if name is None:
            continue
        name = name.lower()
        if end:
            elements.end(name)
        else:
            copies += reopened
            if copies > HTML_COPIES + len(page) // 2:
                return f"leaves elements open that would be opened again more than {copies - 1:,} times"
            if len(attributes) > HTML_SMALL and _comparisons(attributes) > HTML_COMPARISONS:
                return "has too many attributes in one tag"
            if name in RAW and not elements.in_drawing:
                ending = RAW[name].search(page, at)
                at = len(page) if ending is None else ending.start()
            elements.start(name, attributes)
        if name in COPIED and (left_open[name] or not end):
            reopened -= min(left_open[name], COPIES * len(shapes[name]))
            left_open[name] += -1 if end else 1
            shapes[name].add(tag[0])
            reopened += min(left_open[name], COPIES * len(shapes[name]))
        if elements.depth > HTML_DEPTH:
            return f"has more than {HTML_DEPTH:,} elements open, one in another"
    return None


def _comparisons(attributes: str) -> int:
    """Each attribute of a tag is compared with those before it; of two of one name the first is kept."""
    names = names_of(attributes)
    return len(names) * len(set(names))
