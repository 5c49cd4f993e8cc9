"""Rules N1 to N6: which source a document counts for, against a slow and separate reading of the same rules."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import royaltycli
from royaltycli.api import check
from royaltycli.corpus import jsonl, shards
from royaltycli.corpus.documents import read
from royaltycli.corpus.files import File
from royaltycli.errors import DocumentError, Place
from royaltycli.manifest.endings import kind_of
from royaltycli.manifest.identifiers import source_id
from royaltycli.manifest.model import Collection, Naming
from royaltycli.manifest.patterns import stamp_of
from royaltycli.scanning import counts_folder, scan_opened
from royaltycli.tokens import grouping
from royaltycli.tokens.count import digest_documents
from royaltycli.tokens.encodings import find_encoding
from royaltycli.tokens.partials import settings_of
from tests import oracle, strategies

ABSENT = object()


def rows_of(table):
    rows = {row["source_id"]: row for row in table.to_pylist()}
    return {key: (row["documents"], row["bytes"], row["tokens"], row["digest"]) for key, row in rows.items()}


def scanned(folder, rows, keys, name="a.jsonl"):
    """The rows of a scan of one collection `c` of these documents."""
    manifest = f'[[collection]]\nid = "c"\npath = "{name}"\n{keys}\n'
    return rows_of(royaltycli.scan(folder({"corpus.toml": manifest, name: rows})))


def sources(folder, rows, keys):
    """How many documents each source of the collection has."""
    return {key.removeprefix("c/"): row[0] for key, row in scanned(folder, rows, keys).items()}


# -- the oracle --------------------------------------------------------------------------------------------


def names_of(value, lists):
    """What a value names: some names, or [None]."""
    items = value if isinstance(value, list) else [value]
    names = [str(item) for item in items if item is not None and item is not ABSENT and item != ""]
    if lists == "joint":
        several = [name.replace("%", "%25").replace(";", "%3B") for name in names]
        names = [";".join(several)] if names else []
    elif lists == "first":
        names = names[:1]
    return list(dict.fromkeys(names)) or [None]


def count(text):
    return len(oracle.encoding("o200k_base").encode_ordinary(text))


def parts_of(text, names, tokens_of):
    """(name, documents, bytes, tokens, digest) of each part of a text that is shared out among names."""
    digest = hashlib.sha256(text.encode()).digest()
    size, tokens = len(text.encode()), tokens_of(text)
    if len(names) == 1:
        return [(names[0], 1, size, tokens, digest)]
    ranked = sorted(names, key=lambda name: hashlib.sha256(digest + name.encode()).digest())
    return [
        (
            name,
            *(whole // len(names) + (rank < whole % len(names)) for whole in (1, size, tokens)),
            hashlib.sha256(digest + rank.to_bytes(8, "big") + len(names).to_bytes(8, "big")).digest(),
        )
        for rank, name in enumerate(ranked)
    ]


def expected(rows, lists, tokens_of):
    found = defaultdict(lambda: [0, 0, 0, b""])
    for text, value in rows:
        for name, *parts in parts_of(text, names_of(value, lists), tokens_of):
            # quote leaves the unreserved characters of a URL; ours leave letters of any script, which are not drawn here
            key = "c/(unknown)" if name is None else f"c/{quote(name, safe='@:/-._').replace('~', '%7E')}"
            found[key] = [before + part for before, part in zip(found[key], parts, strict=True)]
    return {key: (*row[:3], hashlib.sha256(row[3]).digest()) for key, row in found.items()}


names = st.sampled_from(["ann", "bob", "", "50%;x", "a;b", "7", "c d"])
plain = st.one_of(st.none(), names)
listed = st.lists(plain, max_size=4)


@st.composite
def corpora(draw):
    """Texts and what they name, how lists are meant, and the kind of values if they are all of one."""
    lists = draw(st.sampled_from(["split", "first", "joint"]))
    kind = draw(st.sampled_from(["plain", "listed", "mixed"]))
    mixed = st.one_of(plain, listed, st.integers(0, 99), st.just(ABSENT))
    value = {"plain": plain, "listed": listed, "mixed": mixed}[kind]
    rows = draw(st.lists(st.tuples(strategies.texts, value), min_size=1, max_size=20))
    return [(text.encode("utf-8", "replace").decode(), named) for text, named in rows], lists, kind


def written(place, rows, kind, *, nested):
    """The names of the files that hold these rows, each all of them; a column of Parquet has one type."""
    objects = [
        {"text": text, **({} if by is ABSENT else {"meta": {"x": 1, "by": by}} if nested else {"by": by})}
        for text, by in rows
    ]
    (place / "a.jsonl").write_text("".join(json.dumps(one) + "\n" for one in objects), encoding="utf-8")
    if kind == "mixed":
        return ["a.jsonl"]
    column = pa.array([by for _, by in rows], pa.string() if kind == "plain" else pa.list_(pa.string()))
    column = pa.StructArray.from_arrays([column], ["by"]) if nested else column
    table = pa.table({"text": pa.array([text for text, _ in rows]), "meta" if nested else "by": column})
    pq.write_table(table, place / "b.parquet", row_group_size=3)
    return ["a.jsonl", "b.parquet"]


def summed(file, owner, cut):
    """What a corpus of one file comes to by source, when a document has as many tokens as characters."""
    found = defaultdict(lambda: [0, 0, 0, b""])
    kind, _ = kind_of(file.name)
    status = file.stat()
    pieces = shards.cut([File(file.name, str(file), status.st_size, kind, None, 0, stamp_of(status))], cut)
    for _, batch in read(pieces, {0: owner}):
        texts = batch.texts.to_pylist()
        sizes, tokens = np.array([len(text.encode()) for text in texts]), np.array([len(text) for text in texts])
        table = grouping.rows_of(0, 0, batch, owner, sizes, tokens, digest_documents(batch.texts))
        for row in table.to_pylist():
            parts = (row["documents"], row["bytes"], row["tokens"], row["digests"])
            before = found[source_id("c", row["source"])]
            found[source_id("c", row["source"])] = [one + part for one, part in zip(before, parts, strict=True)]
    return {key: (*row[:3], hashlib.sha256(row[3]).digest()) for key, row in found.items()}


@strategies.examples(60, 600)
@given(corpus=corpora(), cut=st.integers(20, 2000), nested=st.booleans())
def test_what_each_source_gets(tmp_path_factory, corpus, cut, nested):
    """As the oracle says, whatever the format, wherever the cuts; and all parts together are the whole."""
    rows, lists, kind = corpus
    place = tmp_path_factory.mktemp("corpus")
    naming = Naming(("meta", "by") if nested else ("by",))
    for name in written(place, rows, kind, nested=nested):
        found = summed(place / name, Collection("c", Place("m"), (name,), naming, lists=lists), cut)
        assert found == expected(rows, lists, len)
        assert sum(row[0] for row in found.values()) == len(rows)
        assert sum(row[1] for row in found.values()) == sum(len(text.encode()) for text, _ in rows)
        assert sum(row[2] for row in found.values()) == sum(len(text) for text, _ in rows)


@pytest.mark.parametrize("lists", ["split", "first"])
def test_the_holder_of_a_source_is_the_one_in_its_place(folder, lists):
    rows = [{"text": "one day", "by": [None, "", "p"], "who": ["X", "Y", "P"]}]
    manifest = f'[[collection]]\nid = "c"\npath = "a.jsonl"\nsource = "by"\nholder = "who"\nlists = "{lists}"\n'
    table = royaltycli.scan(folder({"corpus.toml": manifest, "a.jsonl": rows}))
    assert [(row["source_id"], row["holders"][0]["id"]) for row in table.to_pylist()] == [("c/p", "P")]


def test_a_source_that_a_document_names_twice_with_two_holders(folder):
    rows = [{"text": "one day", "by": ["p", "q", "p"], "who": ["P", "Q", "R"]}]
    keys = 'source = "by"\nholder = "who"\nlists = "split"'
    with pytest.raises(DocumentError, match=r"the source 'p' has the holder 'R' here, but 'P' in"):
        scanned(folder, rows, keys)
    rows[0]["who"][2] = "P"
    assert scanned(folder, rows, keys).keys() == {"c/p", "c/q"}


@strategies.examples(5, 60)
@given(corpus=corpora(), nested=st.booleans())
def test_what_a_scan_counts(tmp_path_factory, corpus, nested):
    """The same from the manifest to the table, with tiktoken's counts."""
    rows, lists, kind = corpus
    place = tmp_path_factory.mktemp("corpus")
    for name in written(place, rows, kind, nested=nested):
        keys = f'source = "{"meta.by" if nested else "by"}"\nlists = "{lists}"\n'
        (place / "corpus.toml").write_text(f'[[collection]]\nid = "c"\npath = "{name}"\n{keys}', encoding="utf-8")
        assert rows_of(royaltycli.scan(place, verify=0)) == expected(rows, lists, count)


