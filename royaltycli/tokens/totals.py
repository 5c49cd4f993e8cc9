"""What a token table comes to, noted while it is written: totals, and its largest sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.manifest.identifiers import source_id
from royaltycli.manifest.model import Duplicates
from royaltycli.tokens.copies import Copies, exact_sum
from royaltycli.tokens.sorting import SortedRows, before

IDS = pa.schema([("id", pa.large_string())])


@dataclass(frozen=True, slots=True)
class Nameless:
    """The source of documents that name none. It is `alone` if the collection has no other source."""

    source_id: str
    documents: int
    tokens: int
    alone: bool


LARGEST = ("source_id", "title", "credited_tokens")


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over a token table, and the SHA-256 of its file.

    `largest` are the sources with the most credited tokens, with LARGEST's columns.
    """

    sources: int
    holders: int
    documents: int
    bytes: int
    tokens: int
    credited_tokens: int
    duplicates: Duplicates
    copies: Copies
    nameless: tuple[Nameless, ...]
    largest: pa.Table
    sha256: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan: what the token table comes to, and how it came about.

    `engine` counted in this scan, or else all there is, if one has. The `reference` may be that itself.
    `verified` documents were recounted by the reference, in this scan or in the one that counted them.
    `unchanged` of the corpus's files were counted by an earlier scan. The table was not `written` if it was just what
    it would be now.
    """

    totals: Totals
    encoding: str
    engine: str
    reference: str | None
    verified: int
    unchanged: int
    notes: tuple[str, ...]
    written: bool = True


class Tally:
    """Adds up a table part by part, in bounded memory."""

    def __init__(self, top: int | None, folder: Path, collections: Iterable[str]) -> None:
        self._top = top
        self._of_collection = dict.fromkeys(collections, 0)
        self._nameless: dict[str, tuple[int, int]] = {}
        self._sources = 0
        self._sums = dict.fromkeys(("documents", "bytes", "tokens", "credited_tokens"), 0)
        self._largest: pa.Table | None = None
        self._holders = SortedRows("id", IDS, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._holders.__exit__(*error)

    def add(self, part: pa.Table) -> None:
        """Note the rows of a part, which come after those before it in the order of ids."""
        self._sources += len(part)
        for name in self._sums:
            self._sums[name] += exact_sum(part[name].to_numpy())
        for collection in self._of_collection:
            nameless, ids = source_id(collection, None), part["source_id"]
            first, at, end = (before(ids, name) for name in (f"{collection}/", nameless, f"{collection}0"))
            self._of_collection[collection] += end - first  # as 0 is what follows / among characters
            for row in part.slice(at, 1).select(["source_id", "documents", "tokens"]).to_pylist():
                if row["source_id"] == nameless:
                    self._nameless[collection] = (row["documents"], row["tokens"])
        for chunk in part["holders"].chunks:
            ids = pc.unique(pc.struct_field(pc.list_flatten(chunk), "id"))
            self._holders.add(pa.table([ids.cast(pa.large_string())], schema=IDS))
        rows = part.select(LARGEST)
        rows = rows if self._largest is None else pa.concat_tables([self._largest, rows])
        # A stable sort: of sources as large as each other, the first by id come first.
        order = np.argsort(-rows["credited_tokens"].to_numpy(), kind="stable")[: self._top]
        self._largest = rows.take(pa.array(order))

    def totals(self, duplicates: Duplicates, copies: Copies, sha256: str) -> Totals:
        """What was added, once it is all, and written as a file of this digest."""
        assert self._largest is not None  # even an empty table has one part
        nameless = (
            Nameless(source_id(collection, None), documents, tokens, alone=self._of_collection[collection] == 1)
            for collection, (documents, tokens) in self._nameless.items()
        )
        return Totals(
            self._sources,
            self._count_holders(),
            **self._sums,
            duplicates=duplicates,
            copies=copies,
            nameless=tuple(nameless),
            largest=self._largest,
            sha256=sha256,
        )

    def _count_holders(self) -> int:
        number, last = 0, None
        for block in self._holders.blocks():
            ids = block["id"].combine_chunks()
            number += int(pc.sum(pc.not_equal(ids[1:], ids[:-1])).as_py() or 0) + (ids[0].as_py() != last)
            last = ids[-1].as_py()
        return number
