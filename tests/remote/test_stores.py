"""Rule D11: object stores, read from and written to through a real S3 server that can be made hostile."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import random
import re
import sys
import tempfile
import types
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore import exceptions

import royaltycli
from royaltycli import storage
from royaltycli.api import check
from royaltycli.corpus import shards, unpack
from royaltycli.errors import DocumentError, ManifestError, OutputError, RemoteError
from royaltycli.remote import objects, refusals
from royaltycli.remote.finding import find_file
from royaltycli.remote.locations import locate
from royaltycli.remote.names import remote_place
from royaltycli.scanning import spare_corpus
from royaltycli.tokens import scan as scanning
from tests.remote.servers import Web

ROWS = [
    {"text": f"This is document {number}. " + "So it goes. " * (number % 9), "by": f"a{number % 5}"}
    for number in range(900)
]


def parquet(rows, group):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=group)
    return file.getvalue()


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
FILES = {
    "books/one.txt": b"One day.",
    "books/zwei ü 100%.md": "Grüße".encode(),
    "books/empty.txt": b"",
    "books/deep/er/three.html": b"<p>Three</p>",
    "books/.hidden.txt": b"Hidden.",
    "books/packed.txt.gz": gzip.compress(b"Packed. " * 400),
    "posts/a.jsonl": LINES,
    "posts/b.jsonl.zst": pa.compress(LINES, codec="zstd", asbytes=True),
    "posts/c.parquet": parquet(ROWS, 100),
}
MANIFEST = """
[corpus]
remote = true
[[source]]
id = "books"
path = "{root}books"
[[collection]]
id = "posts"
path = ["{root}posts/*.jsonl*", "{root}posts/c.parquet"]
source = "by"
"""


def rows_of(table):
    return {row["source_id"]: (row["documents"], row["tokens"], row["digest"]) for row in table.to_pylist()}


@pytest.fixture
def corpora(store, folder):
    """The same corpus here and in the store: two manifests."""
    store.put("corpus", FILES)
    store.log.clear()
    place = folder(
        {**FILES, "corpus.toml": MANIFEST.format(root=""), "remote.toml": MANIFEST.format(root="s3://corpus/")}
    )
    return place / "corpus.toml", place / "remote.toml"


def small(monkeypatch):
    """Cut files of a few kilobytes, and read little at a time."""
    monkeypatch.setattr(shards.cut, "__defaults__", (8000,))
    monkeypatch.setattr(unpack, "REST_STEP", 500)


# -- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["docs/a*b.txt", "docs/**/x.txt", "docs/[1]*.txt", "docs/a?b.txt", "*"])
def test_a_file_of_the_very_name_goes_before_a_pattern(store, folder, name):
    others = ("docs/a b.txt", "docs/er/x.txt", "docs/1 2.txt", "b.txt")
    manifest = '[corpus]\nremote = true\n[[source]]\nid = "a"\nformat = "text"\npath = "{}{}"\n'
    store.put("odd", dict.fromkeys((*others, name), b"One day."))
    place = folder({"corpus.toml": manifest.format("s3://odd/", name), name: "One day."})
    folder(dict.fromkeys(others, "One day."))
    assert [file.name for file in check(place).files] == [f"s3://odd/{name}"]
    folder({"corpus.toml": manifest.format("", name)})
    assert [file.name for file in check(place).files] == [name]
    folder({"corpus.toml": manifest.format("s3://odd/", "docs/*.txt")})
    assert "s3://odd/docs/a b.txt" in [file.name for file in check(place).files]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("books", ["books/a.txt", "books/deep/er/b.txt", "books/empty.txt"]),
        ("books/*", ["books/a.txt", "books/empty.txt"]),
        ("books/deep", ["books/deep/er/b.txt"]),
        ("books/empty.txt", ["books/empty.txt"]),
        ("", ["books/a.txt", "books/deep/er/b.txt", "books/empty.txt"]),
    ],
)
def test_an_empty_file_that_stands_for_a_folder_is_none(store, folder, written, expected):
    """As Azure's Data Lake shows each of its folders, and other tools leave them behind in any store."""
    texts = dict.fromkeys(("books/a.txt", "books/deep/er/b.txt"), b"One day.")
    store.put("folders", texts | dict.fromkeys(("books", "books/deep", "books/empty.txt"), b""))
    manifest = '[corpus]\nremote = true\n[[source]]\nid = "a"\nformat = "text"\npath = "s3://folders/{}"\n'
    place = folder({"corpus.toml": manifest.format(written)})
    assert [file.name for file in check(place).files] == [f"s3://folders/{name}" for name in expected]