# -- fields, functions, fixed values -----------------------------------------------------------------------


def test_a_field_in_another_field(folder):
    rows = [
        {"text": "1", "meta": {"repo": {"name": "x", "by": "ann"}}},
        {"text": "2", "meta": {"repo": {"name": "x", "by": "ann"}}},
        {"text": "3", "meta": {"repo": None}},
        {"text": "4", "meta": None},
        {"text": "5"},
        {"text": "6", "meta": {"repo": {}}},
    ]
    manifest = 'source = "meta.repo.name"\nholder = "meta.repo.by"'
    assert sources(folder, rows, manifest) == {"x": 2, "(unknown)": 4}


def test_text_in_another_field(folder):
    rows = [{"doc": {"body": "one"}, "by": "a"}, {"doc": {"body": None}, "by": "a"}]
    assert scanned(folder, rows, 'text = "doc.body"\nsource = "by"')["c/a"][:2] == (2, 3)


def test_a_field_whose_name_holds_a_point(folder):
    rows = [{"text": "1", "meta.repo": "x", "meta": {"repo": "y"}}]
    assert sources(folder, rows, "source = '\"meta.repo\"'") == {"x": 1}
    assert sources(folder, rows, 'source = "meta.repo"') == {"y": 1}


def test_a_column_whose_name_holds_a_point(folder):
    place = folder({"corpus.toml": '[[collection]]\nid = "c"\npath = "a.parquet"\nsource = "x"'})
    table = pa.table({"text": ["1"], "meta.repo": ["x"], "meta": [{"repo": "y"}]})
    pq.write_table(table, place / "a.parquet")
    for written, expected_id in (("'\"meta.repo\"'", "c/x"), ('"meta.repo"', "c/y")):
        folder({"corpus.toml": f'[[collection]]\nid = "c"\npath = "a.parquet"\nsource = {written}'})
        assert list(rows_of(royaltycli.scan(place))) == [expected_id]


