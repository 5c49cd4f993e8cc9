"""One table of a manifest, or one row of a list file: its values, and the problems found in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from royaltycli.errors import CallError, Place, Problem
from royaltycli.manifest.identifiers import check_id
from royaltycli.manifest.wording import CONTROL, Number, instead, kind, shown
from royaltycli.numerals import parse_amount

ID_RULE = "use letters, digits, '.', '_' and '-', and start with a letter or digit"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manifest or a list file says of one source, collection or holder.

    `word` is what it is, `lines` the line of each key, and `problems` where what is wrong is noted.
    """

    word: str
    values: Mapping[str, object]
    place: Place
    problems: list[Problem]
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What messages call it: `source 'a'`, or `a source` while it has no id."""
        if self.word.startswith("["):
            return self.word
        given = self.values.get("id")
        if isinstance(given, str) and given:
            return f"{self.word} {shown(given)}"
        return f"{'an' if self.word[0] in 'aeiou' else 'a'} {self.word}"

    def note(self, key: str, what: str, mend: str) -> None:
        """Notes a problem with the value of `key`, or with the whole if it has no such key."""
        line = self.lines.get(key, self.place.line)
        self.problems.append(Problem(Place(self.place.file, line), f"{self.label}: {what}", mend))


def check_keys(entry: Entry, allowed: Collection[str]) -> None:
    """Notes every key that is not known."""
    for key in entry.values:
        if key not in allowed:
            entry.note(key, f"unknown key {shown(key)}", instead(key, allowed, "keys"))


def any_text(entry: Entry, key: str) -> str | None:
    """A text with any characters, or None."""
    value = entry.values.get(key)
    if value is None or isinstance(value, str):
        return value
    entry.note(key, f"{key} must be a text, but is {kind(value)}", "put it in quotation marks")
    return None


def text(entry: Entry, key: str) -> str | None:
    """A text of one line, or None."""
    value = any_text(entry, key)
    return value if value is not None and is_clean(entry, key, value) else None


def required(entry: Entry, key: str, example: str) -> str | None:
    """A text that must be there, and not empty."""
    if entry.values.get(key) is None or entry.values[key] == "":
        entry.note(key, f"it has no {key}", f"add one, such as {key} = {example}")
        return None
    return text(entry, key)


def is_clean(entry: Entry, key: str, value: str) -> bool:
    """Notes a control character, which could garble a terminal or a table."""
    found = CONTROL.search(value)
    if found is None:
        return True
    entry.note(key, f"{key} {shown(value)} holds a control character (U+{ord(found[0]):04X})", "remove it")
    return False


def texts(entry: Entry, key: str) -> tuple[str, ...]:
    """One text or a list of them."""
    value = entry.values.get(key)
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    if wrong := [item for item in items if not isinstance(item, str)]:
        holds = f"holds {kind(wrong[0])}" if isinstance(value, list) else f"is {kind(wrong[0])}"
        entry.note(key, f"{key} must be a text or a list of texts, but {holds}", "put each in quotation marks")
    elif not items:
        entry.note(key, f"{key} is an empty list", "name at least one, or leave the key out")
    return tuple(item for item in items if isinstance(item, str) and is_clean(entry, key, item))


def choice(entry: Entry, key: str, allowed: Iterable[str]) -> str | None:
    """One of the words that are allowed, or None."""
    value = text(entry, key)
    if value is None or value in allowed:
        return value
    entry.note(key, f"unknown {key} {shown(value)}", instead(value, list(allowed), "choices"))
    return None


def flag(entry: Entry, key: str) -> bool:
    """True or false; false if it is not there."""
    value = entry.values.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    entry.note(key, f"{key} must be true or false, but is {kind(value)}", f"write {key} = true, or leave it out")
    return False


def amount(entry: Entry, key: str) -> Decimal | None:
    """An exact decimal of zero or more, written as a number or as a text."""
    value = entry.values.get(key)
    if value is None:
        return None
    written = number_text(value)
    if written is None:
        mend = 'write a decimal or a text, such as 1.5 or "1.5"'
        entry.note(key, f"{key} must be a number, but is {kind(value)}", mend)
        return None
    try:
        return parse_amount(written, key)
    except CallError:
        mend = 'write zero or more, of at most 36 digits, such as 1, 1.5 or "300e9"'
        entry.note(key, f"{key} is {shown(written)}, which is no such number", mend)
        return None


def number_text(value: object) -> str | None:
    """A number as it is written, or None if `value` is none."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
    return value if isinstance(value, str) else None


def id_of(entry: Entry, example: str) -> str:
    """The id of a source, collection or holder; `(no id)` while it has none."""
    value = required(entry, "id", example)
    if value is None:
        return "(no id)"
    why = check_id(value)
    if why:
        entry.note("id", f"the id {why}", ID_RULE)
    return value