def test_the_split_of_a_dataset_in_a_store(store, folder):
    names = ("data/train-00000-of-00001.jsonl", "data/test-00000-of-00001.jsonl")
    store.put("splits", dict.fromkeys(names, LINES))
    keys = '[corpus]\nremote = true\n[[collection]]\nid = "c"\nsource = "by"\nsplit = "test"\npath = "s3://splits{}"\n'
    for written in ("", "/", "/data/"):
        place = folder({"corpus.toml": keys.format(written)})
        assert [file.name for file in check(place).files] == [f"s3://splits/{names[1]}"]
    for written, kind in (("/data/*", "pattern"), (f"/{names[0]}", "file")):
        place = folder({"corpus.toml": keys.format(written)})
        with pytest.raises(ManifestError, match=f"split is one of a folder, but '.*' is a {kind}; leave split out"):
            check(place)


def test_a_remote_corpus_counts_as_the_same_corpus_here(corpora):
    here, there = corpora
    assert rows_of(royaltycli.scan(there)) == rows_of(royaltycli.scan(here))


def test_the_files_are_those_that_the_same_paths_match_here(corpora):
    here, there = corpora
    found = [file.name.removeprefix("s3://corpus/") for file in check(there).files]
    assert found == [file.name for file in check(here).files]


@pytest.mark.parametrize("workers", [1, 3])
def test_ranges_and_row_groups_are_counted_by_themselves(corpora, monkeypatch, workers):
    here, there = corpora
    expected = rows_of(royaltycli.scan(here))
    small(monkeypatch)
    monkeypatch.setattr(scanning, "PROCESSES_FROM", 0)
    assert rows_of(royaltycli.scan(there, workers=workers)) == expected


