"""All that a statement to a holder needs, for one period: computed for all holders of it at once.

`statements` reads the period's transactions and computes its distribution once; each holder's statement is
then a matter of slices, so that ten thousand of them are made in one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from royaltycli.errors import LedgerError
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account, Balances, Moves, Numbers, before, changes
from royaltycli.ledger.booking import distributed_as
from royaltycli.ledger.chain import About
from royaltycli.ledger.journal import Journal
from royaltycli.ledger.parties import HOLDER
from royaltycli.ledger.reading import read_kept
from royaltycli.ledger.state import CLOSE, REDISTRIBUTE, RELEASE, RESTATE, SETTLE, TRANSFER, State
from royaltycli.payout.currency import Currency
from royaltycli.payout.distribution import Distribution
from royaltycli.payout.policy import Policy


@dataclass(frozen=True, slots=True)
class Earned:
    """What a holder earned with one source. `weight` over `total` is the source's share; amounts are millionths.

    `seen` is the source's basis in the policy's first measure, such as seen tokens, times 10**`places`; `whole`
    is what the source came to, and `holder_share` the holder's part of it as text.
    """

    source_id: str
    title: str | None
    tokens: int
    epochs: str
    seen: int
    places: int
    total: int
    holder_share: str
    whole: int
    amount: int


@dataclass(frozen=True, slots=True)
class Change:
    """What changed a balance between two closes: a kind of transaction, its period and number, and an amount."""

    kind: str
    period: str | None
    number: int
    amount: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One holder in one period; amounts are millionths, deductions and payment above zero.

    opening + the changes + `released` (reserve of earlier periods) + earned + fixed + adjustment - held - fee -
    withholding - recouped - reserve - below + `passed_on` - paid = closing. `held` went to escrow, as the holder
    cannot be reached; `below` went where the policy sends balances under the minimum. `passed_on` came from
    holders whom this one succeeds, or is below zero for one who was succeeded. `escrow` is what is kept for the
    holder at the end, of all periods.
    """

    holder_id: str
    name: str
    opening: int
    changes: tuple[Change, ...]
    earned: tuple[Earned, ...]
    fixed: int
    adjustment: int
    held: int
    fee: int
    withholding: int
    recouped: int
    reserve: int
    released: int
    below: int
    passed_on: int
    paid: int
    closing: int
    escrow: int


@dataclass(frozen=True, slots=True)
class Closed:
    """What all statements of a period have in common, and the holders that there are statements for.

    `about` has profit, rate and the names of the inputs, which are their SHA-256 digests; `digest` is that of
    the transaction that closed the period, `head` that of the last one when this was read.
    """

    period: str
    date: str
    currency: Currency
    policy: Policy
    pool: int
    about: About
    number: int
    digest: str
    head: str
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The amounts of every party by its number, before, during and after a close."""

    opening: Numbers
    closing: Numbers
    escrow: Numbers
    moved: dict[str, Numbers]
    between: list[tuple[str, str | None, int, Balances]]


def statements(ledger: Path, period: str, holders: Sequence[str] | None = None) -> tuple[Closed, Iterator[Statement]]:
    """The statements of a period, by holder id: of all whom it concerns, or of those named.

    They are of the period as it was closed; a restatement later on is a change in a later period. Raises
    LedgerError if the period has not been closed, a holder is not known, or an input has changed.
    """
    with journal.opened(ledger) as found, found.reading():
        now = found.state()
        logged = now.stated(period)[0]
        then = _state_before(found, now, logged.number)
        columns = _columns(found, now, logged.number)
    inputs = read_kept(ledger, logged.about)
    distribution = distributed_as(then, inputs, logged.about)
    numbers = _concerned(now, columns) if holders is None else now.parties.find(HOLDER, holders)
    if not numbers.all():
        missing = [name for name, number in zip(holders or (), numbers.tolist(), strict=True) if not number]
        raise LedgerError(f"the ledger knows no holder {missing[0]}; `royalty balance` lists them")
    ids = now.parties.ids(numbers)
    numbers = numbers[np.argsort(np.array(ids))] if len(ids) else numbers
    closed = Closed(
        period, logged.about["date"], now.currency, distribution.policy, distribution.pool, logged.about,
        logged.number, logged.digest.hex(), now.head.hex(), tuple(now.parties.ids(numbers)),
    )  # fmt: skip
    return closed, _each(now, distribution, columns, numbers)


def _state_before(found: Journal, now: State, number: int) -> State:
    """The state before a transaction: that of now, less all moves from it on."""
    balances = now.balances
    for logged in now.log[number - 1 :]:
        balances = before(balances, changes(found.moves(logged.number)))
    parties, periods = found.counts_before(number)
    return State(now.log[: number - 1], now.periods[:periods], now.parties.first(parties), balances)


def _columns(found: Journal, now: State, number: int) -> _Columns:
    """Balances at the close before, and at this one, and what happened between and in it."""
    size = len(now.parties) + 1
    closing = now.balances
    for logged in now.log[number:]:
        closing = before(closing, changes(found.moves(logged.number)))
    own = found.moves(number)
    balances, between = before(closing, changes(own)), []
    for logged in reversed(now.log[: number - 1]):
        if logged.kind == CLOSE:
            break
        changed = changes(found.moves(logged.number))
        between.append((logged.kind, logged.about.get("period"), logged.number, changed))
        balances = before(balances, changed)
    _, owners, kept = closing.by_period(Account.ESCROW)
    escrow = np.zeros(size, np.int64)
    np.add.at(escrow, owners, kept)
    opening = balances.dense(Account.HOLDER, size)
    return _Columns(opening, closing.dense(Account.HOLDER, size), escrow, _moved(own, size), between[::-1])


def _moved(moves: Moves, size: int) -> dict[str, Numbers]:
    """What a close moved from and to each holder's balance, by what for."""
    out = {
        "fee": Account.FEE, "withholding": Account.WITHHOLDING, "recouped": Account.ADVANCE,
        "reserve": Account.RESERVE, "paid": Account.PAYABLE,
    }  # fmt: skip
    sums = {name: _sums(moves.between(Account.HOLDER, account), "from_party", size) for name, account in out.items()}
    sums["released"] = _sums(moves.between(Account.RESERVE, Account.HOLDER), "to_party", size)
    places = (Account.PAYER, Account.FUND, Account.ESCROW)
    sums["below"] = sum(
        (_sums(moves.between(Account.HOLDER, account), "from_party", size) for account in places),
        np.zeros(size, np.int64),
    )
    passed = moves.between(Account.HOLDER, Account.HOLDER)
    sums["passed_on"] = _sums(passed, "to_party", size) - _sums(passed, "from_party", size)
    return sums


