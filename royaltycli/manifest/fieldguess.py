"""Guesses which fields of a JSONL or Parquet file hold the text, the source and the holder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from royaltycli.manifest.endings import kind_of
from royaltycli.manifest.naming import field_text
from royaltycli.manifest.wording import CONTROL

PEEK_BYTES = 1 << 20
"""How much of a JSONL file is unpacked to find its first line."""

TEXT_NAMES = ("text", "content", "body", "article", "document", "raw_content", "code", "story", "message")
SOURCE_NAMES = (
    "source", "author", "user", "username", "creator", "account", "publisher", "outlet", "newspaper", "site",
    "domain", "channel", "feed", "book", "work", "repo", "repository", "title", "url",
)  # fmt: skip
HOLDER_NAMES = ("holder", "rights_holder")
THEIR_OWN = ("author", "user", "username", "creator", "account", "publisher")
"""Sources that are holders themselves; beside another source they would be several holders of one, an error."""

TELLTALES: dict[str, tuple[str, ...]] = {
    "the-stack": ("content", "hexsha", "max_stars_repo_name"),
    "starcoder": ("content", "max_stars_repo_name"),
    "fineweb": ("text", "url", "dump", "file_path"),
    "redpajama": ("text", "meta.url", "red_pajama_subset"),
    "pile": ("text", "meta.pile_set_name"),
    "dolma": ("id", "text", "source", "added"),
}
"""Fields by which the rows of a published dataset are known; of two that fit, the first is meant."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The names of fields, as a manifest writes them and as far as a first row shows them.

    `preset` is the published dataset that the row is of, if it looks like one.
    """

    text: str | None = None
    source: str | None = None
    holder: str | None = None
    preset: str | None = None


def guess_fields(path: str, name: str) -> Guess:
    """A guess from the first row of a file whose kind `name` tells; an empty one where there is none to read."""
    try:
        fields, known = _parquet_fields(path, name) if kind_of(name)[0] == "parquet" else _json_fields(path, name)
    except (OSError, ValueError, RecursionError, pa.ArrowException):
        return Guess()
    preset = next((preset for preset, wanted in TELLTALES.items() if known.issuperset(wanted)), None)
    fields = {name: size for name, size in fields.items() if name and not CONTROL.search(name)}
    longest = max(fields, key=lambda name: fields[name], default=None)
    text = _first(TEXT_NAMES, fields) or longest
    others = [name for name in fields if name != text]
    source = _first(SOURCE_NAMES, others)
    holder = _first(HOLDER_NAMES, others) or (source if source and source.lower() in THEIR_OWN else None)
    written = source and (f"domain({_written(source)})" if source.lower() == "url" else _written(source))
    return Guess(text and _written(text), written, holder and _written(holder), preset)


def _written(name: str) -> str:
    return field_text((name,))


def _first(known: tuple[str, ...], fields: list[str] | dict[str, int]) -> str | None:
    """The field whose name, in capitals or not, stands earliest in `known`."""
    ranked = [(known.index(name.lower()), name) for name in fields if name.lower() in known]
    return min(ranked)[1] if ranked else None


def _json_fields(path: str, name: str) -> tuple[dict[str, int], set[str]]:
    """The fields of a first line that are texts, with their lengths; and the names of all, also of nested ones."""
    with pa.input_stream(path, compression=kind_of(name)[1]) as stream:
        line = stream.read(PEEK_BYTES).removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    row = json.loads(line)
    if not isinstance(row, dict):
        return {}, set()
    nested = {f"{key}.{inner}" for key, value in row.items() if isinstance(value, dict) for inner in value}
    return {key: len(value) for key, value in row.items() if isinstance(value, str)}, nested | set(row)


def _parquet_fields(path: str, name: str) -> tuple[dict[str, int], set[str]]:
    """The columns of texts, whose lengths are not looked at; and the names of all, also of nested ones."""
    if kind_of(name)[1] is not None:
        return {}, set()
    schema = pq.read_schema(Path(path))
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    structs = [field for field in schema if pa.types.is_struct(field.type)]
    nested = {f"{field.name}.{inner.name}" for field in structs for inner in field.type}
    return {field.name: 0 for field in schema if any(is_text(field.type) for is_text in texts)}, nested | set(
        schema.names
    )
