"""What a ledger has come to: all that the next transaction may depend on (docs/spec-ledger.md)."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import pyarrow as pa

from royaltycli.errors import LedgerError
from royaltycli.ledger.accounts import NOTHING, Balances, after, changes
from royaltycli.ledger.chain import START, About, Posting, digest
from royaltycli.ledger.parties import HOLDER, NO_PARTIES, Parties
from royaltycli.payout.currency import Currency, find_currency

CLOSE, RESTATE, SETTLE = "close", "restate", "settle"
TRANSFER, RELEASE, REDISTRIBUTE = "transfer", "release", "redistribute"


@dataclass(frozen=True, slots=True)
class Logged:
    """A transaction without its moves."""

    number: int
    kind: str
    about: About
    digest: bytes


@dataclass(frozen=True)
class State:
    """The transactions so far, the periods and parties in the order of their numbers, and the balances."""

    log: tuple[Logged, ...]
    periods: tuple[str, ...]
    parties: Parties
    balances: Balances

    @property
    def head(self) -> bytes:
        """The digest of the last transaction."""
        return self.log[-1].digest if self.log else START

    @functools.cached_property
    def currency(self) -> Currency:
        """The currency of the ledger. Raises LedgerError if nothing has been closed."""
        if not self.log:
            raise LedgerError("nothing has been closed in this ledger; `royalty close` does")
        return find_currency(self.log[0].about["currency"])

    @functools.cached_property
    def transfers(self) -> dict[int, int]:
        """Of each holder that was transferred, to whom, by numbers; that one may be transferred in turn (rule L15)."""
        booked = [logged.about for logged in self.log if logged.kind == TRANSFER]
        if not booked:
            return {}
        # All at once, as each search goes through all parties.
        both = (self.parties.find(HOLDER, [about[key] for about in booked]).tolist() for key in ("from", "to"))
        to: dict[int, int] = {}
        for source, target in zip(*both, strict=True):
            to.pop(target, None)
            to[source] = target
        return to

    @functools.cached_property
    def successors(self) -> dict[int, int]:
        """To whom goes what comes to a holder that was transferred, by numbers: where all transfers lead (rule L15)."""
        to, last = self.transfers, {}
        for source in to:
            target = source
            while target in to:
                target = to[target]
            last[source] = target
        return last

    def successors_at(self, close: Logged) -> dict[int, int]:
        """The same as it was when a period was closed: what is transferred later is nothing to it."""
        return dataclasses.replace(self, log=self.log[: close.number]).successors

    def stated(self, period: str) -> list[Logged]:
        """The close of a period, and its restatements. Raises LedgerError if it has not been closed."""
        found = [each for each in self.log if each.kind in (CLOSE, RESTATE) and each.about["period"] == period]
        if not found:
            closed = f"the last is {self.periods[-1]}" if self.periods else "none is"
            raise LedgerError(f"period {period} has not been closed; {closed}")
        return found

    def number(self, period: str) -> int:
        """The number of a period. Raises LedgerError if it has not been closed."""
        self.stated(period)
        return self.periods.index(period) + 1

    def after(self, posting: Posting, changed: Balances | None = None) -> State:
        """The state when a transaction is booked; `changed` is what it changes, where that is known."""
        number = len(self.log) + 1
        logged = Logged(number, posting.kind, posting.about, digest(self.head, number, posting))
        parties = Parties(pa.concat_tables([self.parties.table, posting.parties]))
        balances = after(self.balances, changes(posting.moves) if changed is None else changed)
        return State((*self.log, logged), (*self.periods, *posting.periods), parties, balances)


EMPTY = State((), (), NO_PARTIES, NOTHING)
