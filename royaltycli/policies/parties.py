"""The list of holders: who can be reached, what is withheld, advances and minimums (docs/policies.md)."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pyarrow as pa

from royaltycli.errors import CallError, ManifestError, Problem
from royaltycli.manifest.fields import Entry, amount, number_text
from royaltycli.manifest.lists import read_list
from royaltycli.manifest.wording import kind, shown
from royaltycli.numerals import parse_fraction, plain_fraction
from royaltycli.payout.currency import Currency
from royaltycli.payout.distribute import LARGEST_POOL
from royaltycli.payout.distribution import MILLIONTHS
from royaltycli.payout.parties import PARTIES

COLUMNS = ("holder_id", "reachable", "withholding", "advance", "minimum")
YES, NO = ("yes", "true"), ("no", "false")


def read_parties(path: Path, currency: Currency) -> pa.Table:
    """A list of holders as a table of the schema PARTIES, from CSV, JSONL or Parquet.

    Raises ManifestError with all problems, each with its line.
    """
    problems: list[Problem] = []
    _, rows = read_list(path, os.fspath(path), "holder", COLUMNS, problems)
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    seen: dict[str, int] = {}
    for row in rows:
        identifier = row.values.get("holder_id")
        if not isinstance(identifier, str) or not identifier:
            row.note("holder_id", "it has no holder_id", "name the holder")
            continue
        if identifier in seen:
            row.note("holder_id", f"{shown(identifier)} is also in line {seen[identifier]}", "keep one of the rows")
        seen[identifier] = row.place.line
        columns["holder_id"].append(identifier)
        columns["reachable"].append(_reachable(row))
        columns["withholding"].append(_withholding(row))
        columns["advance"].append(_millionths(row, "advance", currency))
        columns["minimum"].append(_millionths(row, "minimum", currency))
    if problems:
        raise ManifestError(problems)
    return pa.table(columns, PARTIES)


def _reachable(row: Entry) -> bool | None:
    value = row.values.get("reachable")
    if value is None or isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in YES or word in NO:
        return word in YES
    row.note("reachable", f"reachable is {shown(str(value))}", "write yes or no")
    return None


def _withholding(row: Entry) -> str | None:
    value = row.values.get("withholding")
    if value is None:
        return None
    written = number_text(value)
    try:
        if written is not None:
            return plain_fraction(parse_fraction(written, "withholding"))
    except CallError:
        pass
    what = kind(value) if written is None else shown(written)
    row.note("withholding", f"withholding is {what}, which is no part from 0 to 100 %", "write it such as 15% or 0.15")
    return None


def _millionths(row: Entry, key: str, currency: Currency) -> int | None:
    value = amount(row, key)
    if value is None:
        return None
    units = Fraction(value) * 10**currency.places
    if units.denominator != 1:
        row.note(key, f"{key} is {value}, but {currency.code} has {currency.places} decimals", "round it")
    elif units > LARGEST_POOL:
        row.note(key, f"{key} is {value}, more than any pool", "write a smaller amount")
    else:
        return int(units) * MILLIONTHS
    return None
