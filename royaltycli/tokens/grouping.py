"""Sums the documents of a batch by source, into the rows of a partial table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.corpus.batches import Batch
from royaltycli.errors import DocumentError
from royaltycli.limits import NAME_LENGTH
from royaltycli.manifest.model import Collection, Owner
from royaltycli.tokens.parts import Digests, shared_out

ROWS = pa.schema(
    [
        ("piece", pa.int32()),
        ("source", pa.large_string()),
        ("holder", pa.large_string()),
        ("documents", pa.int64()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("digests", pa.large_binary()),
        ("counts", pa.large_binary()),
        ("places", pa.large_binary()),
    ]
)
"""What some documents of one source in one piece come to, in the order of the corpus.

`source` and `holder` are what the documents name, null where the manifest does or, of the source of a
collection, where they name none. `digests` are the documents' own, 32 bytes each, in their order; `counts`
their tokens, and `places` which documents of the piece they are, from 0: four bytes each, the least
significant first. Of a document that is split among sources, each has a part: it has a digest, tokens and the
document's place, but counts as a document in one only.
"""


def rows_of(
    piece: int, before: int, batch: Batch, owner: Owner, sizes: Numbers, counts: Numbers, digests: Digests
) -> pa.RecordBatch:
    """The rows of a batch, whose first document is of the piece of that number, with `before` documents before it.

    Raises DocumentError.
    """
    documents, inside = np.ones(len(counts), dtype=np.int64), np.arange(len(counts))
    if batch.parts is not None:
        inside = batch.parts
        documents, sizes, counts, digests = shared_out(batch.sources, batch.parts, sizes, counts, digests)
    if batch.sources is not None:
        groups = _groups(batch, owner)
    elif batch.files:
        groups = _each(len(counts))
    else:
        groups = _all(len(counts))
    pieces = piece + np.arange(len(groups.starts)) if batch.files else np.full(len(groups.starts), piece)
    places = np.zeros(len(counts), np.int64) if batch.files else before + inside[groups.order]
    ends = np.append(groups.starts, len(counts))
    columns = [
        pa.array(pieces, pa.int32()),
        pa.array(groups.names, pa.large_string()),
        pa.array(groups.holders, pa.large_string()),
        pa.array(_sums(documents, groups), pa.int64()),
        pa.array(_sums(sizes, groups), pa.int64()),
        pa.array(_sums(counts, groups), pa.int64()),
        _each_documents(digests[groups.order], ends),
        _each_documents(counts[groups.order].astype("<u4"), ends),
        _each_documents(places.astype("<u4"), ends),
    ]
    return pa.record_batch(columns, schema=ROWS)


def _each_documents(values: npt.NDArray[Any], ends: npt.NDArray[np.intp]) -> pa.LargeBinaryArray:
    """The bytes of values, of which there is one for each document, by row."""
    data = np.ascontiguousarray(values)
    size = data.itemsize * (data.shape[1] if data.ndim > 1 else 1)
    return pa.Array.from_buffers(
        pa.large_binary(), len(ends) - 1, [None, pa.py_buffer(ends * size), pa.py_buffer(data)]
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    """A batch's documents by source: an order that puts each source's side by side, and where each starts in it."""

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    names: list[str | None]
    holders: list[str | None]


def _each(documents: int) -> _Groups:
    """Every document by itself: each is a piece of its own."""
    return _Groups(np.arange(documents), np.arange(documents), [None] * documents, [None] * documents)


def _all(documents: int) -> _Groups:
    """All documents together, if there are any."""
    starts = np.zeros(min(documents, 1), dtype=np.intp)
    return _Groups(np.arange(documents), starts, [None] * len(starts), [None] * len(starts))


def _sums(numbers: Numbers, groups: _Groups) -> Numbers:
    if not len(groups.starts):
        return np.empty(0, dtype=np.int64)
    sums: Numbers = np.add.reduceat(numbers[groups.order], groups.starts)
    return sums


def _groups(batch: Batch, owner: Owner) -> _Groups:
    codes, names = _encoded(batch.sources, "source", batch, owner)
    order = np.argsort(codes, kind="stable")  # stable: a source's documents stay in the file's order
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    sources = [names[code] for code in ordered[starts].tolist()]
    if batch.holders is None:
        return _Groups(order, starts, sources, [None] * len(starts))
    holder_codes, holder_names = _encoded(batch.holders, "holder", batch, owner)
    _check_held(codes, holder_codes, batch, owner)
    by_source = np.where(ordered < 0, -1, holder_codes[order])  # what names no source has no holder either
    firsts = by_source[starts]
    others = np.flatnonzero(by_source != np.repeat(firsts, np.diff(np.append(starts, len(order)))))
    if len(others):
        other = others[np.argmin(order[others])]  # the first in the file, whatever its source
        row = int(order[other])
        first = int(order[starts[np.searchsorted(starts, other, "right") - 1]])
        held, before = holder_names[holder_codes[row]], holder_names[holder_codes[first]]
        raise two_holders(_place(batch, row), names[codes[row]] or "", held, before, _place(batch, first))
    return _Groups(order, starts, sources, [holder_names[code] for code in firsts.tolist()])


def _encoded(values: pa.Array, what: str, batch: Batch, owner: Owner) -> tuple[Numbers, list[str | None]]:
    """What is named as numbers, -1 for nothing, and the names, None last. Raises DocumentError for a long one."""
    encoded = pc.dictionary_encode(values)
    codes = np.asarray(encoded.indices.fill_null(-1)).astype(np.int64)
    names = encoded.dictionary.to_pylist()
    for code, name in enumerate(names):
        if len(name) > NAME_LENGTH:
            row = int(np.flatnonzero(codes == code)[0])
            if isinstance(owner, Collection) and owner.lists == "joint":
                raise DocumentError(
                    f"{_place(batch, row)}: the names of the {what} in {owner.id}, joined to one, are longer than "
                    f'{NAME_LENGTH:,} characters; mend the document, or say lists = "split" or "first"'
                )
            raise DocumentError(
                f"{_place(batch, row)}: the field that names the {what} in {owner.id} is longer than "
                f"{NAME_LENGTH:,} characters; mend the document"
            )
    return codes, [*names, None]


def _check_held(sources: Numbers, holders: Numbers, batch: Batch, owner: Owner) -> None:
    """Raises DocumentError for a document that names a source and no holder."""
    without = np.flatnonzero((holders < 0) & (sources >= 0))
    if len(without):
        raise DocumentError(
            f"{_place(batch, int(without[0]))}: the document names no holder, as {owner.id} wants it to; "
            "mend the document, or give the collection fixed `holders`"
        )


def _place(batch: Batch, entry: int) -> str:
    """Where the document stands that names a source, or is a part of one."""
    return batch.place(entry if batch.parts is None else int(batch.parts[entry]))


def two_holders(place: str, source: str, holder: str | None, before: str | None, there: str) -> DocumentError:
    """The error for a source whose documents name different holders: `holder` at `place`, and `before` in `there`."""
    return DocumentError(
        f"{place}: the source {source!r} has the holder {holder!r} here, but {before!r} in {there}; "
        "mend the documents, or give the collection fixed `holders`"
    )
