"""`royalty scan`: count the tokens of every source."""

from __future__ import annotations

import functools
import time
from typing import Annotated, Any

import typer

from royaltycli.cli import completion, options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty scan[/cyan]  # the corpus.toml here, into tokens.parquet

[cyan]royalty scan sample_corpora --verify 100%[/cyan]  # every document recounted

[cyan]royalty scan --encoding ./tokenizer.json --workers 8[/cyan]

[cyan]royalty scan --part 3/16[/cyan]  # one of sixteen parts, for `royalty merge`

[cyan]royalty scan --on ray://head:10001 --counts s3://bucket/counts[/cyan]  # on a cluster"""


def scan(
    manifest: options.Manifest = None,
    output: options.TokenTable = "tokens.parquet",
    encoding: options.Encoding = None,
    pattern: options.Pattern = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="gigatoken, tiktoken or tokenizers.",
            show_default="the fastest there is",
            autocompletion=completion.engines,
        ),
    ] = None,
    workers: options.Workers = None,
    verify: options.Verify = "1%",
    duplicates: options.Duplicates = None,
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="WHERE",
            help="Where to count: local, ray (the cluster this machine is part of), or an address as ray://HEAD:10001.",
            autocompletion=completion.places,
        ),
    ] = "local",
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="I/N",
            help="Count only one of N parts, for array jobs; `royalty merge` makes the table of all.",
            show_default=False,
        ),
    ] = None,
    rehash: Annotated[
        bool,
        typer.Option("--rehash", help="Read all files again for changes, whatever their sizes and times say."),
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Count everything anew.")] = False,
    counts: options.Counts = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what would be counted and why, and count nothing.")
    ] = False,
    outside: options.Outside = False,
    top: options.Largest = 10,
    quiet: options.Quiet = False,
) -> None:
    """Count the tokens of every source of a corpus, exactly, into a Parquet table.

    Each document is counted on its own, special tokens as plain text, as tiktoken's encode_ordinary
    counts it. The table is the same, to the byte, whatever the engine and the number of workers.

    What is counted is kept beside the table, so that the next scan counts only what has changed, and one
    that was interrupted goes on where it was.
    """
    from royaltycli import api, scanning
    from royaltycli.arguments import rows_of
    from royaltycli.cli import console

    table = results.token_table(output, is_written=part is None)
    most = rows_of(top)
    if part is not None:
        _check_part(part, on, duplicates)  # before a folder is made for what it counts
    started = time.monotonic()
    with console.waiting("looking for files", quiet=quiet):
        opened = api.check(manifest, outside=outside)
    scanning.spare_corpus(opened, table, encoding)
    scanning.spare_counts(opened, counts)
    how: dict[str, Any] = {"encoding": encoding, "pattern": pattern, "engine": engine, "verify": verify}
    how |= {"duplicates": duplicates, "rehash": rehash, "fresh": fresh, "part": part}
    if explain:
        console.show_plan(opened, scanning.plan_opened(opened, scanning.counts_place(table, counts), **how))
        return
    with (
        scanning.counts_folder(table, counts, shared=part is not None) as folder,
        console.scanning(quiet=quiet) as watch,
    ):
        plan = scanning.plan_opened(opened, folder, **how)
        where: dict[str, Any] = {"workers": workers, "on": on, "tick": watch.tick}
        if part is not None:
            watch.expect(plan.packed_bytes)
            counted = scanning.count_planned(plan, **where)
            show = functools.partial(console.show_part, opened, counted)
        else:
            scanned = scanning.run_planned(plan, table, expect=watch.expect, top=most, **where)
            show = functools.partial(console.show_scan, opened, scanned, table)
    if not quiet:
        show(time.monotonic() - started)


def _check_part(part: str, on: str, duplicates: str | None) -> None:
    """Raises CallError if there is no such part, or it is asked for what only a whole scan or a merge can do."""
    from royaltycli.arguments import part_of
    from royaltycli.errors import CallError

    part_of(part)
    if on != "local":
        raise CallError("a part is counted on this machine; leave out `--on`, or `--part`")
    if duplicates is not None:
        raise CallError("copies are credited when all parts are counted; give `--duplicates` to `royalty merge`")