def _sums(moves: Moves, column: str, size: int) -> Numbers:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, moves.column(column), moves.column("amount"))
    return sums


def _concerned(now: State, columns: _Columns) -> Numbers:
    """The holders who had or got anything."""
    touched = (columns.opening != 0) | (columns.closing != 0) | (columns.escrow != 0)
    for amounts in columns.moved.values():
        touched |= amounts != 0
    for *_, changed in columns.between:
        touched[changed.of(Account.HOLDER)[0]] = True
    numbers = np.flatnonzero(touched[1:]) + 1
    kinds = np.array(now.parties.kinds(numbers)) == HOLDER
    chosen: Numbers = numbers[kinds] if len(numbers) else numbers
    return chosen


def _each(now: State, distribution: Distribution, columns: _Columns, numbers: Numbers) -> Iterator[Statement]:
    """The statements of the holders with these numbers."""
    parts, earnings = distribution.parts, distribution.earnings
    by_holder = np.argsort(parts.holder, kind="stable")
    starts = np.searchsorted(parts.holder[by_holder], np.arange(len(parts.ids) + 1))
    row_of = np.full(len(now.parties) + 1, -1, np.int64)
    row_of[now.parties.find(HOLDER, parts.ids)] = np.arange(len(parts.ids))
    changed = [
        (kind, period, number, each.dense(Account.HOLDER, len(now.parties) + 1))
        for kind, period, number, each in columns.between
    ]
    ids, names = now.parties.ids(numbers), now.parties.names(numbers)
    for number, holder, name in zip(numbers.tolist(), ids, names, strict=True):
        row = int(row_of[number])
        earned: tuple[Earned, ...] = ()
        fixed = adjustment = held = 0
        if row >= 0:
            earned = _earned(distribution, by_holder[starts[row] : starts[row + 1]])
            fixed, adjustment = int(earnings.fixed[row]), int(earnings.adjustment[row])
            held = int(earnings.escrow[row])
        moved = {key: int(amounts[number]) for key, amounts in columns.moved.items()}
        happened = tuple(
            Change(kind, period, place, int(amounts[number]))
            for kind, period, place, amounts in changed
            if amounts[number]
        )
        yield Statement(
            holder, name, int(columns.opening[number]), happened, earned, fixed, adjustment, held,
            closing=int(columns.closing[number]), escrow=int(columns.escrow[number]), **moved,
        )  # fmt: skip


def _earned(distribution: Distribution, places: Numbers) -> tuple[Earned, ...]:
    """What the parts at these places earned, in the order of their sources."""
    parts, table = distribution.parts, distribution.table
    sources = parts.source[places]
    rows = table.select(["source_id", "title", "tokens", "epochs"]).take(pa.array(sources)).to_pylist()
    shares = parts.share_texts.take(pa.array(parts.share[places])).to_pylist()
    shared = distribution.shared[0] if distribution.shared else None
    found = []
    for row, source, place, share in zip(rows, sources.tolist(), places.tolist(), shares, strict=True):
        seen = 0 if shared is None else int(shared.numbers[source])
        found.append(
            Earned(
                row["source_id"],
                row["title"],
                row["tokens"],
                row["epochs"],
                seen,
                0 if shared is None else shared.places,
                0 if shared is None else shared.total,
                share,
                int(distribution.sources[source]),
                int(distribution.part_amounts[place]),
            )
        )
    return tuple(found)


KINDS = (RESTATE, SETTLE, TRANSFER, RELEASE, REDISTRIBUTE)
"""The kinds of a Change: a correction, a payment that came back, a succession, and escrow released or shared out."""