def test_a_fixed_value(folder):
    rows = [{"text": "1"}, {"text": "2", "author": "x"}]
    assert sources(folder, rows, "source = \"'The Wikipedia'\"") == {"The%20Wikipedia": 2}


URLS = {
    "https://www.example.co.uk/a?b=c://d": ("www.example.co.uk", "example.co.uk"),
    "HTTP://WWW.Example.COM.:8080": ("www.example.com", "example.com"),
    "https://user:pass@blog.example.org#x": ("blog.example.org", "example.org"),
    "https://ann.github.io/": ("ann.github.io", "ann.github.io"),
    "https://github.io/": ("github.io", "github.io"),
    "//cdn.example.com/x": ("cdn.example.com", "example.com"),
    "http://192.0.2.1/x": ("192.0.2.1", "192.0.2.1"),
    "http://[2001:DB8::1]:80/x": ("[2001:db8::1]", "[2001:db8::1]"),
    "http://localhost/": ("localhost", "localhost"),
    "https://www.München.de/": ("www.xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    "https://www.xn--mnchen-3ya.de/": ("www.xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
    "https://www.bücher.de/": ("www.xn--bcher-kva.de", "xn--bcher-kva.de"),
    "https://my_shop.bücher.de/": ("my_shop.xn--bcher-kva.de", "xn--bcher-kva.de"),
    "https://BÜCHER。de。": ("xn--bcher-kva.de", "xn--bcher-kva.de"),
    "https://i❤.ws/": ("xn--i-7iq.ws", "xn--i-7iq.ws"),
    "https://xn--i-7iq.ws/": ("xn--i-7iq.ws", "xn--i-7iq.ws"),
    "https://ΣΑΣ.example/": ("xn--mxa9ab.example", "xn--mxa9ab.example"),
    "https://-x-.faß.de/": ("-x-.xn--fa-hia.de", "xn--fa-hia.de"),
    "https://a\u0378。bücher.de/": ("xn--a-qib.xn--bcher-kva.de", "xn--bcher-kva.de"),
    f"https://{'ü' * 64}.bücher.de/": (f"{'ü' * 64}.xn--bcher-kva.de", "xn--bcher-kva.de"),
    "http://example.com../": ("example.com", "example.com"),
    "http://../": None,
    "https://evil.example\\@good.example/": ("evil.example", "evil.example"),
    "example.com/page": None,
    "mailto:ann@example.com": None,
    "https:///path": None,
    "/a/b": None,
    "": None,
}


def test_the_host_and_the_registered_domain_of_a_url():
    from royaltycli.corpus.addresses import applied

    urls = pa.array([*URLS, None], pa.large_string())
    assert applied("host", urls).to_pylist() == [found and found[0] for found in (*URLS.values(), None)]
    assert applied("domain", urls).to_pylist() == [found and found[1] for found in (*URLS.values(), None)]


def test_the_first_folder_of_a_path():
    from royaltycli.corpus.addresses import applied

    paths = {
        "src/a.py": "src",
        "/home/ann/x": "home",
        "./a/b": "a",
        "a.py": None,
        "": None,
        "//x/y": "x",
        "a b/c/": "a b",
        "./README.md": None,
        "././/README.md": None,
        "./": None,
        "../a/b": "a",
        "./../x": None,
        "/../x": None,
        ".git/config": ".git",
        "..a/b": "..a",
        ".../b": "...",
        "src/../a.py": "src",
    }
    assert applied("folder", pa.array(list(paths), pa.large_string())).to_pylist() == list(paths.values())


def test_functions_in_a_scan(folder):
    rows = [
        {"text": "1", "url": "https://a.example.com/x"},
        {"text": "2", "url": "http://b.example.com"},
        {"text": "3"},
    ]
    assert sources(folder, rows, 'source = "domain(url)"') == {"example.com": 2, "(unknown)": 1}
    assert sources(folder, rows, 'source = "host(url)"') == {"a.example.com": 1, "b.example.com": 1, "(unknown)": 1}
    nested = [{"text": "1", "m": {"path": "x/y"}}]
    assert sources(folder, nested, 'source = "folder(m.path)"') == {"x": 1}
    several = [{"text": "12", "urls": ["http://a.example", "http://www.a.example", "nothing", "http://b.example"]}]
    assert set(sources(folder, several, 'source = "domain(urls)"\nlists = "split"')) == {"a.example", "b.example"}


def test_whole_numbers_are_names_and_read_as_fast(folder, monkeypatch):
    """Arrow reads them: were a chunk to go through the strict reader, this would fail."""
    monkeypatch.setattr(jsonl, "_parse_strictly", None)
    assert sources(folder, [{"text": "1", "by": 12}, {"text": "2", "by": -3}], 'source = "by"') == {"12": 1, "-3": 1}
    rows = [{"text": "1", "by": [12, 3]}, {"text": "2", "by": None}, {"text": "2"}]
    assert set(sources(folder, rows, 'source = "by"\nlists = "split"')) == {"12", "3", "(unknown)"}


@pytest.mark.parametrize(("value", "kind"), [(1.5, "a number"), (True, "true or false"), ({}, "an object")])
def test_what_is_no_name(folder, value, kind):
    with pytest.raises(DocumentError) as raised:
        scanned(folder, [{"text": "1", "by": "a"}, {"text": "2", "by": value}], 'source = "by"')
    assert str(raised.value) == f"a.jsonl:2: the field 'by' holds {kind}, where a name should be; mend the line"


def test_a_text_where_an_object_should_be(folder):
    with pytest.raises(DocumentError) as raised:
        scanned(folder, [{"text": "1", "meta": "x"}], 'source = "meta.by"')
    assert str(raised.value) == "a.jsonl:1: the field 'meta' is a text, where an object should be; mend the line"


def test_a_list_that_the_manifest_does_not_foresee(folder):
    with pytest.raises(DocumentError) as raised:
        scanned(folder, [{"text": "1", "by": ["a"]}], 'source = "by"')
    assert str(raised.value) == (
        'a.jsonl:1: the field \'by\' is an array; say lists = "split", "first" or "joint" in its collection'
    )


@pytest.mark.parametrize(
    "line", ['{"text": "1", "m": {"by": "a", "by": "b"}}', '{"text": "1", "m": {"by": "a"}, "m": {}}']
)
def test_a_nested_key_that_stands_twice(folder, line):
    key = "by" if 'b"' in line else "m"
    with pytest.raises(DocumentError) as raised:
        scanned(folder, line + "\n", 'source = "m.by"')
    assert str(raised.value) == f"a.jsonl:1: the key {key!r} stands twice in one object; keep one of them"


def test_a_name_that_is_too_long(folder):
    with pytest.raises(DocumentError) as raised:
        scanned(folder, [{"text": "1", "by": "a" * 5000}], 'source = "by"')
    assert str(raised.value) == (
        "a.jsonl:1: the field that names the source in c is longer than 4,096 characters; mend the document"
    )


def test_a_name_may_have_4096_characters_of_any_script(folder):
    assert len(scanned(folder, [{"text": "1", "by": "\u00e9" * 4096}], 'source = "by"')) == 1
    with pytest.raises(DocumentError, match="longer than 4,096 characters"):
        scanned(folder, [{"text": "1", "by": "\u00e9" * 4097}], 'source = "by"')


def test_many_names_that_are_too_long_together(folder):
    rows = [{"text": "1", "by": ["ann"]}, {"text": "2", "by": ["a" * 10] * 1000}]
    with pytest.raises(DocumentError) as raised:
        scanned(folder, rows, 'source = "by"\nlists = "joint"')
    assert str(raised.value) == (
        "a.jsonl:2: the names of the source in c, joined to one, are longer than 4,096 characters; "
        'mend the document, or say lists = "split" or "first"'
    )


@pytest.mark.parametrize("duplicates", ["first", "split"])
def test_a_text_that_is_split_and_copied_is_credited_once(folder, duplicates):
    """The same part of the same text is a copy; so all parts together are credited what the text has (K2, N5)."""
    rows = [{"text": "one two three four five", "by": ["ann", "bob"]}] * 3 + [{"text": "six", "by": ["ann"]}]
    manifest = '[[collection]]\nid = "c"\npath = "*.jsonl"\nsource = "by"\nlists = "split"'
    place = folder({"corpus.toml": manifest, "a.jsonl": rows, "b.jsonl": rows[:1]})
    table = royaltycli.scan(place, duplicates=duplicates).to_pylist()
    assert sum(row["tokens"] for row in table) == 4 * 5 + 1
    assert sum(row["documents"] for row in table) == 5
    assert sum(row["credited_tokens"] for row in table) == 5 + 1


@pytest.mark.parametrize("duplicates", ["first", "split"])
def test_each_part_of_a_text_that_is_split_is_credited_by_itself(folder, duplicates):
    """Rules K3, K4 and N5: each part is held by two sources, those of the first document and of the second."""
    text, by = "one two three four five six seven", [["p", "q", "r"], ["a", "b", "c"]]
    rows = [{"text": "before", "by": ["x", "y", "z"]}, *({"text": text, "by": names} for names in by)]
    manifest = '[[collection]]\nid = "c"\npath = "a.parquet"\nsource = "by"\nlists = "split"'
    place = folder({"corpus.toml": manifest})
    pq.write_table(pa.Table.from_pylist(rows), place / "a.parquet", row_group_size=2)
    wanted, parts = {}, [parts_of(text, names, count) for names in by]
    for (first, _, _, tokens, digest), (second, *_) in zip(*parts, strict=True):
        halves = {first: tokens, second: 0}
        if duplicates == "split":
            winner = min(first, second, key=lambda name: hashlib.sha256(digest + f"c/{name}".encode()).digest())
            halves = {name: tokens // 2 + tokens % 2 * (name == winner) for name in (first, second)}
        wanted |= {f"c/{name}": half for name, half in halves.items()}
    assert sorted(wanted.values()) == ([0, 0, 0, 2, 2, 3] if duplicates == "first" else [1, 1, 1, 1, 1, 2])
    table = royaltycli.scan(place, duplicates=duplicates)
    found = dict(zip(table["source_id"].to_pylist(), table["credited_tokens"].to_pylist(), strict=True))
    assert {name: found[name] for name in wanted} == wanted


def test_a_text_among_another_number_of_sources_is_no_copy_and_the_scan_says_so(folder):
    """Rules K1 and K6: parts are copies of the same parts of a text among as many sources, whichever they are."""
    several = [["ann"], ["ann", "ann"], ["ann", "bob"], ["bob", "carl"], ["ann", "bob", "carl"]]
    rows = [{"text": "one two three four five", "by": by} for by in several]
    manifest = '[[collection]]\nid = "c"\npath = "a.jsonl"\nsource = "by"\nlists = "{}"'
    for lists, duplicates, credited, noted in (
        ("split", "first", 15, 1),
        ("split", "all", 25, 0),
        ("joint", "first", 5, 0),
    ):
        place = folder({"corpus.toml": manifest.format(lists), "a.jsonl": rows})
        with counts_folder(None) as work:
            scan = scan_opened(check(place), work, place / "tokens.parquet", duplicates=duplicates)
        table = royaltycli.read_tokens(place / "tokens.parquet")
        assert sum(table["credited_tokens"].to_pylist()) == credited
        assert sum("with one more co-author it is another text" in note for note in scan.notes) == noted
        copies = scan.totals.copies
        parts = copies.documents_within + copies.documents_across
        assert parts == (3 if lists == "split" else 4)


def test_the_sources_of_list_files_come_after_all_tables(folder):
    """Rule K4: what stands first of a text."""
    manifest = '[corpus]\nsources = "list.csv"\n[[source]]\nid = "z"\npath = "z.txt"\n'
    place = folder({"corpus.toml": manifest, "list.csv": "id,path\na,a.txt\n", "a.txt": "One.", "z.txt": "One."})
    table = royaltycli.scan(place, duplicates="first")
    assert dict(zip(table["source_id"].to_pylist(), table["credited_tokens"].to_pylist(), strict=True)) == {
        "a": 0,
        "z": 2,
    }


def test_values_are_names_as_they_stand(folder):
    """Rule N1: composed and decomposed are two."""
    rows = [{"text": "1", "by": "Zo\u00eb"}, {"text": "2", "by": "Zoe\u0308"}]
    assert sources(folder, rows, 'source = "by"') == {"Zo\u00eb": 1, "Zoe%CC%88": 1}


# -- documents that name no source -------------------------------------------------------------------------


NAMELESS = [{"text": "one"}, {"text": "two", "by": None}, {"text": "three", "by": ""}]


def test_documents_that_name_no_source_are_counted_and_reported(folder):
    rows = [*NAMELESS, {"text": "four", "by": "(unknown)"}, {"text": "five", "by": "ann"}]
    place = folder(
        {"corpus.toml": '[[collection]]\nid = "c"\npath = "*.jsonl"\nsource = "by"\nholder = "by"', "a.jsonl": rows}
    )
    with counts_folder(None) as work:
        scan = scan_opened(check(place), work, place / "tokens.parquet")
    rows = royaltycli.read_tokens(place / "tokens.parquet").to_pylist()
    found = {row["source_id"]: (row["documents"], row["holders"]) for row in rows}
    assert found["c/(unknown)"] == (3, [])
    assert found["c/%28unknown%29"][0] == 1
    assert found["c/ann"][0] == 1
    assert "3 documents of 3 tokens name no source; they count for c/(unknown)" in scan.notes


def test_where_no_document_names_a_source_the_key_is_probably_wrong(folder):
    """Whatever other collections name whose ids begin alike, and stand before and after it."""
    rows = [{"text": "one", "author": "ann"}, {"text": "two", "author": "bob"}]
    keys = {"c": "autor", "c-": "author", "c.": "author", "c0": "author", "cc": "author"}
    manifest = [f'[[collection]]\nid = "{name}"\npath = "{name}.jsonl"\nsource = "{by}"\n' for name, by in keys.items()]
    place = folder({"corpus.toml": "".join(manifest), **{f"{name}.jsonl": rows for name in keys}})
    with counts_folder(None) as work:
        notes = scan_opened(check(place), work, place / "tokens.parquet").notes
    assert notes[-1] == (
        "2 documents of 2 tokens name no source; they count for c/(unknown), "
        "like all of that collection: check its `source`"
    )


def test_they_may_name_any_holder_and_have_those_of_the_collection(folder):
    rows = [{"text": "1", "by": "x"}, {"text": "2", "by": "y"}, {"text": "3"}]
    manifest = '[[collection]]\nid = "c"\npath = "*.jsonl"\nsource = "s"\n'
    place = folder({"corpus.toml": manifest + 'holder = "by"', "a.jsonl": rows})
    assert royaltycli.scan(place)["holders"].to_pylist() == [[]]
    place = folder({"corpus.toml": manifest + 'holders = ["press"]', "a.jsonl": rows})
    assert [holder["id"] for holder in royaltycli.scan(place)["holders"].to_pylist()[0]] == ["press"]


# -- holders of documents that are split -------------------------------------------------------------------


def holders_of(folder, rows, keys):
    manifest = f'[[collection]]\nid = "c"\npath = "a.jsonl"\n{keys}\n'
    table = royaltycli.scan(folder({"corpus.toml": manifest, "a.jsonl": rows}))
    return {row["source_id"]: [holder["name"] for holder in row["holders"]] for row in table.to_pylist()}


def test_each_part_has_the_holder_in_its_place(folder):
    keys = 'source = "by"\nholder = "for"\nlists = "split"'
    rows = [
        {"text": "1", "by": ["a", None, "b"], "for": ["x", "y", "z"]},
        {"text": "2", "by": ["b", "a"], "for": ["z", "x"]},
        {"text": "3", "by": [], "for": ["q", "r"]},
        {"text": "4", "by": "c", "for": ["y"]},
    ]
    assert holders_of(folder, rows, keys) == {"c/(unknown)": [], "c/a": ["x"], "c/b": ["z"], "c/c": ["y"]}
    rows = [{"text": "1", "by": ["a", "b"], "for": "press"}]
    assert holders_of(folder, rows, keys) == {"c/a": ["press"], "c/b": ["press"]}
    same = 'source = "by"\nholder = "by"\nlists = "split"'
    assert holders_of(folder, [{"text": "1", "by": ["a", "b"]}], same) == {"c/a": ["a"], "c/b": ["b"]}


def test_holders_that_cannot_be_matched_with_sources(folder):
    rows = [{"text": "0", "by": "a", "for": ["x"]}, {"text": "1", "by": ["a", "b"], "for": ["x", "y", "z"]}]
    with pytest.raises(DocumentError) as raised:
        holders_of(folder, rows, 'source = "by"\nholder = "for"\nlists = "split"')
    assert str(raised.value) == (
        "a.jsonl:2: the sources and the holders that the document names are 2 and 3, so who holds which is not said; "
        "mend the document, or give the collection fixed `holders`"
    )


ONE_HOLDER = {"text": "1", "by": ["a", "b"], "for": "press"}
TWO_HOLDERS = {"text": "2", "by": ["c", "d"], "for": ["x", "y"]}
NOBODY = {"text": "3", "by": [], "for": ["x", "y"]}


@pytest.mark.parametrize("lists", ["split", "first"])
def test_what_a_document_names_does_not_hang_on_those_around_it(folder, lists):
    """Rules N6 and C7: Arrow makes lists of all values of a chunk in which one is a list."""
    keys = f'source = "by"\nholder = "for"\nlists = "{lists}"'
    alone = [holders_of(folder, [row], keys) for row in (ONE_HOLDER, TWO_HOLDERS)]
    assert alone[0] == ({"c/a": ["press"], "c/b": ["press"]} if lists == "split" else {"c/a": ["press"]})
    for rows in ([ONE_HOLDER, TWO_HOLDERS], [TWO_HOLDERS, NOBODY, ONE_HOLDER]):
        unknown = {"c/(unknown)": []} if NOBODY in rows else {}
        assert holders_of(folder, rows, keys) == alone[0] | alone[1] | unknown


@pytest.mark.parametrize("lists", ["split", "first"])
@pytest.mark.parametrize("around", [[], [TWO_HOLDERS]])
def test_one_source_with_two_holders_is_refused_whatever_is_around_it(folder, lists, around):
    with pytest.raises(DocumentError, match="that the document names are 1 and 2, so who holds which is not said"):
        holders_of(
            folder,
            [*around, {"text": "0", "by": "v", "for": ["m", "n"]}],
            f'source = "by"\nholder = "for"\nlists = "{lists}"',
        )


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.string()), pa.list_(pa.string(), 2), pa.list_view(pa.string()), pa.large_list_view(pa.string())],
    ids=str,
)
def test_lists_of_every_kind_may_be_null(folder, kind):
    who = pa.array([["a", "b"], None, ["c", None], ["d", "e"]], kind)
    table = pa.table({"text": ["one two", "three four", "five six", "seven"], "who": who})
    place = folder({"corpus.toml": '[[collection]]\nid = "c"\npath = "a.parquet"\nsource = "who"\nlists = "first"\n'})
    pq.write_table(table, place / "a.parquet")
    assert {key: row[0] for key, row in rows_of(royaltycli.scan(place)).items()} == {
        "c/(unknown)": 1, "c/a": 1, "c/c": 1, "c/d": 1,
    }  # fmt: skip