@pytest.mark.parametrize("name", ["a.jsonl", "b.parquet"])
def test_no_more_is_read_of_a_big_file_than_of_its_parts_together(store, folder, monkeypatch, name):
    rows = [{"text": random.Random(number).randbytes(5000).hex()} for number in range(100)]
    data = parquet(rows, 10) if name.endswith("parquet") else b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    store.put("big", {name: data})
    monkeypatch.setattr(shards.cut, "__defaults__", (200_000,))
    monkeypatch.setattr(unpack, "REST_STEP", 500)
    store.log.clear()
    place = folder({"corpus.toml": f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "s3://big/{name}"\n'})
    assert royaltycli.scan(place, workers=1)["documents"].to_pylist() == [100]
    ranges = [re.fullmatch(r"bytes=(\d+)-(\d+)", asked) for asked in store.gets(name)]
    assert len(ranges) >= 5
    assert sum(int(asked[2]) - int(asked[1]) + 1 for asked in ranges) < 1.15 * len(data)


def test_a_remote_document_that_is_broken_is_named_without_reading_what_lies_before(store, folder, monkeypatch):
    store.put("broken", {"a.jsonl": LINES + b"[]\n"})
    small(monkeypatch)
    place = folder({"corpus.toml": '[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "s3://broken/a.jsonl"\n'})
    start = len(LINES) // 8000 * 8000
    line = LINES[start:].count(b"\n")  # the first of them began before
    with pytest.raises(
        DocumentError, match=rf"^s3://broken/a\.jsonl, line {line} of those after byte {start:,}: an array "
    ):
        royaltycli.scan(place)


# -- what goes wrong on the way -------------------------------------------------------------------


@pytest.mark.parametrize("faults", [["drop"] * 3, [503, 503, 500], [429], ["drop", 503, "drop"]])
def test_what_fails_for_a_while_is_asked_for_again(corpora, store, faults):
    here, there = corpora
    store.faults.extend(faults)
    assert rows_of(royaltycli.scan(there)) == rows_of(royaltycli.scan(here))
    assert not store.faults


def test_a_connection_that_breaks_is_taken_up_at_the_byte_where_it_broke(store, folder):
    store.put("breaking", {"a.jsonl": LINES})
    place = folder({"corpus.toml": '[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "s3://breaking/a.jsonl"\n'})
    store.log.clear()
    store.faults.append("drop")
    royaltycli.scan(place)
    assert store.gets("a.jsonl") == [f"bytes=0-{len(LINES) - 1}", f"bytes={len(LINES) // 2}-{len(LINES) - 1}"]


def test_an_answer_that_never_comes_is_an_error_in_the_end(corpora, store, monkeypatch):
    monkeypatch.setattr(objects, "RETRIES", 1)
    store.faults.extend([503] * 100)
    with pytest.raises(
        RemoteError, match=r"^s3://corpus/\S+ cannot be used \(status 503 Service Unavailable\); try again later$"
    ):
        royaltycli.scan(corpora[1])


@pytest.mark.parametrize("condition", ["kept", "ignored"])
def test_a_file_that_changes_in_mid_scan_is_an_error_and_not_a_mix(corpora, store, monkeypatch, tmp_path, condition):
    """Whether the store keeps to If-Match, or only shows another ETag."""
    small(monkeypatch)

    def change():
        store.put("corpus", {"posts/a.jsonl": LINES.replace(b"So it goes", b"And so on.")})
        if condition == "ignored":
            store.faults.extend(["ignore the condition"] * 100)

    opened = check(corpora[1])
    before = len([file for file in opened.files if file.owner == 0 and file.size])
    store.faults.extend([None] * (before + 2) + [change])
    changed = "s3://corpus/posts/a.jsonl: changed while it was being read; let it come to rest and scan again"
    with pytest.raises(RemoteError, match=re.escape(changed)):
        royaltycli.scan(corpora[1], output=tmp_path / "tokens.parquet", workers=1)
    assert not (tmp_path / "tokens.parquet").exists()


def test_a_file_that_is_removed_in_mid_scan_is_an_error(store):
    store.put("corpus", {})
    with pytest.raises(RemoteError, match=r"^s3://corpus/gone: changed while it was being read"):
        objects.fetch(remote_place("s3://corpus/gone"), 9, '"tag"', 0, 9)


def test_an_answer_that_is_too_short_is_an_error(corpora, store):
    store.faults.append("short")
    with pytest.raises(
        RemoteError,
        match=r"^s3://corpus/\S+ was not sent as a whole, but [0-9]+ bytes where [0-9]+ were asked for; try again, and look to the store$",
    ):
        royaltycli.scan(corpora[1])


# -- again ---------------------------------------------------------------------------------------


def test_an_unchanged_remote_file_is_not_read_again(corpora, store, tmp_path):
    output = tmp_path / "tokens.parquet"
    first = royaltycli.scan(corpora[1], output=output)
    store.put("corpus", {"books/one.txt": b"Another day."})
    store.log.clear()
    second = royaltycli.scan(corpora[1], output=output)
    assert [path for command, path, asked in store.log if command == "GET" and asked] == ["/corpus/books/one.txt"]
    assert rows_of(second)["books"] != rows_of(first)["books"]
    store.log.clear()
    assert royaltycli.scan(corpora[1], output=output, rehash=True).equals(second)
    assert len({path for command, path, asked in store.log if command == "GET" and asked}) == len(FILES) - 2


@pytest.mark.parametrize(("tag", "version"), [('"a"', '"a"'), ("a", '"a"'), ('W/"a"', 'W/"a"'), ("", ""), (None, "")])
def test_an_etag_is_the_same_with_and_without_its_quotes(tag, version):
    assert objects.version_of(tag) == version


# -- writing -------------------------------------------------------------------------------------


def test_a_scan_writes_into_a_store_and_a_payout_reads_there(corpora, store, tmp_path):
    local = royaltycli.scan(corpora[1], output=tmp_path / "tokens.parquet")
    royaltycli.scan(corpora[1], output="s3://corpus/out/tokens.parquet")
    assert store.get("corpus", "out/tokens.parquet") == (tmp_path / "tokens.parquet").read_bytes()
    assert royaltycli.read_tokens("s3://corpus/out/tokens.parquet").equals(local)
    (kept,) = (tmp_path / "cache" / "royalty").iterdir()
    assert list(kept.glob("*.parquet"))


def test_a_table_in_a_store_is_no_document_of_the_next_scan(corpora, store):
    royaltycli.scan(corpora[1], output="s3://corpus/books/tokens.parquet")
    first = store.get("corpus", "books/tokens.parquet")
    royaltycli.scan(corpora[1], output="s3://corpus/books/tokens.parquet")
    assert store.get("corpus", "books/tokens.parquet") == first


def test_a_result_that_reads_back_otherwise_is_an_error(store):
    store.put("results", {})
    store.faults.append("spoil")
    with pytest.raises(
        OutputError, match=r"^s3://results/a\.txt reads back otherwise than it was written; write it again$"
    ):
        storage.write_text("s3://results/a.txt", "One day.")
    storage.write_text("s3://results/a.txt", "One day.")
    assert store.get("results", "a.txt") == b"One day."


def test_a_result_that_may_not_be_read_back_is_said_to_be_written(store):
    store.put("results", {})
    store.others["HEAD"].append(403)
    with pytest.raises(OutputError) as caught:
        storage.write_text("s3://results/a.txt", "One day.")
    assert str(caught.value) == (
        "s3://results/a.txt was written, but cannot be read back to be compared (s3://results/a.txt may not be used "
        "with your keys, or without any); look there whether it is whole, and use keys that may read there"
    )
    assert store.get("results", "a.txt") == b"One day."


def test_a_result_that_cannot_be_collected_here(store, monkeypatch):
    def full(**_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    store.put("results", {})
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    said = (
        r"^s3://results/a\.txt cannot be written, as it cannot be collected here \(no space left on device\); make room"
    )
    with pytest.raises(OutputError, match=said):
        storage.write_text("s3://results/a.txt", "One day.")


def test_a_result_is_there_whole_or_not_at_all(store):
    """A large one is sent in parts, which nobody sees before the last."""
    store.put("results", {"big.bin": b"before"})
    whole = bytes(range(256)) * 50_000

    def stop(file):
        file.write(whole)
        raise ValueError

    with pytest.raises(ValueError):
        storage.write_whole("s3://results/big.bin", stop)
    assert store.get("results", "big.bin") == b"before"
    storage.write_whole("s3://results/big.bin", lambda file: file.write(whole))
    assert store.get("results", "big.bin") == whole


# -- Google's store, by the same server: its XML interface is that of S3 --------------------------


@pytest.fixture
def google(store, monkeypatch):
    monkeypatch.setenv("GOOGLE_BASE_URL", f"http://127.0.0.1:{store.server_port}")
    monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "token")
    return store


def test_a_corpus_in_googles_store(corpora, google, tmp_path):
    here, there = corpora
    there.write_text(MANIFEST.format(root="gs://corpus/"), encoding="utf-8")
    google.faults.extend(["drop", 503])
    assert rows_of(royaltycli.scan(there)) == rows_of(royaltycli.scan(here, output=tmp_path / "t.parquet"))
    royaltycli.scan(here, output="gs://corpus/out/t.parquet")
    assert google.get("corpus", "out/t.parquet") == (tmp_path / "t.parquet").read_bytes()


def test_a_file_in_googles_store_that_changes_is_an_error(google):
    google.put("corpus", {"a.txt": b"One day."})
    found = find_file(locate("gs://corpus/a.txt"))
    google.put("corpus", {"a.txt": b"Another."})
    with pytest.raises(RemoteError, match=r"^gs://corpus/a\.txt: changed while it was being read"):
        objects.fetch(locate("gs://corpus/a.txt"), found.size, found.version, 0, 8)


# -- errors --------------------------------------------------------------------------------------


def problem(folder, path, remote="true"):
    place = folder({"corpus.toml": f'[corpus]\nremote = {remote}\n[[source]]\nid = "a"\npath = "{path}"\n'})
    with pytest.raises(ManifestError) as caught:
        check(place)
    return str(caught.value).removeprefix(f"{place}/corpus.toml:3: source 'a': ")


def test_remote_reading_is_off_unless_the_manifest_says_otherwise(store, folder):
    assert problem(folder, "s3://corpus/a.txt", "false") == (
        "path 's3://corpus/a.txt': remote reading is off; set remote = true in [corpus] if you trust this manifest, "
        "or copy the files here"
    )
    assert not store.log


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://nowhere/a/*.txt", "there is no bucket s3://nowhere; check its spelling"),
        ("s3://corpus/none.txt", "there is nothing at 's3://corpus/none.txt'; check its spelling"),
        ("http://example.com/a.txt", "http://example.com/a.txt is sent in the clear, where anyone on the way could change it; use https://"),
        ("ftp://example.com/a.txt", "ftp://example.com/a.txt is of no known kind; use s3://, gs://, az://, hf://, https://, or a file on this machine"),
        ("s3:///a.txt", "s3:///a.txt names no bucket; write s3://BUCKET/PATH"),
        ("az:///a.txt", "az:///a.txt names no container; write az://CONTAINER/PATH"),
        ("s3://corpus/../a.txt", "'s3://corpus/../a.txt' holds a control character, or . or .. as a part; write the name in full"),
        ("s3://corpus//a.txt", "s3://corpus//a.txt has an empty part, between two slashes; write the name with one of them"),
        ("s3://corpus/docs//*.txt", "s3://corpus/docs//*.txt has an empty part, between two slashes; write the name with one of them"),
        ("hf://datasets/a/b//c", "hf://datasets/a/b//c has an empty part, between two slashes; write the name with one of them"),
        ("hf://models/a/b", "hf://models/a/b names no dataset of Hugging Face; write hf://datasets/OWNER/NAME/PATH"),
        ("https://me:secret@example.com/a.txt", "https://example.com/a.txt names no web server; write https://HOST/PATH, without user or password"),
        ("https://example.com/*.txt", "https://example.com/*.txt is on a web server, which cannot list its files; name each file by itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_found_is_named(store, folder, path, message):
    store.put("corpus", {"a.txt": b"One day."})
    assert problem(folder, path) in (message, f"path {path.replace('me:secret@', '')!r}: {message}")


def test_no_match_reads_as_it_does_here(store, folder):
    store.put("corpus", FILES)
    assert problem(folder, "s3://corpus/books/*.csv") == (
        "pattern 's3://corpus/books/*.csv' matches no file; "
        "check its spelling; books/* stays in one folder, books/**/* goes into all below it"
    )


def test_no_permission(corpora, store):
    store.faults.append(403)
    opened = check(corpora[1])
    with pytest.raises(
        RemoteError,
        match=r"^s3://corpus/\S+ may not be used with your keys, or without any; ask its owner for permission, or use other keys$",
    ):
        objects.fetch(remote_place(opened.files[0].path), opened.files[0].size, opened.files[0].stamp[0], 0, 5)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (404, "there is no bucket s3://results; check its spelling"),
        (412, "s3://results/a.txt cannot be used (status 412 Precondition Failed); try again later"),
    ],
)
def test_a_result_that_a_store_refuses_is_not_said_to_have_been_read(store, answer, message):
    store.put("results", {})
    store.others["PUT"].append(answer)
    with pytest.raises(RemoteError) as caught:
        storage.write_text("s3://results/a.txt", "One day.")
    assert str(caught.value) == message


XML = b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
UNLISTED = [401, 403, (401, XML), (403, XML)]


@pytest.mark.parametrize("answer", UNLISTED, ids=str)
def test_a_result_goes_where_one_may_write_and_read_and_not_list(store, answer):
    store.put("results", {"a.txt": b"before"})
    store.others["list"].append(answer)
    storage.write_text("s3://results/a.txt", "One day.")
    assert store.get("results", "a.txt") == b"One day."
    assert not store.others["list"]


@pytest.mark.parametrize("path", ["books/", "books/*.txt"])
@pytest.mark.parametrize("answer", UNLISTED, ids=str)
def test_a_list_that_is_refused_is_a_want_of_permission(store, folder, path, answer):
    store.put("corpus", FILES)
    store.others["list"] += [answer] * 9
    said = problem(folder, f"s3://corpus/{path}")
    assert "may not be used with your keys, or without any; ask its owner for permission, or use other keys" in said


@pytest.mark.usefixtures("store")
def test_no_network(folder, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(objects, "RETRIES", 1)
    objects._store.cache_clear()
    assert problem(folder, "s3://corpus/a.txt") == (
        "path 's3://corpus/a.txt': s3://corpus/a.txt cannot be reached (connection refused); "
        "check the network, and AWS_ENDPOINT_URL"
    )


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("scheme", "setting"), [("s3", "AWS_ENDPOINT_URL"), ("gs", "GOOGLE_BASE_URL")])
def test_a_store_that_cannot_prove_who_it_is(folder, monkeypatch, scheme, setting):
    """As one of one's own, with a certificate that it has made for itself."""
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    server = Web({})
    monkeypatch.setenv(setting, server.url)
    objects._store.cache_clear()
    said = problem(folder, f"{scheme}://corpus/a.txt")
    assert said.startswith(
        f"path '{scheme}://corpus/a.txt': {scheme}://corpus/a.txt: the server cannot prove who it is ("
    )
    assert said.endswith("); use another address, or see to your certificates (SSL_CERT_FILE)")
    assert not server.log
    server.stop()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("status code: 301 Moved Permanently"), "s3://corpus is in another region; set AWS_REGION to its region"),
        (
            exceptions.InvalidPathError("Path - has an empty part"),
            "s3://corpus/a.txt is, or holds, a name that no path can have (has an empty part); use a narrower pattern, or rename it",
        ),
    ],
)  # fmt: skip
def test_what_a_store_refuses(monkeypatch, error, said):
    def refuse(_path):
        raise error

    monkeypatch.setattr(objects, "_store", lambda *_place: types.SimpleNamespace(head=refuse))
    with pytest.raises(RemoteError) as caught:
        find_file(locate("s3://corpus/a.txt"))
    assert str(caught.value) == said


