"""Which files a corpus has, and what is said of paths that mean none or the wrong ones."""

# A golden message stands on one line, as the user reads it.

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from royaltycli.corpus.files import find_files
from royaltycli.manifest.endings import full_ending, kind_of
from royaltycli.manifest.patterns import Listing
from royaltycli.manifest.reading import read_manifest
from tests.manifest.conftest import complaints_here

ENDINGS = (
    "documents end in .txt .md .html .htm .jsonl .ndjson .parquet .warc .wet, each plain or with .gz or .zst; "
    'others need format = "text"'
)
LEVELS = "check its spelling; books/* stays in one folder, books/**/* goes into all below it"
COPY = "copy it into the folder, or allow it with --outside"
ONE_OWNER = "let each file belong to one source or collection"


def source(path, more="", name="a"):
    return f'[[source]]\nid = "{name}"\npath = {path!r}\n{more}\n'


@pytest.fixture
def names(here):
    """The names of the files that one source's path means."""

    def find(path, files, more="", **options):
        here({"corpus.toml": source(path, more), **dict.fromkeys(files, "")})
        corpus, problems = read_manifest(Path("corpus.toml"), **options)
        found = find_files(corpus, **options)
        assert problems + found.problems == []
        return [file.name for file in found.files]

    return find


TREE = [
    "b/2.txt",
    "b/1.txt",
    "b/deep/er/3.md",
    "b/page.HTML",
    "b/.hidden.txt",
    "b/.git/4.txt",
    "b/code.py",
    "c/5.txt.gz",
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("b/1.txt", ["b/1.txt"]),
        ("./b//1.txt", ["b/1.txt"]),
        ("b/.hidden.txt", ["b/.hidden.txt"]),
        ("b", ["b/1.txt", "b/2.txt", "b/deep/er/3.md", "b/page.HTML"]),
        ("b/", ["b/1.txt", "b/2.txt", "b/deep/er/3.md", "b/page.HTML"]),
        (".", ["b/1.txt", "b/2.txt", "b/deep/er/3.md", "b/page.HTML", "c/5.txt.gz"]),
        ("b/.git", ["b/.git/4.txt"]),
        ("b/*", ["b/1.txt", "b/2.txt", "b/page.HTML"]),
        ("b/*.txt", ["b/1.txt", "b/2.txt"]),
        ("b/.*.txt", ["b/.hidden.txt"]),
        ("b/.*/*", ["b/.git/4.txt"]),
        ("b/**", ["b/1.txt", "b/2.txt", "b/deep/er/3.md", "b/page.HTML"]),
        ("**/*.md", ["b/deep/er/3.md"]),
        ("**/er/**/*.md", ["b/deep/er/3.md"]),
        ("**/**/*.txt", ["b/1.txt", "b/2.txt"]),
        ("*/[13].txt", ["b/1.txt"]),
        ("*/[!1].txt", ["b/2.txt"]),
        ("b/?.txt", ["b/1.txt", "b/2.txt"]),
        ("*/1.txt", ["b/1.txt"]),
        ("b/../b/*.txt", ["b/../b/1.txt", "b/../b/2.txt"]),
    ],
)
def test_a_path_is_a_file_a_folder_or_a_pattern(names, path, expected):
    assert names(path, TREE) == expected


@pytest.mark.parametrize("name", ["a[1].txt", "*.txt", "{x}.txt", "a b.txt", "?.md", "書.txt", "**/x.txt"])
def test_a_file_of_that_very_name_comes_before_a_pattern(names, name):
    assert names(name, [name, "a1.txt", "b.txt", "c.md"]) == [name]


def test_names_are_ordered_as_utf_8(names):
    assert names("*", ["\uffee.txt", "\U0001f600.txt", "Z.txt", "a.txt", "é.txt"]) == [
        "Z.txt",
        "a.txt",
        "é.txt",
        "\uffee.txt",
        "\U0001f600.txt",
    ]


def test_a_format_makes_every_file_a_document(here):
    here(
        {
            "corpus.toml": source("code", 'format = "text"'),
            "code/a.py": "",
            "code/b.py.gz": "",
            "code/c.txt.zst": "",
            "code/d": "",
        }
    )
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [(file.name, file.format, file.compression) for file in found.files] == [
        ("code/a.py", "text", None),
        ("code/b.py.gz", "text", "gzip"),
        ("code/c.txt.zst", "text", "zstd"),
        ("code/d", "text", None),
    ]


