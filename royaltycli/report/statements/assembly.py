"""The statements of a closed period, from the ledger and its inputs (docs/statements.md).

A statement covers all that was booked after the close before, up to the close of its period. Nothing that comes
later changes it: corrections are on the statement of the period in which they are booked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from royaltycli.arrays import Numbers, exact_sum
from royaltycli.ledger import journal
from royaltycli.ledger.accounts import Account, Balances, Moves, before, changes
from royaltycli.ledger.closing import lists_of
from royaltycli.ledger.parties import HOLDER
from royaltycli.ledger.reading import INPUTS, Inputs, distributed, read_kept
from royaltycli.ledger.state import CLOSE, Logged, State
from royaltycli.numerals import grouped
from royaltycli.payout.basis import Basis, seen_tokens
from royaltycli.payout.currency import MILLIONTHS, Currency, exact_money
from royaltycli.payout.distribution import Distribution
from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.payout.measures import measured
from royaltycli.payout.texts import decimal_texts, share_text, share_texts
from royaltycli.report.rules import Rules, rules_of
from royaltycli.report.statements.flows import Flows, flows_of, sorted_out
from royaltycli.report.statements.model import Earned, Entry, Party, Statement, Terms, Usage

Contacts = Mapping[str, tuple[tuple[str, str], ...]]
"""What is known of holders beyond their names, by their ids."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends statements, for which rights and use."""

    payer: Party
    category: str
    use: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What the ledger has of one period: its close, the balances before and after it, and all that moved between.

    `by_holder` are the parts of the distribution in the order of their holders, and `listed` is the list of holders.
    `usage` are the credits of the sources, its rest what is of none; None where the policy goes by no usage.
    """

    state: State
    close: Logged
    number: int
    opening: Balances
    closing: Balances
    flows: Flows
    distribution: Distribution
    basis: Basis
    usage: Basis | None
    by_holder: Numbers
    listed: pa.Table
    rules: Rules


def statements_of(
    ledger: Path, period: str, sender: Sender, contacts: Contacts, holder: str | None = None
) -> tuple[int, Iterator[Statement]]:
    """How many holders have a statement for a period, and the statements, in the order of the holders' ids.

    With a `holder`, that one only. All who had a balance, escrow or a reserve, or anything booked, have one. Raises
    LedgerError for a period that is not closed, or a holder that the ledger does not know.
    """
    read = _read(ledger, period)
    parties = read.state.parties
    chosen = _concerned(read) if holder is None else np.array([parties.holder(holder)], np.int64)
    return len(chosen), _statements(read, chosen, sender, contacts)


def _read(ledger: Path, period: str) -> _Read:
    with journal.opened(ledger) as found, found.reading():
        state = found.state()
        close, number = state.stated(period)[0], state.number(period)
        opening = closing = state.balances
        since: list[tuple[Logged, Moves]] = []
        # Backwards from today, as most statements are of the last period, and the ledger may be old.
        for logged in reversed(state.log):
            if logged.kind == CLOSE and logged.number < close.number:
                break
            moves = found.moves(logged.number)
            opening = before(opening, changes(moves))
            if logged.number > close.number:
                closing = opening
            else:
                since.insert(0, (logged, moves))
    inputs = read_kept(ledger, close.about)
    lists = lists_of(inputs.listed, inputs.table, state, np.zeros(1, np.int64))
    distribution = distributed(inputs, close.about, lists.present)
    table = distribution.table
    return _Read(
        state=state,
        close=close,
        number=number,
        opening=opening,
        closing=closing,
        flows=flows_of(since),
        distribution=distribution,
        basis=seen_tokens(table["credited_tokens"], table["epochs"]),
        usage=_usage_of(inputs, table),
        by_holder=np.argsort(distribution.parts.holder, kind="stable"),
        listed=LIST_OF_HOLDERS.empty_table() if inputs.listed is None else inputs.listed,
        rules=rules_of(inputs.policy, state.currency.code),
    )


def _usage_of(inputs: Inputs, table: pa.Table) -> Basis | None:
    if not inputs.policy.goes_by_usage:
        return None
    found = measured("usage", table, None, inputs.usage)
    return Basis(found.numbers, found.places, exact_sum(found.numbers), found.rest)


def _concerned(read: _Read) -> Numbers:
    """The numbers of the holders that have a statement, in the order of their ids."""
    found = [read.flows.holder]
    for balances in (read.opening, read.closing):
        for account in (Account.HOLDER, Account.ESCROW, Account.RESERVE, Account.PAYABLE):
            found.append(balances.by_period(account)[1])  # noqa: PERF401 -- two loops read better
    found.append(read.state.parties.find(HOLDER, read.distribution.parts.ids))
    numbers = np.unique(np.concatenate(found))
    numbers = numbers[numbers > 0]  # what is kept for nobody has no statement
    table = read.state.parties.table
    kinds, ids = (table[name].take(pa.array(numbers - 1)) for name in ("class", "id"))
    is_holder = pc.equal(kinds, HOLDER).to_numpy()
    order = pc.sort_indices(ids.filter(pa.array(is_holder))).to_numpy()
    result: Numbers = numbers[is_holder][order]
    return result


def _statements(read: _Read, chosen: Numbers, sender: Sender, contacts: Contacts) -> Iterator[Statement]:
    parties, currency = read.state.parties, read.state.currency
    size = len(parties) + 1
    opening, closing = (balances.dense(Account.HOLDER, size) for balances in (read.opening, read.closing))
    waiting = read.closing.dense(Account.PAYABLE, size) - read.closing.dense(Account.PAYABLE, size, read.number)
    owed = {
        "Balance, carried to the next period": closing,
        "Reserve, released at the next close": read.closing.dense(Account.RESERVE, size),
        "Kept in escrow": read.closing.dense(Account.ESCROW, size),
        "Payments of earlier periods on their way": waiting,
    }
    earnings = read.distribution.earnings
    beside = {
        "Equal part for each holder": earnings.fixed,
        "Caps and floors of holders": earnings.adjustment,
        "Kept in escrow, as you could not be reached": -earnings.escrow,
    }
    ids = parties.table["id"].take(pa.array(chosen - 1))
    places = pc.index_in(ids, read.distribution.parts.ids)
    in_list = pc.index_in(ids, read.listed["holder_id"])
    own = [read.listed[name].take(in_list).to_pylist() for name in ("withholding", "minimum", "advance")]
    recouped = read.closing.dense(Account.ADVANCE, size)
    sorted_holders = read.distribution.parts.holder[read.by_holder]
    terms, digests = _terms(read, sender), _digests(read)
    successors = read.state.successors_at(read.close)
    for number, place, rate, minimum, advance in zip(chosen.tolist(), places.to_pylist(), *own, strict=True):
        (holder_id,), (name,) = (texts(np.array([number])) for texts in (parties.ids, parties.names))
        booked = sorted_out(read.flows, number, parties, successors)
        earned: tuple[Earned, ...] = ()
        of_close: tuple[Entry, ...] = ()
        if place is not None:
            start, end = np.searchsorted(sorted_holders, [place, place + 1])
            earned = _earned(read, read.by_holder[start:end])
            of_close = _entries(beside, place)
        own_terms = _own_terms(terms, read.distribution, rate, minimum)
        yield Statement(
            holder=Party(holder_id, name, tuple(contacts.get(holder_id, ()))),
            payer=sender.payer,
            period=read.close.about["period"],
            currency=currency,
            terms=_with_advance(own_terms, advance, int(recouped[number]), currency),
            opening=int(opening[number]),
            earned=earned,
            adjustments=(*of_close, *booked.entries),
            deductions=booked.deductions,
            paid=booked.paid,
            closing=int(closing[number]),
            outstanding=_entries(owed, number),
            digests=digests,
        )


def _entries(amounts: Mapping[str, Numbers], at: int) -> tuple[Entry, ...]:
    """Those amounts at a place of their columns that are not zero, by what they are called."""
    return tuple(Entry(label, int(column[at])) for label, column in amounts.items() if column[at])


def _earned(read: _Read, rows: Numbers) -> tuple[Earned, ...]:
    """What some parts of sources earned, from the largest amount on."""
    distribution, parts = read.distribution, read.distribution.parts
    rows = rows[np.argsort(-distribution.part_amounts[rows], kind="stable")]
    amounts, sources = distribution.part_amounts[rows], parts.source[rows]
    table = distribution.table.select(["source_id", "title", "tokens"]).take(pa.array(sources))
    seen = decimal_texts(read.basis.weights[sources], 10**read.basis.places, read.basis.places)
    shares = share_texts(amounts, distribution.pool * MILLIONTHS) if distribution.pool else ["0"] * len(rows)
    texts = parts.share_texts.take(pa.array(parts.share[rows]))
    columns = [table["source_id"], table["title"], table["tokens"], seen, texts, shares]
    lists = (column if isinstance(column, list) else column.to_pylist() for column in columns)
    return tuple(Earned(*values) for values in zip(*lists, amounts.tolist(), _usages(read, sources), strict=True))


def _usages(read: _Read, sources: Numbers) -> list[Usage | None]:
    """The usage of some sources as it was recorded, and its part of all usage, whoever takes part in the pool."""
    usage = read.usage
    if usage is None:
        return [None] * len(sources)
    numbers = usage.weights[sources]
    credits_ = decimal_texts(numbers, 10**usage.places, usage.places).to_pylist()
    return list(map(Usage, credits_, share_texts(numbers, usage.total).to_pylist()))


def _terms(read: _Read, sender: Sender) -> Terms:
    about, usage, pool = read.close.about, read.usage, read.distribution.pool
    unattributed = None if usage is None else share_text(usage.rest or 0, usage.total)
    return Terms(about["profit"], about["rate"], pool, read.rules, sender.category, sender.use, unattributed)


def _own_terms(terms: Terms, distribution: Distribution, rate: str | None, least: int | None) -> Terms:
    """The terms with the withholding, and the minimum payment in millionths, that the list of holders has for one."""
    policy, places = distribution.policy, distribution.currency.places
    withholding = policy.deductions.withholding if rate is None else Fraction(rate)
    minimum = policy.payment.minimum if least is None else Decimal(least // MILLIONTHS).scaleb(-places)
    if withholding == policy.deductions.withholding and minimum == policy.payment.minimum:
        return terms
    own = dataclasses.replace(
        policy,
        deductions=dataclasses.replace(policy.deductions, withholding=withholding),
        payment=dataclasses.replace(policy.payment, minimum=minimum),
    )
    return dataclasses.replace(terms, rules=rules_of(own, distribution.currency.code))


def _with_advance(terms: Terms, advance: int | None, recouped: int, currency: Currency) -> Terms:
    """The terms with what one was advanced by the list of holders, and what has been recouped of it, in millionths."""
    if not advance:
        return terms
    given, back = (f"{grouped(exact_money(amount, currency))} {currency.code}" for amount in (advance, recouped))
    return dataclasses.replace(terms, rules=(*terms.rules, ("Advances", f"{given} in all; {back} is recouped")))


def _digests(read: _Read) -> tuple[tuple[str, str], ...]:
    """SHA-256 of the inputs, and of the transaction that closed the period."""
    kept = read.close.about["inputs"]
    named = [(f"SHA-256 of {words}", kept[name].partition(".")[0]) for name, words in INPUTS.items() if kept[name]]
    return (*named, (f"Ledger, at transaction {read.close.number}", read.close.digest.hex()))
