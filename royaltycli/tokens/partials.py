"""Partial tables: what has been counted of a corpus already, so that no scan does work twice.

They lie in a folder beside the output, one for each shard that was counted: the rows of its pieces, and
in its metadata what the rows depend on. A piece need not be counted again while that is the same: the
content of its file, the way of reading it, the vocabulary, and the part of its documents that was
recounted. Each table is sealed, and one that is damaged or of another version is as good as none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from royaltycli.corpus.documents import Owners
from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.errors import TableError
from royaltycli.manifest.model import Collection, Owner
from royaltycli.manifest.patterns import Stamp
from royaltycli.remote.locations import is_remote, written
from royaltycli.remote.names import remote_place
from royaltycli.remote.waiting import all_of
from royaltycli.storage import read_sealed, read_sealed_metadata, write_part
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.grouping import ROWS
from royaltycli.workspace import local_folder, parts_in, remove_part

VERSION = "5"
"""Of partial tables, and of the way in which documents are read and counted: a change of either makes it another."""

METADATA = b"royalty.pieces"
NAME = re.compile(r"[0-9a-f]{64}\.parquet")
"""The name of a partial table: a digest, so that nothing else in the folder is taken for one."""


class Sums(NamedTuple):
    """What a piece comes to: documents, their tokens, and how many the reference recounted, or could not as usual."""

    documents: int
    tokens: int
    verified: int
    gave_up: int


class Entry(NamedTuple):
    """A piece that was counted: which it was, what its rows depend on, and how they were verified.

    `stamp` and `size` are the file's at that time, `content` the digest of the piece's bytes, `settings`
    that of the way of counting. `verify` is the part of the documents that was chosen to be recounted.
    """

    name: str
    start: int
    stop: int | None
    size: int
    stamp: Stamp
    content: str
    settings: str
    verify: str
    sums: Sums

    @property
    def by_reference(self) -> bool:
        """Whether the reference counted it: it is as sure as what was recounted as a whole, but nothing was."""
        return _rate(self.verify) == 1 and not self.sums.verified


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the rows of a piece are: in the table at `path`, with this number."""

    path: str
    number: int
    entry: Entry


Place = tuple[str, int, int | None]
"""A piece by the name of its file and its range."""


def folder_of(output: Path) -> Path:
    """Where the partial tables of a token table are kept: hidden, so that no corpus takes them for documents.

    They stay on this machine, in the user's cache, if the table is on another one.
    """
    if (elsewhere := remote_place(output)) is not None:
        return local_folder(elsewhere)
    place = Path(os.path.realpath(output))
    return place.with_name(f".{place.name}.shards")


def place_of(piece: Piece | Entry) -> Place:
    """The place of a piece."""
    return (piece.name if isinstance(piece, Entry) else piece.file.name, piece.start, piece.stop)


