"""Sorts more rows than memory holds: what there is no room for lies in files meanwhile, as sorted runs."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.limits import SORT_BYTES, SORT_RUNS
from royaltycli.workspace import no_room, scratch_file


class SortedRows:
    """Rows in the order of one column, texts or bytes without nulls; equal ones in the order in which they came.

    It takes some three times SORT_BYTES of memory, however many rows there are. Up to SORT_BYTES of them
    no file is made; from there on they lie in nameless files in `folder`, until this is closed. Raises
    OutputError if they cannot.
    """

    def __init__(self, key: str, schema: pa.Schema, folder: Path) -> None:
        self._key, self._schema, self._folder = key, schema, folder
        self._rows: list[pa.Table] = []
        self._size = 0
        # At each level SORT_RUNS files at the most: more of them are merged to one of the level above.
        self._levels: list[list[IO[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for file in itertools.chain(*self._levels):
            file.close()

    def add(self, rows: pa.Table) -> None:
        """Take rows."""
        self._rows.append(rows)
        self._size += rows.nbytes
        if self._size > SORT_BYTES:
            self._keep(self._taken(), 0)

    def blocks(self) -> Iterator[pa.Table]:
        """All rows in order, some at a time. Nothing can be added afterwards."""
        rows = self._taken()
        # What came first lies highest.
        runs = [self._read(file) for level in reversed(self._levels) for file in level]
        yield from self._merged([*runs, rows]) if runs else rows

    def _taken(self) -> Iterator[pa.Table]:
        """What is in memory, sorted and in blocks; it is none any more."""
        rows, self._rows, self._size = self._rows, [], 0
        table = pa.concat_tables(rows).combine_chunks() if rows else self._schema.empty_table()
        del rows
        order = pc.sort_indices(table[self._key])
        step = max(1, len(table) * SORT_BYTES // SORT_RUNS // max(1, table.nbytes))
        for start in range(0, len(table), step):
            yield table.take(order.slice(start, step))

    def _keep(self, blocks: Iterator[pa.Table], level: int) -> None:
        """Write a run, and merge those of its level if they are many."""
        if level == len(self._levels):
            self._levels.append([])
        runs = self._levels[level]
        if len(runs) == SORT_RUNS:
            self._keep(self._merged([self._read(file) for file in runs]), level + 1)
            for file in runs:
                file.close()
            runs.clear()
        file = scratch_file(self._folder)
        runs.append(file)
        try:
            with pa.ipc.new_stream(pa.PythonFile(file, mode="w"), self._schema) as writer:
                for block in blocks:
                    writer.write(block)
            file.flush()
        except OSError as error:
            raise no_room(self._folder, error) from error

    def _read(self, file: IO[bytes]) -> Iterator[pa.Table]:
        try:
            file.seek(0)
            for batch in pa.ipc.open_stream(pa.PythonFile(file, mode="r")):
                yield pa.Table.from_batches([batch])
        except OSError as error:
            raise no_room(self._folder, error) from error

    def _merged(self, runs: list[Iterator[pa.Table]]) -> Iterator[pa.Table]:
        """The rows of sorted runs in order. Of each run only one block is in memory."""
        heads = {run: block for run, blocks in enumerate(runs) if (block := next(blocks, None)) is not None}
        while heads:
            # Nothing that is still to come stands before the earliest of the last rows.
            end, first = min((block[self._key][-1].as_py(), run) for run, block in heads.items())
            parts = []
            for run, block in sorted(heads.items()):
                # Equal rows of earlier runs stand before that row, those of later runs after it.
                size = len(block) if run == first else before(block[self._key], end, inclusive=run < first)
                parts.append(block.slice(0, size))
                heads[run] = block.slice(size)
            following = next(runs[first], None)
            if following is None:
                del heads[first]
            else:
                heads[first] = following
            block = pa.concat_tables(parts).combine_chunks()
            yield block.take(pc.sort_indices(block[self._key]))


def before(keys: pa.ChunkedArray, end: Any, *, inclusive: bool = False) -> int:
    """How many of the sorted keys come before `end`, or with `inclusive` not after it."""

    def key(at: int) -> Any:
        return keys[at].as_py()

    if inclusive:
        return bisect.bisect_right(range(len(keys)), end, key=key)
    return bisect.bisect_left(range(len(keys)), end, key=key)
