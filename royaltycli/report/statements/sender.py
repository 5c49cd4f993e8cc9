"""Who sends statements, from `payer.toml`; and what is known of holders beyond their names, from a CSV."""

from __future__ import annotations

import csv
import io
import tomllib
from pathlib import Path
from typing import Any

from royaltycli.errors import CallError, reason_of
from royaltycli.report.statements.assembly import Contacts, Sender
from royaltycli.report.statements.model import CATEGORY, USE, Party

CONTACTS = ("address", "email", "telephone", "website", "register")
"""What a payer may state of itself, in the order in which it is shown."""

NOBODY = Sender(Party("", "The payer"), CATEGORY, USE)
"""Without a file."""


def read_sender(path: Path) -> Sender:
    """The sender of a TOML file with the tables `payer` and `use` (docs/statements.md). Raises CallError."""
    try:
        tables = tomllib.loads(_read(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallError(f"{path} is no TOML ({error}); correct it") from error
    payer = _texts(path, tables, "payer", ("name", *CONTACTS))
    use = _texts(path, tables, "use", ("category", "type"))
    if unknown := sorted(tables.keys() - {"payer", "use"}):
        raise CallError(f"{path} has the unknown key {unknown[0]}; it has the tables payer and use")
    if "name" not in payer:
        raise CallError(f'{path} names no payer; write its name below [payer], such as name = "A Society"')
    contacts = tuple((key, payer[key]) for key in CONTACTS if key in payer)
    return Sender(Party("", payer["name"], contacts), use.get("category", CATEGORY), use.get("type", USE))


def read_contacts(path: Path) -> Contacts:
    """What a CSV says of holders: `holder_id`, and any other columns, in their order. Raises CallError."""
    try:
        reader = csv.reader(io.StringIO(_read(path).decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise CallError(f"{path} is no CSV in UTF-8 ({error}); correct it") from error
    header = rows[0][1] if rows else []
    if "holder_id" not in header or len(set(header)) < len(header):
        raise CallError(f"{path} must have a column holder_id, none twice, and commas between; correct its first line")
    at = header.index("holder_id")
    contacts: dict[str, tuple[tuple[str, str], ...]] = {}
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise CallError(f"{path}:{line}: the row has not as many cells as the header; correct it")
        if row[at] in contacts:
            raise CallError(f"{path}:{line}: {row[at]} is named a second time; keep one of the rows")
        named = zip(header, row, strict=True)
        contacts[row[at]] = tuple((name, text) for name, text in named if name != "holder_id" and text)
    return contacts


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise CallError(f"{path} cannot be read ({reason_of(error)}); name another file") from error


def _texts(path: Path, tables: dict[str, Any], name: str, known: tuple[str, ...]) -> dict[str, str]:
    """A table all of whose values are texts."""
    table = tables.get(name, {})
    for key, value in table.items() if isinstance(table, dict) else [(name, table)]:
        if key not in known or not isinstance(value, str) or not value.strip():
            allowed = ", ".join(known)
            raise CallError(f"{path} has {key} = {value!r:.80} below [{name}]; it takes {allowed}, each a text")
    return dict(table)
