"""The files of a corpus: which there are, how to read each, and which source or collection owns it."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from royaltycli.errors import Problem
from royaltycli.manifest.datasets import in_split
from royaltycli.manifest.endings import ENDINGS_WORDS, TABLE_NAME, Compression, dataset_kind_of, kind_of
from royaltycli.manifest.model import NAMING_FORMATS, Collection, Corpus, Format, Owner, Source
from royaltycli.manifest.paths import Refusal, check_written, look_up
from royaltycli.manifest.patterns import (
    Listing,
    Match,
    Meant,
    Stamp,
    clean_name,
    files_below,
    is_pattern,
    match_file,
    matches,
)
from royaltycli.manifest.remotes import OFF, look_up_all
from royaltycli.manifest.results import is_sealed_result, refusal_of
from royaltycli.manifest.wording import named, printable, shown
from royaltycli.remote.locations import is_remote, without_user


@dataclass(frozen=True, slots=True)
class File:
    """A file of documents.

    `name` is its path as reached from the manifest's folder, `path` the real one to open (a text, as
    there may be a great many files), `size` its bytes as they lie on the disk, and `stamp` what changes
    when it is written. Of a file on another machine, `path` is its name there. `owner` is the place of
    its source or collection in `corpus.sources + corpus.collections`.
    """

    name: str
    path: str
    size: int
    format: Format
    compression: Compression | None
    owner: int
    stamp: Stamp

    @property
    def remote(self) -> bool:
        """Whether it is on another machine."""
        return is_remote(self.path)


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a corpus by owner and name, what was passed over as no document, and what is wrong."""

    files: tuple[File, ...]
    skipped: tuple[str, ...]
    problems: list[Problem]


