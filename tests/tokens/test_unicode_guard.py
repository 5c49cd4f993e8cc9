"""Rule C2: the documents that the two engines may count differently are found, and only next to them."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest
import regex

from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.unicode_guard import guarded, ranges
from tests import oracle

CONTEXTS = ["{}'s", "a{}B", " {}x", "1{}!", "{}{}"]
"""Where the class of a code point shows in how a text is split."""

ORDINARY = regex.compile(r"[\p{Assigned}--\p{Co}--\p{Cs}]", regex.V1)
STRIDE = 97
"""Of private and unassigned code points the short form takes one in so many."""


def everything_else(long_form):
    new = {code for first, last in ranges() for code in range(first, last + 1)}
    letters = [chr(code) for code in range(sys.maxunicode + 1) if code not in new and not 0xD800 <= code < 0xE000]
    return [letter for letter in letters if long_form or ord(letter) % STRIDE == 0 or ORDINARY.match(letter)]


def differing(name, documents):
    """The documents that gigatoken alone, without the guard, counts otherwise than tiktoken."""
    found = find_encoding(name)
    fast = make_engine("gigatoken", found, None).count(pa.array(documents, pa.large_string()))
    slow = [len(tokens) for tokens in oracle.encoding(name).encode_ordinary_batch(documents, num_threads=2)]
    return [document for document, quick, exact in zip(documents, fast.tolist(), slow, strict=True) if quick != exact]


@pytest.mark.parametrize("name", list(PUBLIC))
@pytest.mark.parametrize("context", CONTEXTS)
def test_no_other_code_point_differs(name, context, long_form):
    """Every code point outside the guard, many to a document, apart by a line end that no pattern joins over."""
    letters = everything_else(long_form)
    contexts = [context.replace("{}", letter) for letter in letters]
    documents = ["\n.\n".join(contexts[start : start + 500]) for start in range(0, len(contexts), 500)]
    assert differing(name, documents) == []


@pytest.mark.parametrize("name", list(PUBLIC))
def test_the_guard_is_needed(name):
    """The planted violation: without the guard, guarded code points do differ."""
    documents = [context.replace("{}", chr(first)) for first, _ in ranges() for context in CONTEXTS]
    assert differing(name, documents)


def test_guarded_documents_are_found():
    texts = pa.array(["plain", "caf\u00e9", "\u088f's", "", "x\U000323b0", "\u4f60\u597d"], pa.large_string())
    assert guarded(texts).tolist() == [2, 4]
    assert guarded(texts.slice(2, 2)).tolist() == [0]
    assert guarded(texts.slice(0, 1)).tolist() == []


def test_the_edges_of_each_range_are_guarded():
    edges = [chr(code) for pair in ranges() for code in pair]
    assert guarded(pa.array(edges, pa.large_string())).tolist() == list(range(len(edges)))