def test_a_file_has_its_real_path_size_and_owner(here):
    text = (
        source("a.txt", name="z")
        + '[[collection]]\nid = "c"\npath = "p"\nsource = "author"\n'
        + source("b.txt", name="y")
    )
    root = here(
        {"corpus.toml": text, "a.txt": "aa", "b.txt": "bbb", "p/1.jsonl": "", "p/2.parquet": b"", "p/readme.md": ""}
    )
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [(file.name, file.path, file.size, file.owner) for file in found.files] == [
        ("a.txt", str(root / "a.txt"), 2, 0),
        ("b.txt", str(root / "b.txt"), 3, 1),
        ("p/1.jsonl", str(root / "p/1.jsonl"), 0, 2),
        ("p/2.parquet", str(root / "p/2.parquet"), 0, 2),
    ]
    assert (found.skipped, found.problems) == (("p/readme.md",), [])


def test_what_is_no_document_is_named(here):
    text = source("b") + source("b/*.py", 'format = "text"', "code")
    here({"corpus.toml": text, "b/a.txt": "", "b/b.pdf": "", "b/c": "", "b/d.py": "", "b/.hidden": ""})
    assert find_files(read_manifest(Path("corpus.toml"))[0]).skipped == ("b/b.pdf", "b/c")


def test_the_tools_own_files_are_no_documents(here):
    files = {
        "corpus.toml": 'corpus.sources = "list.jsonl"\n',
        "list.jsonl": [{"id": "a", "path": "*", "format": "text"}],
    }
    here({**files, "tokens.parquet": "", "a.txt": "", "sub/tokens.parquet": ""})
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [file.name for file in found.files] == ["a.txt"]
    here({"corpus.toml": source("tokens.parquet")})
    assert [file.name for file in find_files(read_manifest(Path("corpus.toml"))[0]).files] == ["tokens.parquet"]


def test_a_file_that_one_source_matches_twice_counts_once(here):
    root = here(
        {"corpus.toml": '[[source]]\nid = "a"\npath = ["b/*.txt", "b", "b/x.txt"]', "b/x.txt": "", "b/y.txt": ""}
    )
    Path(root, "b", "link.txt").symlink_to("x.txt")
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [file.name for file in found.files] == ["b/link.txt", "b/y.txt"]
    assert found.files[0].path == str(root / "b/x.txt")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("''", "the path is empty; name a file, a folder or a pattern such as books/*.txt"),
        ("'no.txt'", "path 'no.txt' does not exist; check its spelling; paths are relative to the manifest's folder"),
        ("'no*.txt'", f"pattern 'no*.txt' matches no file; {LEVELS}"),
        ("'e'", f"folder 'e' matches no file; {LEVELS}"),
        ("'b'", f"folder 'b' matches no document, only 'b/x.pdf', 'b/y'; {ENDINGS}"),
        ("'b/*'", f"pattern 'b/*' matches no document, only 'b/x.pdf', 'b/y'; {ENDINGS}"),
        (
            "'b/x.pdf'",
            "file 'b/x.pdf' is not known by its ending to hold documents; say how to read it, such as format = \"text\"",
        ),
        ("'../*.txt'", f"cannot read '../': outside the manifest's folder; {COPY}"),
        (
            "'/etc/*'",
            "path '/etc/*' is absolute; write it relative to the manifest's folder, or allow it with --outside",
        ),
    ],
)
def test_what_is_said_of_a_wrong_path(complaints, path, expected):
    said = complaints(f'[[source]]\nid = "a"\npath = {path}', {"b/x.pdf": "", "b/y": "", "e/.x.txt": ""})
    assert said == [f"corpus.toml:1: source 'a': {expected}"]


def test_a_collection_reads_no_texts(complaints):
    said = complaints('[[collection]]\nid = "c"\npath = "a.txt"\nsource = "author"', {"a.txt": ""})
    what = "file 'a.txt' is no JSONL or Parquet, in which each document could name its source"
    assert said == [f"corpus.toml:1: collection 'c': {what}; make it a [[source]], or set format"]


