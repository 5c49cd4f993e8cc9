"""Counts that are kept in a store, as machines without a common disk need: the same scans as beside a table."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import royaltycli
from royaltycli import scanning
from royaltycli.api import check
from royaltycli.errors import OutputError, RemoteError, TableError

MANIFEST = """
[[source]]
id = "book"
path = "book"
[[collection]]
id = "posts"
path = "posts.jsonl"
source = "author"
"""
CORPUS = {
    "corpus.toml": MANIFEST,
    **{f"book/{number}.txt": f"Day {number}. " * number for number in range(1, 20)},
    "posts.jsonl": [{"author": f"a{n % 7}", "text": f"hello {n}"} for n in range(60)],
}
COUNTS = "s3://results/some/counts"


@pytest.fixture
def place(folder, store):
    store.empty("results")
    store.put("results", {"other.txt": b"of something else", "some/counts/deeper/x.parquet": b"of something else"})
    return folder(CORPUS)


def scan(place, **options):
    royaltycli.scan(place, output=place / "tokens.parquet", **options)
    return (place / "tokens.parquet").read_bytes()


def parquet():
    file = io.BytesIO()
    pq.write_table(pa.table({"text": ["One day."]}), file)
    return file.getvalue()


def kept(store):
    return sorted(set(store.names("results")) - {"other.txt", "some/counts/deeper/x.parquet"})


def reasons(place):
    with scanning.counts_folder(None, COUNTS) as folder:
        return {one.why for one in scanning.plan_opened(check(place), folder).pieces}


def test_what_is_kept_in_a_store_is_not_counted_again(place, store):
    first = scan(place, counts=COUNTS)
    assert first == scan(place)
    before = kept(store)
    assert before
    assert reasons(place) == {"counted before, and not changed since"}
    assert scan(place, counts=COUNTS) == first
    assert kept(store) == before


def test_what_is_of_no_use_any_more_is_removed_from_a_store(place, store):
    scan(place, counts=COUNTS)
    before = kept(store)
    (place / "book" / "7.txt").write_text("another day", encoding="utf-8")
    assert scan(place, counts=COUNTS, fresh=True) == scan(place)
    assert not set(before) & set(kept(store))
    assert store.get("results", "other.txt") == b"of something else"
    assert store.get("results", "some/counts/deeper/x.parquet") == b"of something else"


def test_counts_in_a_store_that_were_damaged_are_none(place, store):
    scan(place, counts=COUNTS)
    name = kept(store)[0]
    data = bytearray(store.get("results", name))
    data[len(data) // 2] ^= 1
    store.put("results", {name: bytes(data)})
    assert reasons(place) == {"not counted yet"}
    assert scan(place, counts=COUNTS) == scan(place)


def test_parts_by_way_of_a_store(place):
    with pytest.raises(TableError, match="cannot be merged"):
        royaltycli.merge(place, counts=COUNTS)
    for number in (2, 1, 3):
        with scanning.counts_folder(None, COUNTS, shared=True) as folder:
            scanning.count_planned(scanning.plan_opened(check(place), folder, part=f"{number}/3"))
    royaltycli.merge(place, counts=COUNTS, output=place / "merged.parquet")
    assert (place / "merged.parquet").read_bytes() == scan(place)


def test_a_store_that_fails_for_a_while(place, store):
    store.faults.extend([503, "drop", 503])
    assert scan(place, counts=COUNTS) == scan(place)


def test_no_such_store(place):
    with pytest.raises(RemoteError, match=r"^there is no bucket s3://nowhere; check its spelling$"):
        scan(place, counts="s3://nowhere/counts")


@pytest.mark.parametrize(
    ("path", "counts", "taken"),
    [
        ("s3://results/posts", "s3://results/posts", True),
        ("s3://results/posts", "S3://results/posts/counts", True),
        ("s3://results", "s3://results/counts", True),
        ("s3://results/**/*.parquet", "s3://results/a/counts", True),
        ("s3://results/*/*.parquet", "s3://results/counts", True),
        ("s3://results/posts", "s3://results/posts/.counts", False),
        ("s3://results/posts", "s3://results/posts-counts", False),
        ("s3://results/posts", "s3://results", False),
        ("s3://results/posts/*.jsonl", "s3://results/posts", False),
        ("s3://results/posts/*", "s3://results/posts/counts", False),
    ],
)
def test_counts_are_not_kept_where_they_would_be_documents(folder, store, path, counts, taken):
    """In a store nothing tells a partial table from a document; here its seal does."""
    store.empty("results")
    store.put("results", {"posts/a.jsonl": b'{"text": "One day."}\n', "x/a.parquet": parquet()})
    place = folder({"corpus.toml": f'[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "{path}"\n'})
    said = (
        f"{counts} lies where '{path}' takes documents from, so what is kept there would be counted as well; "
        "name another folder for `--counts`"
    )
    for work in (royaltycli.scan, royaltycli.merge) if taken else ():
        with pytest.raises(OutputError, match=f"^{re.escape(said)}$"):
            work(place, output=place / "tokens.parquet", counts=counts)
        assert kept(store) == ["posts/a.jsonl", "x/a.parquet"]
    if not taken:
        first = scan(place, counts=counts)
        assert len(kept(store)) > 2
        assert scan(place, counts=counts) == first


def test_counts_kept_here_among_documents_are_no_documents(folder):
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "posts"\n', "posts/a.txt": "One day."})
    first = scan(place, counts=place / "posts/counts")
    assert list(place.glob("posts/counts/*.parquet"))
    assert scan(place, counts=place / "posts/counts", fresh=True) == first
