"""What the ending of a file's name says: how its documents stand in it, and how it is packed."""

from __future__ import annotations

import functools
from posixpath import splitext
from typing import Literal

from royaltycli.manifest.model import Format

Compression = Literal["gzip", "zstd"]

FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".md": "text",
    ".html": "html",
    ".htm": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".warc": "warc",
    ".wet": "warc",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}

ENDINGS_WORDS = ".txt .md .html .htm .jsonl .ndjson .parquet .warc .wet, each plain or with .gz or .zst"
"""The endings of documents, for messages."""


TABLE_NAME = "tokens.parquet"
"""What a scan writes beside the manifest: no document of the next scan, unless a path names it."""


def kind_of(name: str) -> tuple[Format | None, Compression | None]:
    """The format and compression of a file by its name, in capitals or not; None for an ending not known.

    What follows a `?` is no part of the name of a file on a web server.
    """
    if name.startswith("https://"):
        name = name.partition("?")[0]
    base = name[name.rfind("/") + 1 :]
    point = base.find(".", 1)  # a name that only begins with one has no ending
    return _kind_of_endings(base[point:]) if point > 0 else (None, None)


@functools.lru_cache
def _kind_of_endings(endings: str) -> tuple[Format | None, Compression | None]:
    """The same by a name from its first point on; there are few such for very many files."""
    stem, _, ending = endings.lower().rpartition(".")
    compression = COMPRESSIONS.get(f".{ending}")
    if compression is not None:
        ending = stem.rpartition(".")[2]
    return FORMATS.get(f".{ending}"), compression


ABOUT_DATA = ("dataset_info", "dataset_infos", "dataset_dict", "config", "state")
"""The names, without `.json`, of files of a dataset folder that describe it, and are no JSON Lines."""


def dataset_kind_of(name: str) -> Format | None:
    """The format of a file in a published dataset, where `.json` is JSON Lines; None if it holds no rows."""
    stem, ending = splitext(name.lower())
    if ending in COMPRESSIONS:
        stem, ending = splitext(stem)
    if ending == ".json":
        return None if stem.rpartition("/")[2] in ABOUT_DATA else "jsonl"
    form = kind_of(name)[0]
    return form if form in ("jsonl", "parquet") else None


def full_ending(name: str) -> str:
    """All of a document's ending as it is written, such as `.txt` or `.JSONL.zst`."""
    stem, ending = splitext(name)
    return splitext(stem)[1] + ending if ending.lower() in COMPRESSIONS else ending
