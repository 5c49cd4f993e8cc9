"""The steps of a scan, as the Python API and the command line both take them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from royaltycli.arguments import Number, check_types, fraction, part_of
from royaltycli.errors import CallError
from royaltycli.progress import say_nothing

if TYPE_CHECKING:
    from royaltycli.corpus.opening import Opened
    from royaltycli.manifest.model import Corpus
    from royaltycli.tokens.count import Tick
    from royaltycli.tokens.encodings import Encoding
    from royaltycli.tokens.scan import CountedPlan, Plan
    from royaltycli.tokens.totals import Scan


@contextlib.contextmanager
def counts_folder(
    output: str | Path | None, counts: str | Path | None = None, *, shared: bool = False
) -> Iterator[Path]:
    """The folder in which a scan keeps what it has counted: the one given, hidden beside its output, or a passing one.

    For an output on another machine it is in the user's cache. With `shared`, other parts may be counted into it
    meanwhile.
    """
    from royaltycli.workspace import working_folder

    if counts is not None or output is not None:
        with working_folder(counts_place(Path(output or ""), counts), shared=shared) as folder:
            yield folder
    else:
        # After an error a worker may still be at a shard that nobody waits for, and write into it.
        with tempfile.TemporaryDirectory(prefix="royalty-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)


def counts_place(output: Path, counts: str | Path | None) -> Path:
    """Where a scan with this output keeps what it has counted: the folder given, else the output's own."""
    from royaltycli.remote.names import named_path
    from royaltycli.tokens.partials import folder_of
    from royaltycli.workspace import absolute

    return folder_of(output) if counts is None else absolute(named_path(counts))


def token_table(output: str | Path, *, is_written: bool = True) -> Path:
    """The path of a token table, which is to be written, or beside which counts are kept for it.

    Raises CallError if its name ends as that of another format, OutputError and RemoteError if it cannot be there.
    """
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import named_file
    from royaltycli.report.formats import ENDINGS
    from royaltycli.storage import check_place

    table = named_file(output)
    if is_written:
        check_place(table)
    if ENDINGS.get(table.suffix.lower(), "parquet") != "parquet":
        raise CallError(f"a token table is Parquet, and {written(table)} is named otherwise; end its name in .parquet")
    return table


def spare_corpus(opened: Opened, output: Path, encoding: str | None = None) -> None:
    """Raises OutputError if a result would take the place of the manifest, a list, the vocabulary, or a document.

    Or if it would stand, in a store, where a folder of them is, which then was a folder no more.
    """
    from royaltycli.errors import OutputError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import real_name

    corpus = opened.corpus
    place = real_name(output)
    manifest = Path(corpus.file)
    named = [manifest.parent / name for name, _ in corpus.lists]
    named += [Path(corpus.folder, corpus.encoding)] if corpus.encoding else []
    named += [Path(encoding)] if encoding else []
    own = {os.path.realpath(path) for path in (manifest, *named)}
    below = f"{place}/"
    if place in own or any(file.path == place or file.path.startswith(below) for file in opened.files):
        raise OutputError(
            f"{written(output)} belongs to the corpus, and would be lost; name another file for the table"
        )


def spare_counts(opened: Opened, counts: str | Path | None) -> None:
    """Raises OutputError if what is kept in a folder for counts would be a document of the next scan.

    That can be in a store alone: partial tables on this machine are told by their seal, wherever they lie.
    """
    from royaltycli.errors import OutputError
    from royaltycli.manifest.remotes import would_take
    from royaltycli.manifest.wording import shown
    from royaltycli.remote.locations import is_remote, written
    from royaltycli.remote.names import remote_place

    if counts is None or (place := remote_place(counts)) is None:
        return
    table = f"{place}/{'0' * 64}.parquet"
    for path in (path for entry in opened.corpus.owners for path in entry.patterns if is_remote(path)):
        if would_take(path, table):
            raise OutputError(
                f"{written(counts)} lies where {shown(path)} takes documents from, so what is kept there would be "
                "counted as well; name another folder for `--counts`"
            )


