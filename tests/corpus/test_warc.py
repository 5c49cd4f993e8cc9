"""Rule D10: what documents a web archive holds, and what they name."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

import royaltycli
from royaltycli.corpus import warc
from royaltycli.errors import DocumentError

MANIFEST = '[[collection]]\nid = "c"\npath = "*.gz"\nformat = "warc"\n'


def record(kind, uri, body, content_type="text/plain", **headers):
    body = body.encode() if isinstance(body, str) else body
    lines = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {uri}",
        "WARC-Date: 2026-01-02T03:04:05Z",
        "WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>",
        f"Content-Type: {content_type}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body + b"\r\n\r\n"


def response(uri, page, content_type="text/html; charset=utf-8", more=""):
    page = page.encode() if isinstance(page, str) else page
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{more}\r\n".encode()
    return record("response", uri, head + page, "application/http; msgtype=response")


INFO = record("warcinfo", "", "software: x\r\n", "application/warc-fields")
WET = [
    INFO,
    record("conversion", "https://www.example.co.uk/a", "One text.\n"),
    record("conversion", "http://example.co.uk/b", "två"),
    record("conversion", "<https://ann.github.io/>", ""),
    record("conversion", "urn:nothing", "No host."),
]
PAGE = "<html><head><title>t</title></head><body><p>One</p><p>två</p></body></html>"
WARC = [
    INFO,
    record("request", "https://a.example/", "GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request"),
    response("https://a.example/", PAGE),
    response("https://a.example/x.png", b"\x89PNG", "image/png"),
    response("https://b.example/", PAGE.encode("latin-1"), "text/html; charset=ISO-8859-1"),
    response("https://b.example/2", "<meta charset=windows-1251><p>мир".encode("cp1251"), "text/html"),
    record("metadata", "https://a.example/", "x: y"),
    record("response", "dns:a.example", "a.example 1.2.3.4", "text/dns"),
]


def members(records):
    """Each record as a member of its own, as web archives are packed."""
    return b"".join(gzip.compress(one, mtime=0) for one in records)


def texts_of(folder, records, keys="", name="a.warc.gz"):
    """The documents of an archive, by their source."""
    place = folder({"corpus.toml": MANIFEST + keys, name: members(records)})
    return {row["source_id"]: (row["documents"], row["bytes"]) for row in royaltycli.scan(place).to_pylist()}


def test_the_texts_of_a_wet_file(folder):
    expected = {"c/example.co.uk": (2, 14), "c/ann.github.io": (1, 0), "c/(unknown)": (1, 8)}
    assert texts_of(folder, WET, name="a.warc.wet.gz") == expected
    assert texts_of(folder, WET, 'strip = "html"', name="a.warc.wet.gz") == expected  # no page, so nothing to strip


def test_the_pages_of_a_warc_file(folder):
    russian = len("<meta charset=windows-1251><p>мир".encode())
    page = len(PAGE.encode())
    assert texts_of(folder, WARC) == {"c/a.example": (1, page), "c/b.example": (2, page + russian)}


def test_stripped_pages(folder):
    two = len("One\ntvå".encode())
    assert texts_of(folder, WARC, 'strip = "html"') == {"c/a.example": (1, two), "c/b.example": (2, two + 6)}


def test_pages_that_were_packed_for_the_way(folder):
    chunked = f"{len(PAGE.encode()):x}\r\n".encode() + PAGE.encode() + b"\r\n0\r\n\r\n"
    records = [
        response("https://a.example/", gzip.compress(PAGE.encode()), more="Content-Encoding: gzip\r\n"),
        response("https://a.example/", chunked, more="Transfer-Encoding: chunked\r\n"),
    ]
    assert texts_of(folder, records) == {"c/a.example": (2, 2 * len(PAGE.encode()))}


def test_the_headers_of_a_record_are_its_fields(folder):
    records = [
        record("conversion", "https://a.example/x", "one", WARC_Identified_Content_Language="eng,deu"),
        record("conversion", "https://b.example/x", "two", warc_identified_content_language="swe"),
    ]
    keys = 'source = "WARC-Identified-Content-Language"'
    assert texts_of(folder, records, keys) == {"c/eng%2Cdeu": (1, 3), "c/swe": (1, 3)}
    assert texts_of(folder, records, 'source = "host(WARC-Target-URI)"\nholder = "domain(WARC-Target-URI)"') == {
        "c/a.example": (1, 3),
        "c/b.example": (1, 3),
    }


def test_an_archive_may_be_one_source(folder):
    place = folder(
        {"corpus.toml": '[[source]]\nid = "s"\npath = "."', "x/a.wet": b"".join(WET), "b.wet.zst": b"".join(WET)}
    )
    assert royaltycli.scan(place)["documents"].to_pylist() == [8]


def test_documents_come_in_batches(folder, monkeypatch):
    whole = texts_of(folder, WET)
    monkeypatch.setattr(warc, "BATCH_BYTES", 5)
    assert texts_of(folder, WET) == whole


@pytest.mark.parametrize("cut", range(1, 220, 8))
def test_an_archive_that_ends_too_early(folder, cut):
    """Wherever it ends within a record, the scan fails: no text is cut short and counted."""
    place = folder({"corpus.toml": MANIFEST.replace("*.gz", "*.wet"), "a.wet": b"".join(WET[:3])[:-cut]})
    with pytest.raises(DocumentError, match=r"^a\.wet, record [34]: broken web archive \([^)]+\); replace the file$"):
        royaltycli.scan(place)


REQUEST = record("request", "https://a.example/", "GET / HTTP/1.1\r\n\r\nabc", "application/http; msgtype=request")


@pytest.mark.parametrize("cut", [*range(1, 30), *range(30, len(REQUEST), 16)])
def test_an_archive_that_ends_within_a_record_that_is_passed_over(folder, cut):
    """Also where that looks like an end: after the headers of the record, or of the request in it."""
    place = folder({"corpus.toml": MANIFEST.replace("*.gz", "*.wet"), "a.wet": WET[1] + REQUEST[:-cut]})
    with pytest.raises(DocumentError, match=r"^a\.wet, record 2: broken web archive \(it (ends|does not begin)"):
        royaltycli.scan(place)


@pytest.mark.parametrize("more", [-9, -4, -2, -1, 1, 2, 3, 4, 5, 50])
@pytest.mark.parametrize("kind", ["conversion", "metadata"])
def test_a_wrong_length(folder, kind, more):
    one = record(kind, "http://a.example", "One\n text.\n").replace(b"Length: 11", b"Length: %d" % (11 + more))
    place = folder({"corpus.toml": MANIFEST, "a.warc.gz": members([WET[1], one, WET[2]])})
    with pytest.raises(
        DocumentError, match=r"^a\.warc\.gz, record 2: broken web archive \(its Content-Length is wrong"
    ):
        royaltycli.scan(place)


@pytest.mark.parametrize(
    ("header", "instead", "said"),
    [
        ("Content-Length: 3", "Content-Length: three", r"its Content-Length is no number of bytes: 'three'"),
        ("Content-Length: 3", "Content-Length: +3", r"its Content-Length is no number of bytes: '\+3'"),
        ("Content-Length: 3", "X: 3", "it has no header Content-Length"),
        ("Content-Length: 3", "Content-Length: 3\r\ncontent-length: 2", "it has two different headers Content-Length"),
        (
            "WARC-Target-URI: ",
            "WARC-Target-URI: http://b.example\r\nwarc-target-uri: ",
            "it has two different headers WARC-Target-URI",
        ),
        ("WARC-Type: conversion", "X: 3", "it has no header WARC-Type"),
        ("WARC/1.0\r", "WARC/1.0", "the lines of its headers do not end in CR LF"),
        ("conversion\r", "conversion", "the lines of its headers do not end in CR LF"),
        ("WARC/1.0", "WARC/2.0", "it does not begin with a line such as WARC/1.0"),
        ("WARC-Type", f"X: {'x' * 40_000}\r\nWARC-Type", "its headers are longer than 32,768 bytes"),
    ],
)
def test_wrong_headers(folder, header, instead, said):
    one = record("conversion", "http://a.example", "One").replace(header.encode(), instead.encode())
    place = folder({"corpus.toml": MANIFEST, "a.warc.gz": members([INFO, one, WET[2]])})
    with pytest.raises(
        DocumentError, match=rf"^a\.warc\.gz, record 2: broken web archive \({said}\); replace the file$"
    ):
        royaltycli.scan(place)


def test_blank_lines_between_records_are_passed_over(folder):
    assert texts_of(folder, [b"\r\n\r\n".join([*WET, b"\r\n"])]) == texts_of(folder, WET)


@pytest.mark.parametrize("name", ["WARC-Type", "Content-Type", "Content-Length", "WARC-Target-URI"])
@pytest.mark.parametrize("capitals", [str.lower, str.upper, str.title])
def test_headers_in_any_capitals(folder, name, capitals):
    """No document is passed over because of how a header is written."""
    expected = texts_of(folder, WET + WARC)
    others = [one.replace(name.encode(), capitals(name).encode()) for one in WET + WARC]
    assert texts_of(folder, others) == expected


@pytest.mark.parametrize("said", [b"Application/HTTP;msgtype=response", b"APPLICATION/http ; msgtype=response"])
def test_values_in_any_capitals(folder, said):
    one = response("https://a.example/", PAGE).replace(b"application/http; msgtype=response", said)
    text = record("Conversion", "https://a.example/b", "x")
    assert texts_of(folder, [one, text]) == {"c/a.example": (2, len(PAGE.encode()) + 1)}


def test_no_archive_at_all(folder):
    place = folder({"corpus.toml": MANIFEST.replace("*.gz", "*.wet"), "a.wet": b"hello\r\n\r\n"})
    with pytest.raises(DocumentError, match=r"^a\.wet, record 1: broken web archive"):
        royaltycli.scan(place)


def test_broken_packing_is_named(folder):
    place = folder({"corpus.toml": MANIFEST, "a.wet.gz": members(WET)[:-9]})
    with pytest.raises(DocumentError, match=r"^a\.wet\.gz:\d+: broken gzip data"):
        royaltycli.scan(place)


def test_a_bomb_in_a_response(folder):
    page = gzip.compress(b"<p>" + b"0" * 100_000_000)
    place = folder(
        {
            "corpus.toml": MANIFEST,
            "a.warc.gz": members([response("http://a.example", page, more="Content-Encoding: gzip\r\n")]),
        }
    )
    with pytest.raises(DocumentError, match=r"^a\.warc\.gz: unpacks to more than 200 times its size"):
        royaltycli.scan(place)


BODY = PAGE.encode() * 1000
CHUNKED = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (BODY[:9_999], BODY[9_999:])) + b"0\r\n\r\n"
SENT = {
    "Content-Encoding: gzip": gzip.compress(BODY),
    "content-encoding: X-GZip": gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]),
    "Content-Encoding: deflate": zlib.compress(BODY),
    "Content-Encoding: br": pa.compress(BODY, "brotli", asbytes=True),
    "Content-Encoding: zstd": pa.compress(BODY, "zstd", asbytes=True),
    "Content-Encoding: identity, deflate, gzip": gzip.compress(zlib.compress(BODY)),
    "transfer-encoding: Chunked": CHUNKED,
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked": CHUNKED,
    "Transfer-Encoding: gzip, chunked": b"%x\r\n%b\r\n0\r\n" % (len(packed := gzip.compress(BODY)), packed),
}


@pytest.mark.parametrize("said", SENT)
def test_what_a_page_was_sent_in(folder, said):
    records = [response("https://a.example/", SENT[said], more=said + "\r\n")]
    assert texts_of(folder, records) == {"c/a.example": (1, len(BODY))}
    nothing = [response("https://a.example/", b"", more=said + "\r\n")]
    assert texts_of(folder, nothing) == {"c/a.example": (1, 0)}


@pytest.mark.parametrize("said", SENT)
@pytest.mark.parametrize("lost", [5, 6, 7, 8, 9, 12, 40])
def test_a_page_whose_end_is_missing(folder, said, lost):
    """It is never counted as if it were whole, as far as it goes."""
    records = [INFO, response("https://a.example/", SENT[said][:-lost], more=said + "\r\n")]
    place = folder({"corpus.toml": MANIFEST, "a.warc.gz": members(records)})
    with pytest.raises(DocumentError, match=r"^a\.warc\.gz, record 2: broken web archive \([^)]+\); replace the file$"):
        royaltycli.scan(place)


@pytest.mark.parametrize(
    ("said", "sent", "words"),
    [
        ("Content-Encoding: rot13", b"uryyb", "its encoding 'rot13' is not known"),
        ("Transfer-Encoding: chunked", b"hello\r\n", "a chunk of it does not begin with its size"),
        ("Transfer-Encoding: chunked", b"3\r\nhello\r\n0\r\n\r\n", "a chunk of it has another size than it says"),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n", "the last of its chunks is missing"),
        (
            "Content-Encoding: gzip",
            gzip.compress(b"x", mtime=0) + b"more",
            "zlib inflate failed: incorrect header check",
        ),
    ],
)
def test_a_page_that_was_sent_in_something_else(folder, said, sent, words):
    records = [response("https://a.example/", sent, more=said + "\r\n")]
    place = folder({"corpus.toml": MANIFEST, "a.warc.gz": members(records)})
    with pytest.raises(DocumentError, match=re.escape(f"record 1: broken web archive ({words}); replace")):
        royaltycli.scan(place)


def test_without_fastwarc_the_way_to_get_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastwarc.warc", None)
    said = "a web archive is read with the package fastwarc, which is not installed; install royaltycli[warc]"
    with pytest.raises(DocumentError, match=re.escape(said)):
        texts_of(folder, WET)


def test_a_page_that_is_not_what_it_says(folder):
    for content_type, said in (
        ("text/html", "not valid UTF-8 at byte 4"),
        ("text/html; charset=shift_jis", "not valid shift_jis"),
    ):
        place = folder(
            {
                "corpus.toml": MANIFEST,
                "a.warc.gz": members([INFO, response("http://a.example", b"<p>\xff\xff", content_type)]),
            }
        )
        with pytest.raises(DocumentError, match=rf"^a\.warc\.gz, record 2: {re.escape(said)}"):
            royaltycli.scan(place)
        folder({"corpus.toml": MANIFEST + 'errors = "replace"'})
        assert royaltycli.scan(place)["documents"].to_pylist() == [1]


def test_the_same_sources_as_the_standard_library_finds(folder):
    hosts = ["a.example", "b.example", "a.example"]
    records = [record("conversion", f"https://{host}/{number}", "x") for number, host in enumerate(hosts)]
    expected = {}
    for host in hosts:
        key = f"c/{urlsplit(f'https://{host}/').hostname}"
        expected[key] = (expected.get(key, (0, 0))[0] + 1, expected.get(key, (0, 0))[1] + 1)
    assert texts_of(folder, records, 'source = "host(WARC-Target-URI)"') == expected
