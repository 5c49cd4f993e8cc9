"""Every way in which a corpus.toml can be wrong, with all that is said of it: place, what, and how to mend it."""

# A golden message stands on one line, as the user reads it.

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from royaltycli.errors import CallError
from royaltycli.manifest import reading
from royaltycli.manifest.model import Holder, HolderShare, Reading
from royaltycli.manifest.reading import find_manifest, read_manifest

FILES = {"a.txt": "a", "b.txt": "b", "p.jsonl": [{"text": "t", "author": "x"}]}
SOURCE = '[[source]]\nid = "a"\npath = "a.txt"\n'
FORM = 'write holders = ["a", "b"] or [{ id = "a", share = "70%" }, …]'
RULE = "use letters, digits, '.', '_' and '-', and start with a letter or digit"
QUOTE = "put it in quotation marks"
NUMBER = 'write zero or more, of at most 36 digits, such as 1, 1.5 or "300e9"'
SUM = "change them so that they make 1 (100%) exactly; a third is written 1/3"
ALL_SOURCE_KEYS = "id, title, path, holder, holders, license, epochs, format, text, strip, errors"

EXAMPLE = """
[corpus]
name = "Sample corpora"
encoding = "o200k_base"
train_tokens = "300e9"

[[holder]]
id = "a-rao"
name = "Asha Rao"
orcid = "0000-0002-1825-0097"

[[source]]
id = "quantum-textbook"
title = "Quantum Mechanics, a Short Course"
path = "a.txt"
holders = [{ id = "a-rao", share = "70%" }, { id = "press", share = "30%" }]
license = "proprietary"
epochs = 1.5

[[collection]]
id = "microposts"
path = "*.jsonl"
text = "text"
source = "author"
holder = "author"
"""


def test_the_manifest_of_the_design(read):
    corpus = read(EXAMPLE, FILES)
    source, collection = corpus.sources[0], corpus.collections[0]
    assert corpus.digest == hashlib.sha256(EXAMPLE.encode()).hexdigest()
    assert (corpus.file, corpus.folder) == ("corpus.toml", Path.cwd())
    assert (corpus.name, corpus.encoding, corpus.train_tokens) == ("Sample corpora", "o200k_base", 300_000_000_000)
    assert corpus.holders == (Holder("a-rao", "Asha Rao", orcid="0000-0002-1825-0097"), Holder("press", "press"))
    assert (source.id, source.place.line, source.patterns) == ("quantum-textbook", 12, ("a.txt",))
    assert source.holders == (HolderShare("a-rao", Fraction(7, 10)), HolderShare("press", Fraction(3, 10)))
    assert (source.license, source.epochs, source.reading) == ("proprietary", Decimal("1.5"), Reading())
    assert (collection.id, collection.source.field, collection.holder.field) == ("microposts", ("author",), ("author",))
    assert (collection.place.line, collection.patterns, collection.holders) == (20, ("*.jsonl",), ())


@pytest.mark.parametrize(
    ("holders", "expected"),
    [
        ('holder = "x"', [("x", Fraction(1))]),
        ('holders = ["x"]', [("x", Fraction(1))]),
        ('holders = ["x", "y", "z"]', [("x", Fraction(1, 3)), ("y", Fraction(1, 3)), ("z", Fraction(1, 3))]),
        ('holders = [{id = "x"}, "y"]', [("x", Fraction(1, 2)), ("y", Fraction(1, 2))]),
        ('holders = [{id = "x", share = 1}]', [("x", Fraction(1))]),
        (
            'holders = [{id = "x", share = 0.1}, {id = "y", share = 0.9}]',
            [("x", Fraction(1, 10)), ("y", Fraction(9, 10))],
        ),
        (
            'holders = [{id = "x", share = "1/3"}, {id = "y", share = "2/3"}]',
            [("x", Fraction(1, 3)), ("y", Fraction(2, 3))],
        ),
        (
            'holders = [{id = "x", share = "66.6%"}, {id = "y", share = "0.334"}]',
            [("x", Fraction(333, 500)), ("y", Fraction(167, 500))],
        ),
        ("", []),
    ],
)
def test_shares_are_exact(read, holders, expected):
    corpus = read(SOURCE + holders, FILES)
    assert [(part.holder, part.share) for part in corpus.sources[0].holders] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1.5", "1.5"),
        ('"1.5"', "1.5"),
        ("0", "0"),
        ("0.1", "0.1"),
        ("1_000", "1000"),
        ("2e-1", "0.2"),
        ('"44%"', "0.44"),
    ],
)
def test_epochs_are_exact_decimals(read, written, expected):
    assert read(f"{SOURCE}epochs = {written}", FILES).sources[0].epochs == Decimal(expected)


