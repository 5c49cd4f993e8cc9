"""Rule C1: tokens equal tiktoken's `encode_ordinary` on every document, whatever engine counts."""

from __future__ import annotations

import base64
import functools
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import CallError
from royaltycli.tokens import engines
from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.engines import choose_engine, make_engine
from royaltycli.tokens.reference import gives_up, load_reference
from tests import oracle, strategies

ENCODINGS = list(PUBLIC)


@functools.cache
def reference(encoding):
    return load_reference(find_encoding(encoding))


def engine(name, encoding):
    return make_engine(name, find_encoding(encoding), reference(encoding))


@pytest.fixture(scope="module")
def gigatokens():
    return {name: engine("gigatoken", name) for name in ENCODINGS}


def counted(counter, documents):
    return counter.count(pa.array(documents, pa.large_string())).tolist()


@pytest.mark.parametrize("name", ENCODINGS)
@strategies.examples(150, 2000)
@given(documents=st.lists(strategies.texts, min_size=1, max_size=20))
def test_gigatoken_counts_as_tiktoken_does(gigatokens, name, documents):
    encode = oracle.encoding(name).encode_ordinary
    assert counted(gigatokens[name], documents) == [len(encode(document)) for document in documents]


@pytest.mark.parametrize("name", ENCODINGS)
def test_letters_newer_than_tiktokens_unicode_count_as_tiktoken_does(gigatokens, name):
    """Rule C2, for each of them."""
    documents = [
        context.replace("_", letter) for letter in strategies.NEWER for context in ("_'s", "a_B", " _x", "1_!")
    ]
    encode = oracle.encoding(name).encode_ordinary
    assert counted(gigatokens[name], documents) == [len(encode(document)) for document in documents]


def test_their_tokens_are_those_of_tiktoken_too(gigatokens):
    documents = ["so", *(f"{letter}'s" for letter in strategies.NEWER), "", "and so on"]
    ids, lengths = gigatokens["o200k_base"].encode(pa.array(documents, pa.large_string()))
    expected = [oracle.encoding("o200k_base").encode_ordinary(document) for document in documents]
    assert lengths.tolist() == [len(tokens) for tokens in expected]
    assert ids.tolist() == [token for tokens in expected for token in tokens]


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=50, deadline=None)
@given(documents=st.lists(strategies.texts, min_size=1, max_size=10))
def test_the_tiktoken_engine_counts_as_tiktoken_does(name, documents):
    encode = oracle.encoding(name).encode_ordinary
    assert counted(engine("tiktoken", name), documents) == [len(encode(document)) for document in documents]


@pytest.mark.parametrize(("name", "tokens"), [("r50k_base", 7), ("cl100k_base", 7), ("o200k_base", 7)])
def test_special_tokens_count_as_plain_text(gigatokens, name, tokens):
    assert counted(gigatokens[name], ["<|endoftext|>", ""]) == [tokens, 0]


@pytest.mark.parametrize("name", ENCODINGS)
def test_arrays_of_any_shape(gigatokens, name):
    words = pa.array(["one", "two three", "", "four"], pa.large_string())
    assert gigatokens[name].count(words.slice(1, 2)).tolist() == [2, 0]
    assert gigatokens[name].count(words.slice(4)).tolist() == []
    assert gigatokens[name].count(pa.array(["", ""], pa.large_string())).tolist() == [0, 0]


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_million_spaces(gigatokens, name):
    """tiktoken panics here, gigatoken does not; with the regex package in its place the two agree."""
    document = " " * 1_000_000 + "x"
    by_gigatoken = counted(gigatokens[name], [document])
    before = reference(name).gave_up
    assert counted(engine("tiktoken", name), [document]) == by_gigatoken
    assert reference(name).gave_up == before + 1


def test_rule_c4_a_hundred_thousand_in_a_row_are_too_many():
    assert gives_up(" " * 99_999 + "\u2003")
    assert gives_up("x" + "\n" * 100_000 + "x")
    assert not gives_up(" " * 99_999)
    assert not gives_up(" " * 99_999 + "x" + " " * 99_999)


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=150, deadline=None)
@given(document=strategies.texts)
def test_counting_by_pieces_is_counting(name, document):
    encode = oracle.encoding(name).encode_ordinary
    newer = any(letter in document for letter in strategies.NEWER)
    if not newer:
        assert reference(name).count_by_pieces(document) == len(encode(document))


@pytest.mark.parametrize("bound", ["CACHE_BYTES", "CACHE_TEXT"])
def test_caches_are_bounded(monkeypatch, bound):
    """Past either bound the tokenizer is made anew before it counts more, and counts go on the same."""
    monkeypatch.setattr(engines, "CACHE_CHECK_BYTES", 1000)
    counter = engine("gigatoken", "r50k_base")
    first = counter._tokenizer
    letters = np.random.default_rng(1).integers(97, 123, 8_000_000, dtype=np.uint8)  # random words, which fill caches
    letters[::8] = ord(" ")
    document = letters.tobytes().decode()
    before = counted(counter, [document])
    assert counted(counter, [document]) == before
    assert counter._tokenizer is first
    monkeypatch.setattr(engines, bound, 1)
    assert counted(counter, [document]) == before
    assert counter._tokenizer is not first


@pytest.mark.parametrize("version", ["", "0.9.0", "0.11.0"])
def test_without_a_gigatoken_known_to_be_exact_tiktoken_counts(monkeypatch, version):
    monkeypatch.setattr(engines, "gigatoken_version", lambda: version)
    both = (find_encoding("o200k_base"), reference("o200k_base"))
    assert choose_engine(None, *both) == "tiktoken"
    with pytest.raises(CallError, match=r"gigatoken 0.10 is not installed here"):
        choose_engine("gigatoken", *both)


def test_a_gigatoken_that_does_not_load_is_said_not_to(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gigatoken", None)
    letters = tmp_path / "letters.tiktoken"  # which no other test has loaded
    letters.write_bytes(b"".join(b"%s %d\n" % (base64.b64encode(bytes([n])), n) for n in range(256)))
    with pytest.raises(CallError, match=r"cannot be loaded \(.+\); install it anew, or uninstall it, and tiktoken"):
        make_engine("gigatoken", find_encoding(str(letters), "r50k_base"), None)


def test_unknown_engines_are_refused():
    with pytest.raises(CallError, match="engine is 'abacus'; it must be gigatoken, tiktoken or tokenizers"):
        choose_engine("abacus", find_encoding("o200k_base"), reference("o200k_base"))