def settings_of(file: File, owner: Owner, encoding: Encoding) -> str:
    """The digest of all that the rows of a file depend on but its content. What owns it is not among that."""
    reading = owner.reading
    said = [
        VERSION,
        encoding.kind,
        encoding.digest,
        encoding.pattern,
        file.format,
        file.compression,
        reading.strip,
        reading.errors,
        *([] if file.format in ("text", "html") else [reading.text]),
        *(_naming(owner) if isinstance(owner, Collection) else []),
    ]
    said += [version(library) for library in _libraries(file, owner)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Settings:
    """The settings of files, found once for all that are read alike."""

    def __init__(self, owners: Owners | Sequence[Owner], encoding: Encoding) -> None:
        self._owners, self._encoding = owners, encoding
        self._known: dict[tuple[object, ...], str] = {}

    def of(self, file: File) -> str:
        """The settings of a file."""
        owner = self._owners[file.owner]
        # There may be as many sources as files, but most are read alike.
        shape = (file.owner if isinstance(owner, Collection) else owner.reading, file.format, file.compression)
        if shape not in self._known:
            self._known[shape] = settings_of(file, owner, self._encoding)
        return self._known[shape]


def _naming(owner: Collection) -> list[object]:
    """How the documents of a collection name their sources and holders."""
    named = [(naming.field, naming.function, naming.fixed) for naming in (owner.source, owner.holder) if naming]
    return [named, owner.lists]


def _libraries(file: File, owner: Owner) -> list[str]:
    """The libraries of which another version may see another text, or another name."""
    found = ["selectolax"] if owner.reading.strip == "html" else []
    if file.format == "warc":
        found.append("fastwarc")
    if isinstance(owner, Collection):
        functions = {naming.function for naming in (owner.source, owner.holder) if naming}
        found += ["idna"] if functions & {"domain", "host"} else []
        found += ["publicsuffixlist"] if "domain" in functions else []
    return found


def write_partial(folder: Path, rows: list[pa.RecordBatch], entries: tuple[Entry, ...]) -> str:
    """Write a partial table, whose name is the digest of what it holds; gives its path. Raises OutputError."""
    said = json.dumps(entries, ensure_ascii=False).encode()
    path = folder / f"{hashlib.sha256(said).hexdigest()}.parquet"
    table = pa.Table.from_batches(rows, schema=ROWS)
    write_part(path, table.replace_schema_metadata({METADATA: said}))
    return str(path)


def rows_in(path: str) -> pa.Table:
    """The rows of a partial table, in the order of its pieces. Raises TableError if it is damaged or gone."""
    return read_sealed(Path(path)).replace_schema_metadata(None).cast(ROWS)  # Parquet forgets which texts are large


def kept_in(folder: Path) -> dict[Place, list[Kept]]:
    """What the partial tables of a folder hold, by place. What cannot be used is as good as not there."""
    found: defaultdict[Place, list[Kept]] = defaultdict(list)
    paths = parts_in(folder, NAME)
    said = all_of(_said_in, paths) if is_remote(written(folder)) else map(_said_in, paths)
    for path, entries in zip(paths, said, strict=True):
        for number, entry in enumerate(entries):
            found[place_of(entry)].append(Kept(str(path), number, entry))
    return dict(found)


def _said_in(path: Path) -> list[Entry]:
    """The entries of a partial table; none if it cannot be used."""
    with contextlib.suppress(TableError, KeyError, ValueError, TypeError):
        said = json.loads(read_sealed_metadata(path)[METADATA])
        return [
            Entry(name, start, stop, size, tuple(stamp), content, settings, verify, Sums(*sums))
            for name, start, stop, size, stamp, content, settings, verify, sums in said
        ]
    return []


def usable(kept: Iterable[Kept], settings: str, verify: Fraction) -> list[Kept]:
    """Those that were counted in the same way, and verified as much as is asked for now."""
    return [one for one in kept if one.entry.settings == settings and _rate(one.entry.verify) >= verify]


def surest(kept: Sequence[Kept]) -> Kept:
    """The one of which most was recounted, or counted by the reference itself; of several, the first."""
    return max(kept, key=lambda one: _rate(one.entry.verify))


_rate = functools.cache(Fraction)
"""A rate from its text; there are few, for very many pieces."""


def is_unchanged(one: Kept, file: File) -> bool:
    """Whether a file has the size and the stamp that it had when it was counted."""
    return (one.entry.size, one.entry.stamp) == (file.size, file.stamp)


def rows_with(table: pa.Table, first: int, last: int) -> pa.Table:
    """The rows of the pieces from `first` to `last`; the rows of a table are in the order of its pieces."""
    numbers = table["piece"].combine_chunks().to_numpy()
    start, stop = numbers.searchsorted(first, "left"), numbers.searchsorted(last, "right")
    return table.slice(start, stop - start)


def remove_others(folder: Path, used: Iterable[str]) -> None:
    """Remove the partial tables of which nothing is used any more, and nothing else that may lie in the folder."""
    keep = set(used)
    for path in parts_in(folder, NAME):
        if str(path) not in keep and _said_in(path):
            remove_part(path)
