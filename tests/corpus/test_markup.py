"""Rule D7: a page that would take the HTML parser too long is refused, and no page that real people write is."""

from __future__ import annotations

import time
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from royaltycli import limits
from royaltycli.corpus import markup
from royaltycli.corpus.html import visible_text
from royaltycli.corpus.markup import excess

OPEN = "has more than 10,000 elements open, one in another"
SLOW = {
    "deep": ("<div>" * 20_000, OPEN),
    "deep, with closing tags that close nothing": ("<div></x></p></span>" * 20_000, OPEN),
    "deep, with closing tags in comments": ("<div><!-- </div> -->" * 20_000, OPEN),
    "deep, with closing tags in what is taken for comments": ("<div><!x </div></3 </div><? </div>" * 20_000, OPEN),
    "deep, with closing tags in attributes": ("""<div a="</div>" b='</div>' c = "</div>">""" * 20_000, OPEN),
    "deep, with quotation marks that quote nothing": ('<div a">' * 20_000, OPEN),
    "deep, with closing tags in scripts": ("<div><script></div></script><title></div></title>" * 20_000, OPEN),
    "deep, in capitals": ("<DIV>" * 20_000, OPEN),
    "deep lists": ("<ul><li>" * 20_000, OPEN),
    "deep in a drawing": ("<svg>" + "<td>" * 20_000, OPEN),
    "deep in a drawing, with slashes in values": ("<svg>" + "<g a=b/>" * 20_000, OPEN),
    "deep, with slashes that close nothing": ("<div/>" * 20_000, OPEN),
    "deep, after a drawing that a paragraph ends": ("<svg><p>" + "<x-y/>" * 20_000, OPEN),
    "deep in HTML in a drawing": ("<svg><foreignObject>" + "<x-y/>" * 20_000, OPEN),
    "deep, with ends that close only themselves": ("<b><div></b>" * 20_000, OPEN),
    "deep, with ends that close nothing": ("<form><div></form><body><x-y></body><image><x-y></image>" * 20_000, OPEN),
    "deep, with cells that stand in no table": ("<td><div></td>" * 20_000, OPEN),
    "deep, beside the cells of a table": ("<table><tr><td></td>" + "<div></td>" * 20_000, OPEN),
    "deep, with letters that are opened again": ("<div><b></div>" * 20_000, OPEN),
    "deep, after drawings that are ended": ("<svg><span></svg>" * 20_000, OPEN),
    "deep, with a bound in each": ("<div><object></div>" * 20_000, OPEN),
    "copied into every block": (
        "<p>" + "".join(f"<b id={number}>" for number in range(3000)) + "<p>x" * 3000,
        "leaves elements open that would be opened again more than 1,0",
    ),
    "a tag with very many attributes": (
        "<p " + " ".join(f"a{number}" for number in range(50_000)) + ">",
        "has too many attributes in one tag",
    ),
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_page_that_is_made_to_be_slow_is_refused(kind):
    page, said = SLOW[kind]
    assert str(excess(page)).startswith(said)


UNTIDY = {
    "paragraphs": "<p>one<br><img src=a>two" * 30_000,
    "list": "<ul>" + "<li>item<dd>more" * 30_000,
    "table": "<table>" + "<tr><td>a<td>b" * 30_000,
    "anchors": "<p><a name=top>text" * 30_000,
    "options": "<select>" + "<option>x" * 30_000,
    "blocks with open letters": "<div><b>text <i>more <span>yet</div>" * 3000,
    "fonts": "<p><font size=2>text" * 9000,
    "what a script writes": "<script>" + "document.write('<div><div>');" * 9000 + "</script>",
    "what a comment hides": "<!--" + "<div>" * 30_000 + "-->",
    "less than": "<p>" + "if a < b then " * 30_000,
    "a tag that never ends": "if a <b then " + "nothing " * 30_000,
    "drawing": "<svg>" + "<path d='M0 0'/><g fill=red /><circle r=1></circle>" * 10_001 + "</svg>",
    "drawings that close themselves": "<div><svg/><p>text</div>" * 10_001,
    "ruby": "<p><ruby>漢<rt>kan</ruby>字</p>" * 10_001,
    "cells with open letters": "<table>" + "<tr><td><font size=2>cell</td></tr>" * 10_001 + "</table>",
    "cells that nothing closes": "<table>" + "<tr><td><span><div>cell" * 10_001 + "</table>",
    "blocks with open blocks": "<div><ul><li><section><span>x</div>" * 10_001,
    "headings with open letters": "<h2><span>x</h2>" * 10_001,
    "tables with open cells": "<table><tr><td><x-y>x</table>" * 10_001,
    "tidy": "<div class='a'><p>One <b>word</b> <svg><path d='M0'/></svg></p></div>" * 9000,
}


@pytest.mark.parametrize("kind", UNTIDY)
def test_an_untidy_page_is_read(kind):
    assert len(UNTIDY[kind]) > limits.HTML_SMALL
    assert excess(UNTIDY[kind]) is None


TAGS = [
    "body",
    "caption",
    "foreignObject",
    "form",
    "g",
    "h2",
    "math",
    "mi",
    "object",
    "rt",
    "ruby",
    "section",
    "svg",
    "template",
    "x-y",
    "b",
    "br",
    "button",
    "div",
    "font",
    "h1",
    "li",
    "ol",
    "option",
    "p",
    "select",
    "span",
    "table",
    "td",
    "tr",
    "ul",
]
tokens = st.one_of(
    st.sampled_from(TAGS).map("<{}>".format),
    st.sampled_from(TAGS).map("</{}>".format),
    st.sampled_from(
        ["text", "<!-- <div> -->", "<p a='<div>'>", "<b/>", "<g/>", "<g a=b/>", "<g a='b'/>", "<svg/>", "<i><u>"]
    ),
)


def opened(page, monkeypatch):
    """The least limit of open elements that a page is within."""
    with monkeypatch.context() as patch:
        patch.setattr(markup, "HTML_SMALL", -1)
        for limit in count():
            patch.setattr(markup, "HTML_DEPTH", limit)
            if excess(page) is None:
                return limit
    raise AssertionError


def depth(page):
    """How deep the parser really nests."""
    deepest = 0
    for node in LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS).root.traverse():
        levels = 0
        while (node := node.parent) is not None:
            levels += 1
        deepest = max(deepest, levels)
    return deepest


@settings(max_examples=300, deadline=None)
@given(page=st.lists(tokens, max_size=60).map("".join))
def test_no_page_is_deeper_than_it_is_taken_for(page):
    """Between two elements that are counted, a few may stand that are not: `<table>`, a body, a row, a cell."""
    with pytest.MonkeyPatch.context() as patch:
        assert depth(page) <= 5 * opened(page, patch) + 6


def test_a_page_of_many_open_elements_is_looked_through_quickly():
    """Each tag costs the same, however many elements are open and whether it closes any."""
    page = ("<ul>" * 3000 + "<object>" + "<x-y>" * 3000 + "</ul>" * 3000 + "</object>") * 40
    started = time.process_time()
    assert excess(page) is None
    assert time.process_time() - started < 5  # looking through them at each end would take 360 million steps


def test_an_option_that_is_shown_twice_counts_once():
    page = "<select><button><selectedcontent></selectedcontent></button><option>one<option>two</select>"
    assert visible_text(page) == "one\ntwo"
