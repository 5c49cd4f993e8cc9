"""The holders, sources and funds that a ledger knows, by number (docs/spec-ledger.md, rule L3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers
from royaltycli.errors import CallError, LedgerError
from royaltycli.limits import ID_BYTES

HOLDER, SOURCE, FUND = "holder", "source", "fund"

SCHEMA = pa.schema([("class", pa.string()), ("id", pa.string()), ("name", pa.string())])
"""A row a party; the first has the number 1. A party without a name has its id as name."""


@dataclass(frozen=True, slots=True)
class Parties:
    """All parties in the order of their numbers."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def find(self, kind: str, ids: pa.Array | Sequence[str]) -> Numbers:
        """The numbers of parties of one class; 0 for one that is not known."""
        rows = np.flatnonzero(pc.equal(self.table["class"], kind).to_numpy())
        known = self.table["id"].take(pa.array(rows)).combine_chunks()
        found = pc.index_in(as_texts(ids), known)
        numbers = np.append(rows + 1, 0)
        result: Numbers = numbers[pc.fill_null(found, len(rows)).to_numpy(zero_copy_only=False)]
        return result

    def number(self, kind: str, name: str) -> int:
        """The number of one party, 0 if it is not known."""
        return int(self.find(kind, [name])[0])

    def holder(self, name: str, otherwise: str = "`royalty balance` lists them") -> int:
        """The number of a holder. Raises LedgerError if it is not known, with the id of one that is called so.

        Where nobody is, the error ends with `otherwise`.
        """
        number = self.number(HOLDER, name)
        if not number:
            holders = self.table.filter(pc.equal(self.table["class"], HOLDER))
            ids = holders["id"].filter(pc.equal(holders["name"], name)).slice(0, 3).to_pylist()
            mend = f"did you mean {' or '.join(ids)}, who is called so?" if ids else otherwise
            raise LedgerError(f"the ledger knows no holder {name}; {mend}")
        return number

    def ids(self, numbers: Numbers) -> list[str]:
        """The ids of parties; that of nobody is empty."""
        return self._texts("id", numbers)

    def names(self, numbers: Numbers) -> list[str]:
        """The names of parties."""
        return self._texts("name", numbers)

    def kinds(self, numbers: Numbers) -> list[str]:
        """The classes of parties."""
        return self._texts("class", numbers)

    def with_more(self, kind: str, ids: pa.Array | Sequence[str], names: pa.Array | None = None) -> Parties:
        """These and those of `ids` that are not among them, in the order in which they are given."""
        ids = as_texts(ids)
        new = pa.array(self.find(kind, ids) == 0)
        fresh = ids.filter(new)
        if not len(fresh):
            return self
        named = fresh if names is None else pc.coalesce(names.filter(new), fresh)
        kinds = pa.repeat(kind, len(fresh))
        return Parties(pa.concat_tables([self.table, pa.table([kinds, fresh, named], schema=SCHEMA)]))

    def since(self, count: int) -> pa.Table:
        """The rows after the first `count`."""
        return self.table.slice(count)

    def _texts(self, column: str, numbers: Numbers) -> list[str]:
        texts = self.table[column].take(pa.array(np.maximum(numbers - 1, 0))) if len(self) else pa.nulls(0)
        found = texts.to_pylist() if len(self) else [""] * len(numbers)
        return ["" if number == 0 else text for number, text in zip(numbers.tolist(), found, strict=True)]


NO_PARTIES = Parties(SCHEMA.empty_table())


def as_texts(ids: pa.Array | Sequence[str]) -> pa.Array:
    """Ids as one Arrow array."""
    if isinstance(ids, pa.ChunkedArray):
        return ids.combine_chunks()
    return ids if isinstance(ids, pa.Array) else pa.array(ids, pa.string())


def check_known(parties: Parties, holder: str, name: str | None) -> None:
    """Raises LedgerError for a holder that is not known, unless there is a `name` for a new one."""
    if name is None:
        parties.holder(holder, "if that is one, give its name with `--name`")


def check_new(holder: str, name: str) -> None:
    """Raises CallError if a new holder has an id or a name that no holder of a corpus could have: it stays for good."""
    from royaltycli.manifest.identifiers import check_id, decode_value, encode_value

    why = check_id(holder)
    named_by_a_field = 0 < len(holder.encode("utf-8", "surrogatepass")) <= ID_BYTES and (
        encode_value(decode_value(holder)) == holder
    )
    if why is not None and not named_by_a_field:
        raise CallError(
            f"the id of the new holder {holder[:80]!r} {why}; write it in letters, digits, `.`, `_` and `-`"
        )
    if not name.isprintable() or not name.strip():
        raise CallError(f"the name of the new holder is {name[:80]!r}; write one line of text")
