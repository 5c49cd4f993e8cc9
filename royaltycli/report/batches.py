"""The rows of a result, so many at a time, with word to whoever waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

Tick = Callable[[int], object]
"""What is told, again and again, how many more rows have been written."""


def batches(rows: pa.Table, size: int, tick: Tick | None) -> Iterator[pa.RecordBatch]:
    """The rows, up to `size` at a time; `tick` is told of each batch once the next is asked for."""
    for batch in rows.to_batches(max_chunksize=size):
        yield batch
        if tick is not None:
            tick(batch.num_rows)
