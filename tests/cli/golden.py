"""Reads the golden files of tests/cli/errors: what a user has, what is typed, and what is then said.

A case begins with `=== what it shows`. `--- PATH` begins a file, which is the lines that follow, or what
a maker of `MAKERS` makes of `--- PATH | MAKER ARGUMENTS`. `$ royalty …` is typed, and all lines after it
are the whole of standard error.
"""

from __future__ import annotations

import functools
import gzip
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from royaltycli import accounting, api
from royaltycli.storage import write_parquet
from royaltycli.tokens.table import SCHEMA, with_metadata
from tests.conftest import packed

FOLDER = Path(__file__).parent / "errors"


@dataclass
class Case:
    """One bad input. `files` are (path, maker with its arguments or None, text)."""

    title: str
    command: str = ""
    message: str = ""
    files: list[tuple[str, list[str] | None, str]] = field(default_factory=list)


def cases(file):
    """All cases of one golden file."""
    found = []
    for block in re.split(r"^=== ", (FOLDER / file).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        written, _, asked = rest.partition("$ royalty ")
        command, _, message = asked.partition("\n")
        case = Case(title, command, message.rstrip("\n") + "\n")
        for part in re.split(r"^--- ", written, flags=re.MULTILINE)[1:]:
            head, _, text = part.partition("\n")
            path, _, maker = head.partition(" | ")
            case.files.append((path, maker.split() or None, text))
        found.append(case)
    return found


def prepare(case, folder):
    """Make the files of a case."""
    for name, maker, text in case.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if maker is None:
            path.write_bytes(packed(text, path.suffix))
        else:
            MAKERS[maker[0]](path, *maker[1:])


def snapshot(folder):
    """Everything in a folder: the bytes of files, where links lead, and what else there is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


# -- makers --------------------------------------------------------------------------------------

TEXTS = [f"Day {number} was as long as day {number * number % 997}." for number in range(300)]


def small_table():
    """A token table of two sources, as a scan would write it."""
    holders = [[{"id": "ann", "name": "Ann Author", "share": "1"}], [{"id": "press", "name": "Press", "share": "1"}]]
    columns = {
        "source_id": ["book", "essay"],
        "title": ["A Book", None],
        "holders": holders,
        "license": ["proprietary", None],
        "documents": [1, 1],
        "bytes": [600, 300],
        "tokens": [200, 100],
        "epochs": ["1", "1.5"],
        "digest": [bytes(32), bytes(range(32))],
        "credited_tokens": [200, 100],
    }
    return with_metadata(pa.table(columns, schema=SCHEMA), schema="2", encoding="o200k_base")


@functools.cache
def whole(suffix):
    """The bytes of a good file of some kind: a token table, or documents packed as the ending says."""
    if suffix == ".parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"text": TEXTS}), sink, write_page_checksum=True, compression="none")
        return sink.getvalue().to_pybytes()
    if suffix == ".gz":  # only stored, so that half of it is half the lines
        return gzip.compress(packed([{"text": text} for text in TEXTS], ""), 0, mtime=0)
    return packed([{"text": text} for text in TEXTS], suffix)


def make_tokens(path):
    write_parquet(path, small_table())


def make_payout(path):
    rows = api.payout(small_table(), profit="500e6", rate="0.2")
    write_parquet(path, rows)


def make_cut(path):
    """A good file, without its second half."""
    if path.name == "tokens.parquet":
        make_tokens(path)
    data = path.read_bytes() if path.exists() else whole(path.suffix)
    path.write_bytes(data[: len(data) // 2])


def make_flip(path, at):
    """A good file with one bit wrong."""
    if path.name == "tokens.parquet":
        make_tokens(path)
    data = bytearray(path.read_bytes() if path.exists() else whole(path.suffix))
    data[int(at)] ^= 1
    path.write_bytes(data)


def make_bomb(path):
    """A small file that unpacks to 200 million zeros."""
    zeros = b"0" * 200_000_000
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"text": ["0" * 1000] * 200_000}), path, use_dictionary=False, compression="zstd")
    else:
        path.write_bytes(gzip.compress(zeros, 9) if path.suffix == ".gz" else pa.compress(zeros, "zstd", asbytes=True))


def make_nested(path, depth):
    """TOML or JSON whose lists go very deep."""
    start = "name = " if path.suffix == ".toml" else '{"text": "x", "name": '
    path.write_text(start + "[" * int(depth), encoding="utf-8")


def make_vocabulary(path):
    """A .tiktoken file of nothing but the 256 bytes."""
    import base64

    lines = [f"{base64.b64encode(bytes([byte])).decode()} {byte}\n" for byte in range(256)]
    path.write_text("".join(lines), encoding="ascii")


def make_corpus(path):
    path.write_text('[[source]]\nid = "book"\npath = "book.txt"\n', encoding="utf-8")
    path.with_name("book.txt").write_text("One day.\n", encoding="utf-8")


def make_ledger(path):
    """A ledger in which 2026 is closed, with the token table beside it."""
    make_tokens(path.with_name("tokens.parquet"))
    how = {"profit": "100", "rate": "1", "tokens": path.with_name("tokens.parquet")}
    accounting.close("2026", ledger=path, **how)


MAKERS = {
    "bomb": make_bomb,
    "corpus": make_corpus,
    "cut": make_cut,
    "flip": make_flip,
    "folder": Path.mkdir,
    "hex": lambda path, *digits: path.write_bytes(bytes.fromhex("".join(digits))),
    "ledger": make_ledger,
    "link": lambda path, target: path.symlink_to(target),
    "nested": make_nested,
    "payout": make_payout,
    "pipe": os.mkfifo,
    "rows": lambda path: path.write_bytes(whole(".parquet")),
    "tokens": make_tokens,
    "vocabulary": make_vocabulary,
}
