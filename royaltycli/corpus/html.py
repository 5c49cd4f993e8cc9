"""The visible text of HTML pages, by the Lexbor parser."""

from __future__ import annotations

import pyarrow as pa
from selectolax.lexbor import LexborHTMLParser

UNSEEN = ["head", "script", "style", "template", "noscript", "svg", "iframe", "object"]
"""Elements whose content a reader of the page does not see as text."""


def visible_texts(pages: pa.Array) -> pa.LargeStringArray:
    """Each page's visible text: the text nodes that a reader sees, stripped, one a line."""
    return pa.array([visible_text(page.as_py()) for page in pages], pa.large_string())


def visible_text(page: str) -> str:
    """One page's visible text; empty for a page without any."""
    tree = LexborHTMLParser(page)
    tree.strip_tags(UNSEEN)
    body = tree.body
    return "" if body is None else body.text(separator="\n", strip=True)
