"""Ids: the rule for those that a person writes, and how a value of a document becomes one.

What counts as a letter or digit comes from the tables of the `regex` package, not from Python's own,
so that an id does not depend on the version of Python.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote_to_bytes

import regex

from royaltycli.limits import ID_BYTES

# Letters that show nothing (U+3164 HANGUL FILLER and its like) would make two ids look the same.
_LETTER_OR_DIGIT = r"[[\p{L}\p{Nd}]--\p{Default_Ignorable_Code_Point}]"
_ID = regex.compile(rf"{_LETTER_OR_DIGIT}(?:{_LETTER_OR_DIGIT}|[._-])*+", regex.V1)
_FIRST = regex.compile(_LETTER_OR_DIGIT, regex.V1)
_UNSAFE = regex.compile(rf"[^{_LETTER_OR_DIGIT}._:/@-]", regex.V1)


def check_id(text: str) -> str | None:
    """Why `text` is no id that a person may write, as the end of a sentence; None if it is one.

    Such an id is made of letters and digits of any script, `.`, `_` and `-`, starts with a letter or
    digit, is in Unicode's composed form (NFC), and has at most `limits.ID_BYTES` bytes.
    """
    if not text:
        return "is empty"
    if len(text) > ID_BYTES or len(text.encode("utf-8", "surrogatepass")) > ID_BYTES:
        return f"is longer than {ID_BYTES} bytes"
    if _ID.fullmatch(text):
        if not unicodedata.is_normalized("NFC", text):
            return "is not in Unicode's composed form (NFC)"
        return None
    if text[0] in "._-":
        return f"starts with {text[0]!r}"
    bad = next(char for at, char in enumerate(text) if not (_FIRST.match(char) or (at and char in "._-")))
    name = unicodedata.name(bad, "")
    return f"holds {bad!r} (U+{ord(bad):04X}{' ' + name if name else ''})"


def encode_value(value: str) -> str:
    """The holder id for a value that a document gives: printable, reversible, never a formula.

    Letters and digits of any script, `.`, `_`, `-`, `:`, `/` and `@` stand as they are, but for an `@`
    or `-` that is first; all else is percent-encoded as UTF-8, in upper-case hexadecimal.
    """
    if value[:1] in ("@", "-"):
        return _percent(value[0]) + encode_part(value[1:])
    return encode_part(value)


UNKNOWN = "(unknown)"
"""In place of a value: the source of all documents of a collection that name none. No value is encoded so."""


def source_id(collection: str, value: str | None) -> str:
    """The id of the source that a document of a collection names: `microposts/@maya`; None is no name."""
    return f"{collection}/{UNKNOWN if value is None else encode_part(value)}"


def encode_part(value: str) -> str:
    """A value as in `encode_value`, but as a part of a source's id, of which its first character is not the first."""
    encoded: str = _UNSAFE.sub(lambda match: _percent(match[0]), value)
    return encoded


def decode_value(encoded: str) -> str:
    """The value that `encode_value` encoded, or the part of a source's id after the first `/`."""
    return unquote_to_bytes(encoded).decode("utf-8", "surrogatepass")


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
