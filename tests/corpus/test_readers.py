"""Rules D1 to D9: what documents a file holds, however it is written, packed or cut."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from royaltycli.corpus import jsonl, parquet, shards, unpack
from royaltycli.corpus.contents import content_of
from royaltycli.corpus.documents import read
from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.shards import cut, together
from royaltycli.errors import DocumentError, Place
from royaltycli.manifest.endings import kind_of
from royaltycli.manifest.model import Collection, Naming, Reading, Source
from royaltycli.manifest.patterns import stamp_of
from tests import strategies
from tests.conftest import packed

SOURCE = Source("s", Place("corpus.toml"), ("*",))
AUTHOR = Naming(("author",))
COLLECTION = Collection("c", Place("corpus.toml"), ("*",), AUTHOR, AUTHOR)


def a_file(path):
    kind, compression = kind_of(path.name)
    return File(path.name, str(path), path.stat().st_size, kind, compression, 0, stamp_of(path.stat()))


def documents(path, owner=SOURCE, shard_bytes=1 << 26):
    return [text for _, batch in read(cut([a_file(path)], shard_bytes), {0: owner}) for text in batch.texts.to_pylist()]


def written(folder, name, content):
    path = Path(folder, name)
    path.write_bytes(packed(content, path.suffix))
    return path


def error(path, owner=SOURCE, shard_bytes=1 << 26):
    with pytest.raises(DocumentError) as raised:
        documents(path, owner, shard_bytes)
    return str(raised.value)


ROWS = [{"text": "one", "author": "a"}, {"text": "två\n", "author": "b"}, {"text": "", "author": "a"}]
TEXTS = ["one", "två\n", ""]


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_each_format_in_each_packing(tmp_path, ending):
    table = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(ROWS), table)
    assert documents(written(tmp_path, "t.txt" + ending, "one\r\n\ufeff")) == ["one\r\n\ufeff"]
    assert documents(written(tmp_path, "t.md" + ending, "# one")) == ["# one"]
    assert documents(written(tmp_path, "t.html" + ending, "<p>one</p>")) == ["<p>one</p>"]
    assert documents(written(tmp_path, "t.jsonl" + ending, ROWS)) == TEXTS
    assert documents(written(tmp_path, "t.parquet" + ending, table.getvalue().to_pybytes())) == TEXTS


def test_an_empty_text_file_is_one_empty_document(tmp_path):
    assert documents(written(tmp_path, "t.txt", "")) == [""]
    assert documents(written(tmp_path, "t.jsonl", "")) == []


def test_several_members_and_frames_are_all_read(tmp_path):
    members = gzip.compress(b'{"text":"one"}\n') + gzip.compress(b'{"text":"two"}\n')
    frames = b"".join(pa.compress(b'{"text":"%d"}\n' % n, codec="zstd", asbytes=True) for n in range(3))
    assert documents(written(tmp_path, "t.jsonl.gz", members)) == ["one", "two"]
    assert documents(written(tmp_path, "t.jsonl.zst", frames)) == ["0", "1", "2"]


def test_stripped_html_is_what_a_reader_sees(tmp_path):
    page = "<html><head><title>no</title><style>p{}</style></head><body><p>One <b>two</b></p><script>x</script>three</body>"
    stripping = Source("s", Place("m"), ("*",), reading=Reading(strip="html"))
    assert documents(written(tmp_path, "t.html", page), stripping) == ["One\ntwo\nthree"]


def test_a_page_that_would_take_the_parser_too_long_is_named(tmp_path):
    rows = [{"text": "<p>fine"}, {"text": "<div>" * 20_000}]
    stripping = Source("s", Place("m"), ("*",), reading=Reading(strip="html"))
    said = "the page has more than 10,000 elements open, one in another; mend it, or leave `strip` out"
    assert error(written(tmp_path, "t.jsonl", rows), stripping) == f"t.jsonl:2: {said}"
    assert error(written(tmp_path, "t.html", "<div>" * 20_000), stripping) == f"t.html: {said}"


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"text": strategies.texts, "author": st.text(min_size=1, max_size=5), "n": st.integers()})
    ),
    cut=st.integers(20, 2000),
    ascii_only=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", " \n", "\n\n"]),
    last=st.booleans(),
)
def test_any_cut_gives_the_same_documents(tmp_path_factory, rows, cut, ascii_only, end, last):
    """A range of bytes gives the lines that begin in it; all ranges together give every line once."""
    rows = [{**row, "text": row["text"].encode("utf-8", "replace").decode()} for row in rows]
    body = end.join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) + (end if last else "")
    path = written(tmp_path_factory.mktemp("cut"), "t.jsonl", body)
    expected = [row["text"] for row in rows]
    assert documents(path) == expected
    assert documents(path, shard_bytes=cut) == expected


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(50, 5000), groups=st.integers(1, 40))
def test_any_cut_of_parquet_gives_the_same_rows(tmp_path_factory, cut, groups):
    texts = [f"document {number}" * (number % 7) for number in range(200)]
    path = tmp_path_factory.mktemp("cut") / "t.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=groups)
    assert documents(path, shard_bytes=cut) == texts


@pytest.mark.parametrize("dictionary", [True, False])
def test_the_content_of_row_groups_is_their_pages_and_the_footer_of_the_file(tmp_path, dictionary):
    path = tmp_path / "t.parquet"

    def contents(*texts, names=("text", "author")):
        options = {"row_group_size": 2, "use_dictionary": dictionary, "compression": "none"}
        pq.write_table(pa.table([texts, list("abcd")], names=names), path, write_statistics=False, **options)
        return [content_of(piece) for piece in cut([a_file(path)], 1)]

    first, second = contents("one", "two", "six", "ten")
    assert contents("one", "two", "SIX", "ten")[0] == first
    assert contents("one", "two", "SIX", "ten")[1] != second
    other = contents("one", "two", "six", "ten", names=("author", "text"))
    assert (other[0] != first, other[1] != second) == (True, True)


def test_a_range_is_read_to_the_end_of_its_last_line_and_little_further(tmp_path, monkeypatch):
    sizes, blocks = [], unpack.blocks

    def noted(*args):
        for block, taken in blocks(*args):
            sizes.append(block.size)
            yield block, taken

    monkeypatch.setattr(jsonl, "blocks", noted)
    path = written(tmp_path, "t.jsonl", [{"text": "x" * 90}] * 200_000)
    pieces = list(cut([a_file(path)], 4 << 20))
    assert len(list(read(pieces, {0: SOURCE}))) >= len(pieces) > 3
    assert sum(sizes) <= path.stat().st_size + len(pieces) * (unpack.REST_STEP + 1)


@settings(max_examples=50, deadline=None)
@given(cut_at=st.integers(20, 3000), lines=st.lists(st.integers(0, 300), min_size=1, max_size=30))
def test_the_pieces_of_a_file_are_together_as_large_as_it(tmp_path_factory, cut_at, lines):
    folder = tmp_path_factory.mktemp("sizes")
    rows = [{"text": "x" * size} for size in lines]
    pq.write_table(pa.Table.from_pylist(rows), folder / "t.parquet", row_group_size=3)
    for path in (written(folder, "t.jsonl", rows), written(folder, "t.jsonl.gz", rows), folder / "t.parquet"):
        assert sum(piece.packed_bytes for piece in cut([a_file(path)], cut_at)) == path.stat().st_size


def test_small_reads_join_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "READ_BYTES", 7)
    assert documents(written(tmp_path, "t.jsonl", ROWS)) == TEXTS
    assert documents(written(tmp_path, "t.jsonl.gz", ROWS)) == TEXTS
    assert documents(written(tmp_path, "t.jsonl", ROWS), shard_bytes=10) == TEXTS


def test_many_small_files_share_a_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_FILES", 3)
    files = [a_file(written(tmp_path, f"{number}.txt", "x" * 10)) for number in range(8)]
    assert [len(shard.pieces) for shard in together(cut(files), 1000)] == [3, 3, 2]
    assert [len(shard.pieces) for shard in together(cut(files, 20), 20)] == [2, 2, 2, 2]


# -- JSON Lines, strictly ----------------------------------------------------------------------

JSON_ERRORS = {
    "[1]": "t.jsonl:2: an array where a JSON object should be; write one object a line",
    "5": "t.jsonl:2: a number where a JSON object should be; write one object a line",
    "null": "t.jsonl:2: null where a JSON object should be; write one object a line",
    '"x"': "t.jsonl:2: a text where a JSON object should be; write one object a line",
    "{}": "t.jsonl:2: no field 'text'; it has none at all",
    '{"body": "x", "id": 1}': "t.jsonl:2: no field 'text'; it has 'body', 'id'",
    '{"text": 5}': "t.jsonl:2: the field 'text' is a number, where text should be; mend the line",
    '{"text": true}': "t.jsonl:2: the field 'text' is true or false, where text should be; mend the line",
    '{"text": ["x"]}': "t.jsonl:2: the field 'text' is an array, where text should be; mend the line",
    '{"text": "a", "text": "b"}': "t.jsonl:2: the key 'text' stands twice in one object; keep one of them",
    '{"text": "a"': "t.jsonl:2: not valid JSON at column 13 (expecting ',' delimiter); mend the line",
    '{"text": "a"} {"text": "b"}': "t.jsonl:2: not valid JSON at column 15 (extra data); mend the line",
    '{"text": "a"},': "t.jsonl:2: not valid JSON at column 14 (extra data); mend the line",
    "{'text': 'a'}": "t.jsonl:2: not valid JSON at column 2 (expecting property name enclosed in double quotes); mend the line",
    '{"text":': "t.jsonl:2: not valid JSON at column 9 (expecting value); mend the line",
    '{"text": "\\ud800"}': "t.jsonl:2: the field 'text' holds half of a surrogate pair, which is no character; mend the line, or set errors = \"replace\" for its source",
    '{"text": "a\tb"}': "t.jsonl:2: not valid JSON at column 12 (invalid control character at); mend the line",
    '{"x": ' + "[" * 100_000 + "]" * 100_000 + "x": "t.jsonl:2: JSON nested too deeply to be a document; mend the line",
    '{"x": ' + "9" * 5000 + "x}": "t.jsonl:2: not valid JSON (a number with too many digits); mend the line",
}


@pytest.mark.parametrize("line", JSON_ERRORS, ids=lambda line: line[:30])
def test_a_bad_line_is_named(tmp_path, line):
    good = '{"text": "fine"}'
    path = written(tmp_path, "t.jsonl", f"{good}\n{line}\n{good}\n")
    assert error(path) == JSON_ERRORS[line]
    assert error(written(tmp_path, "t.jsonl.gz", f"{good}\n{line}\n{good}\n")) == JSON_ERRORS[line].replace(
        "jsonl", "jsonl.gz"
    )


def test_objects_that_run_on_over_lines_are_refused(tmp_path):
    """Arrow would take these for two documents on two lines; one line holds two and the other half of one."""
    lines = '{"text": "a"}{"text": "b"}\n\n{"text": "c"}\n'
    assert error(written(tmp_path, "t.jsonl", lines)).startswith("t.jsonl:1: not valid JSON at column 14")
    lines = '{"text":\n"a"}{"text": "b"}\n'
    assert error(written(tmp_path, "t.jsonl", lines)).startswith("t.jsonl:1: not valid JSON at column 9")


def test_a_line_of_a_later_range_is_named_by_its_number_in_the_file(tmp_path):
    lines = ['{"text": "fine"}'] * 9
    lines[6] = "oops"
    path = written(tmp_path, "t.jsonl", "\n".join(lines))
    assert error(path, shard_bytes=20) == "t.jsonl:7: not valid JSON at column 1 (expecting value); mend the line"


def test_whole_numbers_may_name_a_source(tmp_path):
    path = written(tmp_path, "t.jsonl", '{"text": "x", "author": 12}\n{"text": null, "author": "b"}\n')
    ((_, batch),) = read([Piece(a_file(path))], {0: COLLECTION})
    assert (batch.sources.to_pylist(), batch.texts.to_pylist()) == (["12", "b"], ["x", ""])


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    assert documents(written(tmp_path, "t.jsonl", b"\xef\xbb\xbf" + b'{"text": "x"}\n')) == ["x"]


def test_a_byte_order_mark_is_a_part_of_any_other_line(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "READ_BYTES", 7)
    path = written(tmp_path, "t.jsonl", b'{"text": "x"}\n\xef\xbb\xbf{"text": "y"}\n')
    assert error(path).startswith("t.jsonl:2: not valid JSON at column 1")


def test_fields_that_nobody_asked_for_are_skimmed(tmp_path):
    assert documents(written(tmp_path, "t.jsonl", '{"text": "x", "n": NaN, "m": 1, "m": 2}\n')) == ["x"]


pairs = st.lists(st.tuples(st.sampled_from(["text", "author", "by", "n"]), st.sampled_from(["a", "", None, 1])))


@settings(max_examples=200, deadline=None)
@given(pairs=pairs)
@example(pairs=[("text", "one two"), ("text", "x"), ("author", "a"), ("by", "a"), ("by", "b")])
@example(pairs=[("text", "one"), ("author", "a"), ("author", "b"), ("n", 1), ("n", 2)])
def test_a_key_that_is_asked_for_stands_only_once_whatever_is_beside_it(tmp_path_factory, pairs):
    line = "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}\n"
    path = written(tmp_path_factory.mktemp("keys"), "t.jsonl", line)
    keys = [key for key, _ in pairs]
    twice = [key for key in ("text", "author") if keys.count(key) > 1]
    if dict(pairs).get("text", 1) == 1 and "text" not in twice:
        error(path, COLLECTION)
    elif twice:
        assert (
            error(path, COLLECTION) == f"t.jsonl:1: the key {twice[0]!r} stands twice in one object; keep one of them"
        )
    else:
        assert documents(path, COLLECTION) == [dict(pairs)["text"] or ""]


# -- UTF-8 ---------------------------------------------------------------------------------------


def test_invalid_utf8_names_file_and_byte(tmp_path):
    ending = '; convert the file, or set errors = "replace" for its source'
    assert error(written(tmp_path, "t.txt", b"caf\xe9 au lait")) == "t.txt: not valid UTF-8 at byte 4 (0xe9)" + ending
    rows = b'{"text": "fine"}\n{"text": "\xff"}\n'
    assert error(written(tmp_path, "t.jsonl", rows)) == "t.jsonl:2: not valid UTF-8 at byte 11 (0xff)" + ending
    table = pa.table({"text": pa.array([b"fine", b"\xc3("], pa.binary())})
    pq.write_table(table, tmp_path / "t.parquet")
    assert error(tmp_path / "t.parquet") == "t.parquet, row 2: not valid UTF-8 at byte 1 (0xc3)" + ending


@pytest.mark.parametrize("shard_bytes", [1, 1 << 26])
def test_a_row_of_parquet_is_named_by_its_number_in_the_file(tmp_path, shard_bytes):
    texts = pa.array([b"fine"] * 4 + [b"\xff"], pa.binary())
    pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet", row_group_size=2)
    said = error(tmp_path / "t.parquet", shard_bytes=shard_bytes)
    assert said.startswith("t.parquet, row 5: not valid UTF-8 at byte 1 (0xff)")


def texts_of(folder, owner=SOURCE, **contents):
    files = [a_file(written(folder, f"{name}.txt", content)) for name, content in contents.items()]
    return [text for _, batch in read(map(Piece, files), {0: owner}) for text in batch.texts.to_pylist()]


def test_small_files_that_are_read_together_stay_documents_of_their_own(tmp_path):
    assert texts_of(tmp_path, a=b"one", b=b"", c="två".encode()) == ["one", "", "två"]


def test_a_character_that_is_cut_between_two_files_is_valid_in_neither(tmp_path):
    with pytest.raises(DocumentError, match=r"^a.txt: not valid UTF-8 at byte 3 \(0xc3\)"):
        texts_of(tmp_path, a="två".encode()[:3], b="två".encode()[3:])


def test_of_files_that_are_read_together_the_first_wrong_one_is_named(tmp_path):
    files = [
        a_file(written(tmp_path, f"{name}.txt", content))
        for name, content in {"a": b"1", "b": b"\xff", "c": b"3"}.items()
    ]
    Path(files[2].path).unlink()
    with pytest.raises(DocumentError, match=r"^b.txt: not valid UTF-8 at byte 1"):
        list(read(map(Piece, files), {0: SOURCE}))


def test_replacing_errors_in_one_file_leaves_those_beside_it(tmp_path):
    source = Source("s", Place("corpus.toml"), ("*",), reading=Reading(errors="replace"))
    assert texts_of(tmp_path, source, a=b"one", b=b"t\xff", c=b"three") == ["one", "t\ufffd", "three"]


def test_packed_files_are_unpacked_one_at_a_time(tmp_path):
    """A thousand small files may each unpack to the free bound: together they would fill the memory."""
    names = ["a.txt", "b.txt.gz", "c.txt.gz", "d.txt", "e.txt"]
    files = [a_file(written(tmp_path, name, name.encode())) for name in names]
    batches = [[file.name for file in batch.files] for _, batch in read(map(Piece, files), {0: SOURCE})]
    assert batches == [["a.txt"], ["b.txt.gz"], ["c.txt.gz"], ["d.txt", "e.txt"]]


def test_invalid_utf8_is_replaced_where_the_source_says_so(tmp_path):
    lenient = Source("s", Place("m"), ("*",), reading=Reading(errors="replace"))
    assert documents(written(tmp_path, "t.txt", b"caf\xe9"), lenient) == ["caf\ufffd"]
    assert documents(written(tmp_path, "t.jsonl", b'{"text": "\xff"}\n'), lenient) == ["\ufffd"]


def test_half_of_a_surrogate_pair_is_replaced_where_the_source_says_so(tmp_path):
    """As such an escape is all that is wrong, in a text or in a name; whole pairs stay the character that they are."""
    lenient = replace(COLLECTION, reading=Reading(errors="replace"))
    rows = '{"text": "\\ud83d\\ude00 \\ud83d", "author": "a\\udc00"}\n{"text": "\\ude00\\ud83d"}\n'
    ((_, batch),) = read([Piece(a_file(written(tmp_path, "t.jsonl", rows)))], {0: lenient})
    assert batch.texts.to_pylist() == ["\U0001f600 \ufffd", "\ufffd\ufffd"]
    assert batch.sources.to_pylist() == ["a\ufffd", None]


# -- broken and hostile files --------------------------------------------------------------------


def test_broken_packing_is_an_error_that_names_the_line(tmp_path):
    lines = b"".join(b'{"text": "%d"}\n' % number for number in range(100_000))
    whole = gzip.compress(lines)
    cut = error(written(tmp_path, "t.jsonl.gz", whole[: len(whole) // 2]))
    line = int(
        re.fullmatch(r"t\.jsonl\.gz:(\d+): broken gzip data \(Truncated compressed stream\); replace the file", cut)[1]
    )
    assert 30_000 < line < 70_000
    trailing = error(written(tmp_path, "t.txt.gz", whole + b"rest"))
    assert re.match(r"t\.txt\.gz:99\d{3}: broken gzip data \(zlib inflate failed: incorrect header check\)", trailing)
    assert error(written(tmp_path, "t.txt.gz", b"\x1f\x8b\x08 no")).startswith("t.txt.gz:1: broken gzip data (")
    zstd = pa.compress(b"text\n" * 1000, codec="zstd", asbytes=True)
    assert error(written(tmp_path, "t.txt.zst", zstd[:-3])).startswith("t.txt.zst:1: broken zstd data (Truncated")
    (tmp_path / "e.txt.gz").write_bytes(b"")
    assert error(tmp_path / "e.txt.gz") == "e.txt.gz:1: broken gzip data (it is empty); replace the file"


BOMB = "unpacks to more than 200 times its size, as a decompression bomb does; if it is genuine, unpack it and name the unpacked file"


@pytest.mark.parametrize("name", ["t.txt.gz", "t.jsonl.gz", "t.txt.zst", "t.jsonl.zst"])
def test_a_decompression_bomb_fails(tmp_path, name):
    path = written(tmp_path, name, b'{"text": "' + b"0" * 200_000_000 + b'"}\n')
    assert path.stat().st_size < 300_000
    assert error(path) == f"{name}: {BOMB}"


def test_a_parquet_bomb_fails(tmp_path):
    """A long text in a dictionary, said a million times: a small file without any long page."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["0" * 1_000_000]))
    pq.write_table(pa.table({"text": words}), tmp_path / "t.parquet", compression="zstd")
    assert (tmp_path / "t.parquet").stat().st_size < 100_000
    assert error(tmp_path / "t.parquet") == f"t.parquet: {BOMB}"