def test_a_file_belongs_to_one_source(complaints):
    files = dict.fromkeys([f"b/{number}.txt" for number in range(8)], "")
    said = complaints(source("b") + source("b/*.txt", name="z"), files)
    names = "'b/0.txt', 'b/1.txt', 'b/2.txt', 'b/3.txt', 'b/4.txt' and 3 more"
    assert said == [f"corpus.toml:5: source 'z': {names} also belongs to source 'a' at corpus.toml:1; {ONE_OWNER}"]


def test_a_link_to_a_file_of_another_source_is_that_file(here):
    root = here({"corpus.toml": source("x.txt") + source("y.txt", name="z"), "x.txt": ""})
    Path(root, "y.txt").symlink_to("x.txt")
    assert complaints_here() == [
        f"corpus.toml:5: source 'z': 'y.txt' also belongs to source 'a' at corpus.toml:1; {ONE_OWNER}"
    ]


@pytest.fixture
def hostile(folder, monkeypatch):
    """A corpus beside a folder whose name begins alike, with links out, round and to nothing, and a pipe."""
    top = folder({"corpus/b/ok.txt": "", "corpus2/secret.txt": "secret"})
    root = top / "corpus"
    Path(root, "b", "out.txt").symlink_to(top / "corpus2" / "secret.txt")
    Path(root, "b", "folder").symlink_to(top / "corpus2")
    Path(root, "b", "round").symlink_to("../b")
    Path(root, "b", "self.txt").symlink_to("self.txt")
    Path(root, "b", "nothing.txt").symlink_to("no.txt")
    Path(root, "b", "zero.txt").symlink_to("/dev/zero")
    os.mkfifo(root / "b" / "pipe.txt")
    os.mkfifo(root / "b" / "pipe")
    monkeypatch.chdir(root)
    return root


HOSTILE = [
    "source 'a': cannot read 'b/nothing.txt': does not exist; check its spelling; paths are relative to the manifest's folder",
    f"source 'a': cannot read 'b/out.txt', 'b/zero.txt': outside the manifest's folder; {COPY}",
    "source 'a': cannot read 'b/pipe.txt': a device, a pipe or a socket; remove it, or use a narrower pattern",
    "source 'a': cannot read 'b/self.txt': is a link that leads round to itself; mend the link",
]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("path", ["b", "b/*.txt", "b/**/*.txt", "**/*.txt", "*/*"])
def test_no_device_pipe_or_link_out_is_taken(path):
    Path("corpus.toml").write_text(source(path))
    assert complaints_here() == [f"corpus.toml:1: {said}" for said in HOSTILE]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("path", ["b/folder/*.txt", "b/*/secret.txt", "*/folder/*"])
def test_a_pattern_does_not_lead_out_through_a_link(path):
    Path("corpus.toml").write_text(source(path))
    assert complaints_here() == [
        f"corpus.toml:1: source 'a': cannot read 'b/folder/': outside the manifest's folder; {COPY}"
    ]


def test_outside_allows_links_out_but_no_devices(hostile):
    Path("corpus.toml").write_text(
        source(["b/out.txt", "b/folder/*", "../corpus2", str(hostile.parent / "corpus2" / "*")])
    )
    found = find_files(read_manifest(Path("corpus.toml"))[0], outside=True)
    assert [(file.name, file.path) for file in found.files] == [
        ("../corpus2/secret.txt", str(hostile.parent / "corpus2/secret.txt"))
    ]
    assert found.problems == []
    Path("corpus.toml").write_text(source("b/zero.txt"))
    assert complaints_here(outside=True) == [
        "corpus.toml:1: source 'a': path 'b/zero.txt' is a device, a pipe or a socket; name a file or a folder"
    ]


def test_a_pattern_may_go_through_a_link_that_stays_inside(hostile):
    Path("corpus.toml").write_text(source("b/round/ok.*"))
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [(file.name, file.path, found.problems) for file in found.files] == [
        ("b/round/ok.txt", str(hostile / "b/ok.txt"), [])
    ]


@pytest.mark.parametrize(("path", "shown"), [("x.txt", "'x.txt'"), ("*", "'x.txt'"), (".", "'x.txt'")])
def test_a_file_without_permission(here, monkeypatch, path, shown):
    here({"corpus.toml": source(path), "x.txt": ""})
    monkeypatch.setattr(os, "access", lambda *_: False)  # nothing is forbidden to root, who may run this test
    assert complaints_here() == [
        f"corpus.toml:1: source 'a': cannot read {shown}: no permission; give yourself permission to read it"
    ]


