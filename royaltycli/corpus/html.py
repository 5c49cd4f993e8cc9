"""The visible text of HTML pages, by the Lexbor parser."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from royaltycli.corpus.markup import excess
from royaltycli.errors import DocumentError

UNSEEN = ["head", "script", "style", "template", "noscript", "svg", "iframe", "object"]
"""Elements whose content a reader of the page does not see as text."""


def visible_texts(pages: pa.Array, place: Callable[[int], str]) -> pa.LargeStringArray:
    """Each page's visible text: the text nodes that a reader sees, stripped, one a line.

    Raises DocumentError for a page that would take the parser too long; `place` says where each page stands.
    """
    return pa.array([_bounded(page.as_py(), index, place) for index, page in enumerate(pages)], pa.large_string())


def _bounded(page: str, index: int, place: Callable[[int], str]) -> str:
    too_much = excess(page)
    if too_much is not None:
        raise DocumentError(f"{place(index)}: the page {too_much}; mend it, or leave `strip` out")
    return visible_text(page)


def visible_text(page: str) -> str:
    """One page's visible text; empty for a page without any."""
    # Without events: with them, the text of a chosen option would be there twice.
    tree = LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    tree.strip_tags(UNSEEN)
    body = tree.body
    return "" if body is None else body.text(separator="\n", strip=True)
