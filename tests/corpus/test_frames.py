"""Packed JSONL that is cut between frames of zstd, or members of gzip."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from royaltycli.corpus import frames, unpack
from royaltycli.corpus.contents import content_of
from royaltycli.corpus.documents import read
from royaltycli.corpus.shards import cut
from tests import strategies
from tests.corpus.test_readers import SOURCE, a_file, documents, error

CHECKED = bytes.fromhex("28b52ffd04588100007b2274657874223a202273756d227d0a085d3bd2")
"""A frame of one line with its checksum, as `zstd --check` writes it."""


def written(folder, name, data):
    path = Path(folder, name)
    path.write_bytes(data)
    return path


# -- frames of all kinds -------------------------------------------------------------------------


def raw_frame(data, *, size=8, blocks=1):
    """A frame of zstd of raw blocks; its content size takes 0, 1, 2, 4 or 8 bytes."""
    flag = {0: 0x00, 1: 0x20, 2: 0x40, 4: 0x80, 8: 0xC0}[size]
    head = b"\x28\xb5\x2f\xfd" + bytes([flag]) + (b"" if size == 1 else b"\x58")
    said = len(data) - (256 if size == 2 else 0)
    if size and not 0 <= said < 256**size:
        return raw_frame(data, blocks=blocks)
    step = -(-max(len(data), 1) // blocks)
    parts = [data[at : at + step] for at in range(0, max(len(data), 1), step)]
    body = b"".join(
        (len(part) << 3 | (number == len(parts) - 1)).to_bytes(3, "little") + part for number, part in enumerate(parts)
    )
    return head + (said.to_bytes(size, "little") if size else b"") + body


def repeated_frame(data):
    """A frame whose blocks each repeat one byte."""
    blocks = [
        (1 << 3 | 1 << 1 | (at == len(data) - 1)).to_bytes(3, "little") + data[at : at + 1] for at in range(len(data))
    ]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks) if data else raw_frame(data)


def streamed(data, codec):
    """As a stream that does not know its size is packed."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def skippable(data):
    """A frame of zstd that holds no text."""
    return b"\x5a\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def member(data, *, level=6, name=b"", comment=b"", extra=b""):
    """A gzip member with what its header may hold."""
    flags = bool(extra) << 2 | bool(name) << 3 | bool(comment) << 4
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff"
    head += len(extra).to_bytes(2, "little") + extra if extra else b""
    head += b"".join(text + b"\0" for text in (name, comment) if text)
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    tail = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    return head + packer.compress(data) + packer.flush() + tail


ZSTD = [
    lambda data: pa.compress(data, codec="zstd", asbytes=True),
    lambda data: streamed(data, "zstd"),
    lambda data: raw_frame(data, size=0),
    lambda data: raw_frame(data, size=1),
    lambda data: raw_frame(data, size=2, blocks=3),
    lambda data: raw_frame(data, size=4),
    lambda data: raw_frame(data, size=8, blocks=2),
    repeated_frame,
    lambda data: skippable(b"") + raw_frame(data),
    lambda data: raw_frame(data) + skippable(data[:7]),
]
GZIP = [
    lambda data: gzip.compress(data, mtime=0),
    lambda data: streamed(data, "gzip"),
    lambda data: member(data, level=0),
    lambda data: member(data, name=b"a.jsonl", comment=b"none"),
    lambda data: member(data, extra=b"BC\x02\0\0\0"),
]
PACKERS = {".zst": ZSTD, ".gz": GZIP}


@st.composite
def packings(draw):
    """Lines of JSONL, and the same in many frames: (ending, text, packed)."""
    lines = draw(st.lists(strategies.texts.map(lambda text: text[:500]), max_size=12))
    ending = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    said = (json.dumps({"text": line}, ensure_ascii=draw(st.booleans())) for line in lines)
    text = "".join(one + ending for one in said).encode("utf-8", "replace")
    text = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + (text if draw(st.booleans()) else text.rstrip(b"\r\n"))
    at = sorted(draw(st.lists(st.integers(0, len(text)), max_size=25)))
    parts = [text[start:stop] for start, stop in zip([0, *at], [*at, len(text)], strict=True)]
    suffix = draw(st.sampled_from(sorted(PACKERS)))
    return suffix, text, b"".join(draw(st.sampled_from(PACKERS[suffix]))(part) for part in parts)