@pytest.mark.parametrize("field", ["doc", "names"])
def test_a_parquet_bomb_within_a_column_fails(tmp_path, field):
    """The same in a struct, and in a list of names."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["0" * 1_000_000]))
    lists = pa.ListArray.from_arrays(pa.array(range(1_000_001), pa.int32()), words)
    columns = {"doc": pa.StructArray.from_arrays([words], ["text"])} if field == "doc" else {"names": lists}
    short = pa.array(["x"] * 1_000_000)
    pq.write_table(pa.table({**columns, "text": short}), tmp_path / "t.parquet", compression="zstd")
    assert (tmp_path / "t.parquet").stat().st_size < 200_000
    text = ("doc", "text") if field == "doc" else ("text",)
    reading = Reading(text=text)
    owner = Collection("c", Place("m"), ("*",), Naming(("names",)), reading=reading, lists="first")
    owner = owner if field == "names" else Source("s", Place("m"), ("*",), reading=reading)
    assert error(tmp_path / "t.parquet", owner) == f"t.parquet: {BOMB}"


@pytest.mark.parametrize("at_once", [0, 1 << 26], ids=["in parts", "at once"])
def test_a_dictionary_that_is_no_bomb_is_read(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(parquet, "AT_ONCE_BYTES", at_once)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 10_000)
    words = pa.array(["short", "long" * 1000] * 500).dictionary_encode()
    pq.write_table(pa.table({"text": words}), tmp_path / "t.parquet")
    assert documents(tmp_path / "t.parquet") == ["short", "long" * 1000] * 500
    batches = list(read([Piece(a_file(tmp_path / "t.parquet"))], {0: SOURCE}))
    assert max(batch.texts.nbytes for _, batch in batches) < 8 * 10_000 + 1000


def test_broken_parquet_is_an_error(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": [f"some text {n}" for n in range(5000)]}), path, write_page_checksum=True)
    good = path.read_bytes()
    path.write_bytes(good[:-20])
    assert error(path).startswith("t.parquet: broken Parquet data (")
    path.write_bytes(good[:3000] + bytes([good[3000] ^ 1]) + good[3001:])
    assert error(path).startswith("t.parquet, row 1: broken Parquet data (")
    path.write_bytes(b"no Parquet at all")
    assert error(path).startswith("t.parquet: broken Parquet data (")


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_flipped_bit_in_a_page_of_parquet_is_noticed(tmp_path, monkeypatch, dictionary, at_once):
    """In plain letters, where no reader would notice it without the checksum."""
    path = tmp_path / "t.parquet"
    plain = {"compression": "none", "use_dictionary": dictionary, "write_statistics": False}
    pq.write_table(pa.table({"text": ["one day"] * 3}), path, **plain, write_page_checksum=True)
    if not at_once:
        monkeypatch.setattr(parquet, "AT_ONCE_ROWS", 0)
    assert documents(path) == ["one day"] * 3
    path.write_bytes(path.read_bytes().replace(b"day", b"dax"))
    assert error(path).startswith(
        "t.parquet, row 1: broken Parquet data (could not verify page integrity, CRC checksum"
    )


def test_parquet_columns_are_checked(tmp_path):
    pq.write_table(pa.table({"body": ["x"], "n": [1]}), tmp_path / "t.parquet")
    assert error(tmp_path / "t.parquet") == "t.parquet: no column 'text'; it has 'body', 'n'"
    number = Source("s", Place("m"), ("*",), reading=Reading(text=("n",)))
    assert error(tmp_path / "t.parquet", number) == "t.parquet: the column 'n' holds int64, where text should be"
    pq.write_table(pa.table({"text": ["x"], "author": [["a"]]}), tmp_path / "t.parquet")
    assert error(tmp_path / "t.parquet", COLLECTION) == (
        't.parquet: the column \'author\' holds lists; say lists = "split", "first" or "joint" in its collection'
    )


def test_a_column_that_is_there_twice_is_not_said_to_be_missing(tmp_path):
    pq.write_table(pa.Table.from_arrays([["x"], ["y"]], ["text", "text"]), tmp_path / "t.parquet")
    assert error(tmp_path / "t.parquet") == "t.parquet: the column 'text' is there twice; keep one of them"


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_text_columns_of_every_type(tmp_path, kind):
    values = pa.array([b"one", None, "två".encode()] if "binary" in str(kind) else ["one", None, "två"])
    pq.write_table(pa.table({"text": values.cast(kind)}), tmp_path / "t.parquet")
    assert documents(tmp_path / "t.parquet") == ["one", "", "två"]


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path):
    path = written(tmp_path, "t.txt", "one")
    file = a_file(path)
    path.write_bytes(b"other")
    with pytest.raises(
        DocumentError, match=r"t.txt: changed while it was being read; let it come to rest and scan again"
    ):
        list(read([Piece(file)], {0: SOURCE}))
    path.unlink()
    path.mkdir()
    with pytest.raises(DocumentError, match=r"t.txt: is no longer a regular file; run the scan again"):
        list(read([Piece(file)], {0: SOURCE}))
    path.rmdir()
    with pytest.raises(DocumentError, match=r"t.txt: cannot be read \(no such file or directory\)"):
        list(read([Piece(file)], {0: SOURCE}))


def grown(data):
    return data + packed('{"text": "more"}\n', ".gz" if data[:2] == b"\x1f\x8b" else "")


def cut_after_a_line(data):
    return data[: data.rindex(b"\n", 0, len(data) // 2) + 1]


def cut_within_a_line(data):
    return cut_after_a_line(data)[:-5]


def spoilt_at_the_end(data):
    return data[:-1] + b"more"


@pytest.mark.parametrize("change", [grown, cut_after_a_line, cut_within_a_line, spoilt_at_the_end])
@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.jsonl.zst"])
def test_a_file_that_changes_its_size_while_it_is_read_is_an_error(tmp_path, monkeypatch, name, change):
    """Whatever that leads to, and not one of its good lines."""
    monkeypatch.setattr(unpack, "READ_BYTES", 1 << 16)
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = [{"text": "".join(random.Random(number).choices(letters, k=80))} for number in range(20_000)]
    path = written(tmp_path, name, rows)
    batches = read([Piece(a_file(path))], {0: SOURCE})
    next(batches)
    path.write_bytes(change(path.read_bytes()))
    said = f"{name}: changed while it was being read; let it come to rest and scan again"
    with pytest.raises(DocumentError, match=f"^{re.escape(said)}$"):
        list(batches)


def test_a_document_longer_than_the_limit_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("royaltycli.corpus.unpack.DOCUMENT_BYTES", 10)
    monkeypatch.setattr("royaltycli.corpus.jsonl.DOCUMENT_BYTES", 10)
    monkeypatch.setattr("royaltycli.corpus.unpack.READ_BYTES", 8)
    for name in ("t.txt", "t.txt.gz"):
        assert documents(written(tmp_path, name, "x" * 10)) == ["x" * 10]
        assert error(written(tmp_path, name, "x" * 11)) == (
            f"{name}: longer than 10 bytes, the most that one document may be; split it"
        )
    assert error(written(tmp_path, "t.jsonl", '{"text": "' + "x" * 50 + '"}\n')) == (
        "t.jsonl:1: line longer than 10 bytes, the most that one document may be"
    )


@pytest.mark.parametrize("skimmed", ["Inf", "-NaN", "9" * 5000, "[" * 3000 + "]" * 3000])
@pytest.mark.parametrize("around", [b"", b'{"text": null}\n', b" \n"])
def test_d4_whether_a_line_is_good_does_not_hang_on_those_around_it(tmp_path, skimmed, around):
    """A null text or a blank line has the whole chunk read by the strict reader."""
    line = b'{"text": "x", "n": ' + skimmed.encode() + b"}\n"
    assert documents(written(tmp_path, "a.jsonl", line + around)) == ["x"] + [""] * (b"null" in around)


def test_d5_a_large_parquet_file_without_row_groups_is_looked_at_too(tmp_path):
    path = tmp_path / "a.parquet"
    with pq.ParquetWriter(path, pa.schema([("x", pa.string())])) as writer:
        writer.add_key_value_metadata({"k": "v" * 5_000_000})
    assert "no column 'text'; it has 'x'" in error(path)


@pytest.mark.parametrize("line", [' {"text": "a", "z": Inf}', '{"text": "a", "z": Inf} \r'])
def test_d4_blanks_around_a_line_change_nothing(tmp_path, line):
    assert documents(written(tmp_path, "a.jsonl", line.encode() + b"\n")) == ["a"]


@pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\x1c", "\x85", "\u00a0", "\u2003", "\u2028"])
def test_d4_no_other_blank_makes_a_line_empty(tmp_path, blank):
    assert documents(written(tmp_path, "a.jsonl", b'\t \r\n{"text": "a"}\n')) == ["a"]
    assert "not valid JSON" in error(written(tmp_path, "a.jsonl", f'{blank}\n{{"text": "a"}}\n'.encode()))
