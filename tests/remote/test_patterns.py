"""A path that leads to a store means the files that the same path means on a disk."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli.errors import RemoteError
from royaltycli.manifest import remotes
from royaltycli.manifest.patterns import Listing, files_below, fits, matches, parts_of
from royaltycli.remote.finding import Remote
from royaltycli.remote.locations import Location, is_remote, locate, written

NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.txt", "b.txt", "[b]", "a b"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "ab", "*", "**", "a*", ".*", "?", "[ab]", "*.txt", "[!a]*"]), min_size=1, max_size=4).map("/".join)  # fmt: skip


def made(folder, paths):
    """Files of these names, as far as none is another's folder."""
    kept = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    for path in kept:
        Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, path).write_bytes(b"")
    return set(kept)


@given(st.sets(PATHS, max_size=12), PATTERNS)
def test_a_pattern_fits_what_it_matches_on_a_disk(tmp_path_factory, paths, pattern):
    folder = tmp_path_factory.mktemp("files")
    kept = made(folder, paths)
    here = {match.name for match in matches(str(folder), pattern, outside=False)}
    assert {path for path in kept if fits(path.split("/"), parts_of(pattern))} == here


@given(st.sets(PATHS, max_size=12), st.lists(PATTERNS, max_size=4))
def test_patterns_of_a_folder_that_is_listed_once_match_the_same(tmp_path_factory, paths, patterns):
    folder = tmp_path_factory.mktemp("files")
    made(folder, paths)
    listing = Listing()
    for pattern in patterns:
        alone = matches(str(folder), pattern, outside=False)
        listed = matches(str(folder), pattern, outside=False, listing=listing)
        assert sorted(listed, key=lambda match: match.name) == sorted(alone, key=lambda match: match.name)


@given(st.sets(PATHS, max_size=12))
def test_a_folder_means_what_is_in_it_on_a_disk(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("files")
    kept = made(folder, paths)
    here = {match.name for match in files_below(str(folder), str(folder), "", outside=False)}
    assert {path for path in kept if fits(path.split("/"), parts_of("**"))} == here


def test_many_stars_take_no_time():
    names = ["a"] * 500
    assert not fits([*names, "b"], parts_of("/".join(["**", "a"] * 30)))


def test_only_what_lies_below_the_fixed_beginning_is_listed(monkeypatch):
    asked = []

    def below(place, *, deep):
        asked.append((str(place), deep))
        return [Remote(f"{place}/x.txt", f"{place}/x.txt", 1, "tag")]

    monkeypatch.setattr(remotes, "find_file", lambda _place: None)
    monkeypatch.setattr(remotes, "find_below", below)
    paths = [
        "s3://bucket/c/d/*.txt",
        "s3://bucket/c/*/x.txt",
        "s3://bucket/*",
        "s3://bucket",
        "gs://bucket/c/**",
        "az://bucket/c/",
    ]
    found = remotes.look_up_all(paths)
    assert sorted(asked) == sorted(
        [("s3://bucket/c/d", False), ("s3://bucket/c", True), ("s3://bucket", False), ("s3://bucket", True), ("gs://bucket/c", True), ("az://bucket/c", True)]
    )  # fmt: skip
    assert [match.name for match in found["s3://bucket/c/d/*.txt"].matches] == ["s3://bucket/c/d/x.txt"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://bucket/a/b.txt", Location("s3", "bucket", "a/b.txt")),
        ("S3://bucket/", Location("s3", "bucket", "")),
        ("gs://bucket/a%20b#1?.txt", Location("gs", "bucket", "a%20b#1?.txt")),
        ("hf://datasets/o/n@v1/data/a.parquet", Location("hf", "datasets/o/n@v1", "data/a.parquet")),
        ("hf://datasets/o/n@refs/convert/parquet/a.b", Location("hf", "datasets/o/n@refs/convert/parquet", "a.b")),
        ("hf://datasets/o/n@refs/pr/7", Location("hf", "datasets/o/n@refs/pr/7", "")),
        ("hf://datasets/o/n@refs/a/b", Location("hf", "datasets/o/n@refs", "a/b")),
        ("hf://datasets/o/n", Location("hf", "datasets/o/n", "")),
        ("https://Example.com:8443/a.txt?x=1", Location("https", "example.com:8443", "a.txt?x=1")),
        ("https://[2001:db8::1]/a", Location("https", "[2001:db8::1]", "a")),
    ],
)
def test_what_a_name_means(text, place):
    assert locate(text) == place
    assert locate(str(place)) == place


@pytest.mark.parametrize("text", ["s3://a", "s3:///x", "s3://b/a/../x", "s3://b/\x00", "s3://b@c/x", "hf://datasets/o", "hf://spaces/o/n/x", "https:///x", "https://u:p@h/x", "https://h/a/./b", "file:///x"])  # fmt: skip
def test_what_means_nothing(text):
    with pytest.raises(RemoteError):
        locate(text)


def test_a_path_object_keeps_its_two_slashes():
    assert written(Path("s3://bucket/a.txt")) == "s3://bucket/a.txt"
    assert written("s3:/bucket/a.txt") == "s3:/bucket/a.txt"


def test_a_path_object_of_windows_keeps_them_as_well():
    """It makes `s3:\\bucket\\a.txt` of such a name."""
    assert written(PureWindowsPath("s3://bucket/folder/a.txt")) == "s3://bucket/folder/a.txt"
    assert written(PureWindowsPath("az://")) == "az://"
    assert written(PureWindowsPath("C:\\corpus\\a.txt")) == "C:\\corpus\\a.txt"
    assert [is_remote(text) for text in ("s3://b/c", "books/a.txt", "/a/b", "a:b", "C:\\a", "ftp://h")] == [
        True,
        *[False] * 4,
        True,
    ]
