"""A statement in words and figures for the eye: what HTML, PDF and the terminal show alike."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from royaltycli import numerals
from royaltycli.numerals import percent_text, percentage, several
from royaltycli.payout.currency import MILLIONTHS, exact_money
from royaltycli.report.statements.model import Earned, Party, Statement


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount: `main` has the currency's places, and `rest` the digits below a minor unit, if there are any."""

    main: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the account: what it is, the amount, and whether it is a sum."""

    label: str
    amount: Figure
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of sources."""

    title: str
    id: str
    tokens: str
    seen_tokens: str
    part: str
    share: str
    amount: Figure
    usage: str
    usage_share: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that a statement shows, in order. Every text is plain, and is to be escaped as the medium wants."""

    title: str
    period: str
    code: str
    payer: str
    payer_contacts: tuple[tuple[str, str], ...]
    holder: str
    holder_id: str
    holder_contacts: tuple[tuple[str, str], ...]
    paid: Figure
    account: tuple[Line, ...]
    arithmetic: str
    rows: tuple[Row, ...]
    total: Figure
    has_rests: bool
    has_usage: bool
    use: tuple[tuple[str, str | Figure], ...]
    deductions: tuple[Line, ...]
    outstanding: tuple[Line, ...]
    rules: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]


def page_of(statement: Statement) -> Page:
    """What a statement shows."""
    code, terms = statement.currency.code, statement.terms
    paid = statement.paid * MILLIONTHS

    def figure(millionths: int) -> Figure:
        return _figure(millionths, statement)

    account = [Line("Opening balance", figure(statement.opening), "balance")]
    account.append(Line(f"Earned by {several(len(statement.earned), 'source')}", figure(statement.earnings)))
    account += [Line(entry.label, figure(entry.amount)) for entry in statement.adjustments]
    account += [Line(deduction.label, figure(-deduction.amount)) for deduction in statement.deductions]
    account += [Line("Paid", figure(-paid)), Line("Closing balance", figure(statement.closing), "balance")]
    rows = tuple(_row(line, statement) for line in statement.earned)
    amounts = [line.amount for line in account] + [row.amount for row in rows]
    amounts += [figure(entry.amount) for entry in statement.outstanding]
    pool = figure(terms.pool * MILLIONTHS).main
    arithmetic = f"{grouped(terms.profit)} {code} × {percentage(Fraction(terms.rate))} = a pool of {pool} {code}"
    if unattributed := Fraction(terms.unattributed or 0):
        arithmetic += f"; {percent_text(unattributed)} of all usage is of no source"
    fees = sum(deduction.amount for deduction in statement.deductions if deduction.is_fee)
    return Page(
        title="Royalty statement",
        period=statement.period,
        code=code,
        payer=in_one_line(statement.payer.name),
        payer_contacts=_contacts(statement.payer),
        holder=in_one_line(statement.holder.name),
        holder_id=statement.holder.id,
        holder_contacts=_contacts(statement.holder),
        paid=figure(paid),
        account=tuple(account),
        arithmetic=arithmetic,
        rows=rows,
        total=figure(statement.earnings),
        has_rests=any(amount.rest for amount in amounts),
        has_usage=terms.unattributed is not None,
        use=(
            ("Category of rights", terms.category),
            ("Type of use", terms.use),
            ("Period of use", statement.period),
            ("Revenue attributed to you", figure(statement.attributed)),
            ("Paid to you", figure(paid)),
        ),
        deductions=(
            Line("For management", figure(fees)),
            Line("For all other purposes", figure(statement.deducted - fees)),
        ),
        outstanding=tuple(Line(entry.label, figure(entry.amount)) for entry in statement.outstanding),
        rules=terms.rules,
        digests=statement.digests,
    )


def grouped(number: str) -> str:
    """A plain decimal with its thousands set apart, and a true minus."""
    return numerals.grouped(number).replace("-", "−")


def figure_of(amount: str, places: int) -> Figure:
    """A plain decimal in parts: what has the currency's `places`, and the digits below a minor unit."""
    whole, point, part = amount.partition(".")
    kept, rest = part[:places], part[places:]
    main = grouped(whole) if not kept else f"{grouped(whole)}{point}{kept}"
    return Figure(main, rest if places or not rest else f".{rest}")


def in_one_line(text: str) -> str:
    """A text with single blanks for any others and line ends, and without characters that cannot be shown."""
    return "".join("\ufffd" if unicodedata.category(letter) == "Cc" else letter for letter in " ".join(text.split()))


def _contacts(party: Party) -> tuple[tuple[str, str], ...]:
    return tuple((in_one_line(name), in_one_line(text)) for name, text in party.contacts)


def _figure(millionths: int, statement: Statement) -> Figure:
    return figure_of(exact_money(millionths, statement.currency), statement.currency.places)


def _row(line: Earned, statement: Statement) -> Row:
    return Row(
        in_one_line(line.title or line.source_id),
        line.source_id if line.title else "",
        f"{line.tokens:,}",
        grouped(line.seen_tokens),
        percentage(Fraction(line.holder_share)),
        line.share,
        _figure(line.amount, statement),
        "" if line.usage is None else grouped(line.usage.credit),
        "" if line.usage is None else percent_text(Fraction(line.usage.share)),
    )
