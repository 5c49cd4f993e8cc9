"""Who holds a source, and for which share: `holder` or `holders` of a source or collection."""

from __future__ import annotations

from collections.abc import Mapping
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

# The rows of a long list repeat a few shares.
_parse = lru_cache(maxsize=1000)(partial(parse_fraction, what="share"))

_FORM = 'write holders = ["a", "b"] or [{ id = "a", share = "70%" }, …]'


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
    """The holders of a cell of a list file, `a-rao=70%;press=30%` or `a;b`, as a manifest has them."""
    items: list[object] = []
    for part in cell.split(";"):
        holder, equals, share = part.partition("=")
        if equals:
            items.append({"id": holder.strip(), "share": share.strip()})
        else:
            items.append(holder.strip())
    return items


def _part(entry: Entry, item: object) -> tuple[str, Fraction | None]:
    """One holder and its share, if it has one."""
    if isinstance(item, str):
        _id_is_fine(entry, "holders", item)
        return item, None
    if not isinstance(item, Mapping):
        entry.note("holders", f"holders must hold texts or tables, but holds {kind(item)}", _FORM)
        return "", None
    for key in item:
        if key not in ("id", "share"):
            what = f"unknown key {shown(str(key))} in holders"
            entry.note("holders", what, instead(str(key), ("id", "share"), "keys"))
    holder, share = item.get("id"), item.get("share")
    if not isinstance(holder, str):
        entry.note("holders", "a holder in holders has no id as a text", _FORM)
        return "", None
    _id_is_fine(entry, "holders", holder)
    return holder, None if share is None else _share(entry, holder, share)


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


def _complete(entry: Entry, parts: list[tuple[str, Fraction | None]]) -> list[HolderShare]:
    """Checks the holders of one source against each other, and splits equally where no share is given."""
    seen: set[str] = set()
    for holder, _ in parts:
        if holder in seen:
            entry.note(
                "holders", f"holder {shown(holder)} is named twice", "name each holder once, with its whole share"
            )
        seen.add(holder)
    given = [share for _, share in parts if share is not None]
    if not given:
        return [HolderShare(holder, Fraction(1, len(parts))) for holder, _ in parts]
    if len(given) < len(parts):
        without = next(holder for holder, share in parts if share is None)
        what = f"holder {shown(without)} has no share, but others have"
        entry.note("holders", what, "give all holders a share, or none for equal parts")
        return []
    total = sum(given, Fraction(0))
    if total != 1:
        what = f"the shares of its holders make {_shown_total(total)}, not 1"
        entry.note("holders", what, "change them so that they make 1 (100%) exactly; a third is written 1/3")
    return [HolderShare(holder, share) for holder, share in parts if share is not None]


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