def check_pattern(encoding: str | None, pattern: str | None) -> None:
    """Raises CallError if a pattern is given for an encoding that has one of its own."""
    if pattern is not None and not str(encoding).endswith(".tiktoken"):
        raise CallError("a pattern is for a .tiktoken file; name it with `--encoding`, or leave out `--pattern`")


def vocabulary_of(corpus: Corpus, encoding: str | None, pattern: str | None) -> Encoding:
    """The encoding given here, else the manifest's, else the default. Raises CallError, EncodingError."""
    from royaltycli.tokens.encodings import DEFAULT_ENCODING, find_encoding

    check_pattern(encoding or corpus.encoding, pattern)
    if encoding is not None:
        return find_encoding(encoding, pattern or corpus.pattern)
    return find_encoding(corpus.encoding or DEFAULT_ENCODING, pattern or corpus.pattern, corpus.folder)


def plan_opened(
    opened: Opened,
    folder: Path,
    *,
    encoding: str | None = None,
    pattern: str | None = None,
    engine: str | None = None,
    verify: Number = "1%",
    duplicates: str | None = None,
    rehash: bool = False,
    fresh: bool = False,
    part: str | None = None,
) -> Plan:
    """What a scan of a corpus that `check` has opened must count, or one of a `part`, given what is kept in `folder`.

    The encoding is the one given here, else the manifest's, else the default; so is the way with duplicates.
    """
    from royaltycli.tokens.scan import plan_scan

    check_types(encoding=encoding, pattern=pattern, engine=engine, duplicates=duplicates, part=part)
    corpus = opened.corpus
    vocabulary = vocabulary_of(corpus, encoding, pattern)
    rate = fraction(verify, "verify")
    return plan_scan(
        corpus,
        opened.files,
        vocabulary,
        folder,
        engine=engine,
        verify=rate,
        duplicates=duplicates,
        rehash=rehash,
        fresh=fresh,
        part=None if part is None else part_of(part),
    )


def scan_opened(
    opened: Opened,
    folder: Path,
    output: Path,
    *,
    workers: int | None = None,
    on: str = "local",
    tick: Tick = say_nothing,
    top: int | None = 0,
    **options: Any,
) -> Scan:
    """Scan a corpus that `check` has opened, into `output`; the other options are those of `plan_opened`.

    The totals name the `top` largest sources, or all for None.
    """
    return run_planned(plan_opened(opened, folder, **options), output, workers=workers, on=on, tick=tick, top=top)


def merge_opened(opened: Opened, folder: Path, output: Path, *, top: int | None = 0, **options: Any) -> Scan:
    """Write to `output` what all parts together have counted; the options are those of `plan_opened`."""
    from royaltycli.tokens.scan import counted_before, finish

    return finish(counted_before(plan_opened(opened, folder, **options)), output, top)


def run_planned(
    plan: Plan,
    output: Path,
    *,
    workers: int | None = None,
    on: str = "local",
    expect: Callable[[int], None] = say_nothing,
    tick: Tick = say_nothing,
    top: int | None = 0,
) -> Scan:
    """Do what a plan says, with so many workers, `on` this machine or a cluster, and write the table to `output`."""
    from royaltycli.tokens.scan import run

    check_types(workers=workers, on=on)
    return run(plan, output, workers=workers, on=on, expect=expect, tick=tick, top=top)


def count_planned(
    plan: Plan, *, workers: int | None = None, on: str = "local", tick: Tick = say_nothing
) -> CountedPlan:
    """Count what a plan says and write no table, with so many workers, `on` this machine or a cluster."""
    from royaltycli.tokens.scan import count

    check_types(workers=workers, on=on)
    return count(plan, workers=workers, on=on, tick=tick)
