"""Makes the corpus that the benchmarks scan, from text files found on this machine.

Source code, documentation, manual pages, web pages and data of several languages, deduplicated by
content; where they are not enough, the same documents again with their lines in another order. Written
as text, JSON Lines and Parquet, plain and packed. Made once, in `.benchmark-corpus/`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parents[1] / ".benchmark-corpus"
TARGET = 1_000_000_000
FOLDERS = [
    Path(sysconfig.get_path("stdlib")),
    Path(sysconfig.get_path("purelib")),
    Path("/usr/share"),
    Path("/usr/include"),
    Path("/usr/lib"),
]
"""Where text is looked for; more can be named with `--from`."""

ENDINGS = {
    "",
    ".c",
    ".h",
    ".html",
    ".js",
    ".json",
    ".md",
    ".pm",
    ".pod",
    ".po",
    ".py",
    ".pyi",
    ".rs",
    ".rst",
    ".txt",
    ".xml",
}
LONGEST = 4_000_000

PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gz": lambda data: gzip.compress(data, 6, mtime=0),
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
PARQUET_CODECS = {"": "none", "gz": "gzip", "zst": "zstd"}
FORMATS = [f"{form}.{packing}".rstrip(".") for form in ("txt", "jsonl", "parquet") for packing in PACKINGS]
"""Plain, gzip and zstd; of Parquet it is the pages that are packed, as is usual, and not the file."""

PART_BYTES = 32_000_000
ROW_GROUP = 1000
SOURCES = 100

MANIFEST = """[corpus]
name = "Benchmark"
encoding = "o200k_base"
[[source]]
id = "texts"
path = "texts"
[[collection]]
id = "lines"
path = "*.jsonl*"
source = "source"
[[collection]]
id = "rows"
path = "*.parquet"
source = "source"
"""


def make(target: int = TARGET) -> Path:
    """The folder of a corpus of so many bytes of text; made if it is not there yet."""
    folder = FOLDER / f"{target // 1_000_000}-MB"
    if (folder / "corpus.toml").exists():
        return folder
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    documents = enough(target)
    fifth = -(-len(documents) // 5)
    parts = [documents[start : start + fifth] for start in range(0, len(documents), fifth)]
    for number, row in enumerate(parts[0]):
        (folder / "texts" / f"{number:05}.txt").write_text(row["text"], encoding="utf-8", newline="")
    lines = ["".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part).encode() for part in parts[1:4]]
    (folder / "plain.jsonl").write_bytes(lines[0])
    (folder / "packed.jsonl.zst").write_bytes(pa.compress(lines[1], codec="zstd", asbytes=True))
    (folder / "packed.jsonl.gz").write_bytes(
        gzip.compress(lines[2][: len(lines[2]) // 4].rpartition(b"\n")[0] + b"\n", mtime=0)
    )
    rest = lines[2][len(lines[2]) // 4 :].partition(b"\n")[2]
    (folder / "rest.jsonl").write_bytes(rest)
    pq.write_table(pa.Table.from_pylist(parts[4]), folder / "rows.parquet", compression="zstd", row_group_size=2000)
    (folder / "corpus.toml").write_text(MANIFEST, encoding="utf-8")
    return folder


def in_format(name: str, target: int = TARGET) -> Path:
    """The folder of a corpus with the same documents in one of FORMATS alone; made if it is not there yet.

    Text is a file a document; of the others each file holds PART_BYTES of text, so that several workers
    have something to do also where a file cannot be cut.
    """
    folder = FOLDER / f"{target // 1_000_000}-MB-in-{name}"
    if (folder / "corpus.toml").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "texts").mkdir(parents=True)
    all_texts = texts(make(target))
    rows = max(1, len(all_texts) * PART_BYTES // all_texts.nbytes)
    for start in range(0, len(all_texts), rows):
        write_part(folder, name, all_texts.slice(start, rows), start)
    owner = "[[source]]\n" if name.startswith("txt") else '[[collection]]\nsource = "source"\n'
    manifest = f'[corpus]\nencoding = "o200k_base"\n{owner}id = "texts"\npath = "texts"\n'
    (folder / "corpus.toml").write_text(manifest, encoding="utf-8")
    return folder


def write_part(folder: Path, name: str, part: pa.LargeStringArray, first: int) -> None:
    """Some documents in one of FORMATS, of which `first` is the number of the first."""
    form, _, packing = name.partition(".")
    numbered = list(enumerate(part.to_pylist(), first))
    rows = [{"source": f"source-{number % SOURCES}", "text": text} for number, text in numbered]
    if form == "parquet":
        table, place = pa.Table.from_pylist(rows), folder / "texts" / f"{first:07}.parquet"
        pq.write_table(table, place, compression=PARQUET_CODECS[packing], row_group_size=ROW_GROUP)
    elif form == "jsonl":
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "texts" / f"{first:07}.{name}").write_bytes(PACKINGS[packing](lines.encode()))
    else:
        for number, text in numbered:
            place = folder / "texts" / f"{number // 1000:04}" / f"{number:07}.{name}"
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(PACKINGS[packing](text.encode()))


def enough(target: int) -> list[dict[str, str]]:
    """Documents of `target` bytes: those of this machine, and then again with their lines shuffled."""
    originals = list(found(target))
    documents, size = list(originals), sum(len(row["text"].encode()) for row in originals)
    chance = random.Random(1)
    while size < target:
        for row in originals:
            lines = row["text"].splitlines(keepends=True)
            chance.shuffle(lines)
            documents.append({**row, "text": "".join(lines)})
            size += len(row["text"].encode())
            if size >= target:
                break
    return documents


def found(target: int) -> Iterator[dict[str, str]]:
    """Documents of this machine, each content once, in an order that mixes their kinds, until `target` bytes."""
    files = {file for folder in FOLDERS if folder.is_dir() for file in folder.rglob("*") if file.suffix in ENDINGS}
    seen: set[bytes] = set()
    size = 0
    for file in sorted(files, key=lambda file: hashlib.sha256(str(file).encode()).digest()):
        text = readable(file)
        digest = hashlib.sha256(text.encode()).digest()
        if text and digest not in seen:
            seen.add(digest)
            size += len(text.encode())
            yield {"source": file.parts[min(4, len(file.parts) - 2)], "text": text}
        if size >= target:
            return


def readable(file: Path) -> str:
    """The file's text; empty if it is a link, too long, binary, or not UTF-8."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > LONGEST:
            return ""
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if "\0" in text else text


def texts(folder: Path) -> pa.LargeStringArray:
    """All documents of the corpus in memory, as one Arrow array: what the counting engines get alone."""
    from royaltycli.corpus.documents import read
    from royaltycli.corpus.opening import open_corpus
    from royaltycli.corpus.shards import cut

    opened = open_corpus(folder)
    owners = opened.corpus.owners
    return pa.concat_arrays([batch.texts for _, batch in read(cut(opened.files), dict(enumerate(owners)))])


if __name__ == "__main__":
    print(make())
