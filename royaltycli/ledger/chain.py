"""Transactions and the chain of their digests (docs/spec-ledger.md, rules L3 and L4)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.ledger.accounts import Moves
from royaltycli.tokens.buffers import utf8

START = bytes(32)
"""The digest before the first transaction."""

About = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posting:
    """A transaction to be booked: its kind, what it is about, the periods and parties it names first, its moves."""

    kind: str
    about: About
    periods: tuple[str, ...]
    parties: pa.Table
    moves: Moves


def canonical(about: About) -> str:
    """The one JSON text of what a transaction is about."""
    return json.dumps(about, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(before: bytes, number: int, posting: Posting) -> bytes:
    """The digest of a transaction, given the one before it. Raises ValueError if a party has no id or name."""
    header = {
        "about": posting.about,
        "kind": posting.kind,
        "moves": len(posting.moves.rows),
        "number": number,
        "parties": posting.parties.num_rows,
        "periods": posting.periods,
    }
    chained = hashlib.sha256(before)
    chained.update(canonical(header).encode() + b"\n")
    for column in posting.parties.columns:
        texts = column.combine_chunks().cast(pa.large_binary())
        if texts.null_count:
            raise ValueError("a party without id or name")
        lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        chained.update(lengths.astype("<i8").tobytes())
        chained.update(utf8(texts).data)
    chained.update(posting.moves.rows.astype("<i8", copy=False).tobytes())
    return chained.digest()
