"""Small corpora, policies and lists for the tests of the ledger, and commands on it in short."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account
from royaltycli.ledger.booking import Given, close_period, restate_period
from royaltycli.ledger.parties import HOLDER
from royaltycli.payout.currency import currency
from royaltycli.storage import write_parquet
from royaltycli.tokens.table import SCHEMA, with_metadata
from tests.payout.tables import table

UNIT = 1_000_000
"""Millionths in a cent."""


def tokens(place, *sources, name="tokens.parquet"):
    """A token table of (id, tokens, {holder: share}), written as a scan does."""
    made = table(*((source, count, "1", holders) for source, count, holders in sources))
    columns = {field.name: made[field.name] for field in SCHEMA if field.name in made.column_names}
    rows = made.num_rows
    columns |= {
        "documents": [1] * rows,
        "bytes": [1] * rows,
        "digest": [bytes(32)] * rows,
        "credited_tokens": made["tokens"],
    }
    import pyarrow as pa

    full = pa.table([columns[field.name] for field in SCHEMA], schema=SCHEMA)
    write_parquet(place / name, with_metadata(full, schema="2"))
    return place / name


def text(place, name, content):
    """A file with some text."""
    (place / name).write_text(content, encoding="utf-8")
    return place / name


def given(place, period, dollars, *sources, rate=1, **options):
    """What a period is closed with: a profit, and the sources of its token table."""
    return Given(
        period,
        Decimal(dollars),
        Fraction(rate),
        currency(options.pop("currency", "USD")),
        tokens(place, *sources),
        **options,
    )


def close(place, period, dollars, *sources, **options):
    """Close a period of the ledger `ledger` in a folder."""
    return close_period(place / "ledger", given(place, period, dollars, *sources, **options))


def restate(place, period, dollars, *sources, **options):
    """Restate a period likewise."""
    return restate_period(place / "ledger", given(place, period, dollars, *sources, **options))


def state(place):
    """The state of the ledger in a folder."""
    with journal.opened(place / "ledger") as found:
        return found.state()


def has(place, account, holder, period=0):
    """What a holder has on an account, in millionths."""
    now = state(place)
    number = now.parties.number(HOLDER, holder)
    number_of_period = now.periods.index(period) + 1 if period else 0
    return int(now.balances.dense(account, len(now.parties) + 1, number_of_period)[number])


def balance(place, holder):
    return has(place, Account.HOLDER, holder)