@dataclass(slots=True)
class _Search:
    """What has been found so far. `files` are by their real paths, `clashes` by the two who claim them."""

    owners: tuple[Owner, ...]
    root: str
    outside: bool
    own: frozenset[str]
    remote: dict[str, Meant | Refusal]
    files: dict[str, File] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    clashes: dict[tuple[int, int], set[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    listing: Listing = field(default_factory=Listing)


def find_files(corpus: Corpus, *, outside: bool = False) -> Found:
    """Every file that the manifest's paths mean, in the order of owner and name; names are ordered as UTF-8.

    A path is a file or folder of that very name, else a pattern. Folders are searched through all
    levels, but for hidden names and links to folders. Files are told apart by their real paths: one
    that is matched twice by one source counts once, one that two sources match is a problem. Nothing
    is opened but what could be a result of this tool, to see whether it is.
    """
    root = os.path.realpath(corpus.folder)
    folder = Path(corpus.file).parent
    beside = [Path(corpus.file), Path(root, TABLE_NAME), *(folder / name for name, _ in corpus.lists)]
    owners = corpus.owners
    urls = [pattern for entry in owners for pattern in entry.patterns if is_remote(pattern)] if corpus.remote else []
    remote = look_up_all(urls) if urls else {}
    search = _Search(owners, root, outside, frozenset(os.path.realpath(path) for path in beside), remote)
    for owner, entry in enumerate(owners):
        for pattern in entry.patterns:
            _find(search, owner, pattern)
    if _takes_any_capitals(corpus.file):
        _join_alike(search)
    for (first, second), names in search.clashes.items():
        what = f"{named(names)} also belongs to {_label(owners[first])} at {owners[first].place}"
        _note(search, second, what, "let each file belong to one source or collection")
    files = sorted(search.files.values(), key=lambda file: (file.owner, file.name.encode()))
    skipped = {printable(name) for path, name in search.skipped.items() if path not in search.files}
    return Found(tuple(files), tuple(sorted(skipped)), sorted(set(search.problems)))


def _find(search: _Search, owner: int, pattern: str) -> None:
    """Finds the files of one path of a source or collection."""
    if is_remote(pattern):
        meant = _meant_far(search, pattern)
    else:
        pattern = pattern.replace(os.sep, "/")  # of which Windows has both
        meant = _meant_here(search, pattern)
    if isinstance(meant, Refusal):
        _note(search, owner, meant.what, meant.mend)
        return
    entry, inside = search.owners[owner], meant.matches
    split = entry.split if isinstance(entry, Collection) else None
    if split is not None and meant.kind == "folder":
        inside = _in_split(search, owner, pattern, split, meant)
    elif split is not None:
        _note(search, owner, f"split is one of a folder, but {shown(pattern)} is a {meant.kind}", "leave split out")
    if meant.kind == "file":
        _take_one(search, owner, inside[0])
    else:
        _take_many(search, owner, f"{meant.kind} {shown(pattern)}", inside)


def _meant_here(search: _Search, pattern: str) -> Meant | Refusal:
    """What a path means on this machine."""
    root, outside = search.root, search.outside
    refusal = check_written(pattern, outside=outside)
    if refusal is None and is_pattern(pattern) and not os.path.lexists(os.path.join(root, pattern)):
        return Meant("pattern", pattern, matches(root, pattern, outside=outside, listing=search.listing))
    found = refusal or look_up(root, pattern, outside=outside)
    if isinstance(found, Refusal):
        return found
    (path, status), name = found, clean_name(pattern)
    if stat.S_ISDIR(status.st_mode):
        return Meant("folder", name, files_below(root, path, name, outside=outside))
    return Meant("file", name, [match_file(name, path, status)])


def _meant_far(search: _Search, pattern: str) -> Meant | Refusal:
    """What a path means that leads to another machine."""
    found = search.remote.get(pattern, OFF)
    if isinstance(found, Refusal):
        return Refusal(f"path {shown(without_user(pattern))}: {found.what}", found.mend)
    return found


def _in_split(search: _Search, owner: int, pattern: str, split: str, folder: Meant) -> Sequence[Match]:
    """The files of a dataset folder that make the split that is meant; all if there is no such split."""
    entry = search.owners[owner]
    documents = (match for match in folder.matches if _format(entry, match.name))
    names = {match.name.removeprefix(f"{folder.name}/"): match for match in documents}
    chosen = in_split(names, split)
    if names and not chosen:
        what = f"folder {shown(pattern)} has no split {shown(split)}, only {named(map(printable, names))}"
        _note(search, owner, what, "name a split that is there, or the files by a pattern")
        return folder.matches
    return [match for name, match in names.items() if name in chosen]


def _take_one(search: _Search, owner: int, match: Match) -> None:
    """Takes a file that a path names itself: it must be a document."""
    entry = search.owners[owner]
    if match.refusal is not None:
        _note(search, owner, f"cannot read {shown(match.name)}: {match.refusal.what}", match.refusal.mend)
        return
    form = _format(entry, match.name)
    if form is None:
        what = f"file {shown(match.name)} is not known by its ending to hold documents"
        mend = 'say how to read it, such as format = "text"'
        if isinstance(entry, Collection):
            what = f"file {shown(match.name)} is no JSONL or Parquet, in which each document could name its source"
            mend = "make it a [[source]], or set format"
        _note(search, owner, what, mend)
        return
    _claim(search, owner, match, form)


def _take_many(search: _Search, owner: int, quoted: str, found: Iterable[Match]) -> None:
    """Takes the files that a pattern or folder matches; those that are no documents are passed over, results too."""
    entry = search.owners[owner]
    refused: dict[Refusal, list[str]] = {}
    passed: list[str] = []
    taken = 0
    for match in found:
        if match.path in search.own:
            continue
        form = _format(entry, match.name)
        if not match.name.endswith("/") and (form is None or is_sealed_result(match, form)):
            passed.append(match.name)
            search.skipped[match.path] = match.name
        elif (refusal := refusal_of(match, search.root)) is not None:
            refused.setdefault(refusal, []).append(match.name)
        elif form is not None:
            taken += 1
            _claim(search, owner, match, form)
    for refusal, names in refused.items():
        _note(search, owner, f"cannot read {named(names)}: {refusal.what}", refusal.mend)
    if not taken and not refused:
        if passed:
            what = f"{quoted} matches no document, only {named(printable(name) for name in passed)}"
            mend = f'documents end in {ENDINGS_WORDS}; others need format = "text"'
        else:
            what = f"{quoted} matches no file"
            mend = "check its spelling; books/* stays in one folder, books/**/* goes into all below it"
        _note(search, owner, what, mend)


def _claim(search: _Search, owner: int, match: Match, form: Format) -> None:
    """Gives a file to its owner, unless another has it."""
    before = search.files.get(match.path)
    if before is not None and before.owner != owner:
        search.clashes.setdefault((before.owner, owner), set()).add(match.name)
    elif before is None or match.name.encode() < before.name.encode():
        compression = kind_of(match.name)[1]
        search.files[match.path] = File(match.name, match.path, match.size, form, compression, owner, match.stamp)


def _takes_any_capitals(file: str) -> bool:
    """Whether the disk of a file finds it by its name in other capitals as well, as those of Windows and macOS do."""
    path = Path(file)
    try:
        return path.samefile(path.with_name(path.name.swapcase()))
    except OSError:
        return False


def _join_alike(search: _Search) -> None:
    """Makes one of the files that such a disk has under several names; the form of accents may differ as well."""
    first: dict[str, File] = {}
    for file in [file for file in search.files.values() if not file.remote]:
        alike = first.setdefault(unicodedata.normalize("NFC", file.path).casefold(), file)
        if alike is file or not Path(alike.path).samefile(file.path):
            continue
        del search.files[file.path]
        if alike.owner != file.owner:
            search.clashes.setdefault((alike.owner, file.owner), set()).add(file.name)


def _format(entry: Owner, name: str) -> Format | None:
    """How the documents of a file stand in it: as the manifest says, else as its ending says."""
    reading = entry.reading
    if reading.dataset and dataset_kind_of(name) is None:
        return None
    form = reading.format or (dataset_kind_of(name) if reading.dataset else kind_of(name)[0])
    if isinstance(entry, Collection) and form not in NAMING_FORMATS:
        return None
    return form


def _label(entry: Owner) -> str:
    return f"{'source' if isinstance(entry, Source) else 'collection'} {shown(entry.id)}"


def _note(search: _Search, owner: int, what: str, mend: str) -> None:
    entry = search.owners[owner]
    search.problems.append(Problem(entry.place, f"{_label(entry)}: {what}", mend))