@pytest.mark.parametrize("around", [[], [TWO_HOLDERS], [NOBODY]])
def test_a_single_holder_is_the_same_with_joint_and_without(folder, around):
    """Rule N6: no name is escaped that stands alone, whatever is around it; those that are joined are."""
    rows = [
        {"text": "1", "by": "a", "for": "50% Smith; Co"},
        {"text": "2", "by": "b", "for": ["50% Smith; Co"]},
        {"text": "3", "by": "c", "for": [None, "50% Smith; Co", ""]},
        {"text": "4", "by": "d", "for": ["50% Smith; Co", "Press"]},
    ]
    found = holders_of(folder, [*around, *rows], 'source = "by"\nholder = "for"\nlists = "joint"')
    assert [found[f"c/{name}"] for name in "abcd"] == [["50% Smith; Co"]] * 3 + [["50%25 Smith%3B Co;Press"]]
    alone = holders_of(folder, rows[:1], 'source = "by"\nholder = "for"')
    assert alone == {"c/a": found["c/a"]}
    both = holders_of(
        folder,
        [{"text": "5", "by": "50%;x", "for": "A;B"}, {"text": "6", "by": "e", "for": ["A", "B"]}],
        'source = "by"\nholder = "for"\nlists = "joint"',
    )
    assert both == {"c/50%2525%253Bx": ["A;B"], "c/e": ["A;B"]}


