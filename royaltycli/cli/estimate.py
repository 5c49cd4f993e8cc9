"""`royalty estimate`: what one work would earn, without any corpus at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import completion, options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty estimate --tokens 130k --corpus gpt-3 --profit 500e6 --rate 0.2[/cyan]

[cyan]royalty estimate --words 100k --part Books2 --profit 500e6 --rate 20%[/cyan]

[cyan]royalty estimate --file book.txt --corpus 15T --profit 1B --rate 5%[/cyan]

[cyan]royalty estimate --list[/cyan]  # the published corpora and their parts"""


def estimate(
    tokens: Annotated[
        str | None, typer.Option("--tokens", metavar="N", help="The size of the work, such as 130k.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--words", metavar="N", help="Its size in words, at 0.75 words a token.")
    ] = None,
    pages: Annotated[str | None, typer.Option("--pages", metavar="N", help="Its size in pages of 250 words.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", readable=False, help="The work itself, which is counted."),
    ] = None,
    corpus: Annotated[
        str,
        typer.Option(
            "--corpus",
            metavar="NAME|N",
            help="A published corpus, or a number of tokens.",
            autocompletion=completion.corpora,
        ),
    ] = "gpt-3",
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="NAME",
            help="The part of the corpus that the work is in.",
            autocompletion=completion.parts,
        ),
    ] = None,
    profit: Annotated[
        str | None, typer.Option("--profit", "-p", metavar="P", help="The profit, such as 500e6.")
    ] = None,
    rate: Annotated[str, typer.Option("--rate", "-r", metavar="R", help="The part of it that is paid out.")] = "100%",
    currency: options.Currency = "USD",
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            "-e",
            metavar="NAME|PATH",
            help="How `--file` is counted.",
            show_default="the corpus's, if it is a public one, else o200k_base",
            autocompletion=completion.encodings,
        ),
    ] = None,
    pattern: options.Pattern = None,
    list_: Annotated[bool, typer.Option("--list", help="List the published corpora, their parts and sources.")] = False,
) -> None:
    """What would one work earn? A share of the corpus, and that share of the profit."""
    from royaltycli import api
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.mixtures import corpus_total, mixtures

    if list_:
        given = {"tokens": tokens, "words": words, "pages": pages, "file": file, "part": part, "profit": profit}
        for name, value in {**given, "encoding": encoding, "pattern": pattern}.items():
            if value is not None:
                raise CallError(f"`--list` lists all published corpora; leave out `--{name}`")
        console.show_mixtures(mixtures())
        return
    if profit is None:
        raise CallError("no profit was given; say `--profit 500e6`, or `--list` for the published corpora")
    outcome = api.estimate(
        tokens,
        words=words,
        pages=pages,
        file=file,
        corpus=corpus,
        part=part,
        profit=profit,
        rate=rate,
        currency=currency,
        encoding=encoding,
        pattern=pattern,
    )
    _, published = corpus_total(corpus)
    console.show_estimate(outcome, corpus=published.name if published else corpus, part=part, rate=rate)
