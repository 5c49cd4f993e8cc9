"""Which columns of a result hold numbers: those that no float may touch are exact decimals, written as text."""

from __future__ import annotations

import pyarrow as pa

SHARES = ("share", "holder_share", "credit", "low", "high", "score", "rate", "gini", "top_share")
"""Columns of parts of a whole, and of rates and measures, whose texts are numbers."""

AMOUNTS = ("balance", "waiting", "paid", "reserve", "escrow", "withheld", "recouped", "amount", "profit")
"""Columns of amounts of a currency, some of them finer than its decimals, whose texts are numbers."""

NUMBERS = (*SHARES, *AMOUNTS, "seen_tokens")
"""All columns whose texts are numbers."""


def is_number(name: str, kind: pa.DataType) -> bool:
    """Whether a column holds numbers, as such or as text."""
    return is_text_of_numbers(name, kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def is_text_of_numbers(name: str, kind: pa.DataType) -> bool:
    """Whether a column of text holds numbers; a policy, and so a column of its payments, may have such a name, too."""
    return name in NUMBERS and pa.types.is_string(kind)
