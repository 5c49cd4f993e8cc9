"""How a manifest writes which field is meant, and how a document names its source or holder.

author          a field
meta.repo       a field in another
"meta.repo"     a field whose own name holds a point, in double quotation marks
domain(url)     a function of a field
'Wikipedia'     a fixed value, in single quotation marks
"""

from __future__ import annotations

import re
from typing import cast, get_args

from royaltycli.limits import NAME_LENGTH
from royaltycli.manifest.fields import Entry, text
from royaltycli.manifest.model import Field, Function, Naming
from royaltycli.manifest.wording import instead, shown

FUNCTIONS: tuple[Function, ...] = get_args(Function)

_SPECIAL = re.compile(r"""[."'()]|^\s|\s$""")
_PART = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<bare>[^."\'()]+)')
_CALL = re.compile(r"(\w+)\s*\((.*)\)", re.DOTALL)
_FIXED = re.compile(r"'((?:[^']|'')+)'")


def parse_field(written: str) -> Field | None:
    """The way to a field as it is written; None if it is not written as one."""
    names, at = [], 0
    while part := _PART.match(written, at):
        quoted = part["quoted"]
        name = part["bare"].strip() if quoted is None else quoted.replace('""', '"')
        if not name:
            return None
        names.append(name)
        at = part.end()
        if at == len(written):
            return tuple(names)
        if written[at] != ".":
            return None
        at += 1
    return None


def field_text(field: Field) -> str:
    """A field as a manifest writes it."""
    return ".".join('"' + name.replace('"', '""') + '"' if _SPECIAL.search(name) else name for name in field)


def field_of(entry: Entry, key: str) -> Field | None:
    """The field that a key of a table names, or None."""
    written = text(entry, key)
    if written is None:
        return None
    if written == "":
        entry.note(key, f"{key} is empty", "name a field, or leave the key out")
        return None
    return _field(entry, key, written)


def naming_of(entry: Entry, key: str, default: str | None = None) -> Naming | None:
    """How documents name their source or holder, as a key of a table says, or by `default`; None if it says nothing."""
    written = default if entry.values.get(key) is None else text(entry, key)
    if written is None:
        return None
    written = written.strip()
    if written == "":
        entry.note(key, f"{key} is empty", "name a field, or leave the key out")
        return None
    if fixed := _FIXED.fullmatch(written):
        return _fixed(entry, key, fixed[1].replace("''", "'"))
    function = None
    if called := _CALL.fullmatch(written):
        function, written = called[1], called[2].strip()
        if function not in FUNCTIONS:
            entry.note(
                key, f"{key} has the unknown function {shown(function)}", instead(function, FUNCTIONS, "functions")
            )
            return None
    field = _field(entry, key, written)
    return None if field is None else Naming(field, cast("Function | None", function))


def _fixed(entry: Entry, key: str, value: str) -> Naming | None:
    if len(value) > NAME_LENGTH:
        entry.note(key, f"{key} is longer than {NAME_LENGTH:,} characters", "use a shorter name")
        return None
    return Naming(fixed=value)


def _field(entry: Entry, key: str, written: str) -> Field | None:
    """The way to a field as it is written; notes what is not written as one."""
    found = parse_field(written)
    if found is None:
        what = f"{key} {shown(written)} is not written as a field"
        quoted = "a name that holds a point, a bracket or a quotation mark stands in double quotation marks"
        entry.note(key, what, f"write it such as author or meta.repo; {quoted}")
    return found
