"""`royalty scan`: count the tokens of every source."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from royaltycli.cli import completion, options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty scan[/cyan]  the corpus.toml here, into tokens.parquet

[cyan]royalty scan sample_corpora --verify 100%[/cyan]  every document recounted

[cyan]royalty scan --encoding ./tokenizer.json --workers 8[/cyan]"""


def scan(
    manifest: options.Manifest = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", readable=False, help="The token table to write.")
    ] = Path("tokens.parquet"),
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            "-e",
            metavar="NAME|PATH",
            help="r50k_base, cl100k_base, o200k_base, or the path of a tokenizer.json or .tiktoken file.",
            show_default="the manifest's, else o200k_base",
            autocompletion=completion.encodings,
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            metavar="NAME",
            help="The public encoding whose splitting a .tiktoken file uses.",
            autocompletion=completion.encodings,
        ),
    ] = None,
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
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            metavar="N",
            help="Worker processes; a small corpus needs but one.",
            show_default="one a core",
        ),
    ] = None,
    verify: Annotated[
        str, typer.Option("--verify", metavar="PART", help="Part of the documents to recount with tiktoken, 0 to 100%.")
    ] = "1%",
    duplicates: Annotated[
        str | None,
        typer.Option(
            "--duplicates",
            metavar="HOW",
            help="Who is credited with a text that occurs more than once: all, first or split.",
            show_default="the manifest's, else all",
            autocompletion=completion.duplicates,
        ),
    ] = None,
    rehash: Annotated[
        bool,
        typer.Option("--rehash", help="Read all files again for changes, whatever their sizes and times say."),
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Count everything anew.")] = False,
    counts: Annotated[
        Path | None,
        typer.Option(
            "--counts",
            metavar="FOLDER",
            readable=False,
            help="Where to keep what is counted, for the next scan.",
            show_default="hidden beside the table, or in your cache if that is remote",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what would be counted and why, and count nothing.")
    ] = False,
    outside: options.Outside = False,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Sources to show in the summary.")] = 10,
    quiet: options.Quiet = False,
) -> None:
    """Count the tokens of every source of a corpus, exactly, into a Parquet table.

    Each document is counted on its own, special tokens as plain text, as tiktoken's encode_ordinary
    counts it. The table is the same, to the byte, whatever the engine and the number of workers.

    What is counted is kept beside the table, so that the next scan counts only what has changed, and one
    that was interrupted goes on where it was.
    """
    from royaltycli import api
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.storage import check_place
    from royaltycli.tokens.partials import folder_of

    check_place(output)
    if output == options.STANDARD_OUTPUT:
        raise CallError("a token table goes into a file; name one with `-o`")
    if top < 0:
        raise CallError(f"top is {top}; it must be 0 or more")
    started = time.monotonic()
    opened = api.check(manifest, outside=outside)
    api.spare_corpus(opened, output)
    how: dict[str, Any] = {"encoding": encoding, "pattern": pattern, "engine": engine, "verify": verify}
    how |= {"duplicates": duplicates, "rehash": rehash, "fresh": fresh}
    if explain:
        console.show_plan(opened, api.plan_opened(opened, counts or folder_of(output), **how))
        return
    with api.counts_folder(output, counts) as folder, console.scanning(opened, quiet=quiet) as tick:
        scanned = api.scan_opened(opened, folder, output, workers=workers, tick=tick, top=top, **how)
    if not quiet:
        console.show_scan(opened, scanned, output, time.monotonic() - started)
