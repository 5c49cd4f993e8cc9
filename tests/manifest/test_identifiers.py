"""docs/manifest.md, "Ids": what a person may write, and how a value of a document becomes an id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.limits import ID_BYTES
from royaltycli.manifest.identifiers import check_id, decode_value, encode_value, source_id


@pytest.mark.parametrize("text", ["a", "a-rao", "A.b_c-9", "9", "é", "書籍", "صحيفة", "١٢٣", "x" * ID_BYTES])
def test_ids_that_a_person_may_write(text):
    assert check_id(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("x" * (ID_BYTES + 1), "is longer than 512 bytes"),
        ("é" * 257, "is longer than 512 bytes"),
        ("-a", "starts with '-'"),
        (".", "starts with '.'"),
        ("a b", "holds ' ' (U+0020 SPACE)"),
        ("a/b", "holds '/' (U+002F SOLIDUS)"),
        ("=1", "holds '=' (U+003D EQUALS SIGN)"),
        ("(a)", "holds '(' (U+0028 LEFT PARENTHESIS)"),
        ("a\x1b", "holds '\\x1b' (U+001B)"),
        ("a\ud800", "holds '\\ud800' (U+D800)"),
        ("a\u3164", "holds '\\u3164' (U+3164 HANGUL FILLER)".replace("\\u3164", "\u3164")),
        ("a\u200b", "holds '\\u200b' (U+200B ZERO WIDTH SPACE)"),
        ("e\u0301", "holds '\u0301' (U+0301 COMBINING ACUTE ACCENT)"),
        ("²", "holds '²' (U+00B2 SUPERSCRIPT TWO)"),
        ("\u212b", "is not in Unicode's composed form (NFC)"),
    ],
)
def test_ids_that_a_person_may_not_write(text, expected):
    assert check_id(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("maya", "maya"),
        ("@maya", "%40maya"),
        ("ma@ya", "ma@ya"),
        ("-1", "%2D1"),
        ("a-1", "a-1"),
        ("https://example.org/a_b.html", "https://example.org/a_b.html"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("=1+1", "%3D1%2B1"),
        ("(escrow)", "%28escrow%29"),
        ("Ørsted 书", "Ørsted%20书"),
        ("e\u0301", "e%CC%81"),
        ("😀", "%F0%9F%98%80"),
        ("a\u3164", "a%E3%85%A4"),
        ("\t", "%09"),
        ("", ""),
    ],
)
def test_the_holder_id_of_a_value(value, expected):
    assert encode_value(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("maya", "posts/maya"), ("@maya", "posts/@maya"), ("-1", "posts/-1"), ("a/b", "posts/a/b"), ("=", "posts/%3D")],
)
def test_the_source_id_of_a_value(value, expected):
    assert source_id("posts", value) == expected


@given(st.text(st.characters(exclude_categories=[])))
def test_an_encoded_value_is_decoded_to_itself(value):
    assert decode_value(encode_value(value)) == value
    assert decode_value(source_id("posts", value).removeprefix("posts/")) == value


@given(st.text())
def test_an_encoded_value_prints_and_is_no_formula(value):
    encoded = encode_value(value)
    assert not encoded.startswith(("=", "+", "-", "@", "(", "\t", "\r", "\n"))
    assert not set(encoded) & set(" \"',;()<>|\\\x00\x7f\u200b\u202e\u2028")
    assert encode_value(encoded.replace("%", "")) == encoded.replace("%", "") or encoded[:1] == "%"


@given(st.text(), st.text())
def test_two_values_never_get_the_same_id(one, other):
    assert (encode_value(one) == encode_value(other)) == (one == other)
