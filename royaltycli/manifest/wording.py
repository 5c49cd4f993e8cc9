"""How problems quote what a user wrote: bounded, on one line, and safe to show in a terminal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time

from royaltycli.limits import FILES_NAMED

SHOWN_CHARACTERS = 120
"""How much of a text a message quotes."""

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What could garble a terminal or a table: control characters, Unicode's two line ends, and surrogates,
which are no text on their own (in a file's name they stand for bytes that are not UTF-8)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with a point or an exponent, as it was written: no binary float is made of it."""

    text: str


def shown(text: str) -> str:
    """`text` in quotes, cut where it is very long; what does not print is escaped."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")


def printable(name: str) -> str:
    """A file's name with what is in CONTROL escaped; a byte that is not UTF-8 becomes a number too."""
    return CONTROL.sub(_escaped, name)


def named(names: Iterable[str]) -> str:
    """Some names in quotes, sorted, and how many more there are: `'a', 'b' and 7 more`."""
    ordered = sorted(names)
    text = ", ".join(shown(name) for name in ordered[:FILES_NAMED])
    rest = len(ordered) - FILES_NAMED
    return f"{text} and {rest:,} more" if rest > 0 else text


def kind(value: object) -> str:
    """What a value of a manifest is, in words."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, float):
        return "a binary float"
    for types, word in (
        (str, "a text"),
        ((int, Number), "a number"),
        (list, "a list"),
        (Mapping, "a table"),
        ((date, time), "a date or time"),
    ):
        if isinstance(value, types):
            return word
    return "nothing" if value is None else f"of the type {type(value).__name__}"


def instead(given: str, allowed: Collection[str], what: str) -> str:
    """How to mend an unknown name: the one that was probably meant, or all there are."""
    close = difflib.get_close_matches(given[:SHOWN_CHARACTERS].lower(), allowed, n=1, cutoff=0.6)
    if close:
        return f"did you mean {shown(close[0])}?"
    return f"the {what} are {', '.join(allowed)}"


def _escaped(match: re.Match[str]) -> str:
    """The bytes of a character, each as a number: of U+2028 all three, of a byte that is not UTF-8 that one."""
    return "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape"))
