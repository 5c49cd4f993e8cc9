"""Rule D9: a path in a manifest stays inside the manifest's folder; no device, pipe or link out is opened."""

from __future__ import annotations

import errno
import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from royaltycli.limits import LIST_BYTES, READ_BYTES
from royaltycli.manifest.paths import Refusal, open_regular, read_regular, resolve

NAME_IT = "name a file or a folder"
COPY = "copy it into the folder, or allow it with --outside"
WRITE_RELATIVE = "write it relative to the manifest's folder, or allow it with --outside"
SPELLING = "check its spelling; paths are relative to the manifest's folder"


@pytest.fixture
def place(folder):
    """A corpus with a sibling whose name begins alike, and links of all kinds."""
    top = folder({"corpus/books/a.txt": "a", "corpus2/b.txt": "b"})
    corpus = top / "corpus"
    Path(corpus, "link-in.txt").symlink_to("books/a.txt")
    Path(corpus, "link-out.txt").symlink_to("../corpus2/b.txt")
    Path(corpus, "folder-out").symlink_to(top / "corpus2")
    Path(corpus, "books", "up").symlink_to("..")
    Path(corpus, "loop").symlink_to("loop")
    Path(corpus, "ping").symlink_to("pong")
    Path(corpus, "pong").symlink_to("ping")
    os.mkfifo(corpus / "pipe")
    return corpus


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        ("books/a.txt", "books/a.txt"),
        ("./books//a.txt", "books/a.txt"),
        ("books/../books/a.txt", "books/a.txt"),
        ("../corpus/books", "books"),
        ("link-in.txt", "books/a.txt"),
        ("books/up/books/a.txt", "books/a.txt"),
        (".", "."),
    ],
)
def test_paths_that_stay_inside(place, relative, expected):
    assert resolve(place, relative, outside=False) == Path(os.path.normpath(place / expected))


@pytest.mark.parametrize(
    ("relative", "what", "mend"),
    [
        ("../corpus2/b.txt", "path '../corpus2/b.txt' leaves the manifest's folder", COPY),
        ("..", "path '..' leaves the manifest's folder", COPY),
        ("link-out.txt", "path 'link-out.txt' leaves the manifest's folder", COPY),
        ("folder-out/b.txt", "path 'folder-out/b.txt' leaves the manifest's folder", COPY),
        ("folder-out/../corpus2", "path 'folder-out/../corpus2' leaves the manifest's folder", COPY),
        ("books/up/..", "path 'books/up/..' leaves the manifest's folder", COPY),
        ("/dev/zero", "path '/dev/zero' is absolute", WRITE_RELATIVE),
        ("//etc/passwd", "path '//etc/passwd' is absolute", WRITE_RELATIVE),
        ("../../../../../../../../../../dev/zero", None, COPY),
        ("pipe", "path 'pipe' is a device, a pipe or a socket", NAME_IT),
        ("loop", "path 'loop' is a link that leads round to itself", "mend the link"),
        ("ping/x", "path 'ping/x' is a link that leads round to itself", "mend the link"),
        ("no.txt", "path 'no.txt' does not exist", SPELLING),
        ("books/a.txt/b", "path 'books/a.txt/b' does not exist", SPELLING),
        ("", "the path is empty", "name a file, a folder or a pattern such as books/*.txt"),
        ("x" * 300, f"path '{'x' * 119}…' is longer than the system allows", "use a shorter one"),
    ],
)
def test_paths_that_are_refused(place, relative, what, mend):
    refusal = resolve(place, relative, outside=False)
    assert isinstance(refusal, Refusal)
    assert refusal == Refusal(what or refusal.what, mend)


def test_a_folder_that_is_a_link_itself_holds_what_it_leads_to(place):
    link = place.parent / "here"
    link.symlink_to("corpus")
    assert resolve(link, "books/a.txt", outside=False) == place / "books/a.txt"


def test_a_socket_is_refused(place, monkeypatch):
    monkeypatch.chdir(place)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert resolve(place, "socket", outside=False) == Refusal(
            "path 'socket' is a device, a pipe or a socket", NAME_IT
        )


def test_outside_allows_paths_out_but_no_devices(place):
    other = place.parent / "corpus2" / "b.txt"
    assert resolve(place, "../corpus2/b.txt", outside=True) == other
    assert resolve(place, str(other), outside=True) == other
    assert resolve(place, "link-out.txt", outside=True) == other
    assert resolve(place, "/dev/zero", outside=True) == Refusal(
        "path '/dev/zero' is a device, a pipe or a socket", NAME_IT
    )


def test_opening_never_waits_for_a_pipe(place):
    with pytest.raises(OSError, match="Not a regular file"):
        open_regular(place / "pipe")


def test_a_disk_that_fails(place, monkeypatch):
    def fail(_path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "stat", fail)
    said = Refusal("path 'books/a.txt' cannot be read (input/output error)", "check the disk")
    assert resolve(place, "books/a.txt", outside=True) == said


def test_memory_is_taken_for_what_a_file_has(place):
    tracemalloc.start()
    try:
        assert read_regular(place / "books/a.txt", "it", LIST_BYTES) == b"a"
        assert tracemalloc.get_traced_memory()[1] < 4 * READ_BYTES
    finally:
        tracemalloc.stop()
    data = b"0123456789" * (READ_BYTES // 5)
    Path(place, "long.csv").write_bytes(data)
    assert read_regular(place / "long.csv", "it", len(data)) == data
    assert isinstance(read_regular(place / "long.csv", "it", len(data) - 1), Refusal)


def test_reading_is_bounded(place):
    assert read_regular(place / "books/a.txt", "it", 1) == b"a"
    refusal = read_regular(place / "books/a.txt", "the list", 0)
    assert refusal == Refusal("the list is larger than 0 bytes", "keep long lists of sources in list files, in parts")
