"""From the values of fields to names: which source, or which sources, each document names, and which holder.

A document that names no source has null for it. One that names several, where the manifest says `split`,
becomes several parts, one for each name.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.corpus.batches import Batch
from royaltycli.errors import DocumentError
from royaltycli.manifest.model import Collection, Naming

JOINT = ";"
"""What stands between several names that are one together; in each of them it is written %3B, and % %25."""

Rows = npt.NDArray[np.intp]


def named(batch: Batch, owner: Collection) -> Batch:
    """A batch with names in place of the values that a reader found. Raises DocumentError."""
    count = len(batch.texts)
    sources, holders = _values(batch.sources, owner.source, count), batch.holders
    if owner.holder is not None:
        holders = _values(holders, owner.holder, count)
    if owner.lists == "joint":
        sources = _joint(sources, escape_single=True)
        holders = None if holders is None else _joint(holders, escape_single=False)
    elif _is_list(sources) or (holders is not None and _is_list(holders)):
        choose = _split if owner.lists == "split" else _first
        return choose(batch, _as_lists(sources), None if holders is None else _as_lists(holders))
    return dataclasses.replace(batch, sources=sources, holders=holders)


def _values(values: pa.Array | None, naming: Naming, count: int) -> pa.Array:
    """What each document names, texts or lists of texts, with null in place of all that names nothing."""
    if values is None:
        return pa.repeat(pa.scalar(naming.fixed, pa.large_string()), count)
    if not _is_list(values):
        return _names(values, naming)
    return lists_of(_names(pc.list_flatten(values), naming), _rows_of(values), count)


def _names(values: pa.Array, naming: Naming) -> pa.Array:
    if naming.function is not None:
        from royaltycli.corpus.addresses import applied

        values = applied(naming.function, values)
    empty = pc.fill_null(pc.equal(pc.binary_length(values), 0), False)
    return pc.if_else(empty, pa.scalar(None, values.type), values) if pc.any(empty).as_py() else values


def _is_list(values: pa.Array) -> bool:
    return bool(pa.types.is_large_list(values.type))


def _rows_of(values: pa.Array) -> Rows:
    """The document of each item of some lists."""
    rows: Rows = pc.list_parent_indices(values).to_numpy().astype(np.intp)
    return rows


def lists_of(items: pa.Array, rows: Rows, count: int) -> pa.Array:
    """The items of each document as a list, empty where it has none."""
    offsets = np.searchsorted(rows, np.arange(count + 1)).astype(np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), items)


def _valid(items: pa.Array) -> npt.NDArray[np.intp]:
    return np.flatnonzero(items.is_valid().to_numpy(zero_copy_only=False))


def _first(batch: Batch, sources: pa.Array, holders: pa.Array | None) -> Batch:
    """The first name of each list, and the holder that stands beside it."""
    chosen = _places_of_firsts(sources)
    if holders is not None:
        rows = np.flatnonzero(chosen.is_valid().to_numpy(zero_copy_only=False))
        holders = _beside(batch, sources, holders, rows).take(chosen)
    return dataclasses.replace(batch, sources=sources.values.take(chosen), holders=holders)


def _places_of_firsts(values: pa.Array) -> pa.Array:
    """Where the first name of each list is among all items; null where it has none."""
    kept = _valid(values.values)
    with_names, firsts = np.unique(_rows_of(values)[kept], return_index=True)
    chosen = np.full(len(values), -1)
    chosen[with_names] = kept[firsts]
    return pa.array(chosen, mask=chosen < 0)


def _joint(values: pa.Array, *, escape_single: bool) -> pa.Array:
    """One name for each document, all names of a list together; null where it has none.

    A single name stays as it is unless it is to be escaped: a holder is the same one in all collections.
    """
    values = _as_lists(values)
    kept = _valid(values.values)
    items, rows = values.values.take(pa.array(kept)), _rows_of(values)[kept]
    escaped = items
    for sign, written in (("%", "%25"), (JOINT, "%3B")):
        escaped = pc.replace_substring(escaped, sign, written)
    if not escape_single:
        escaped = pc.if_else(pa.array(np.bincount(rows, minlength=1)[rows] > 1), escaped, items)
    listed = lists_of(escaped, rows, len(values)).cast(pa.list_(pa.large_string()))  # what Arrow joins
    joined = pc.binary_join(listed, pa.scalar(JOINT, pa.large_string()))
    empty = pc.equal(pc.binary_length(joined), 0)
    return pc.if_else(empty, pa.scalar(None, joined.type), joined)


def _split(batch: Batch, sources: pa.Array, holders: pa.Array | None) -> Batch:
    """A part for each name that a document holds, each name once; one without a name where it holds none."""
    names, rows = sources.values, _rows_of(sources)
    kept = _valid(names)
    valid, holder_of = pa.array(kept), None
    if holders is not None:
        holder_of = _beside(batch, sources, holders, np.unique(rows[kept]))
    distinct = _firsts_of(rows[kept], names.take(valid), None if holder_of is None else holder_of.take(valid))
    kept = kept[distinct]
    without = np.setdiff1d(np.arange(len(sources)), rows[kept])
    parts = np.concatenate([rows[kept], without])
    order = np.argsort(parts, kind="stable")
    unnamed = np.arange(len(parts)) >= len(kept)
    chosen = pa.array(np.append(kept, np.zeros_like(without))[order], mask=unnamed[order])
    holders = None if holder_of is None else holder_of.take(chosen)
    return dataclasses.replace(batch, sources=names.take(chosen), holders=holders, parts=parts[order])


def _firsts_of(rows: Rows, names: pa.Array, holders: pa.Array | None) -> Rows:
    """Which names do not stand before in the same document; one with two holders is two, for others to refuse."""
    codes = _codes(names)
    if holders is not None:
        codes = np.unique(codes * (len(holders) + 1) + _codes(holders), return_inverse=True)[1]
    firsts: Rows = np.sort(np.unique(rows * (len(names) + 1) + codes, return_index=True)[1])
    return firsts


def _codes(texts: pa.Array) -> Numbers:
    """A number for each text, the same for equal ones."""
    codes: Numbers = pc.dictionary_encode(texts, null_encoding="encode").indices.to_numpy().astype(np.int64)
    return codes


def _as_lists(values: pa.Array) -> pa.Array:
    return values if _is_list(values) else lists_of(values, np.arange(len(values)), len(values))


def _beside(batch: Batch, sources: pa.Array, holders: pa.Array, rows: Rows) -> pa.Array:
    """The holder in the same place as each source, of the documents in `rows`; a single one is that of all.

    A list of one is a single one, too: a reader makes lists of all values where it finds one among them. Raises
    DocumentError.
    """
    wanted, found = _lengths(sources), _lengths(holders)
    wrong = rows[(found[rows] > 1) & (wanted[rows] != found[rows])]
    if len(wrong):
        row = int(wrong[0])
        raise DocumentError(
            f"{batch.place(row)}: the sources and the holders that the document names are {wanted[row]} and "
            f"{found[row]}, so who holds which is not said; mend the document, or give the collection fixed `holders`"
        )
    of = _rows_of(sources)
    inside = np.arange(len(of)) - np.repeat(sources.offsets.to_numpy()[:-1], wanted)
    places = holders.offsets.to_numpy()[:-1][of] + np.where(found[of] == 1, 0, inside)
    usable = np.isin(of, rows) & (found[of] > 0)
    return holders.values.take(pa.array(np.where(usable, places, 0), mask=~usable))


def _lengths(lists: pa.Array) -> Numbers:
    lengths: Numbers = pc.list_value_length(lists).to_numpy()
    return lengths
