"""Sources and collections, from a table of the manifest or a row of a list file."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, cast

from royaltycli.manifest.fields import Entry, amount, check_keys, choice, id_of, required, text, texts
from royaltycli.manifest.model import Collection, Format, HolderShare, Reading, Source
from royaltycli.manifest.shares import holder_shares, only_holder

SOURCE_KEYS = (
    "id", "title", "path", "holder", "holders", "license", "epochs", "format", "text", "strip", "errors",
)  # fmt: skip
COLLECTION_KEYS = (
    "id", "path", "text", "source", "holder", "holders", "license", "epochs", "format", "strip", "errors",
)  # fmt: skip


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
        reading=_reading(entry, ("text", "html", "jsonl", "parquet")),
    )


def collection_of(entry: Entry) -> Collection:
    """The collection that a table describes, as far as it is right; the rest is noted in the entry."""
    check_keys(entry, COLLECTION_KEYS)
    both = _both_holders(entry)
    return Collection(
        id=id_of(entry, '"my-posts"'),
        place=entry.place,
        patterns=_patterns(entry),
        source_field=required(entry, "source", '"author", the field that names the source') or "",
        holder_field=None if both else _field(entry, "holder"),
        holders=() if both else holder_shares(entry),
        license=text(entry, "license") or None,
        epochs=_epochs(entry),
        reading=_reading(entry, ("jsonl", "parquet")),
    )


def _patterns(entry: Entry) -> tuple[str, ...]:
    if entry.values.get("path") is None:
        entry.note("path", "it has no path", 'add one, such as path = "books/*.txt"')
    return texts(entry, "path")


def _both_holders(entry: Entry) -> bool:
    if entry.values.get("holder") is None or entry.values.get("holders") is None:
        return False
    entry.note("holders", "it has both holder and holders", "keep one of them")
    return True


def _field(entry: Entry, key: str) -> str | None:
    value = text(entry, key)
    if value == "":
        entry.note(key, f"{key} is empty", "name a field, or leave the key out")
        return None
    return value


def _epochs(entry: Entry) -> Decimal:
    value = amount(entry, "epochs")
    return Decimal(1) if value is None else value


def _reading(entry: Entry, formats: tuple[str, ...]) -> Reading:
    return Reading(
        format=cast("Format | None", choice(entry, "format", formats)),
        text=_field(entry, "text") or "text",
        strip=cast("Literal['html'] | None", choice(entry, "strip", ("html",))),
        errors=cast("Literal['strict', 'replace']", choice(entry, "errors", ("strict", "replace")) or "strict"),
    )
