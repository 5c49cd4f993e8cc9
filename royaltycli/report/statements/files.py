"""The statements of many holders as files in one folder, each whole or not at all, with an index."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from royaltycli.payout.currency import MILLIONTHS, exact_money
from royaltycli.report.csv import write_csv
from royaltycli.report.statements.model import Statement
from royaltycli.report.statements.page import in_one_line
from royaltycli.report.statements.rendering import FORMATS, Row, as_index
from royaltycli.storage import PARTIAL, make_folder, remove_leftovers, write_whole

COLUMNS = Row._fields
_SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])

INDEX = "index"
AT_A_TIME = 64
"""Statements that are made at once, for as many threads as there are cores."""

PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}(\.[a-z0-9_-]+)*")
RESERVED = re.compile(rf"(con|prn|aux|nul|com\d|lpt\d|{INDEX})(\..*)?")
"""Names that Windows keeps for devices, and ours for the index."""

LONGEST, SHOWN, DIGITS = 80, 40, 16


def write_statements(
    folder: Path,
    statements: Iterable[Statement],
    formats: Sequence[str] = ("html",),
    tick: Callable[[int], object] | None = None,
) -> int:
    """Write each statement in each format (`html`, `pdf`, `json`), and then the index; gives how many there are.

    Files that are there already are replaced one by one. `tick` is told how many more holders are done. Raises
    OutputError, and CallError if PDF is wanted but typst is not installed.
    """
    make_folder(folder)
    remove_leftovers(folder.glob(f".*{PARTIAL}"))  # once for all files: looking for it each time takes long

    def write(statement: Statement) -> Row:
        name = file_name(statement.holder.id)
        for kind in formats:
            write_whole(folder / f"{name}.{kind}", functools.partial(_write, FORMATS[kind](statement)), swept=True)
        return _row(statement, name)

    rows: list[Row] = []
    coming = iter(statements)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while some := list(itertools.islice(coming, AT_A_TIME)):
            rows += pool.map(write, some)
            if tick is not None:
                tick(len(some))
    table = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], _SCHEMA)
    write_whole(folder / f"{INDEX}.csv", lambda file: write_csv(file, table))
    shown = [row._replace(name=in_one_line(row.name)) for row in rows]
    write_whole(folder / f"{INDEX}.html", functools.partial(_write, as_index(shown, formats)))
    return len(rows)


def file_name(holder: str) -> str:
    """The name of a holder's files without an ending: the id, if every disk takes it as it is.

    Else what can be shown of it, `~`, and the start of its SHA-256, so that no two are alike, in capitals or not.
    """
    if PLAIN.fullmatch(holder) and len(holder) <= LONGEST and not RESERVED.fullmatch(holder):
        return holder
    shown = re.sub(r"[^a-z0-9]+", "-", holder.lower()).strip("-")[:SHOWN]
    return f"{shown or 'holder'}~{hashlib.sha256(holder.encode('utf-8')).hexdigest()[:DIGITS]}"


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def _row(statement: Statement, name: str) -> Row:
    def amount(millionths: int) -> str:
        return exact_money(millionths, statement.currency)

    return Row(
        statement.holder.id,
        statement.holder.name,
        statement.period,
        amount(statement.opening),
        amount(statement.earnings),
        amount(statement.adjusted),
        amount(statement.deducted),
        amount(statement.paid * MILLIONTHS),
        amount(statement.closing),
        statement.currency.code,
        name,
    )
