"""Which sources take part, and where goes what the others come to (docs/spec-policy.md, rule Y7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Mask, Numbers
from royaltycli.errors import AmountError
from royaltycli.payout.measures import Measured, below
from royaltycli.payout.policy import Gate, Measure

POOL = "pool"
ESCROW = "escrow"
"""Places of a policy where money goes (`Destination`); the rows of a result have them in parentheses."""


@dataclass(frozen=True, slots=True)
class Gated:
    """For each source: the gate that closed on it, or -1; and which of `places` its money goes to, -1 for its holders.

    `out` are those whose money is for the others.
    """

    gate: Numbers
    sent: Numbers
    places: tuple[str, ...]
    out: Mask

    def kept(self, amounts: Numbers) -> Numbers:
        """Those of the amounts of all sources that their holders get; 0 for the others."""
        return np.where(self.sent == -1, amounts, 0)


def pass_gates(
    gates: tuple[Gate, ...], table: pa.Table, unknown: Mask, measure: Callable[[Measure], Measured]
) -> Gated:
    """What the gates do to each source; `unknown` are those without holders.

    Raises AmountError if nobody takes part.
    """
    closed = np.full(table.num_rows, -1, np.int64)
    for number, gate in enumerate(gates):
        closed[(closed == -1) & _closes(gate, table, unknown, measure)] = number
    places = tuple(sorted({ESCROW, *(gate.to for gate in gates)}))
    to = np.array([*(places.index(gate.to) for gate in gates), -1], np.int64)
    sent = to[closed]
    sent[(closed == -1) & unknown] = places.index(ESCROW)
    out = sent == places.index(POOL) if POOL in places else np.zeros(table.num_rows, bool)
    if table.num_rows and out.all():
        raise AmountError("the gates of the policy close on every source, so nobody can be paid; open one of them")
    return Gated(closed, sent, places, out)


def _closes(gate: Gate, table: pa.Table, unknown: Mask, measure: Callable[[Measure], Measured]) -> Mask:
    """The sources for which all conditions of a gate hold; none, if it has no condition."""
    conditions: list[Mask] = []
    if gate.minimum is not None:
        low = np.zeros(table.num_rows, bool)
        for name, least in gate.minimum.items():
            low |= below(measure(name), least)
        conditions.append(low)
    if gate.licenses is not None:
        conditions.append(_licensed(table["license"], gate.licenses))
    if gate.other_licenses is not None:
        conditions.append(~_licensed(table["license"], gate.other_licenses))
    if gate.unknown:
        conditions.append(unknown)
    if not conditions:
        return np.zeros(table.num_rows, bool)
    closed: Mask = np.logical_and.reduce(conditions)
    return closed


def _licensed(licenses: pa.ChunkedArray, names: frozenset[str]) -> Mask:
    found: Mask = pc.is_in(pc.fill_null(licenses, ""), pa.array(sorted(names), pa.string())).to_numpy()
    return found
