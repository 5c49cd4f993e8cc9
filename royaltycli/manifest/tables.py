"""The text of corpus.toml as tables, each with the lines that its keys stand on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from royaltycli.errors import Place, Problem
from royaltycli.manifest.fields import Entry
from royaltycli.manifest.lines import Lines, lines_of, locate
from royaltycli.manifest.lists import decode
from royaltycli.manifest.wording import Number, instead, kind, shown

TABLES = ("corpus", "holder", "source", "collection")
TWICE = {"Cannot overwrite a value": "a key", "Cannot declare": "a table"}
"""How the standard library begins when something stands twice in a TOML text, and what that is."""


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of one manifest, and where to note what is wrong with them."""

    file: str
    values: dict[str, Any]
    lines: Lines
    problems: list[Problem]

    def note(self, table: str, what: str, mend: str) -> None:
        """Notes a problem with a table as such."""
        line = lines_of(self.lines, table)[""]
        self.problems.append(Problem(Place(self.file, line), what, mend))


def parse_tables(data: bytes, file: str, problems: list[Problem]) -> Tables | None:
    """The tables of a TOML file; None, with what is wrong noted, if it is not valid."""
    text = decode(data, file, problems)
    if text is None:
        return None
    try:
        values = tomllib.loads(text, parse_float=Number)
    except (ValueError, RecursionError) as error:
        problems.append(_syntax_problem(error, text, file))
        return None
    return Tables(file, values, locate(text), problems)


def check_tables(tables: Tables) -> None:
    """Notes every table that a manifest does not have, and every one written with the wrong brackets."""
    for name, value in tables.values.items():
        if name not in TABLES:
            what = f"unknown {'key' if kind(value) not in ('a table', 'a list') else 'table'} {shown(name)}"
            tables.note(name, what, instead(name, TABLES, "tables"))
        elif name == "corpus" and not isinstance(value, Mapping):
            tables.note(name, f"corpus must be one table, but is {kind(value)}", "write [corpus] in single brackets")
        elif name != "corpus" and not (isinstance(value, list) and all(isinstance(item, Mapping) for item in value)):
            what = f"{name} must be tables, but is {'a list of others' if isinstance(value, list) else kind(value)}"
            tables.note(name, what, f"write [[{name}]] in double brackets")


def head(tables: Tables) -> Entry:
    """The table [corpus], empty if there is none."""
    value = tables.values.get("corpus")
    values = value if isinstance(value, Mapping) else {}
    lines = lines_of(tables.lines, "corpus")
    return Entry("[corpus]", values, Place(tables.file, lines[""]), tables.problems, lines)


def entries(tables: Tables, name: str) -> list[Entry]:
    """All tables of one name, such as every [[source]]."""
    value = tables.values.get(name)
    found = []
    for number, values in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(values, Mapping):
            lines = lines_of(tables.lines, name, number)
            found.append(Entry(name, values, Place(tables.file, lines[""]), tables.problems, lines))
    return found


def _syntax_problem(error: Exception, text: str, file: str) -> Problem:
    mend = "mend it; texts stand in quotation marks, tables in brackets"
    last = text.rstrip("\n").count("\n") + 1
    if isinstance(error, RecursionError):
        return Problem(Place(file), "not valid TOML: nested too deeply", "a manifest needs no more than two levels")
    words = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", words)
    if found is None:
        words = re.sub(r";.*", "", words)
        return Problem(Place(file), f"not valid TOML: {words[:200]}", mend)
    words = words[: found.start()]
    for beginning, what in TWICE.items():
        if words.startswith(beginning):
            return Problem(Place(file, int(found[1] or last)), f"{what} is given twice", "keep one of them")
    if found[1] is None:
        return Problem(Place(file, last), f"not valid TOML at the end of the file: {words}", mend)
    return Problem(Place(file, int(found[1])), f"not valid TOML at column {found[2]}: {words}", mend)
