"""Sources and collections, from a table of the manifest or a row of a list file."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal, cast, get_args

from royaltycli.manifest.fields import Entry, amount, check_keys, choice, id_of, required, text, texts
from royaltycli.manifest.model import NAMING_FORMATS, Collection, Format, HolderShare, Lists, Naming, Reading, Source
from royaltycli.manifest.naming import field_of, naming_of, parse_field
from royaltycli.manifest.presets import PRESETS, preset
from royaltycli.manifest.shares import holder_shares, only_holder
from royaltycli.manifest.wording import shown

SOURCE_KEYS = (
    "id", "title", "path", "holder", "holders", "license", "epochs", "format", "text", "strip", "errors",
)  # fmt: skip
COLLECTION_KEYS = (
    "id", "path", "text", "source", "holder", "holders", "license", "epochs", "format", "split", "lists",
    "strip", "errors",
)  # fmt: skip
WARC_SOURCE = "domain(WARC-Target-URI)"
"""What the documents of a web archive name as their source, unless the manifest says otherwise."""


def source_of(entry: Entry) -> Source:
    """The source that a table or row describes, as far as it is right; the rest is noted in the entry."""
    check_keys(entry, SOURCE_KEYS)
    holders: tuple[HolderShare, ...] = ()
    if not _both_holders(entry):
        holders = only_holder(entry) if entry.values.get("holder") is not None else holder_shares(entry)
    return Source(
        id=id_of(entry, '"my-book"'),
        place=entry.place,
        patterns=_patterns(entry),
        title=text(entry, "title") or None,
        holders=holders,
        license=text(entry, "license") or None,
        epochs=_epochs(entry),
        reading=_reading(entry, get_args(Format)),
    )


def collection_of(entry: Entry) -> Collection:
    """The collection that a table describes, as far as it is right; the rest is noted in the entry."""
    check_keys(entry, COLLECTION_KEYS)
    both = _both_holders(entry)
    return Collection(
        id=id_of(entry, '"my-posts"'),
        place=entry.place,
        patterns=_patterns(entry),
        source=_source_naming(entry),
        holder=None if both else _holder_naming(entry),
        holders=() if both else holder_shares(entry),
        license=text(entry, "license") or None,
        epochs=_epochs(entry),
        reading=_reading(entry, NAMING_FORMATS),
        lists=cast("Lists | None", choice(entry, "lists", get_args(Lists))),
        split=_word(entry, "split"),
    )


def _source_naming(entry: Entry) -> Naming:
    form = entry.values.get("format")
    default = WARC_SOURCE if form == "warc" else preset(form).get("source")
    if default is None and required(entry, "source", '"author", the field that names the source') is None:
        return Naming()
    naming = naming_of(entry, "source", default) or Naming()
    if form == "warc" and len(naming.field) > 1:
        entry.note("source", "the headers of a web archive hold no other fields", f"write it such as {WARC_SOURCE}")
    return naming


def _holder_naming(entry: Entry) -> Naming | None:
    naming = naming_of(entry, "holder")
    if naming is not None and naming.fixed is not None:
        entry.note("holder", "holder is a fixed value", 'write holders = ["press"] for the same holder everywhere')
        return None
    return naming


def _patterns(entry: Entry) -> tuple[str, ...]:
    if entry.values.get("path") is None:
        entry.note("path", "it has no path", 'add one, such as path = "books/*.txt"')
    return texts(entry, "path")


def _both_holders(entry: Entry) -> bool:
    if entry.values.get("holder") is None or entry.values.get("holders") is None:
        return False
    entry.note("holders", "it has both holder and holders", "keep one of them")
    return True


def _word(entry: Entry, key: str) -> str | None:
    value = text(entry, key)
    if value is not None and not re.fullmatch(r"\w+", value):
        entry.note(key, f"{key} {shown(value)} is no word", f'write it such as {key} = "train"')
        return None
    return value


def _epochs(entry: Entry) -> Decimal:
    value = amount(entry, "epochs")
    return Decimal(1) if value is None else value


def _reading(entry: Entry, formats: tuple[str, ...]) -> Reading:
    form = choice(entry, "format", (*formats, *PRESETS))
    default = parse_field(preset(form).get("text", "text")) or ()
    if form == "warc" and entry.values.get("text") is not None:
        entry.note("text", "a record of a web archive has no field that holds the text", "leave text out")
    return Reading(
        format=None if form in PRESETS else cast("Format | None", form),
        text=field_of(entry, "text") or default,
        strip=cast("Literal['html'] | None", choice(entry, "strip", ("html",))),
        errors=cast("Literal['strict', 'replace']", choice(entry, "errors", ("strict", "replace")) or "strict"),
        dataset=form in PRESETS or "split" in entry.values,
    )
