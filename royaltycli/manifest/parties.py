"""Holders, and the check digits of the international numbers that identify them."""

from __future__ import annotations

import re

from royaltycli.manifest.fields import Entry, check_keys, id_of, text
from royaltycli.manifest.model import Holder
from royaltycli.manifest.wording import shown

HOLDER_KEYS = ("id", "name", "isni", "ipi", "orcid")


def holder_of(entry: Entry) -> Holder:
    """The holder that a table or row describes."""
    check_keys(entry, HOLDER_KEYS)
    given = id_of(entry, '"a-rao"')
    return Holder(
        id=given,
        name=text(entry, "name") or given,
        isni=_identifier(entry, "isni", "0000 0001 2103 2683"),
        ipi=_identifier(entry, "ipi", "00014107338 or I-000000229-7"),
        orcid=_identifier(entry, "orcid", "0000-0002-1825-0097"),
    )


def check_isni(written: str) -> str | None:
    """The 16 characters of an ISNI (ISO 27729) if its check character is right, else None."""
    characters = re.sub("[ -]", "", written.strip().upper())
    return characters if _iso7064_is_right(characters) else None


def check_orcid(written: str) -> str | None:
    """An ORCID iD in its four groups if its check character is right, else None. Its URL will do too."""
    groups = re.sub(r"^https?://orcid\.org/", "", written.strip()).upper()
    if not re.fullmatch(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", groups, re.ASCII):
        return None
    return groups if _iso7064_is_right(groups.replace("-", "")) else None


def check_ipi(written: str) -> str | None:
    """An IPI name number (11 digits) or base number (`I-000000229-7`) if its check is right, else None."""
    number = written.strip().upper()
    if re.fullmatch(r"\d{11}", number, re.ASCII):
        # CISAC's check: weights 10 to 2 over the first nine digits, modulo 101.
        total = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), number, strict=False))
        return number if int(number[9:]) == (101 - total % 101) % 101 % 100 else None
    base = re.fullmatch(r"I-?(\d{9})-?(\d)", number, re.ASCII)
    if base is None:
        return None
    total = 2 + sum(weight * int(digit) for weight, digit in enumerate(base[1], 1))
    return f"I-{base[1]}-{base[2]}" if int(base[2]) == -total % 10 else None


def _iso7064_is_right(characters: str) -> bool:
    """Whether the last of 16 characters is the ISO 7064 MOD 11-2 check of the 15 digits before it."""
    if not re.fullmatch(r"\d{15}[\dX]", characters, re.ASCII):
        return False
    total = 0
    for digit in characters[:15]:
        total = (total + int(digit)) * 2
    return characters[15] == "0123456789X"[(12 - total % 11) % 11]


def _identifier(entry: Entry, key: str, example: str) -> str | None:
    written = text(entry, key)
    if written is None:
        return None
    number = {"isni": check_isni, "ipi": check_ipi, "orcid": check_orcid}[key](written)
    if number is None:
        what = f"{key} {shown(written)} is not valid: its form or its check digit is wrong"
        entry.note(key, what, f"copy it again; it looks like {example}")
    return number
