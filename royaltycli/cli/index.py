"""`royalty index`: make of a corpus what attribution needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty index[/cyan]  # the corpus.toml here, into the folder index

[cyan]royalty index sample_corpora -o sample.index[/cyan]"""


def index(
    manifest: options.Manifest = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", readable=False, help="The folder of the index.")
    ] = Path("index"),
    encoding: options.Encoding = None,
    pattern: options.Pattern = None,
    outside: options.Outside = False,
    workers: options.Workers = None,
    quiet: options.Quiet = False,
) -> None:
    """Build the index of a corpus, from which `royalty attribute` and `royalty trace` tell where a text comes from.

    A suffix array finds verbatim matches, a BM25 index finds similar passages, and models learn how each source
    writes. Documents that are copies, or nearly, are grouped first. How much each kind of evidence counts is fitted to
    the corpus's own documents.

    To bring an index up to date, run the command again: it reads only the shards with changed files, and goes on where
    it was if it was interrupted.
    """
    from royaltycli import attributing
    from royaltycli.cli import console

    started = time.monotonic()
    with console.doing(quiet=quiet) as tell:
        built = attributing.index(
            manifest, output, encoding=encoding, pattern=pattern, outside=outside, workers=workers, tell=tell
        )
    if not quiet:
        console.show_index(built, output, time.monotonic() - started)
