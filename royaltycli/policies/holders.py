"""The list of holders: who can be reached, what is withheld, advances and minimums (docs/policies.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from royaltycli.errors import CallError, ManifestError, Place, Problem
from royaltycli.limits import LIST_BYTES
from royaltycli.manifest.fields import Entry
from royaltycli.manifest.lists import read_list, unpacked_bytes
from royaltycli.manifest.paths import Refusal, read_regular
from royaltycli.manifest.wording import instead, kind, shown
from royaltycli.numerals import plain_fraction
from royaltycli.payout.currency import MILLIONTHS, Currency, millionths
from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.policies.values import money, rate
from royaltycli.remote.names import check_here

YES, NO = ("yes", "true"), ("no", "false")
PLAIN_DIGITS = 12
"""Of an amount in minor units: with so many, its millionths are sure to fit an int64."""

Read = Callable[[Entry], object]


def read_holders(path: Path, currency: Currency) -> pa.Table:
    """A list of holders as a table of the schema LIST_OF_HOLDERS, from CSV, JSONL or Parquet.

    Raises CallError if there is no such file, and ManifestError with all problems, each with its line.
    """
    check_here(path, "a list of holders")
    if not os.path.exists(path):
        raise CallError(f"there is no list of holders {path}; name another file with `--holders`")
    readers: dict[str, Read] = {
        "holder_id": lambda entry: entry.values["holder_id"],
        "reachable": _reachable,
        "withholding": _withholding,
        "advance": lambda entry: _millionths(entry, "advance", currency),
        "minimum": lambda entry: _millionths(entry, "minimum", currency),
    }
    table = _by_columns(path, readers, currency)
    return _by_rows(path, readers) if table is None else table


def _by_rows(path: Path, readers: dict[str, Read]) -> pa.Table:
    """Every row on its own, with every problem and its line."""
    problems: list[Problem] = []
    _, rows = read_list(path, os.fspath(path), "holder", tuple(readers), problems)
    columns: dict[str, list[object]] = {name: [] for name in readers}
    seen: dict[str, int] = {}
    known: dict[object, object] = {}
    for written in rows:
        row = replace(written, values={name: value for name, value in written.values.items() if value != ""})
        identifier = row.values.get("holder_id")
        if not isinstance(identifier, str) or not identifier:
            row.note("holder_id", "it has no holder_id", "name the holder")
            continue
        if identifier in seen:
            row.note("holder_id", f"{shown(identifier)} is also in line {seen[identifier]}", "keep one of the rows")
        seen[identifier] = row.place.line
        for name, read in readers.items():
            columns[name].append(_value(row, name, read, known))
        for name in row.values.keys() - readers.keys():  # only JSONL has keys that no header has named
            row.note(name, f"unknown column {shown(name)}", instead(name, readers, "columns"))
    if problems:
        raise ManifestError(problems)
    return pa.table(columns, LIST_OF_HOLDERS)


def _value(row: Entry, name: str, read: Read, known: dict[object, object]) -> object:
    """What a cell says. `known` keeps that of rates and amounts in order, as most lists have the same few."""
    cell = row.values.get(name)
    if cell is None or name == "holder_id" or isinstance(cell, (list, dict)):
        return None if cell is None else read(row)
    key = (name, type(cell), cell)
    if key not in known:
        before = len(row.problems)
        value = read(row)
        if len(row.problems) > before:
            return None
        known[key] = value
    return known[key]


def _by_columns(path: Path, readers: dict[str, Read], currency: Currency) -> pa.Table | None:
    """The same, many times as fast: every distinct cell is read once.

    None for a list with anything unusual in it; then the rows say what that is, and where.
    """
    texts = _texts(path, tuple(readers))
    if texts is None or "holder_id" not in texts.column_names:
        return None
    identifiers = texts["holder_id"]
    if identifiers.null_count or pc.count_distinct(identifiers).as_py() != len(identifiers):
        return None
    columns = {"holder_id": identifiers}
    for name in LIST_OF_HOLDERS.names[1:]:
        if name not in texts.column_names:
            columns[name] = pa.nulls(len(texts), LIST_OF_HOLDERS.field(name).type)
            continue
        cells = texts[name].combine_chunks()
        column = _plain_millionths(cells, currency) if name in ("advance", "minimum") else None
        column = _distinct(name, cells, readers[name]) if column is None else column
        if column is None:
            return None
        columns[name] = column
    return pa.table(columns, LIST_OF_HOLDERS)


def _texts(path: Path, names: tuple[str, ...]) -> pa.Table | None:
    """The cells of a CSV or Parquet file as texts, null where empty; None if it is not as simple as that."""
    data = read_regular(path, "the list file", LIST_BYTES)
    ending = path.suffix.lower()
    # Whether quotation marks are in order only the reader of rows says.
    if isinstance(data, Refusal) or (ending == ".csv" and b'"' in data) or ending not in (".csv", ".parquet"):
        return None
    try:
        if ending == ".csv":
            types = dict.fromkeys(names, pa.string())
            options = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
            alone = arrow_csv.ReadOptions(use_threads=False)  # here and below: see `storage.read_sealed`
            table = arrow_csv.read_csv(pa.BufferReader(data), alone, convert_options=options)
        else:
            with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True, pre_buffer=False) as file:
                if unpacked_bytes(file) > LIST_BYTES:
                    return None
                table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError):
        return None
    if set(table.column_names) - set(names) or len(set(table.column_names)) < table.num_columns:
        return None
    if not all(pa.types.is_string(kind) or pa.types.is_boolean(kind) for kind in table.schema.types):
        return None
    cells = {name: table[name].cast(pa.string()) for name in table.column_names}
    return pa.table({name: pc.if_else(pc.equal(column, ""), None, column) for name, column in cells.items()})


def _plain_millionths(cells: pa.Array, currency: Currency) -> pa.Array | None:
    """Amounts, if all are decimals such as 12.50, with no more places than the currency has; else None."""
    part = rf"(\.[0-9]{{1,{currency.places}}})?" if currency.places else ""
    fit = pc.match_substring_regex(cells, rf"^[0-9]{{1,{PLAIN_DIGITS - currency.places}}}{part}$")
    if not pc.all(fit, min_count=0).as_py():
        return None
    amounts = pc.cast(cells, pa.decimal128(PLAIN_DIGITS, currency.places))
    units = pc.multiply(amounts, pa.scalar(10**currency.places, pa.decimal128(PLAIN_DIGITS, 0)))
    return pc.multiply_checked(pc.cast(units, pa.int64()), MILLIONTHS)


def _distinct(name: str, cells: pa.Array, read: Read) -> pa.Array | None:
    """A column of which every distinct cell is read once; None if one makes no sense."""
    problems: list[Problem] = []
    encoded = pc.dictionary_encode(cells)
    words = encoded.dictionary.to_pylist()
    values = [read(Entry("holder", {name: word}, Place(""), problems)) for word in words]
    return None if problems else pa.array(values, LIST_OF_HOLDERS.field(name).type).take(encoded.indices)


def _reachable(row: Entry) -> bool | None:
    value = row.values.get("reachable")
    if value is None or isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in YES or word in NO:
        return word in YES
    row.note("reachable", f"reachable is {shown(value) if isinstance(value, str) else kind(value)}", "write yes or no")
    return None


def _withholding(row: Entry) -> str | None:
    part = rate(row, "withholding", "write it such as 15% or 0.15")
    return None if part is None else plain_fraction(part)


def _millionths(row: Entry, key: str, currency: Currency) -> int | None:
    value = money(row, key, currency)
    return None if value is None else millionths(value, currency)
