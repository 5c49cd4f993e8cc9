"""Reads the golden files of tests/cli/errors: what a user has, what is typed, and what is then said.

A case begins with `=== what it shows`. `--- PATH` begins a file, which is the lines that follow, or what
a maker of `MAKERS` makes of `--- PATH | MAKER ARGUMENTS`; some makers read the lines that follow:
`NAME = JSON LIST`, a column of a table, or SQL. `(x 300 times)` stands for so many. `$ royalty …` is typed, and
all lines after it are the whole of standard error, in which FOLDER is where it is typed, and DIGEST any SHA-256.
Instead, `>>> …` is Python, in which `tokens` is a good token table, and the lines after it are its error.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

from royaltycli import accounting, api, attributing
from royaltycli.cli import app
from royaltycli.storage import write_parquet
from royaltycli.tokens.table import SCHEMA, metadata_of, with_metadata
from tests.conftest import packed

FOLDER = Path(__file__).parent / "errors"
HUGE = 1 << 30

_TIMES = re.compile(r"\((\S+) (\d+) times\)")


@dataclass
class Case:
    """One bad input. `files` are (path, maker with its arguments or None, text); a call is in Python."""

    title: str
    command: str = ""
    is_call: bool = False
    message: str = ""
    files: list[tuple[str, list[str] | None, str]] = field(default_factory=list)


def cases(file):
    """All cases of one golden file."""
    found = []
    for block in re.split(r"^=== ", (FOLDER / file).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        written, prompt, asked = re.split(r"^(\$ royalty|>>>) ", rest, maxsplit=1, flags=re.MULTILINE)
        command, _, message = asked.partition("\n")
        case = Case(title, command, prompt == ">>>", message.rstrip("\n") + "\n")
        for part in re.split(r"^--- ", written, flags=re.MULTILINE)[1:]:
            head, _, text = part.partition("\n")
            path, _, maker = head.partition(" | ")
            case.files.append((path, maker.split() or None, _TIMES.sub(lambda found: found[1] * int(found[2]), text)))
        found.append(case)
    return found


def prepare(case, folder):
    """Make the files of a case."""
    for name, maker, text in case.files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if maker is None:
            path.write_bytes(packed(text, path.suffix))
        elif maker[0] in OF_TEXT:
            OF_TEXT[maker[0]](path, text)
        else:
            MAKERS[maker[0]](path, *maker[1:])


def snapshot(folder):
    """Everything in a folder: the bytes of files, of huge ones the size, where links lead, and what else there is."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else None
        if content is None and path.is_file():
            content = path.read_bytes() if path.stat().st_size < HUGE else path.stat().st_size
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


def make_index(path, text="The clockmaker of Ystad said nothing of it to his sister."):
    """The index of a corpus of one document."""
    files = path.with_name(f"{path.name}-of")
    files.mkdir()
    (files / "corpus.toml").write_text('[[source]]\nid = "book"\npath = "book.txt"\n', encoding="utf-8")
    (files / "book.txt").write_text(text, encoding="utf-8")
    attributing.build(files, path)


def make_sources(path, count):
    """A token table of many sources of one token each."""
    ids = pa.array([f"s{number}" for number in range(int(count))])
    one = small_table().slice(0, 1).take(pa.array([0] * int(count)))
    write_parquet(path, one.set_column(0, SCHEMA.field(0), ids))


def make_archive(path, text):
    """A web archive of one record, which has these headers, and holds what stands below them and a blank line."""
    headers, _, block = (part.replace("\n", "\r\n").encode() for part in text.partition("\n\n"))
    length = b"" if b"Content-Length" in headers else b"\r\nContent-Length: %d" % len(block)
    path.write_bytes(b"WARC/1.0\r\n" + headers + length + b"\r\n\r\n" + block + b"\r\n\r\n")


def make_zeros(path, size):
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(int(size))


def royalty(path, *words):
    """A command that went before, typed in the folder of a file that it makes or changes."""
    with contextlib.chdir(path.parent):
        done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output


def columns(text):
    """The columns that lines of `NAME = JSON LIST` describe; one without a list has None."""
    for line in text.splitlines():
        name, _, values = line.partition(" = ")
        yield name.removesuffix(" ="), json.loads(values) if values else None


def make_changed_tokens(path, text):
    """A good token table, but for some columns with other values, or none; and for what it says of itself.

    A column keeps its type, unless its values are binary floats.
    """
    table = small_table()
    for name, values in columns(text):
        at = table.schema.get_field_index(name)
        if values is None:
            table = table.remove_column(at)
        elif isinstance(values, str):
            table = with_metadata(table, **{**metadata_of(table), name: values})
        else:
            floats = any(isinstance(value, float) for value in values)
            table = table.set_column(at, name, pa.array(values, None if floats else SCHEMA.field(name).type))
    write_parquet(path, table)


def make_table(path, text):
    """A Parquet file of these columns, as another program would write it."""
    made = list(columns(text))
    pq.write_table(pa.table([pa.array(values) for _, values in made], names=[name for name, _ in made]), path)


def run_sql(path, text):
    """What a stranger does to a database, or a new one."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(text)


def lose(path):
    """A file that is gone, or a folder whose files are."""
    for each in path.iterdir() if path.is_dir() else [path]:
        each.unlink()


def garble(folder):
    """A folder whose files have one bit wrong."""
    for path in folder.iterdir():
        make_flip(path, 100)


OF_TEXT = {
    "sql": run_sql,
    "table": make_table,
    "tokens": make_changed_tokens,
    "warc": make_archive,
}
"""Makers that are given the lines that follow."""

MAKERS = {
    "bomb": make_bomb,
    "corpus": make_corpus,
    "cut": make_cut,
    "flip": make_flip,
    "folder": Path.mkdir,
    "garbled": garble,
    "hex": lambda path, *digits: path.write_bytes(bytes.fromhex("".join(digits))),
    "index": make_index,
    "ledger": make_ledger,
    "link": lambda path, target: path.symlink_to(target),
    "lost": lose,
    "nested": make_nested,
    "payout": make_payout,
    "pipe": os.mkfifo,
    "rows": lambda path: path.write_bytes(whole(".parquet")),
    "royalty": royalty,
    "sources": make_sources,
    "vocabulary": make_vocabulary,
    "zeros": make_zeros,
}
