"""A starter corpus.toml for the documents of a folder, with comments that say what to add."""

from __future__ import annotations

import glob
import json
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import regex

from royaltycli.errors import CallError
from royaltycli.manifest.datasets import split_of
from royaltycli.manifest.endings import ENDINGS_WORDS, TABLE_NAME, full_ending, kind_of
from royaltycli.manifest.fieldguess import Guess, guess_fields
from royaltycli.manifest.identifiers import check_id
from royaltycli.manifest.paths import Refusal
from royaltycli.manifest.patterns import Match, files_below
from royaltycli.manifest.results import is_sealed_result, refusal_of
from royaltycli.manifest.wording import CONTROL, named, shown

SINGLE_FILES = 12
"""Up to so many files of one kind in a folder are a source each; more are one source together."""

SLUG_CHARACTERS = 80

_OPENING = """\
# What a model was trained on, source by source. Paths are relative to this file.
# `royalty check` says whether it is right; `royalty scan` counts the tokens of every source.

[corpus]
name = {name}
encoding = "o200k_base"        # or r50k_base, cl100k_base, or the path of a tokenizer.json
# train_tokens = "300e9"       # the size of the whole training run, if this is only a part of it
"""

_CLOSING = """
# What else a [[source]] or [[collection]] may say:
#
#   title = "Quantum Mechanics, a Short Course"      # of a source
#   holder = "a-rao"                                 # who is paid; in a collection, the field that names them
#   holders = [{ id = "a-rao", share = "70%" }, { id = "press", share = "30%" }]
#   license = "CC-BY-4.0"
#   epochs = 1.5                                     # how often training saw it; 1 unless stated
#
# Names and numbers of holders, which must stand outside of any source:
#
#   [[holder]]
#   id = "a-rao"
#   name = "Asha Rao"
#   orcid = "0000-0002-1825-0097"                    # or isni, ipi
"""


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that become one source or collection: what to call it, its path, and a file to look into."""

    hint: str
    path: str | list[str]
    example: Match


def starter(folder: Path) -> tuple[str, list[str]]:
    """The text of a manifest for the documents in a folder, which loads as it stands; and what it leaves out, and why.

    Raises CallError if the folder cannot be read or holds no document.
    """
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise CallError(f"{shown(os.fspath(folder))} is no folder; name one that holds documents")
    below = files_below(root, root, "", outside=False)
    found = [match for match in below if match.name.endswith("/") or _is_document(match)]
    groups = _groups([match for match in found if not match.name.endswith("/")], root)
    if not groups:
        raise CallError(f"{shown(os.fspath(folder))} holds no documents; they end in {ENDINGS_WORDS}")
    name = CONTROL.sub("", Path(root).name) or "corpus"
    taken: dict[str, int] = {}
    tables = [_table(group, _new_id(group.hint, taken)) for group in groups]
    return _OPENING.format(name=_quoted(name)) + "".join(tables) + _CLOSING, _left_out(found, root)


def _left_out(found: Iterable[Match], root: str) -> list[str]:
    """Each reason why some cannot be used, once, with those it holds for."""
    names: dict[Refusal, list[str]] = {}
    for match in found:
        refusal = refusal_of(match, root)
        if refusal is not None:
            names.setdefault(refusal, []).append(match.name)
    return [f"{named(some)}: {refusal.what}; {refusal.mend}" for refusal, some in names.items()]


def _is_document(match: Match) -> bool:
    form = kind_of(match.name)[0]
    return form is not None and match.name != TABLE_NAME and not is_sealed_result(match, form)


def _groups(found: Iterable[Match], root: str) -> list[_Group]:
    """The documents as sources, in the order of their names."""
    by_ending: dict[tuple[str, str, str | None], list[Match]] = {}
    usable: dict[str, Match] = {}
    for match in sorted(found, key=lambda match: match.name.encode("utf-8", "surrogateescape")):
        top = match.name.partition("/")[0] if "/" in match.name else ""
        split = split_of(match.name)
        top = top if split is None else match.name.rpartition("/")[0]
        by_ending.setdefault((top, full_ending(match.name), split), []).append(match)
        if refusal_of(match, root) is None:
            usable.setdefault(match.path, match)  # of links to one file, the first only
    groups: list[_Group] = []
    for (top, ending, split), members in by_ending.items():
        is_text = kind_of(f"x{ending}")[0] in ("text", "html")
        parents = {match.name.rpartition("/")[0] for match in members}
        if split is not None:
            parts = [members]
        elif is_text or not top:
            parts = [[match] for match in members] if len(members) <= SINGLE_FILES else [members]
        elif len(parents) <= SINGLE_FILES:
            parts = [[match for match in members if match.name.rpartition("/")[0] == parent] for parent in parents]
        else:
            parts = [members]
        for part in parts:
            clean = [match for match in part if usable.get(match.path) is match]
            if clean:
                groups.append(_group(top, ending, clean, split, whole=len(clean) == len(part)))
    return sorted(groups, key=lambda group: (group.example.name.encode(), group.hint))


def _group(top: str, ending: str, members: list[Match], split: str | None, *, whole: bool) -> _Group:
    """One group; a pattern stands for all its members only where it matches nothing else."""
    first = members[0]
    if split is not None and whole:
        folder = f"{glob.escape(top)}/" if top else ""
        return _Group(f"{top.rpartition('/')[2]} {split}", f"{folder}{glob.escape(split)}-*-of-*{ending}", first)
    if len(members) == 1:
        base = first.name.rpartition("/")[2]
        return _Group(base.removesuffix(ending), first.name, first)
    parents = {match.name.rpartition("/")[0] for match in members}
    parent = parents.pop() if len(parents) == 1 else None
    hint = (parent or top).rpartition("/")[2] or "documents"
    if not whole:
        return _Group(hint, [match.name for match in members], first)
    folder = f"{glob.escape(top)}/**/" if parent is None else f"{glob.escape(parent)}/" if parent else ""
    return _Group(hint, f"{folder}*{ending}", first)


def _table(group: _Group, new_id: str) -> str:
    """The table of one source or collection."""
    path = _quoted(group.path) if isinstance(group.path, str) else f"[{', '.join(map(_quoted, group.path))}]"
    head = f"id = {_quoted(new_id)}\npath = {path}\n"
    form = kind_of(group.example.name)[0]
    if form in ("text", "html"):
        return f"\n[[source]]\n{head}"
    if form == "warc":
        return f'\n[[collection]]\n{head}format = "warc"    # each page is of the site that it comes from\n'
    guess: Guess = guess_fields(group.example.path, group.example.name)
    if guess.preset is not None:
        return f"\n[[collection]]\n{head}format = {_quoted(guess.preset)}    # known by its fields: please check\n"
    if guess.text is None:
        return f'\n[[source]]\n{head}text = "text"                  # the field that holds the text: please check\n'
    text = f"text = {_quoted(guess.text)}    # the field that holds the text\n"
    if guess.source is None:
        return f"\n[[source]]\n{head}{text}"
    what = "the site of the URL names" if guess.source.startswith("domain(") else "the field whose value names"
    source = f"source = {_quoted(guess.source)}    # {what} the source\n"
    holder = f"holder = {_quoted(guess.holder)}    # the field whose value names the holder\n" if guess.holder else ""
    return f"\n[[collection]]\n{head}{text}{source}{holder}"


def _new_id(hint: str, taken: dict[str, int]) -> str:
    """An id made of a file's or folder's name, which no other has yet; `taken` counts how often each was wanted."""
    words = unicodedata.normalize("NFC", hint.lower())
    slug = regex.sub(r"[^\p{L}\p{Nd}._]+", "-", words).strip("-._")[:SLUG_CHARACTERS].rstrip("-._")
    slug = slug if check_id(slug) is None else "source"
    new = slug
    while new in taken:
        taken[slug] += 1
        new = f"{slug}-{taken[slug]}"
    taken[new] = 1
    return new


def _quoted(text: str) -> str:
    """A text as TOML writes it; JSON's escapes are valid there, but for the character DEL, which is refused before."""
    return json.dumps(text, ensure_ascii=False)
