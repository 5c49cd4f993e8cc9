"""The rows of a token table: the sums of sources, and what the manifest says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.limits import ROW_GROUP, ROW_GROUP_BYTES
from royaltycli.manifest.model import Corpus, HolderShare, Source
from royaltycli.numerals import plain, plain_fraction
from royaltycli.tokens.ids import holder_ids
from royaltycli.tokens.table import HOLDERS, SCHEMA


class TableRows:
    """Makes rows of a token table from GROUPS."""

    def __init__(self, corpus: Corpus) -> None:
        owners = corpus.owners
        names = {holder.id: holder.name for holder in corpus.holders}
        self._ids = pa.array(list(names), pa.large_string())
        self._names = pa.array(list(names.values()), pa.large_string())
        self._titles = pa.array([owner.title if isinstance(owner, Source) else None for owner in owners], pa.string())
        self._licenses = pa.array([owner.license for owner in owners], pa.string())
        self._epochs = pa.array([plain(owner.epochs) for owner in owners], pa.string())
        self._holders = pa.array([_holders(owner.holders, names) for owner in owners], HOLDERS)

    def of(self, groups: pa.Table) -> pa.Table:
        """The rows of some sources."""
        owner = groups["owner"].combine_chunks()
        columns = {name: groups[name] for name in groups.column_names if name in SCHEMA.names}
        columns |= {"title": self._titles.take(owner), "license": self._licenses.take(owner)}
        columns |= {"epochs": self._epochs.take(owner)}
        columns["holders"] = self._holders_of(owner, groups["holder"].combine_chunks())
        return pa.table([columns[name] for name in SCHEMA.names], names=SCHEMA.names).cast(SCHEMA)

    def _holders_of(self, owner: pa.Int32Array, values: pa.LargeStringArray) -> pa.ListArray:
        """The holders of each source: those of its owner, or the one that its documents name.

        Such a one has the value as id, and as name what the manifest says or the value as it stands.
        """
        if values.null_count == len(values):
            return self._holders.take(owner)
        ids = holder_ids(values)
        known = pc.index_in(ids, self._ids)
        names = pc.coalesce(self._names.take(known), values)
        shares = pa.repeat("1", len(values))
        one = pa.StructArray.from_arrays(
            [ids.cast(pa.string()), names.cast(pa.string()), shares], fields=list(HOLDERS.value_type)
        )
        named = pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1), pa.int32()), one)
        either = pa.concat_arrays([self._holders, named.cast(HOLDERS)])
        at = np.where(
            values.is_valid().to_numpy(zero_copy_only=False), np.arange(len(values)) + len(self._holders), owner
        )
        return either.take(pa.array(at))


def row_groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of parts in row groups, which depend on nothing but the rows.

    A row group ends after ROW_GROUP rows, or with the row at which its ids and names come to ROW_GROUP_BYTES.
    """
    held: list[pa.Table] = [SCHEMA.empty_table()]  # without any rows there is one empty row group
    rows = size = 0
    for left in parts:
        part = left
        while len(part):
            sizes = size + np.cumsum(_text_sizes(part))
            fitting = min(ROW_GROUP - rows, int(np.searchsorted(sizes, ROW_GROUP_BYTES)) + 1, len(part))
            held.append(part.slice(0, fitting))
            rows, size, part = rows + fitting, int(sizes[fitting - 1]), part.slice(fitting)
            if rows == ROW_GROUP or size >= ROW_GROUP_BYTES:
                yield pa.concat_tables(held).combine_chunks()
                held, rows, size = [], 0, 0
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _text_sizes(part: pa.Table) -> Numbers:
    """The bytes of the id of each source, and of the ids and names of its holders."""
    sizes: Numbers = pc.binary_length(part["source_id"]).to_numpy().astype(np.int64)
    holders = part["holders"].combine_chunks()
    flat = pc.list_flatten(holders)
    lengths = [pc.fill_null(pc.binary_length(pc.struct_field(flat, name)), 0) for name in ("id", "name")]
    ends = np.cumsum(np.append(0, lengths[0].to_numpy() + lengths[1].to_numpy()))
    first_and_next = np.cumsum(np.append(0, pc.list_value_length(holders).to_numpy()))
    sizes += np.diff(ends[first_and_next])
    return sizes


def _holders(shares: tuple[HolderShare, ...], names: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"id": part.holder, "name": names.get(part.holder, part.holder), "share": plain_fraction(part.share)}
        for part in shares
    ]
