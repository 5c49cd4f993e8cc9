"""Statements as files: HTML, PDF and JSON, the same bytes for the same statement."""

from __future__ import annotations

import dataclasses
import functools
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import regex

from royaltycli.errors import CallError
from royaltycli.payout.currency import MILLIONTHS, Currency, exact_money, find_currency, money
from royaltycli.report.pages import template, text_of
from royaltycli.report.statements.model import Earned, Party, Statement
from royaltycli.report.statements.page import Figure, figure_of, page_of

STYLE = "statement.css"
SCHEMA = 1
"""Of the JSON; keys are only ever added."""

WORD = 24
UNBROKEN = regex.compile(rf"(?:(?!\s)\X){{{WORD}}}(?=\S)")
"""So many letters in a row, with all that belongs to each, that a line may not be broken at."""

TURNING = regex.compile("[\\p{Bidi_Class=R}\\p{Bidi_Class=AL}\u202a-\u202e\u2066-\u2069]")
"""What a text has that runs from right to left, or that turns the direction of what comes after it."""

_LOCAL = threading.local()


def as_html(statement: Statement) -> bytes:
    """One page that needs nothing else, light or dark, also for printing."""
    return template("statements", "statement.html.j2", STYLE).render(page=page_of(statement)).encode("utf-8")


def as_json(statement: Statement) -> bytes:
    """An object whose amounts, shares, usage and seen tokens are exact decimals as text (docs/statements.md)."""
    return (json.dumps(_object(statement), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def as_pdf(statement: Statement) -> bytes:
    """A tagged PDF on A4, without a date. Raises CallError if typst, which makes it, is not installed."""
    compiler, source = _compiler()
    page = dataclasses.asdict(page_of(statement))
    data = json.dumps(_isolated(_breakable(page)), ensure_ascii=False)
    made: bytes = compiler.compile(source, format="pdf", sys_inputs={"data": data})
    return made


class Row(NamedTuple):
    """A row of the index: a holder, its amounts as exact decimals, and the name of its files without an ending."""

    holder_id: str
    name: str
    period: str
    opening_balance: str
    earned: str
    adjustments: str
    deductions: str
    paid: str
    closing_balance: str
    currency: str
    file: str


SHOWN = ("earned", "deductions", "paid", "closing_balance")
"""The amounts of a row that the page of all statements has."""


def as_index(rows: Sequence[Row], formats: Sequence[str]) -> bytes:
    """A page with a line for each statement, in their order, and links to its files."""
    amounts = [[_shown(row, name) for name in SHOWN] for row in rows]
    rests = [any(figure.rest for figure in column) for column in zip(*amounts, strict=True)]
    page = {"rows": list(zip(rows, amounts, strict=True)), "rests": rests, "formats": formats}
    return template("statements", "index.html.j2", STYLE).render(page).encode("utf-8")


FORMATS: dict[str, Callable[[Statement], bytes]] = {"html": as_html, "pdf": as_pdf, "json": as_json}
"""What a statement can be written as; the name is also the ending of the file."""


def _compiler() -> tuple[Any, bytes]:
    """The compiler of this thread, for any number of statements, and what it compiles."""
    fonts, source = _fonts()
    if not hasattr(_LOCAL, "compiler"):
        import typst

        _LOCAL.compiler = typst.Compiler(font_paths=fonts)
    return _LOCAL.compiler, source


@functools.cache
def _fonts() -> tuple[Any, bytes]:
    """The fonts of typst and of this machine, which are found once, and the source of a statement."""
    try:
        import typst
    except ImportError as error:
        raise CallError("PDF is made by typst, which is not installed; pip install 'royaltycli[pdf]'") from error
    return typst.Fonts(), text_of("statements", "statement.typ").encode("utf-8")


def _isolated(value: Any) -> Any:
    """All texts that are turned by themselves alone, as by HTML's `bdi`: between the marks FSI and PDI of Unicode."""
    if isinstance(value, dict):
        return {key: _isolated(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_isolated(each) for each in value]
    return f"\u2068{value}\u2069" if isinstance(value, str) and TURNING.search(value) else value


def _breakable(value: Any) -> Any:
    """All texts with places to break words that no line has room for."""
    if isinstance(value, dict):
        return {key: _breakable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_breakable(each) for each in value]
    return UNBROKEN.sub("\\g<0>\u200b", value) if isinstance(value, str) and len(value) > WORD else value


def _shown(row: Row, name: str) -> Figure:
    return figure_of(getattr(row, name), find_currency(row.currency).places)


def _object(statement: Statement) -> dict[str, Any]:
    currency, terms = statement.currency, statement.terms

    def amount(millionths: int) -> str:
        return exact_money(millionths, currency)

    return {
        "schema": SCHEMA,
        "holder": _party(statement.holder),
        "payer": _party(statement.payer),
        "period": statement.period,
        "currency": currency.code,
        "category_of_rights": terms.category,
        "type_of_use": terms.use,
        "profit": terms.profit,
        "rate": terms.rate,
        "pool": money(terms.pool, currency),
        **({} if terms.unattributed is None else {"unattributed_usage": terms.unattributed}),
        "opening_balance": amount(statement.opening),
        "earned": amount(statement.earnings),
        "sources": [_source(line, currency) for line in statement.earned],
        "adjustments": [{"label": entry.label, "amount": amount(entry.amount)} for entry in statement.adjustments],
        "deductions": [
            {"label": each.label, "amount": amount(each.amount), "management_fee": each.is_fee}
            for each in statement.deductions
        ],
        "paid": amount(statement.paid * MILLIONTHS),
        "closing_balance": amount(statement.closing),
        "outstanding": [{"label": entry.label, "amount": amount(entry.amount)} for entry in statement.outstanding],
        "rules": [{"rule": name, "text": text} for name, text in terms.rules],
        "digests": dict(statement.digests),
    }


def _party(party: Party) -> dict[str, Any]:
    return {"id": party.id, "name": party.name, "contacts": dict(party.contacts)}


def _source(line: Earned, currency: Currency) -> dict[str, Any]:
    found = dataclasses.asdict(line) | {"amount": exact_money(line.amount, currency)}
    if line.usage is None:
        del found["usage"]
    return found
