"""The ledger's commands, from what callers give: names, numbers as text, and files.

Between the command line with the Python API, and the ledger itself.
"""

from __future__ import annotations

import csv
import os
import re
from datetime import date as calendar_date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from royaltycli.arguments import Number, amount, check_types, rate_of
from royaltycli.errors import CallError, LedgerError, reason_of
from royaltycli.progress import Tell, say_nothing

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.ledger.booking import Booked, Given
    from royaltycli.ledger.verification import Verified

DIGEST = re.compile("[0-9A-Fa-f]{64}")

USUAL = "USD"
"""The currency of a ledger that is begun without one."""


def close(period: str, *, ledger: Path, tell: Tell = say_nothing, **how: Any) -> Booked:
    """Close a period; `how` is as for `given`, and `tell` is told of the progress.

    Raises LedgerError and whatever its inputs raise.
    """
    from royaltycli.ledger.booking import close_period

    return close_period(ledger, given(period, ledger, **how), tell)


def restate(period: str, *, ledger: Path, tell: Tell = say_nothing, **how: Any) -> Booked:
    """Restate a closed period; `how` is as for `given`, and `tell` is told of the progress.

    Raises LedgerError and whatever its inputs raise.
    """
    from royaltycli.ledger.booking import restate_period

    return restate_period(ledger, given(period, ledger, **how), tell)


def given(
    period: str,
    ledger: Path,
    *,
    profit: Number,
    rate: Number | None = None,
    tokens: str | Path = "tokens.parquet",
    policy: str | Path | None = None,
    holders: Path | None = None,
    usage: Path | None = None,
    currency: str | None = None,
    total_tokens: Number | None = None,
    date: str = "",
) -> Given:
    """What a period is to be closed with. Without a policy, `rate` is required. Raises CallError and RemoteError."""
    from royaltycli.ledger.booking import Given
    from royaltycli.payout.currency import find_currency
    from royaltycli.remote.names import check_here, named_path

    check_types("period", period=period, date=date)
    _check_date(date)
    check_here(ledger, "a ledger")
    code = currency if currency is not None else _currency_of(ledger) or USUAL
    share = None if rate is None and policy is not None else rate_of(rate)
    total = None if total_tokens is None else amount(total_tokens, "total tokens")
    table = named_path(tokens)
    return Given(
        period, amount(profit, "profit"), share, find_currency(code), table, policy, holders, usage, total, date
    )


def verify(ledger: Path, *, head: str | None = None, tell: Tell = say_nothing) -> Verified:
    """Verify a ledger. Raises LedgerDamage with all that is wrong with it, and CallError if the head is no digest."""
    from royaltycli.ledger.verification import verify as run

    if head is not None and not DIGEST.fullmatch(head):
        raise CallError(f"the digest is {head[:80]!r}; write all of its 64 digits, as `royalty ledger log` shows them")
    return run(ledger, head=head, tell=tell)


def log(ledger: Path) -> pa.Table:
    """Every transaction: its number, kind, period, date, and digest."""
    from royaltycli.ledger.reports import log as rows

    return rows(ledger)


def balances(ledger: Path, holder: str | None = None) -> pa.Table:
    """What every holder has, or one, from the largest balance on. Raises LedgerError for one that is not known."""
    from royaltycli.ledger.reports import balances as rows

    return rows(ledger, holder)


def payments(ledger: Path, period: str, status: str | None = None) -> pa.Table:
    """The payments of a period, from the largest on, all or those of one status."""
    import pyarrow.compute as pc

    from royaltycli.ledger.payments import payments as rows

    found = rows(ledger, period)
    return found if status is None else found.filter(pc.equal(found["status"], status))


def settle(
    ledger: Path,
    period: str,
    holders: list[str],
    *,
    paid: bool | None,
    file: Path | None = None,
    everybody: bool = False,
    date: str = "",
) -> int:
    """Mark payments as paid or returned, and say how many were not so marked before.

    Whose is given in exactly one of three ways. Raises CallError and LedgerError; nothing is marked then.
    """
    from royaltycli.ledger.payments import settle as run

    _check_date(date)
    if paid is None:
        raise CallError("it was not said what became of the payments; say `--paid` or `--returned`")
    if (bool(holders), file is not None, everybody).count(True) != 1:
        raise CallError("payments are named by holders, by `--file` or by `--all`; use one of them")
    amounts: dict[str, Decimal | None] | None = None if everybody else dict.fromkeys(holders)
    if file is not None:
        amounts = read_amounts(file, _currency_of(ledger))
    return run(ledger, period, "paid" if paid else "returned", amounts, date)[1]


