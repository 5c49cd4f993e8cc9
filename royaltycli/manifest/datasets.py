"""Folders of published datasets, as Hugging Face lays them out: which of the files make a split."""

from __future__ import annotations

import re
from collections.abc import Iterable

ALIKE = (
    ("train", "training"),
    ("validation", "valid", "dev", "val"),
    ("test", "testing", "eval", "evaluation"),
)
"""Words that mean the same split."""

_SHARDED = re.compile(r"(?:.*/)?([^/]+)-\d{5}-of-\d{5}[^/]*")
_APART = (re.compile(r"[-. 0-9/]+"), re.compile(r"[-._ 0-9/]+"))


def split_of(name: str) -> str | None:
    """The split of which a file is a numbered shard, `train` of `train-00000-of-00005.parquet`; else None."""
    shard = _SHARDED.fullmatch(name)
    return shard[1] if shard else None


def in_split(names: Iterable[str], split: str) -> frozenset[str]:
    """The files of a split, of all in a dataset folder by their names in it.

    First those that are numbered as its shards, `train-00000-of-00005.parquet`; else those with its name,
    or a word that means the same, as a word of their own path. Where no name says of which split a file
    is, all are `train`.
    """
    every = frozenset(names)
    sharded = frozenset(name for name in every if split_of(name) == split)
    if sharded:
        return sharded
    meant = next((set(words) for words in ALIKE if split in words), {split})
    found = frozenset(name for name in every if meant & _words(name))
    if found or split not in ALIKE[0]:
        return found
    known = {word for words in ALIKE for word in words}
    return frozenset() if any(known & _words(name) for name in every) else every


def _words(name: str) -> set[str]:
    return {word for apart in _APART for word in apart.split(name.lower())}
