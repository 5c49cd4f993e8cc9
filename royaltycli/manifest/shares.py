"""Who holds a source, and for which share: `holder` or `holders` of a source or collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial

from royaltycli.errors import CallError
from royaltycli.manifest.fields import ID_RULE, Entry, number_text
from royaltycli.manifest.identifiers import check_id
from royaltycli.manifest.model import HolderShare
from royaltycli.manifest.wording import instead, kind, shown
from royaltycli.numerals import parse_fraction, plain_fraction

SHARE_DIGITS = 36
"""A sum of shares is shown exactly up to so many digits."""

RATIO_DIGITS = 18
"""A part of a ratio has no more digits, as the two numbers of a fraction such as 1/3."""

# The rows of a long list repeat a few shares.
_parse = lru_cache(maxsize=1000)(partial(parse_fraction, what="share"))

_FORM = 'write holders = ["a", "b"] or [{ id = "a", share = "70%" }, …]'
_KEYS = ("id", "share", "ratio")


@dataclass(frozen=True, slots=True)
class _Part:
    """One holder as it is written: with a `share` of the whole, a part of a `ratio`, or neither (None)."""

    holder: str
    form: str | None = None
    value: Fraction = Fraction(1)


def only_holder(entry: Entry) -> tuple[HolderShare, ...]:
    """The one holder that `holder` names, with the whole."""
    value = entry.values.get("holder")
    if not isinstance(value, str):
        entry.note(
            "holder", f"holder must be a text, but is {kind(value)}", "name one holder by its id, or use holders"
        )
        return ()
    return (HolderShare(value, Fraction(1)),) if _id_is_fine(entry, "holder", value) else ()


def holder_shares(entry: Entry) -> tuple[HolderShare, ...]:
    """The holders that `holders` names, with shares that make exactly one; empty if anything is wrong."""
    value = entry.values.get("holders")
    if value is None:
        return ()
    if not isinstance(value, list):
        entry.note("holders", f"holders must be a list, but is {kind(value)}", _FORM)
        return ()
    if not value:
        entry.note("holders", "holders is an empty list", "name at least one, or leave the key out")
        return ()
    before = len(entry.problems)
    parts = [_part(entry, item) for item in value]
    if len(entry.problems) > before:
        return ()
    shares = _complete(entry, parts)
    return tuple(shares) if len(entry.problems) == before else ()


def parse_cell(cell: str) -> list[object]:
    """The holders of a cell of a list file, `a-rao=70%;press=30%`, `a:2;b:1` or `a;b`, as a manifest has them."""
    items: list[object] = []
    for part in cell.split(";"):
        holder, sign, value = (piece.strip() for piece in part.partition("=" if "=" in part else ":"))
        items.append({"id": holder, "share" if sign == "=" else "ratio": value} if sign else holder)
    return items


def _part(entry: Entry, item: object) -> _Part:
    """One holder and its share or part of a ratio, if it has one."""
    if isinstance(item, str):
        _id_is_fine(entry, "holders", item)
        return _Part(item)
    if not isinstance(item, Mapping):
        entry.note("holders", f"holders must hold texts or tables, but holds {kind(item)}", _FORM)
        return _Part("")
    for key in item:
        if key not in _KEYS:
            what = f"unknown key {shown(str(key))} in holders"
            entry.note("holders", what, instead(str(key), _KEYS, "keys"))
    holder, share, ratio = (item.get(key) for key in _KEYS)
    if not isinstance(holder, str):
        entry.note("holders", "a holder in holders has no id as a text", _FORM)
        return _Part("")
    _id_is_fine(entry, "holders", holder)
    if share is not None and ratio is not None:
        entry.note("holders", f"holder {shown(holder)} has both share and ratio", "keep one of them")
    elif share is not None:
        return _Part(holder, "share", _share(entry, holder, share))
    elif ratio is not None:
        return _Part(holder, "ratio", _ratio(entry, holder, ratio))
    return _Part(holder)


def _share(entry: Entry, holder: str, value: object) -> Fraction:
    written = number_text(value)
    if written is None:
        what = f"the share of holder {shown(holder)} must be a text, but is {kind(value)}"
        entry.note("holders", what, 'quote it: share = "70%"')
        return Fraction(0)
    try:
        share = _parse(written)
    except CallError:
        what = f"the share {shown(written)} of holder {shown(holder)} is no number between 0 and 1"
        entry.note("holders", what, 'write it as "70%", "0.7" or "1/3"')
        return Fraction(0)
    if share == 0:
        entry.note("holders", f"the share of holder {shown(holder)} is zero", "leave the holder out")
    return share


def _ratio(entry: Entry, holder: str, value: object) -> Fraction:
    written = number_text(value)
    if written is not None and re.fullmatch(rf"[1-9]\d{{0,{RATIO_DIGITS - 1}}}", written, re.ASCII):
        return Fraction(int(written))
    given = kind(value) if written is None else shown(written)
    name, mend = shown(holder), "write 2 for one and 1 for the other to divide by 2 to 1"
    what = (
        f"the ratio of holder {name} is {given}, but must be a whole number from 1 on, of up to {RATIO_DIGITS} digits"
    )
    entry.note("holders", what, mend)
    return Fraction(0)


def _complete(entry: Entry, parts: list[_Part]) -> list[HolderShare]:
    """Checks the holders of one source against each other, and makes shares of a ratio or of equal parts."""
    seen: set[str] = set()
    for part in parts:
        if part.holder in seen:
            entry.note(
                "holders", f"holder {shown(part.holder)} is named twice", "name each holder once, with its whole share"
            )
        seen.add(part.holder)
    forms = {part.form for part in parts}
    if len(forms) > 1:
        _note_mixture(entry, parts)
        return []
    total = sum((part.value for part in parts), Fraction(0))
    if forms == {"share"} and total != 1:
        what = f"the shares of its holders make {_shown_total(total)}, not 1"
        entry.note("holders", what, "change them so that they make 1 (100%) exactly; a third is written 1/3")
    return [HolderShare(part.holder, part.value / total) for part in parts]


def _note_mixture(entry: Entry, parts: list[_Part]) -> None:
    """Some holders of a source have a share or ratio, and others have not the same."""
    first = {
        form: next((part.holder for part in parts if part.form == form), None) for form in ("share", "ratio", None)
    }
    if first["share"] is not None and first["ratio"] is not None:
        what = f"holder {shown(first['share'])} has a share, but holder {shown(first['ratio'])} a ratio"
        entry.note("holders", what, "give all holders a share, or all a ratio")
        return
    form = "ratio" if first["share"] is None else "share"
    what = f"holder {shown(first[None] or '')} has no {form}, but others have"
    entry.note("holders", what, f"give all holders a {form}, or none for equal parts")


def _shown_total(total: Fraction) -> str:
    if total.denominator < 10**SHARE_DIGITS:
        return plain_fraction(total)
    rounded = Fraction(round(total * 10**6), 10**6)
    return "almost 1" if rounded == 1 else f"about {plain_fraction(rounded)}"


def _id_is_fine(entry: Entry, key: str, holder: str) -> bool:
    why = check_id(holder)
    if why:
        entry.note(key, f"the holder's id {shown(holder)} {why}", ID_RULE)
    return why is None