def test_all_that_a_source_may_say_of_reading(read):
    text = 'path = ["a.txt", "b.txt"]\nformat = "html"\nstrip = "html"\ntext = "body"\nerrors = "replace"\n'
    source = read('[[source]]\nid = "a"\n' + text, FILES).sources[0]
    assert source.patterns == ("a.txt", "b.txt")
    assert source.reading == Reading("html", ("body",), "html", "replace")


def test_a_byte_order_mark_is_tolerated(read):
    assert read("\ufeff" + SOURCE, FILES).sources[0].id == "a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["corpus.toml: there is no source and no collection; add a [[source]] with an id and a path"]),
        # tables and keys
        (
            SOURCE + '[[sources]]\nid = "b"',
            ["corpus.toml:4: unknown table 'sources'; did you mean 'source'?"],
        ),
        ("x = 1\n" + SOURCE, ["corpus.toml:1: unknown key 'x'; the tables are corpus, holder, source, collection"]),
        (
            SOURCE.replace("[[", "[").replace("]]", "]"),
            ["corpus.toml:1: source must be tables, but is a table; write [[source]] in double brackets"],
        ),
        (
            "source = [1]",
            ["corpus.toml:1: source must be tables, but is a list of others; write [[source]] in double brackets"],
        ),
        (
            "[[corpus]]\n" + SOURCE,
            ["corpus.toml:1: corpus must be one table, but is a list; write [corpus] in single brackets"],
        ),
        (
            '[corpus]\nencodng = "x"\n' + SOURCE,
            ["corpus.toml:2: [corpus]: unknown key 'encodng'; did you mean 'encoding'?"],
        ),
        (SOURCE + "zzz = 1", [f"corpus.toml:4: source 'a': unknown key 'zzz'; the keys are {ALL_SOURCE_KEYS}"]),
        (SOURCE + "Titel = 1", ["corpus.toml:4: source 'a': unknown key 'Titel'; did you mean 'title'?"]),
        (
            '[[holder]]\nid = "x"\nemail = "y"\n' + SOURCE,
            ["corpus.toml:3: holder 'x': unknown key 'email'; the keys are id, name, isni, ipi, orcid"],
        ),
        # the head
        ("[corpus]\nname = 1\n" + SOURCE, [f"corpus.toml:2: [corpus]: name must be a text, but is a number; {QUOTE}"]),
        (
            '[corpus]\npattern = "o200k"\n' + SOURCE,
            ["corpus.toml:2: [corpus]: unknown pattern 'o200k'; did you mean 'o200k_base'?"],
        ),
        (
            "[corpus]\ntrain_tokens = 0\n" + SOURCE,
            [
                'corpus.toml:2: [corpus]: train_tokens must be a whole number above zero; write it such as train_tokens = "300e9"'
            ],
        ),
        (
            '[corpus]\ntrain_tokens = "0.5"\n' + SOURCE,
            [
                'corpus.toml:2: [corpus]: train_tokens must be a whole number above zero; write it such as train_tokens = "300e9"'
            ],
        ),
        (
            '[corpus]\ntrain_tokens = "many"\n' + SOURCE,
            [f"corpus.toml:2: [corpus]: train_tokens is 'many', which is no such number; {NUMBER}"],
        ),
        # ids
        ('[[source]]\npath = "a.txt"', ['corpus.toml:1: a source: it has no id; add one, such as id = "my-book"']),
        (
            '[[source]]\nid = ""\npath = "a.txt"',
            ['corpus.toml:2: a source: it has no id; add one, such as id = "my-book"'],
        ),
        (
            '[[source]]\nid = 1\npath = "a.txt"',
            [f"corpus.toml:2: a source: id must be a text, but is a number; {QUOTE}"],
        ),
        (
            '[[source]]\nid = "a b"\npath = "a.txt"',
            [f"corpus.toml:2: source 'a b': the id holds ' ' (U+0020 SPACE); {RULE}"],
        ),
        ('[[source]]\nid = "-a"\npath = "a.txt"', [f"corpus.toml:2: source '-a': the id starts with '-'; {RULE}"]),
        (
            SOURCE + '[[collection]]\nid = "a"\npath = "p.jsonl"\nsource = "author"',
            [
                "corpus.toml:5: collection 'a': the id is given twice, first to a source at corpus.toml:2; give each an id of its own"
            ],
        ),
        (
            SOURCE + '[[holder]]\nid = "x"\n[[holder]]\nid = "x"',
            [
                "corpus.toml:7: holder 'x': the id is given twice, first to a holder at corpus.toml:5; give each an id of its own"
            ],
        ),
        # texts
        (
            SOURCE + 'title = "a\\u001bb"',
            ["corpus.toml:4: source 'a': title 'a\\x1bb' holds a control character (U+001B); remove it"],
        ),
        (
            SOURCE + 'title = "a\\nb"',
            ["corpus.toml:4: source 'a': title 'a\\nb' holds a control character (U+000A); remove it"],
        ),
        (
            SOURCE + "title = 2026-01-01",
            [f"corpus.toml:4: source 'a': title must be a text, but is a date or time; {QUOTE}"],
        ),
        (
            SOURCE + "license = true",
            [f"corpus.toml:4: source 'a': license must be a text, but is true or false; {QUOTE}"],
        ),
        # path
        (
            '[[source]]\nid = "a"',
            ["corpus.toml:1: source 'a': it has no path; add one, such as path = \"books/*.txt\""],
        ),
        (
            '[[source]]\nid = "a"\npath = 1',
            [
                "corpus.toml:3: source 'a': path must be a text or a list of texts, but is a number; put each in quotation marks"
            ],
        ),
        (
            '[[source]]\nid = "a"\npath = ["a.txt", 1.5]',
            [
                "corpus.toml:3: source 'a': path must be a text or a list of texts, but holds a number; put each in quotation marks"
            ],
        ),
        (
            '[[source]]\nid = "a"\npath = []',
            ["corpus.toml:3: source 'a': path is an empty list; name at least one, or leave the key out"],
        ),
        # holders
        (
            SOURCE + "holder = 1",
            [
                "corpus.toml:4: source 'a': holder must be a text, but is a number; name one holder by its id, or use holders"
            ],
        ),
        (
            SOURCE + 'holder = "x"\nholders = ["x"]',
            ["corpus.toml:5: source 'a': it has both holder and holders; keep one of them"],
        ),
        (SOURCE + 'holders = "x"', [f"corpus.toml:4: source 'a': holders must be a list, but is a text; {FORM}"]),
        (
            SOURCE + "holders = []",
            ["corpus.toml:4: source 'a': holders is an empty list; name at least one, or leave the key out"],
        ),
        (
            SOURCE + "holders = [1]",
            [f"corpus.toml:4: source 'a': holders must hold texts or tables, but holds a number; {FORM}"],
        ),
        (
            SOURCE + 'holders = [{share = "1"}]',
            [f"corpus.toml:4: source 'a': a holder in holders has no id as a text; {FORM}"],
        ),
        (
            SOURCE + 'holders = [{id = "x", shar = "1"}]',
            ["corpus.toml:4: source 'a': unknown key 'shar' in holders; did you mean 'share'?"],
        ),
        (
            SOURCE + 'holders = ["x y"]',
            [f"corpus.toml:4: source 'a': the holder's id 'x y' holds ' ' (U+0020 SPACE); {RULE}"],
        ),
        (
            SOURCE + 'holders = ["x", "x"]',
            ["corpus.toml:4: source 'a': holder 'x' is named twice; name each holder once, with its whole share"],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = "70%"}, {id = "y", share = "20%"}]',
            [f"corpus.toml:4: source 'a': the shares of its holders make 0.9, not 1; {SUM}"],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = "1/3"}, {id = "y", share = "1/3"}]',
            [f"corpus.toml:4: source 'a': the shares of its holders make 2/3, not 1; {SUM}"],
        ),
        (
            SOURCE
            + 'holders = [{id = "x", share = "1/999999999999999989"}, {id = "y", share = "999999999999999987/999999999999999988"}, {id = "z", share = "1/999999999999999999"}]',
            [f"corpus.toml:4: source 'a': the shares of its holders make almost 1, not 1; {SUM}"],
        ),
        (
            SOURCE
            + 'holders = [{id = "x", share = "1/999999999999999989"}, {id = "y", share = "999999999999999987/999999999999999988"}, {id = "z", share = "0.1"}]',
            [f"corpus.toml:4: source 'a': the shares of its holders make about 1.1, not 1; {SUM}"],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = 0}, {id = "y", share = 1}]',
            ["corpus.toml:4: source 'a': the share of holder 'x' is zero; leave the holder out"],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = "150%"}]',
            [
                "corpus.toml:4: source 'a': the share '150%' of holder 'x' is no number between 0 and 1; write it as \"70%\", \"0.7\" or \"1/3\""
            ],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = nan}]',
            [
                "corpus.toml:4: source 'a': the share 'nan' of holder 'x' is no number between 0 and 1; write it as \"70%\", \"0.7\" or \"1/3\""
            ],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = true}]',
            [
                "corpus.toml:4: source 'a': the share of holder 'x' must be a text, but is true or false; quote it: share = \"70%\""
            ],
        ),
        (
            SOURCE + 'holders = [{id = "x", share = "70%"}, "y"]',
            [
                "corpus.toml:4: source 'a': holder 'y' has no share, but others have; give all holders a share, or none for equal parts"
            ],
        ),
        (
            SOURCE + '[[holder]]\nid = "x"\nisni = "0000 0001 2103 2684"\nipi = "1"\norcid = "0000-0002-1825-0098"',
            [
                "corpus.toml:6: holder 'x': isni '0000 0001 2103 2684' is not valid: its form or its check digit is wrong; copy it again; it looks like 0000 0001 2103 2683",
                "corpus.toml:7: holder 'x': ipi '1' is not valid: its form or its check digit is wrong; copy it again; it looks like 00014107338 or I-000000229-7",
                "corpus.toml:8: holder 'x': orcid '0000-0002-1825-0098' is not valid: its form or its check digit is wrong; copy it again; it looks like 0000-0002-1825-0097",
            ],
        ),
        # epochs and reading
        (SOURCE + "epochs = -1", [f"corpus.toml:4: source 'a': epochs is '-1', which is no such number; {NUMBER}"]),
        (SOURCE + "epochs = inf", [f"corpus.toml:4: source 'a': epochs is 'inf', which is no such number; {NUMBER}"]),
        (SOURCE + "epochs = nan", [f"corpus.toml:4: source 'a': epochs is 'nan', which is no such number; {NUMBER}"]),
        (
            SOURCE + "epochs = 1e99999",
            [f"corpus.toml:4: source 'a': epochs is '1e99999', which is no such number; {NUMBER}"],
        ),
        (
            SOURCE + "epochs = [1]",
            [
                "corpus.toml:4: source 'a': epochs must be a number, but is a list; write a decimal or a text, such as 1.5 or \"1.5\""
            ],
        ),
        (
            SOURCE + 'format = "pdf"',
            [
                "corpus.toml:4: source 'a': unknown format 'pdf'; the choices are text, html, jsonl, parquet, warc, dolma, fineweb, redpajama, pile, common-pile, the-stack, starcoder"
            ],
        ),
        (SOURCE + 'format = "json"', ["corpus.toml:4: source 'a': unknown format 'json'; did you mean 'jsonl'?"]),
        (SOURCE + 'strip = "HTML"', ["corpus.toml:4: source 'a': unknown strip 'HTML'; did you mean 'html'?"]),
        (
            SOURCE + 'errors = "ignore"',
            ["corpus.toml:4: source 'a': unknown errors 'ignore'; the choices are strict, replace"],
        ),
        (SOURCE + 'text = ""', ["corpus.toml:4: source 'a': text is empty; name a field, or leave the key out"]),
        # collections
        (
            '[[collection]]\nid = "c"\npath = "p.jsonl"',
            [
                "corpus.toml:1: collection 'c': it has no source; add one, such as source = \"author\", the field that names the source"
            ],
        ),
        (
            '[[collection]]\nid = "c"\npath = "p.jsonl"\nsource = "author"\nholder = "author"\nholders = ["x"]',
            ["corpus.toml:6: collection 'c': it has both holder and holders; keep one of them"],
        ),
        (
            '[[collection]]\nid = "c"\npath = "p.jsonl"\nsource = "author"\nformat = "text"',
            [
                "corpus.toml:5: collection 'c': unknown format 'text'; the choices are jsonl, parquet, warc, dolma, fineweb, redpajama, pile, common-pile, the-stack, starcoder"
            ],
        ),
        (
            '[[collection]]\nid = "c"\npath = "p.jsonl"\nsource = "author"\ntitle = "C"',
            [
                "corpus.toml:5: collection 'c': unknown key 'title'; the keys are id, path, text, source, holder, holders, license, epochs, format, split, lists, strip, errors"
            ],
        ),
    ],
)
def test_what_is_said_of_a_wrong_manifest(complaints, text, expected):
    assert complaints(text, FILES) == expected


