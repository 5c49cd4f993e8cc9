"""`royalty trace`: the passages of one text that the corpus has, too, with their sources."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import completion, options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty trace "We hold these truths to be self-evident, she wrote."[/cyan]

[cyan]royalty trace answer.txt -o answer.html[/cyan]  # a page to read and to send

[cyan]generate | royalty trace - -f json[/cyan]"""


def trace(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|FILE",
            help="A text, or the file that holds it, if there is one of that name; `-` reads standard input. UTF-8.",
        ),
    ],
    index: options.Index = Path("index"),
    least: Annotated[int, typer.Option("--least", metavar="N", help="Only passages of N tokens or more.")] = 3,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, html, csv, json, jsonl, parquet, markdown or xlsx.",
            autocompletion=completion.trace_formats,
            show_default="a table on a terminal, else csv",
        ),
    ] = None,
    output: options.Output = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the passages of one text that the corpus has word for word, each with its sources.

    A terminal shows them in colours; `-o trace.html` writes a page that needs nothing else. Passages that are likely
    to be there by chance are left out. That a source has a passage does not prove that a model drew on it.
    """
    from royaltycli import attributing
    from royaltycli.attribution.tracing import rows
    from royaltycli.cli import console
    from royaltycli.report.traces.rendering import as_html

    place = results.path_of(output)
    kind = results.format_of(format_, place, more=("html",))
    written = attributing.text_of(text, sys.stdin.buffer)
    results.spare(place, text if os.path.isfile(text) else None, index)
    traced = attributing.trace(written, index=index, least=least)
    if kind == "table":
        console.show_trace(traced)
    elif kind == "html":
        results.deliver_written(lambda file: file.write(as_html(traced)), kind, place)
    else:
        results.deliver(rows(traced), kind, place, raw=raw, quiet=quiet)
