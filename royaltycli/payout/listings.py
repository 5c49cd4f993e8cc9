"""The rows of sources, holders and splits, and the columns that say of each what it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Integers
from royaltycli.payout.columns import taken
from royaltycli.payout.holders import Parts, holders_text
from royaltycli.payout.rows import Listing, ids_before, listing

Columns = dict[str, pa.ChunkedArray]


def of_sources(
    table: pa.Table, amounts: Integers, special: Mapping[str, int], top: int | None
) -> tuple[Listing, Columns]:
    """The sources of a token table in the order of its ids."""
    rows = listing(amounts, ids_before(table["source_id"]), special, top, "(other sources)")
    return rows, {
        "source_id": rows.ids(table["source_id"]),
        "title": rows.texts(table["title"]),
        "holders": rows.texts(holders_text(table["holders"])),
        "tokens": rows.counts(table["tokens"].to_numpy(), {}),
    }


def of_holders(
    parts: Parts, amounts: Integers, special: Mapping[str, int], top: int | None, sources: Mapping[str, int]
) -> tuple[Listing, Columns]:
    """The holders of sources; `sources` is how many of them a special row has, where that is known."""
    rows = listing(amounts, ids_before(parts.ids), special, top, "(other holders)")
    return rows, {
        "holder_id": rows.ids(pa.chunked_array([parts.ids])),
        "name": rows.texts(pa.chunked_array([parts.names])),
        "sources": rows.counts(np.bincount(parts.holder, minlength=len(parts.ids)), sources),
    }


def of_splits(
    table: pa.Table, parts: Parts, amounts: Integers, special: Mapping[str, int], top: int | None
) -> tuple[Listing, Columns]:
    """The parts that holders have of the sources of a token table."""
    before, sources = ids_before(table["source_id"]), pa.array(parts.source)
    rows = listing(
        amounts, lambda name: int(np.searchsorted(parts.source, before(name))), special, top, "(other splits)"
    )
    return rows, {
        "source_id": rows.ids(table["source_id"].take(sources)),
        "title": rows.texts(table["title"].take(sources)),
        "holder_id": rows.texts(taken(parts.ids, parts.holder)),
        "name": rows.texts(taken(parts.names, parts.holder)),
        "holder_share": rows.texts(taken(parts.share_texts, parts.share)),
    }