def test_all_problems_are_reported_at_once_and_files_are_checked_too(complaints):
    text = (
        '[corpus]\nencodng = "x"\n\n'
        '[[source]]\nid = "a"\npath = "nope.txt"\nepochs = -1\n\n'
        '[[source]]\npath = "nor.txt"\nholders = [{ id = "x", share = "50%" }]\n'
    )
    assert complaints(text) == [
        "corpus.toml:2: [corpus]: unknown key 'encodng'; did you mean 'encoding'?",
        "corpus.toml:4: source 'a': path 'nope.txt' does not exist; check its spelling; paths are relative to the manifest's folder",
        f"corpus.toml:7: source 'a': epochs is '-1', which is no such number; {NUMBER}",
        'corpus.toml:9: a source: it has no id; add one, such as id = "my-book"',
        "corpus.toml:9: source '(no id)': path 'nor.txt' does not exist; check its spelling; paths are relative to the manifest's folder",
        f"corpus.toml:11: a source: the shares of its holders make 0.5, not 1; {SUM}",
    ]


SYNTAX = "mend it; texts stand in quotation marks, tables in brackets"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[[source]]\nid = x\n", f"corpus.toml:2: not valid TOML at column 6: Invalid value; {SYNTAX}"),
        (b'[corpus]\nname = "a\n\n', f"corpus.toml:2: not valid TOML at column 10: Illegal character '\\n'; {SYNTAX}"),
        (b"[corpus]\n\x00 = 1\n", f"corpus.toml:2: not valid TOML at column 1: Invalid statement; {SYNTAX}"),
        (b"\n\nx = [\n", f"corpus.toml:3: not valid TOML at the end of the file: Invalid value; {SYNTAX}"),
        (
            b"x = " + b"[" * 100_000,
            "corpus.toml: not valid TOML: nested too deeply; a manifest needs no more than two levels",
        ),
        (
            b"x = " + b"{a=" * 100_000,
            "corpus.toml: not valid TOML: nested too deeply; a manifest needs no more than two levels",
        ),
        (
            b"x = " + b"9" * 5000,
            f"corpus.toml: not valid TOML: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; {SYNTAX}",
        ),
        (b'[corpus]\nname = "caf\xe9"\n', "corpus.toml:2: not valid UTF-8 at byte 21 (0xe9); save the file as UTF-8"),
        ("[corpus]".encode("utf-16"), "corpus.toml:1: not valid UTF-8 at byte 1 (0xff); save the file as UTF-8"),
    ],
)
def test_a_broken_file_is_one_problem(complaints, data, expected):
    assert complaints(data) == [expected]