@pytest.mark.parametrize("path", ["b", "b/**/*.txt", "b/*/*"])
def test_a_folder_without_permission(here, monkeypatch, path):
    here({"corpus.toml": source(path), "b/ok.txt": "", "b/c/x.txt": ""})
    scan = os.scandir

    def refuse(folder):
        if os.fspath(folder).endswith("/c"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert complaints_here() == [
        "corpus.toml:1: source 'a': cannot read 'b/c/': no permission; give yourself permission to read it"
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb.txt", "'a\\nb.txt'"), ("a\x1b[31m.txt", "'a\\x1b[31m.txt'"), ("a\udce9.txt", "'a\\udce9.txt'")],
)
def test_a_name_that_could_garble_a_terminal(here, name, shown):
    root = here({"corpus.toml": source(".")})
    os.close(os.open(root / name, os.O_CREAT))
    assert complaints_here() == [
        f"corpus.toml:1: source 'a': cannot read {shown}: a name with control characters, or not in UTF-8; rename it"
    ]


def test_such_a_name_of_what_is_no_document_is_only_escaped(here):
    root = here({"corpus.toml": source("."), "ok.txt": ""})
    for name in ("a\x1b.pdf", "b\udce9.pdf", "c\u2028"):
        os.close(os.open(root / name, os.O_CREAT))
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert (found.skipped, found.problems) == (("a\\x1b.pdf", "b\\xe9.pdf", "c\\xe2\\x80\\xa8"), [])


def test_deep_folders_and_patterns_with_many_stars(names):
    deep = "d/" * 60
    assert names("**/d/**/d/**/d/**/d/**/d/**/*.txt", [deep + "x.txt", "x.txt"]) == [deep + "x.txt"]


def test_a_name_that_makes_matching_slow_elsewhere(names):
    name = "a" * 200 + ".txt"
    assert names("*a*a*a*a*a*a*a*a*a*a*.txt", [name, "a" * 200 + ".md"]) == [name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", ("text", None)),
        ("A.MD", ("text", None)),
        ("a.htm", ("html", None)),
        ("a.HTML.GZ", ("html", "gzip")),
        ("a.b.jsonl.zst", ("jsonl", "zstd")),
        ("a.ndjson", ("jsonl", None)),
        ("a.parquet", ("parquet", None)),
        ("a.gz", (None, "gzip")),
        ("a.py.zst", (None, "zstd")),
        ("a.txt.gz.gz", (None, "gzip")),
        ("txt", (None, None)),
        (".txt", (None, None)),
        ("d.txt/a", (None, None)),
        ("d/.gz", (None, None)),
    ],
)
def test_what_an_ending_says(name, expected):
    assert kind_of(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("a.txt", ".txt"), ("x/a.B.JSONL.zst", ".JSONL.zst"), ("a.gz", ".gz"), (".txt", "")]
)
def test_an_ending_as_it_is_written(name, expected):
    assert full_ending(name) == expected


def test_a_folder_that_many_patterns_are_of_is_listed_twice(here, monkeypatch):
    writers = [f"writer{number}" for number in range(20)]
    files = {f"texts/{writer}_{number}.txt": "" for writer in writers for number in range(2)}
    here({"corpus.toml": "".join(source(f"texts/{writer}_*.txt", name=writer) for writer in writers), **files})
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    found = find_files(read_manifest(Path("corpus.toml"))[0])
    assert [Path(folder).name for folder in listed] == ["texts", "texts"]
    assert (found.problems, sorted(file.name for file in found.files)) == ([], sorted(files))


def test_of_a_folder_that_a_single_pattern_is_of_no_entries_are_kept(tmp_path):
    """Each takes some hundred bytes, and there may be a great many."""
    for number in range(500):
        (tmp_path / f"a{number}.txt").touch()
    listing, most = Listing(), []
    for _ in range(2):
        tracemalloc.start()
        assert sum(1 for _ in listing.beginning(str(tmp_path), "a")) == 500
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[0] < most[1] / 5
