"""Statements for the tests: ordinary, long, hostile, in the red, and empty."""

from __future__ import annotations

import dataclasses
import hashlib

from royaltycli.payout.currency import find_currency
from royaltycli.report.rules import PLAIN
from royaltycli.report.statements.model import Deduction, Earned, Entry, Party, Statement, Terms, Usage
from tests.report.hostile import TITLES

CENT = 1_000_000
PAYER = Party(
    "payer",
    "Collecting Society for Training Data",
    (("address", "12 Ledger Lane, Brussels"), ("email", "members@society.example"), ("telephone", "+32 2 555 01 00")),
)
TERMS = Terms("500000000", "0.2", 10_000_000_000, PLAIN)
DIGESTS = tuple(
    (name, hashlib.sha256(name.encode()).hexdigest()) for name in ("Token table", "Policy", "Ledger, at the close")
)


def made(holder, earned, *, opening=0, adjustments=(), deductions=(), paid=0, code="USD", more=()):
    """A statement with its closing balance worked out."""
    balance = opening + sum(line.amount for line in earned) + sum(entry.amount for entry in adjustments)
    closing = balance - sum(each.amount for each in deductions) - paid * CENT
    outstanding = (Entry("Closing balance, carried to the next period", closing), *more)
    return Statement(
        holder, PAYER, "2026-Q3", find_currency(code), TERMS, opening, tuple(earned), tuple(adjustments), tuple(deductions),
        paid, closing, outstanding, DIGESTS,
    )  # fmt: skip


def source(number, amount, title="A Book", part="1"):
    share = f"{amount / (10_000_000_000 * CENT):.15f}"
    return Earned(f"books/{number}", title, 1000 * number, f"{1500 * number}.5", part, share, amount)


ORDINARY = made(
    Party("a-rao", "Asha Rao", (("orcid", "0000-0002-1825-0097"), ("email", "asha@rao.example"))),
    [
        source(1, 1_723_701_033_516, "Quantum Mechanics, a Short Course", "0.7"),
        source(2, 4_333 * CENT, "What the Dough Knows"),
        source(3, 12_345, None, "1/3"),
    ],
    opening=412_345,
    deductions=(
        Deduction("Administration fee", 172_374_536_585, is_fee=True),
        Deduction("Withholding tax", 5_000 * CENT),
    ),
    paid=1_550_659,
    more=(Entry("Reserve, released at the next close", 25_000 * CENT),),
)
LONG = made(
    Party("press", "The Very Long Press"),
    [source(n, (600 - n) * 7_654_321, f"Volume {n} of the Collected Papers") for n in range(1, 501)],
    paid=11_000,
)
RED = made(
    Party("w-red", "Wendell Red"),
    [source(1, 250)],
    opening=-3 * CENT,
    adjustments=(Entry("Correction of 2026-Q1", -1_234_567_890), Entry("Payment of 2026-Q2 returned", 50 * CENT)),
)
EMPTY = made(Party("nobody", "Nobody in Particular"), [], code="JPY")
SCRIPTS = made(
    Party("आशा-राव", "आशा राव · أحمد بن يوسف · 巷口的修伞铺"),
    [
        source(n, n * CENT, title)
        for n, title in enumerate(
            [
                "नीम का पेड़",
                "كتاب الحساب العربي",
                "巷口的修伞铺",
                "さくら工房",
                "김하늘",
                "Ångström’s Ⅷ Æther",
                "ספר החשבון",
                "😀 emoji",
            ],
            1,
        )
    ],
    paid=36,
)
HOSTILE = made(
    Party("x", '<script>alert("x")</script>\u202e #link("x")[y] $x$'),
    [source(n, n, title and title * (100 if len(title) < 5 else 1)) for n, title in enumerate(TITLES, 1)],
)
BY_USAGE = dataclasses.replace(
    made(
        Party("u-marsh", "Una Marsh"),
        [
            dataclasses.replace(
                source(1, 4_567_890_123_456, "A Guide to Tides"), usage=Usage("0.123456789012", "0.123456789012")
            ),
            dataclasses.replace(source(2, 12_345, None, "1/3"), usage=Usage("1000", "0.00000433333333333333")),
            dataclasses.replace(source(3, 0, "Never Used"), usage=Usage("0", "0")),
        ],
    ),
    terms=dataclasses.replace(TERMS, unattributed="0.373443210987"),
)
ALL = {
    "ordinary": ORDINARY,
    "long": LONG,
    "red": RED,
    "empty": EMPTY,
    "scripts": SCRIPTS,
    "hostile": HOSTILE,
    "usage": BY_USAGE,
}