@strategies.examples(100, 1000)
@given(packing=packings(), shard_bytes=st.integers(4, 400))
@example(packing=(".zst", b'{"text":"a"}\n', raw_frame(b'{"text"') + raw_frame(b':"a"}\n')), shard_bytes=4)
@example(packing=(".gz", b"\n\n", member(b"") + member(b"\n") + member(b"\n") + member(b"")), shard_bytes=4)
def test_the_documents_are_those_of_the_plain_lines(tmp_path_factory, packing, shard_bytes):
    suffix, text, data = packing
    place = tmp_path_factory.mktemp("frames")
    path = written(place, f"t.jsonl{suffix}", data)
    expected = documents(written(place, "t.jsonl", text))
    assert documents(path, shard_bytes=shard_bytes) == expected
    assert documents(place / "t.jsonl", shard_bytes=shard_bytes) == expected
    pieces = list(cut([a_file(path)], shard_bytes))
    assert sum(piece.packed_bytes for piece in pieces) == len(data)
    assert [content_of(piece) for piece in pieces] == [content_of(piece) for piece in pieces]


@pytest.mark.parametrize(("suffix", "number"), [(suffix, n) for suffix in PACKERS for n in range(len(PACKERS[suffix]))])
def test_frames_of_every_kind_are_found(tmp_path, suffix, number):
    parts = [b'{"text": "%d %s"}\n' % (at, b"x" * 700) for at in range(40)]
    packed = [PACKERS[suffix][number](part) for part in parts]
    path = written(tmp_path, f"t.jsonl{suffix}", b"".join(packed))
    pieces = list(cut([a_file(path)], 4))
    assert len(pieces) == 40
    assert documents(path, shard_bytes=4) == [json.loads(part)["text"] for part in parts]


def test_frames_with_a_checksum_are_found(tmp_path):
    path = written(tmp_path, "t.jsonl.zst", CHECKED * 40)
    assert len(list(cut([a_file(path)], 4))) == 40
    assert documents(path, shard_bytes=4) == ["sum"] * 40


def test_a_file_of_long_frames_is_cut_at_each_and_one_of_short_ones_at_some(tmp_path):
    lines = [b'{"text": "%s"}\n' % random.Random(number).randbytes(50).hex().encode() for number in range(100)]
    packed = [raw_frame(line) for line in lines]
    path = written(tmp_path, "t.jsonl.zst", b"".join(packed))
    each = len(packed[0])
    starts = [piece.start for piece in cut([a_file(path)], 4 * 10 * each)]
    assert starts == [10 * each * number for number in range(10)]
    assert len(list(cut([a_file(path)], each))) == 100


