"""What one worker of a scan spends its time on.

    python benchmarks/parts.py FOLDER [ENCODING]

Scans the corpus in FOLDER with a single worker and prints, as JSON, the seconds that each part computed,
on whatever thread of the process, and the bytes of text that there were. What a part has another part do
counts for that one alone. `start` is Python, its imports, and the loading of the vocabulary, which every
worker of a scan does once.
"""

from __future__ import annotations

import collections
import functools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import awkward
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet
import tiktoken  # noqa: F401 -- what a scan imports when it is needed belongs to the start

from royaltycli import api
from royaltycli.corpus import opening
from royaltycli.tokens import count, engines, local, reference, scan, shardwork

PARTS: dict[str, list[tuple[Any, str]]] = {
    "start": [(local, "make_engine"), (reference.TiktokenReference.__dict__["_engine"], "func")],
    "finding files": [
        (opening, "open_corpus"),
        (scan, "cut"),
        (scan, "kept_in"),
        (scan, "cuts_before"),
        (scan, "plan_pieces"),
    ],
    "reading": [(count, "read")],
    "counting": [(engines.Gigatoken, "count")],
    "Unicode guard": [(engines, "guarded")],
    "SHA-256": [(count, "digest_documents")],
    "verification": [(count, "_verified")],
    "content digest": [(shardwork, "content_of")],
    "rows": [(count, "rows_of")],
    "tables": [(shardwork, "write_partial"), (scan, "merge")],
}
"""The functions of each part, by where they are called from. `reading` unpacks as well, and `tables` merges."""


class Clock:
    """Adds up what the process computes, for the part that it is in."""

    def __init__(self) -> None:
        self.seconds: collections.defaultdict[str, float] = collections.defaultdict(float)
        self._parts = ["start"]
        self._since = 0.0  # since the process began

    def enter(self, part: str) -> None:
        """From now on it is in this part."""
        self._take()
        self._parts.append(part)

    def leave(self) -> None:
        """It is back in the part from which it came."""
        self._take()
        self._parts.pop()

    def _take(self) -> None:
        now = time.process_time()
        self.seconds[self._parts[-1]] += now - self._since
        self._since = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which enters a part while it runs, also whenever it is asked for the next of what it yields."""

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self.enter(part)
            try:
                result = function(*arguments, **named)
            finally:
                self.leave()
            return self._each(part, result) if isinstance(result, Iterator) else result

        return timed

    def _each(self, part: str, iterator: Iterator[Any]) -> Iterator[Any]:
        while True:
            self.enter(part)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.leave()
            yield item


def main() -> None:
    """Measure and print."""
    folder, encoding = sys.argv[1], (*sys.argv[2:], "o200k_base")[0]
    awkward.num(awkward.from_arrow(pa.array(["loads what is loaded late"], pa.large_string())))
    clock = Clock()
    for part, functions in PARTS.items():
        for owner, name in functions:
            setattr(owner, name, clock.timed(part, getattr(owner, name)))
    with tempfile.TemporaryDirectory() as place:
        clock.enter("the rest")
        table = api.scan(folder, encoding=encoding, workers=1, output=Path(place, "tokens.parquet"))
        clock.leave()
    print(json.dumps({"bytes": sum(table["bytes"].to_pylist()), **clock.seconds}))


if __name__ == "__main__":
    main()