def read_amounts(file: Path, code: str | None) -> dict[str, Decimal | None]:
    """The column holder_id of a CSV file, with its column payout, if it has one. Raises CallError.

    So it does for a row that says another currency than `code`, which is the ledger's.
    """
    if not os.path.isfile(file):
        raise CallError(f"there is no file {os.fspath(file)!r}; name a CSV file with the column holder_id")
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            if "holder_id" not in (rows.fieldnames or ()):
                raise CallError(f"{file} has no column holder_id, or is not parted by commas; name the payees in one")
            found: dict[str, Decimal | None] = {}
            for row in rows:
                holder, written = row["holder_id"], (row.get("payout") or "").strip()
                currency = (row.get("currency") or "").strip()
                if holder is None or None in row:
                    raise CallError(f"{file}:{rows.line_num}: the row has not as many cells as the header; correct it")
                if holder in found:
                    raise CallError(f"{file}:{rows.line_num}: {holder} is named a second time; keep one of the rows")
                if currency and code is not None and currency.upper() != code:
                    raise CallError(
                        f"{file}:{rows.line_num}: currency is {currency[:80]!r}, but the ledger is in {code}; "
                        "correct the row, or take it out"
                    )
                found[holder] = amount(written, f"{file}:{rows.line_num}: payout") if written else None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CallError(f"{file} cannot be read as CSV ({reason_of(error)}); save it as CSV in UTF-8") from error
    return found


def transfer(ledger: Path, source: str, target: str, *, name: str | None = None, date: str = "") -> bool:
    """Transfer a holder; says whether anything has changed. Raises LedgerError."""
    from royaltycli.ledger.transfers import transfer as run

    _check_date(date)
    return run(ledger, source, target, name=name, date=date)[1]


def unclaimed(ledger: Path, age: int = 0) -> pa.Table:
    """What is in escrow, of at least so many periods' age, from the oldest, and the largest, on."""
    from royaltycli.ledger.escrow import unclaimed as rows

    return rows(ledger, age)


def release(
    ledger: Path, owner: str, *, to: str | None = None, name: str | None = None, source: bool = False, date: str = ""
) -> tuple[str, str, str]:
    """Release escrow, and say how much, such as `12.50` and `USD`, and who has it now: a successor, if there is one.

    Raises CallError and LedgerError.
    """
    from royaltycli.ledger.escrow import release as run
    from royaltycli.payout.currency import exact_money

    _check_date(date)
    state, released, receiver = run(ledger, owner, to=to, name=name, source=source, date=date)
    return exact_money(released, state.currency), state.currency.code, receiver


def redistribute(ledger: Path, age: int, to: str, *, date: str = "") -> tuple[str, str]:
    """Redistribute escrow, and say how much it was. Raises CallError and LedgerError."""
    from royaltycli.ledger.escrow import redistribute as run
    from royaltycli.payout.currency import exact_money

    _check_date(date)
    state, moved = run(ledger, age, to, date)
    return exact_money(moved, state.currency), state.currency.code


def _check_date(written: str) -> None:
    """Raises CallError if a date to note is neither empty nor one: what the ledger notes stays for good."""
    if written == "":
        return
    try:
        is_one = calendar_date.fromisoformat(written).isoformat() == written
    except ValueError:
        is_one = False
    if not is_one:
        raise CallError(f"the date is {written[:80]!r}; write it as year, month and day, such as 2026-12-31")


def _currency_of(ledger: Path) -> str | None:
    """The currency of a ledger, or None if there is none yet."""
    from royaltycli.ledger import journal

    if not os.path.isfile(ledger / journal.FILE):
        return None
    try:
        with journal.opened(ledger) as found, journal.errors(ledger):
            return next((str(logged.about["currency"]) for logged in found.log()), None)
    except LedgerError:  # what is wrong is said when it is written to
        return None
