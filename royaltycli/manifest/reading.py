"""Finds and reads a manifest: all of it, with all that is wrong with it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from royaltycli.errors import CallError, Place, Problem
from royaltycli.limits import MANIFEST_BYTES
from royaltycli.manifest.fields import Entry, amount, check_keys, choice, flag, text, texts
from royaltycli.manifest.lists import read_list
from royaltycli.manifest.model import DUPLICATES, Corpus, Duplicates, Holder, Owner
from royaltycli.manifest.parties import HOLDER_KEYS, holder_of
from royaltycli.manifest.paths import Refusal, read_regular, resolve
from royaltycli.manifest.sources import SOURCE_KEYS, collection_of, source_of
from royaltycli.manifest.tables import Tables, check_tables, entries, head, parse_tables
from royaltycli.manifest.wording import shown

MANIFEST_NAME = "corpus.toml"
CORPUS_KEYS = ("name", "encoding", "pattern", "train_tokens", "duplicates", "sources", "holders", "remote")
PATTERNS = ("r50k_base", "cl100k_base", "o200k_base")


def find_manifest(given: str | Path | None) -> Path:
    """The manifest that is meant by a file, by a folder that holds corpus.toml, or by nothing: the one here.

    Raises CallError if there is none.
    """
    path = Path(MANIFEST_NAME if given is None else given)
    if os.path.isdir(path):
        path /= MANIFEST_NAME
    if os.path.exists(path):
        return path
    if given is None:
        raise CallError(f"there is no {MANIFEST_NAME} here; run `royalty init` to write one, or name a manifest")
    raise CallError(f"there is no manifest {shown(os.fspath(path))}; name another, or run `royalty init` to write one")


def read_manifest(path: Path, *, outside: bool = False) -> tuple[Corpus, list[Problem]]:
    """What a manifest and its list files say, and every problem with it, in the order of their places.

    Where there are problems, the corpus holds what could be read nevertheless, so that its files can be
    checked in the same go. With `outside`, list files may stand outside the manifest's folder.
    """
    file = os.fspath(path)
    folder = Path(os.path.realpath(path.parent))
    data = read_regular(path, "the manifest", MANIFEST_BYTES)
    if isinstance(data, Refusal):
        return Corpus(file, folder, ""), [Problem(Place(file), data.what, data.mend)]
    problems: list[Problem] = []
    corpus = Corpus(file, folder, hashlib.sha256(data).hexdigest())
    tables = parse_tables(data, file, problems)
    if tables is not None:
        corpus = _fill(corpus, tables, outside=outside)
    return corpus, sorted(set(problems))


def _fill(corpus: Corpus, tables: Tables, *, outside: bool) -> Corpus:
    """The corpus that the tables describe; what is wrong is noted in them."""
    check_tables(tables)
    top = head(tables)
    check_keys(top, CORPUS_KEYS)
    lists: dict[str, str] = {}
    holder_entries = entries(tables, "holder") + _listed(corpus, top, "holder", lists, outside=outside)
    source_entries = entries(tables, "source") + _listed(corpus, top, "source", lists, outside=outside)
    collection_entries = entries(tables, "collection")
    holders = [holder_of(entry) for entry in holder_entries]
    sources = [source_of(entry) for entry in source_entries]
    collections = [collection_of(entry) for entry in collection_entries]
    _check_unique(holder_entries)
    _check_unique(source_entries + collection_entries)
    if not sources and not collections and not tables.problems:
        what, mend = "there is no source and no collection", "add a [[source]] with an id and a path"
        tables.problems.append(Problem(Place(corpus.file), what, mend))
    return replace(
        corpus,
        name=text(top, "name") or None,
        remote=flag(top, "remote"),
        encoding=_encoding(top, corpus.folder, outside=outside),
        pattern=_pattern(top),
        train_tokens=_whole_amount(top, "train_tokens"),
        duplicates=cast("Duplicates | None", choice(top, "duplicates", DUPLICATES)),
        holders=_all_holders(holders, [*sources, *collections]),
        sources=tuple(sources),
        collections=tuple(collections),
        lists=tuple(sorted(lists.items())),
    )


def _listed(corpus: Corpus, top: Entry, word: str, lists: dict[str, str], *, outside: bool) -> list[Entry]:
    """The rows of all list files that [corpus] names for sources, or for holders."""
    found: list[Entry] = []
    key, columns = f"{word}s", {"holder": HOLDER_KEYS, "source": SOURCE_KEYS}[word]
    for relative in texts(top, key):
        path = resolve(corpus.folder, relative, outside=outside)
        if isinstance(path, Refusal):
            top.note(key, f"list file: {path.what}", path.mend)
        elif relative in lists:
            top.note(key, f"list file {shown(relative)} is named twice", "name it once")
        else:
            file = os.fspath(Path(corpus.file).parent / relative)
            lists[relative], rows = read_list(path, file, word, columns, top.problems)
            found.extend(rows)
    return found


def _encoding(top: Entry, folder: Path, *, outside: bool) -> str | None:
    """The name of a public encoding, or the path of a vocabulary file that is there."""
    value = text(top, "encoding") or None
    if value is None or value in PATTERNS:
        return value
    if not value.endswith((".json", ".tiktoken")):
        mend = f"use {', '.join(PATTERNS)}, or the path of a tokenizer.json or .tiktoken file"
        top.note("encoding", f"there is no encoding {shown(value)}", mend)
    elif isinstance(path := resolve(folder, value, outside=outside), Refusal):
        top.note("encoding", f"encoding: {path.what}", path.mend)
    return value


def _pattern(top: Entry) -> str | None:
    """The public encoding whose splitting a `.tiktoken` file uses; without an encoding, one that a call names."""
    value, encoding = choice(top, "pattern", PATTERNS), top.values.get("encoding")
    if value is not None and isinstance(encoding, str) and not encoding.endswith(".tiktoken"):
        top.note("pattern", f"pattern is for a .tiktoken file, but encoding is {shown(encoding)}", "leave pattern out")
    return value


def _whole_amount(entry: Entry, key: str) -> Decimal | None:
    value = amount(entry, key)
    if value is not None and (value == 0 or value != value.to_integral_value()):
        entry.note(key, f"{key} must be a whole number above zero", f'write it such as {key} = "300e9"')
        return None
    return value


def _check_unique(all_entries: Iterable[Entry]) -> None:
    """Notes every id that was given before. Sources and collections share one space of names."""
    first: dict[str, Entry] = {}
    for entry in all_entries:
        given = entry.values.get("id")
        if not isinstance(given, str) or not given:
            continue
        other = first.setdefault(given, entry)
        if other is not entry:
            place = Place(other.place.file, other.lines.get("id", other.place.line))
            entry.note("id", f"the id is given twice, first to a {other.word} at {place}", "give each an id of its own")


def _all_holders(described: Iterable[Holder], owned: Sequence[Owner]) -> tuple[Holder, ...]:
    """Every holder that the manifest describes or names, in the order of their ids."""
    holders: dict[str, Holder] = {}
    for holder in described:
        holders.setdefault(holder.id, holder)
    for owner in owned:
        for part in owner.holders:
            if part.holder not in holders:
                holders[part.holder] = Holder(part.holder, part.holder)
    return tuple(holders[key] for key in sorted(holders))
