"""Small corpora, policies and lists for the tests of the ledger, and commands on it in short."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa

from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.booking import Given, close_period, restate_period
from royaltycli.ledger.parties import HOLDER, SOURCE
from royaltycli.payout.currency import find_currency
from royaltycli.storage import write_parquet
from royaltycli.tokens.table import SCHEMA, with_metadata
from tests.payout.tables import table

CENT = 1_000_000
"""Millionths of a minor unit."""

DOLLAR = 100 * CENT

A, B, C = ({name: "1"} for name in "abc")
"""The holders of a source that has but one."""


def write_tokens(path, *sources):
    """A token table of (id, tokens, {holder: share}), as a scan writes it."""
    made = table(*((source, count, "1", holders) for source, count, holders in sources))
    rows = made.num_rows
    columns = {name: made[name] for name in made.column_names}
    columns |= {"documents": [1] * rows, "bytes": [1] * rows, "digest": [bytes(32)] * rows}
    columns["credited_tokens"] = made["tokens"]
    full = pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)
    write_parquet(path, with_metadata(full, schema="2"))
    return path


class Ledger:
    """A ledger in a folder, with what its periods are closed with beside it."""

    def __init__(self, folder):
        self.folder, self.path, self._names = folder, folder / "ledger", itertools.count()

    def write(self, ending, text):
        """A new file with some text."""
        path = self.folder / f"input-{next(self._names)}{ending}"
        path.write_text(text, encoding="utf-8")
        return path

    def given(self, period, dollars, *sources, policy=None, holders=None, usage=None, **options):
        """What a period is closed with; policy and lists as texts."""
        tokens = write_tokens(self.folder / f"tokens-{next(self._names)}.parquet", *sources)
        code = find_currency(options.pop("code", "USD"))
        files = {
            "policy": None if policy is None else self.write(".toml", policy),
            "holders": None if holders is None else self.write(".csv", holders),
            "usage": None if usage is None else self.write(".csv", usage),
        }
        rate = Fraction(options.pop("rate", 1))
        return Given(period, Decimal(dollars), rate, code, tokens, **files, **options)

    def close(self, period, dollars, *sources, **options):
        return close_period(self.path, self.given(period, dollars, *sources, **options))

    def restate(self, period, dollars, *sources, **options):
        return restate_period(self.path, self.given(period, dollars, *sources, **options))

    def state(self):
        with journal.opened(self.path) as found:
            return found.state()

    def has(self, account, party, period=None, kind=HOLDER):
        """What a party has on an account, in millionths."""
        state = self.state()
        place = 0 if period is None else state.periods.index(period) + 1
        number = state.parties.number(kind, party) if party else 0
        if party and not number:
            return 0  # and not what is nobody's
        return int(state.balances.dense(account, len(state.parties) + 1, place)[number])

    def balance(self, holder):
        return self.has(Account.HOLDER, holder)

    def escrow(self, source, period):
        return self.has(Account.ESCROW, source, period, SOURCE)

    def paid(self, period):
        """What a close pays, as {holder: amount in millionths}."""
        state = self.state()
        periods, holders, amounts = state.balances.by_period(Account.PAYABLE)
        here = periods == state.periods.index(period) + 1
        return dict(zip(state.parties.ids(holders[here]), amounts[here].tolist(), strict=True))

    def total(self):
        """The sum of all accounts."""
        return sum(self.state().balances.amounts.tolist())