def test_deeply_nested_keys_do_no_harm(complaints):
    (said,) = complaints(SOURCE + "a." * 5000 + "b = 1", FILES)
    assert said in (  # newer Pythons do not read it at all
        f"corpus.toml:4: source 'a': unknown key 'a'; the keys are {ALL_SOURCE_KEYS}",
        "corpus.toml: not valid TOML: nested too deeply; a manifest needs no more than two levels",
    )


def test_a_manifest_that_is_too_large(complaints, monkeypatch):
    monkeypatch.setattr(reading, "MANIFEST_BYTES", 10)
    assert complaints("#" * 11) == [
        "corpus.toml: the manifest is larger than 10 bytes; keep long lists of sources in list files, in parts"
    ]


def test_a_pipe_in_place_of_the_manifest_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "corpus.toml")
    _, problems = read_manifest(find_manifest(tmp_path))
    assert [problem.what for problem in problems] == ["the manifest is a device, a pipe or a socket"]


def test_a_folder_in_place_of_the_manifest(tmp_path):
    Path(tmp_path, "corpus.toml").mkdir()
    _, problems = read_manifest(find_manifest(tmp_path))
    assert [(problem.what, problem.mend) for problem in problems] == [("the manifest is a folder", "name a file")]


def test_a_manifest_that_vanishes_is_a_problem(tmp_path):
    _, problems = read_manifest(tmp_path / "corpus.toml")
    assert [problem.what for problem in problems] == ["the manifest does not exist"]


def test_finding_the_manifest(here):
    root = here({"corpus.toml": "", "sub/corpus.toml": "", "other.toml": ""})
    assert find_manifest(None) == Path("corpus.toml")
    assert find_manifest("sub") == Path("sub/corpus.toml")
    assert find_manifest(root) == root / "corpus.toml"
    assert find_manifest("other.toml") == Path("other.toml")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "there is no corpus.toml here; run `royalty init` to write one, or name a manifest"),
        ("empty", "there is no manifest 'empty/corpus.toml'; name another, or run `royalty init` to write one"),
        ("no.toml", "there is no manifest 'no.toml'; name another, or run `royalty init` to write one"),
        ("a\0b", "there is no manifest 'a\\x00b'; name another, or run `royalty init` to write one"),
    ],
)
def test_a_manifest_that_is_not_there(here, given, expected):
    here({"empty/x": ""})
    with pytest.raises(CallError) as caught:
        find_manifest(given)
    assert str(caught.value) == expected


def test_paths_in_problems_are_as_the_user_named_them(here):
    here({"sub/corpus.toml": "x = 1"})
    _, problems = read_manifest(find_manifest("sub"))
    assert problems[0].place.file == "sub/corpus.toml"