# -- what is not cut -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.txt.zst", "t.html.gz", "t.wet.gz"])
def test_what_is_one_document_or_an_archive_stays_whole(tmp_path, name):
    parts = [ZSTD[0](b"text ") if name.endswith("zst") else GZIP[0](b"text ") for _ in range(50)]
    assert len(list(cut([a_file(written(tmp_path, name, b"".join(parts)))], 4))) == 1


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_a_file_of_one_frame_stays_whole_and_little_of_it_is_read(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"t.jsonl{suffix}"
    with path.open("wb") as file:
        if suffix == ".gz":
            packer = zlib.compressobj(0, wbits=31)
            file.writelines(packer.compress(bytes(1 << 20)) for _ in range(200))
        else:
            file.write(raw_frame(b"", size=0)[:6])
            for _ in range(1600):
                file.write((1 << 17 << 3).to_bytes(3, "little"))
                file.seek(1 << 17, 1)
            file.truncate()
    asked = reads(monkeypatch)
    assert [(piece.start, piece.stop) for piece in cut([a_file(path)])] == [(0, None)]
    assert len(asked) < 2000
    assert sum(asked) < 2 << 20


def reads(monkeypatch):
    """How many bytes are asked for in each read of the search for frames, from now on."""
    asked, opened = [], unpack.open_raw

    class Noted:
        def __init__(self, file):
            self.raw = opened(file)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.raw.close()

        def read_at(self, size, at):
            asked.append(size)
            return self.raw.read_at(size, at)

    monkeypatch.setattr(frames, "open_raw", Noted)
    return asked


def test_a_search_ends_where_there_are_no_more_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "FRAME_SEARCH", 100)
    first = raw_frame(b'{"text": "a"}\n')
    path = written(tmp_path, "t.jsonl.zst", first + raw_frame(bytes(100_000)))
    asked = reads(monkeypatch)
    assert len(list(cut([a_file(path)], 4 * 200))) == 1
    assert sum(asked) < 5000


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.jsonl.zst"])
@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"\x1f\x8b\x08" * 50, b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd" * 50, b"{}\n" * 50]
)
def test_what_is_no_packed_file_is_left_to_the_reader(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert [(piece.start, piece.stop) for piece in cut([a_file(path)], 4)] == [(0, None)]
    assert error(path, shard_bytes=4).startswith(f"{name}:1: broken ")


# -- what looks like a frame and is none ---------------------------------------------------------


def test_bytes_that_only_begin_like_a_frame_are_passed_over(tmp_path):
    for suffix, magic in ((".zst", b"\x28\xb5\x2f\xfd"), (".gz", b"\x1f\x8b\x08")):
        pack = raw_frame if suffix == ".zst" else lambda data: member(data, level=0)
        noise = b"".join(magic + random.Random(number).randbytes(60) for number in range(20))
        data = pack(b'{"n": 1}\n') + pack(noise) + pack(b"\n")
        path = written(tmp_path, f"t.jsonl{suffix}", data)
        starts = [piece.start for piece in cut([a_file(path)], 4)]
        assert starts == [0, len(pack(b'{"n": 1}\n')), len(data) - len(pack(b"\n"))]


SAID = (
    "was cut where a frame seemed to begin and none does, as one lies within another; unpack the file, or pack it anew"
)


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_a_frame_that_lies_within_another_is_an_error_and_no_other_count(tmp_path, suffix):
    pack = raw_frame if suffix == ".zst" else lambda data: member(data, level=0)
    line = b'{"text": "one"}\n'
    data = pack(line) + pack(line + pack(line) + pack(line)) + pack(line)
    path = written(tmp_path, f"t.jsonl{suffix}", data)
    within = data.index(line + pack(line)) + len(line)  # which is found if a search happens to begin before it
    assert [piece.start for piece in cut([a_file(path)], 4 * within)][:2] == [0, within]
    assert error(path, shard_bytes=4 * within) == f"t.jsonl{suffix}: {SAID}"


def test_nor_is_its_window_that_of_the_file(tmp_path):
    line = b'{"text": "one"}\n'
    large = raw_frame(line, size=0).replace(b"\xfd\x00\x58", b"\xfd\x00\xa8")
    path = written(tmp_path, "t.jsonl.zst", raw_frame(line) + raw_frame(line + large))
    within = a_file(path).size - len(large)
    with pytest.raises(unpack.DocumentError, match=SAID):
        list(unpack.blocks(a_file(path), within, None))


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_a_range_that_ends_or_begins_anywhere_but_between_frames_is_an_error(tmp_path, suffix):
    pack = PACKERS[suffix][0]
    first, second = pack(b'{"text": "one"}\n' * 3), pack(b'{"text": "two"}\n' * 3)
    file = a_file(written(tmp_path, f"t.jsonl{suffix}", first + second))
    for at in range(1, file.size):
        for start, stop in ((0, at), (at, file.size)):
            if at == len(first):
                assert b"".join(bytes(block) for block, _ in unpack.blocks(file, start, stop)).count(b"\n") == 3
            else:
                with pytest.raises(unpack.DocumentError, match=SAID):
                    list(unpack.blocks(file, start, stop))


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_errors_name_the_line_wherever_the_cuts_are(tmp_path, suffix):
    lines = [b'{"text": "%d"}\n' % number for number in range(60)]
    lines[41] = b"[]\n"
    text = b"".join(lines)
    data = b"".join(PACKERS[suffix][0](text[at : at + 17]) for at in range(0, len(text), 17))
    path = written(tmp_path, f"t.jsonl{suffix}", data)
    assert len(list(cut([a_file(path)], 4))) > 20
    expected = f"t.jsonl{suffix}:42: an array where a JSON object should be; write one object a line"
    assert error(path, shard_bytes=4) == expected


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_a_last_frame_that_is_cut_off_is_an_error(tmp_path, suffix):
    line = b'{"text": "one"}\n'
    data = PACKERS[suffix][0](line) * 20
    for less in (1, 5, len(data) // 20 - 3):
        path = written(tmp_path, f"t.jsonl{suffix}", data[:-less])
        said = error(path, shard_bytes=4)
        assert said.startswith(f"t.jsonl{suffix}:")
        assert "broken " in said
        assert "Truncated compressed stream" in said


def test_the_bound_of_unpacking_is_that_of_the_range(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "EXPANSION_FREE", 100)
    monkeypatch.setattr(unpack, "EXPANSION", 3)
    monkeypatch.setattr(unpack, "READ_BYTES", 64)
    fine, bomb = raw_frame(b'{"text": "a"}\n' * 100), ZSTD[0](b'{"text": "a"}\n' * 100)
    path = written(tmp_path, "t.jsonl.zst", fine + bomb + fine)
    assert error(path, shard_bytes=4) == (
        "t.jsonl.zst: unpacks to more than 3 times its size, as a decompression bomb does; "
        "if it is genuine, unpack it and name the unpacked file"
    )
    assert len(documents(path)) == 300


# -- what a range depends on ---------------------------------------------------------------------


def contents(path, shard_bytes=4):
    return [content_of(piece) for piece in cut([a_file(path)], shard_bytes)]


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_the_content_of_a_range_is_its_bytes_and_the_rest_of_its_last_line(tmp_path, monkeypatch, suffix):
    pack = PACKERS[suffix][0]
    parts = [pack(b'{"text": "o'), pack(b'ne"}\n{"text": "two"}\n'), pack(b'{"text": "three"}\n')]
    before = contents(written(tmp_path, f"t.jsonl{suffix}", b"".join(parts)))
    assert len(before) == 3
    for step in (1, 3):  # however it is read
        monkeypatch.setattr(unpack, "REST_STEP", step)
        monkeypatch.setattr(unpack, "READ_BYTES", step)
        assert contents(tmp_path / f"t.jsonl{suffix}") == before
    monkeypatch.undo()
    other_line = [parts[0], pack(b'ne"}\n{"text": "TWO"}\n'), parts[2]]
    after = contents(written(tmp_path, f"t.jsonl{suffix}", b"".join(other_line)))
    assert (after[0] == before[0], after[1] == before[1], after[2] == before[2]) == (True, False, True)
    other_rest = [parts[0], pack(b'NE"}\n{"text": "two"}\n'), parts[2]]
    after = contents(written(tmp_path, f"t.jsonl{suffix}", b"".join(other_rest)))
    assert (after[0] == before[0], after[1] == before[1], after[2] == before[2]) == (False, False, True)


@pytest.mark.parametrize("suffix", [".zst", ".gz"])
def test_little_is_read_for_the_rest_of_a_line(tmp_path, suffix):
    """As what lies beyond is broken, it was not looked at."""
    pack = PACKERS[suffix][0]
    first = pack(b'{"text": "o')
    noise = random.Random(1).randbytes(400_000).hex().encode()
    second = bytearray(pack(b'ne"}\n' + noise))
    second[-4:] = b"\xff" * 4
    second[len(second) * 2 // 3 : len(second) * 3 // 4] = bytes(len(second) * 3 // 4 - len(second) * 2 // 3)
    file = a_file(written(tmp_path, f"t.jsonl{suffix}", first + bytes(second)))
    assert b"".join(unpack.rest_of_line(file, len(first))) == b'ne"}\n'
    with pytest.raises(unpack.DocumentError):
        list(unpack.blocks(file, len(first)))


def test_a_line_longer_than_many_frames_belongs_to_the_range_it_begins_in(tmp_path):
    text = b'{"text": "a"}\n{"text": "' + b"x" * 3000 + b'"}\n{"text": "b"}\n'
    packed = b"".join(raw_frame(text[at : at + 100]) for at in range(0, len(text), 100))
    path = written(tmp_path, "t.jsonl.zst", packed)
    pieces = list(cut([a_file(path)], 4))
    assert len(pieces) == 31
    assert [texts_of(piece) for piece in pieces] == [["a", "x" * 3000], *[[]] * 29, ["b"]]


def texts_of(piece):
    return [text for _, batch in read([piece], {0: SOURCE}) for text in batch.texts.to_pylist()]