LOST = "Generic S3 error: Error performing GET http://127.0.0.1:9000/corpus/{} in 1ms - {}"


@pytest.mark.parametrize(
    ("path", "words", "said"),
    [
        ("accounts.txt", "HTTP error: error sending request", "s3://corpus/accounts.txt cannot be reached (HTTP error: error sending request); check the network, and your settings"),
        ("latest/metadata.txt", "HTTP error: error sending request", "s3://corpus/latest/metadata.txt cannot be reached (HTTP error: error sending request); check the network, and your settings"),
        ("a.txt", "Received redirect without LOCATION, this normally indicates an incorrectly configured region", "s3://corpus is in another region; set AWS_REGION to its region"),
        ("a.txt", "Server returned non-2xx status code: 400 Bad Request: <Error><Code>ExpiredToken</Code></Error>", "s3://corpus/a.txt cannot be used, as your keys for it have expired or are wrong; get new ones, and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"),
        ("a.txt", "Received non-partial response when range requested", "s3://corpus/a.txt is sent only as a whole, so that no break could be mended; copy it to this machine"),
        ("a.txt", "Content-Length Header missing from response", "s3://corpus/a.txt is sent only as a whole, so that no break could be mended; copy it to this machine"),
        ("a.txt", "Server returned non-2xx status code: 405 Method Not Allowed: ", "s3://corpus/a.txt cannot be used (status 405 Method Not Allowed); see to the address of the store, and to your other settings"),
        ("a.txt", "Server returned non-2xx status code: 429 Too Many Requests: ", "s3://corpus/a.txt cannot be used (status 429 Too Many Requests); try again later"),
        ("a.txt", "Server returned non-2xx status code: 400 Bad Request: ", "s3://corpus/a.txt cannot be used (status 400 Bad Request); see whether your keys have expired, and your other settings"),
    ],
)  # fmt: skip
def test_what_the_library_says_is_told_by_its_reason_and_not_by_the_name_of_a_file(monkeypatch, path, words, said):
    for name in refusals.ENDPOINTS["s3"]:
        monkeypatch.delenv(name, raising=False)
    place = locate(f"s3://corpus/{path}")
    assert str(refusals.failure(place, exceptions.GenericError(LOST.format(path, words)))) == said


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *[("AWS_ENDPOINT_URL", value, "AWS_ENDPOINT_URL in your environment is no address of a server; write https://HOST or http://HOST:PORT, or unset it") for value in ("localhost:9000", "minio", "", "http://", "http://a b", "http://a:99999")],
        ("AWS_ACCESS_KEY_ID", "key\r", "AWS_ACCESS_KEY_ID in your environment holds a control character, such as the end of a line; set it anew without"),
        ("AWS_SKIP_SIGNATURE", "maybe", 's3://corpus cannot be opened with the settings in your environment (failed to parse "maybe" as boolean); correct them, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket'),
    ],
)  # fmt: skip
def test_settings_on_which_the_library_would_break_down(folder, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    objects._store.cache_clear()
    assert problem(folder, "s3://corpus/a.txt") == f"path 's3://corpus/a.txt': {said}"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("none", "The config profile (none) could not be found"),
        ("sso", "SSOTokenLoadError: Error loading SSO Token: Token for x does not exist"),
    ],
)
def test_a_profile_without_keys(folder, monkeypatch, profile, reason):
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    sso = "[profile sso]\nsso_session = x\nsso_account_id = 1\nsso_role_name = r\n[sso-session x]\nsso_region = us-east-1\n"
    place = folder({"config": f"{sso}sso_start_url = https://x.invalid/start\n"})
    monkeypatch.setenv("AWS_CONFIG_FILE", str(place / "config"))
    monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setenv("HOME", str(place))
    with pytest.raises(RemoteError, match="cannot be opened with the settings in your environment") as caught:
        objects.head(locate("s3://corpus/a.txt"))
    assert f"({reason}); correct them, or set AWS_ACCESS_KEY_ID" in str(caught.value)