def test_two_holders_of_one_source_in_a_split(folder):
    rows = [{"text": "1", "by": ["a", "b"], "for": ["x", "y"]}, {"text": "2", "by": ["b"], "for": ["x"]}]
    with pytest.raises(
        DocumentError, match=r"^a.jsonl:2: the source 'b' has the holder 'x' here, but 'y' in a.jsonl:1;"
    ):
        holders_of(folder, rows, 'source = "by"\nholder = "for"\nlists = "split"')


# -- what is kept between scans ----------------------------------------------------------------------------


def test_each_way_of_naming_counts_anew(folder):
    """A count is good only for the way of naming in which it was made."""
    place = folder({"a.jsonl": [{"text": "x", "url": ["http://a.example/b/", "http://c.example"], "by": "d"}]})
    ways = [
        'source = "by"',
        'source = "by"\nholder = "by"',
        "source = \"'by'\"",
        "source = \"'url'\"",
        *(f'source = "url"\nlists = "{lists}"' for lists in ("split", "first", "joint")),
        *(f'source = "{function}(url)"\nlists = "first"' for function in ("host", "domain", "folder")),
        'source = "by"\nholder = "host(url)"\nlists = "first"',
        "source = '\"b.y\"'",
        'source = "b.y"',
    ]
    found = set()
    for keys in ways:
        folder({"corpus.toml": f'[[collection]]\nid = "c"\npath = "a.jsonl"\n{keys}'})
        opened = check(place)
        found.add(settings_of(opened.files[0], opened.corpus.collections[0], find_encoding("o200k_base", None)))
    assert len(found) == len(ways)
