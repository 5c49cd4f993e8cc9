"""What the last scan came to: one that finds all as it was then has no need to look at each file's counts again.

It is remembered beside the partial tables, by the digest of all that the table depends on, with the digest
of the table itself: if either is another now, or the tables beside it are, nothing is recalled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.errors import OutputError, TableError
from royaltycli.manifest.model import Corpus
from royaltycli.manifest.patterns import stamp_of
from royaltycli.remote.names import remote_place
from royaltycli.storage import read_sealed, write_part
from royaltycli.tokens.copies import Copies
from royaltycli.tokens.partials import NAME
from royaltycli.tokens.table import SCHEMA_VERSION
from royaltycli.tokens.totals import LARGEST, Nameless, Scan, Totals
from royaltycli.workspace import parts_in

METADATA = b"royalty.last"
LAST = f"{hashlib.sha256(METADATA).hexdigest()}.parquet"
"""A digest as a name, as partial tables have one: in a folder of the user's own, nothing else is called so."""

_said_of = attrgetter(*(each.name for each in fields(File)))


def state_of(corpus: Corpus, options: tuple[object, ...], files: Iterable[tuple[File, str]]) -> str:
    """The digest of a corpus as it can be seen without reading it, and of the way in which it is counted.

    It has the manifest and its lists, some `options`, and each file: where it is, its size and its stamp, and
    the settings with which it is read.
    """
    versions = [version(package) for package in ("royaltycli", "pyarrow", "regex")]  # the last one's letters make ids
    digest = hashlib.sha256(repr((versions, SCHEMA_VERSION, corpus.digest, corpus.lists, options)).encode())
    for file, settings in files:
        digest.update(repr((_said_of(file), settings)).encode())
    return digest.hexdigest()


def remember(folder: Path, output: Path, state: str, scan: Scan, top: int | None) -> None:
    """Keep what a scan came to that has written `output`; if it cannot be kept, the next scan takes longer."""
    place, totals = folder / LAST, scan.totals
    if not _is_here(folder, output) or place.is_symlink():
        return
    about = {each.name: getattr(scan, each.name) for each in fields(scan) if each.name != "totals"}
    with contextlib.suppress(OSError, OutputError):
        said = {"state": state, "top": top, "tables": _tables(folder), "scan": about}
        said["totals"] = asdict(replace(totals, largest=None))
        write_part(place, totals.largest.replace_schema_metadata({METADATA: json.dumps(said).encode()}))


def recall(folder: Path, output: Path, state: str, top: int | None) -> Scan | None:
    """What the last scan came to, if `output` is still the table that it wrote, and is what a scan would write now."""
    if not _is_here(folder, output):
        return None
    with contextlib.suppress(TableError, OSError, KeyError, ValueError, TypeError, RecursionError):
        largest = read_sealed(folder / LAST)
        said = json.loads(largest.schema.metadata[METADATA])
        if (said["state"], said["top"]) != (state, top) or largest.schema.names != list(LARGEST):
            return None
        if said["tables"] == _tables(folder) and said["totals"]["sha256"] == _digest(output):
            return _scan(said, largest.replace_schema_metadata(None))
    return None


def _scan(said: dict[str, Any], largest: pa.Table) -> Scan:
    sums, about = said["totals"], said["scan"]
    nameless = tuple(Nameless(**one) for one in sums["nameless"])
    totals = Totals(**sums | {"copies": Copies(**sums["copies"]), "nameless": nameless, "largest": largest})
    return Scan(**about | {"totals": totals, "notes": tuple(about["notes"])})


def tables_in(folder: Path) -> list[Path]:
    """The partial tables of a folder, without what is remembered beside them."""
    return [path for path in parts_in(folder, NAME) if path.name != LAST]


def _is_here(folder: Path, output: Path) -> bool:
    """Whether both are on this machine: elsewhere, to look for them would take as long as it saves."""
    return remote_place(folder) is None and remote_place(output) is None


def _digest(output: Path) -> str:
    with output.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tables(folder: Path) -> str:
    """The digest of the names of all partial tables, which are digests themselves, and of their sizes and stamps."""
    looks = [(path.name, path.stat()) for path in tables_in(folder)]
    seen = [(name, look.st_size, stamp_of(look)) for name, look in looks]
    return hashlib.sha256(repr(seen).encode()).hexdigest()