def test_a_store_that_tells_no_versions(monkeypatch):
    monkeypatch.setattr(objects, "head", lambda _place: objects.Object("a.txt", 8, ""))
    with pytest.raises(RemoteError, match=r"has no ETag, by which a change in mid-scan could be noticed; copy it"):
        find_file(locate("s3://corpus/a.txt"))


@pytest.mark.usefixtures("store")
def test_no_keys(folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(objects, "RETRIES", 0)
    assert problem(folder, "s3://corpus/a.txt") == (
        "path 's3://corpus/a.txt': s3://corpus/a.txt cannot be used, as no keys for it were found; "
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket"
    )


@pytest.mark.usefixtures("store")
def test_keys_are_found_where_the_command_line_of_aws_finds_them(folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    place = folder({"credentials": "[work]\naws_access_key_id = key\naws_secret_access_key = secret\n"})
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(place / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert objects.head(remote_place("s3://corpus/none.txt")) is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gs://corpus/a.txt", "gs://corpus/a.txt cannot be used, as no keys for it were found; set GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket"),
        ("az://corpus/a.txt", "az://corpus cannot be used, as no keys for it were found; set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_SKIP_SIGNATURE=true"),
    ],
)  # fmt: skip
def test_no_keys_of_other_stores(folder, monkeypatch, path, message):
    for name in [name for name in os.environ if name.startswith(("GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    monkeypatch.setattr(objects, "RETRIES", 0)
    objects._store.cache_clear()
    assert problem(folder, path) == f"path {path!r}: {message}"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("https://example.com/t.parquet", "https://example.com/t.parquet cannot be written to; name a file here, or in a store (s3://, gs://, az://)"),
        ("s3://corpus", "s3://corpus names no file; write s3://corpus/FILE"),
        ("s3://nowhere/t.parquet", "there is no bucket s3://nowhere; check its spelling"),
        ("s3://corpus/books", "s3://corpus/books is a folder; name a file in it"),
        ("s3://corpus/books/", "s3://corpus/books is a folder; name a file in it"),
        ("s3://corpus/new/", "s3://corpus/new is a folder; name a file in it"),
        ("s3://corpus/books/one.txt/", "s3://corpus/books/one.txt is a folder; name a file in it"),
        ("s3://corpus//", "s3://corpus names no file; write s3://corpus/FILE"),
        ("s3://corpus/books/one.txt", "s3://corpus/books/one.txt belongs to the corpus, and would be lost; name another file for the table"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_is_refused_before_anything_is_counted(corpora, store, output, message):
    with pytest.raises(royaltycli.RoyaltyError) as caught:
        royaltycli.scan(corpora[1], output=output)
    assert str(caught.value) == message
    assert not [path for command, path, asked in store.log if asked]


def test_a_table_never_hides_a_folder_of_the_corpus(corpora):
    """Not even in a store that shows nobody what is in it."""
    with pytest.raises(OutputError, match=r"^s3://corpus/books belongs to the corpus, and would be lost; "):
        spare_corpus(check(corpora[1]), Path("s3://corpus/books"))
    spare_corpus(check(corpora[1]), Path("s3://corpus/book"))


@pytest.mark.usefixtures("store")
def test_without_obstore_the_way_to_get_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    assert problem(folder, "s3://corpus/a.txt") == (
        "path 's3://corpus/a.txt': s3://corpus is read with obstore, which is not installed; pip install 'royaltycli[remote]'"
    )


@pytest.mark.usefixtures("store")
def test_a_whole_bucket_is_no_table():
    with pytest.raises(RemoteError, match=r"^s3://corpus names no file; write s3://corpus/FILE$"):
        royaltycli.read_tokens("s3://corpus/")


def test_a_name_with_an_empty_part_is_refused_in_python_too():
    with pytest.raises(RemoteError, match=r"^s3://corpus/a//t\.parquet has an empty part, between two slashes; "):
        royaltycli.read_tokens("s3://corpus/a//t.parquet")
    assert [str(locate(name)) for name in ("s3://corpus/a/", "s3://corpus/", "https://x.org/a//b")] == [
        "s3://corpus/a", "s3://corpus", "https://x.org/a//b",
    ]  # fmt: skip


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_a_packed_file_is_asked_for_in_large_parts(store, folder, packing):
    """However little of it the library that unpacks it takes at a time."""
    chance = random.Random(1)
    lines = "".join(json.dumps({"text": f"{chance.random()} " * 3}) + "\n" for _ in range(60_000)).encode()
    data = gzip.compress(lines) if packing == "gz" else pa.compress(lines, codec="zstd", asbytes=True)
    store.put("corpus", {f"big.jsonl.{packing}": data})
    store.log.clear()
    manifest = f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "s3://corpus/big.jsonl.{packing}"\n'
    table = royaltycli.scan(folder({"corpus.toml": manifest}))
    assert table["documents"].to_pylist() == [60_000]
    gets = [size for method, _, size in store.log if method == "GET"]
    assert len(data) > 9 * 65_536
    assert len(gets) <= 4
