"""A corpus whose titles, names and licences try everything, and every kind of result for it."""

from __future__ import annotations

from decimal import Decimal

from royaltycli import api
from tests.payout.tables import table

RUN = [
    *["=cmd|' /C calc'!A0", "=1+1", "+1", "-1", "@SUM(1)", "|calc", "%0A=1", "-2+3+cmd|' /C calc'!D2"],
    *["\t=1+1", "\r=1+1", "\n=1+1", "\t", "\rx", "  =1+1", "\u00a0=1", "\u3000=1", '"=1+1"', "'=1+1", "''=1", "'\tx"],
    *["\u200f=1+1", "\u202e=1", "\ufeff=1", "\x00=1+1", "\x1b=1", "＝1+1", "＋1", "－1", "＠SUM(1)"],
]
"""What some spreadsheet would run."""

REST = [
    *[
        "A Book",
        "",
        " ",
        "'",
        "'s Gravenhage",
        "a=b",
        "1 + 1",
        'say "hi"',
        '"',
        "a,b",
        "one\ntwo",
        "one\r\ntwo",
        "end\r",
    ],
    *[
        "a|b",
        "\\",
        "\\|",
        "a\\",
        "<b>x</b>",
        "[x](y)",
        "__init__",
        "*",
        "`",
        "&lt;",
        "巷口的修伞铺",
        "नीम",
        "مرحبا",
        "😀",
        "\u2028",
    ],
    *["None", "null", "NaN", "x" * 5000, "1984", "007", "\x85", "a\x00b", "#", "; DROP TABLE", "http://x.y/?a=b&c=d"],
]
"""What only has to come through unharmed."""

TITLES = [*RUN, *REST, None]


def tokens():
    """A source for each title, with its holder of that name and licence of that text; tokens 0, 1, 2, …"""
    sources = [
        (
            f"s{at:03}",
            at,
            "1.5" if at % 3 else "1",
            {"ann": ("1/3", title or "ann"), f"h{at}": ("2/3", title or "-")} if at % 5 else {},
        )
        for at, title in enumerate(TITLES)
    ]
    return table(*[(*source, title, title) for source, title in zip(sources, TITLES, strict=True)])


POOL = Decimal("1234567.89")
MONEY = {"profit": "1234567.89", "rate": 1, "total_tokens": 100_000}


def results():
    """Every kind of result, by a name that says which."""
    made = tokens()
    paid = {f"payout by {by}": api.payout(made, by=by, **MONEY) for by in ("source", "holder", "split")}
    yen = {"payout in yen": api.payout(made, profit=10**9, rate="1/3", currency="JPY", top=5)}
    dinars = {"payout in dinars": api.payout(made, profit="500e6", rate="20%", currency="KWD")}
    kinds = ("source", "holder", "license", "collection")
    return paid | yen | dinars | {f"shares by {by}": api.shares(made, by=by, total_tokens=100_000) for by in kinds}


RESULTS = results()


def texts(rows):
    """The cells of a result as the text that any format should hold, None where there is nothing."""
    return [
        [
            None if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)
            for value in row.values()
        ]
        for row in rows.to_pylist()
    ]
