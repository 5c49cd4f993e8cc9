"""`royalty network`: train the attribution network of a corpus and a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty network train --model models/llama[/cyan]  # into the folder network

[cyan]royalty network train --model models/llama --manifest news -o news.network[/cyan]"""


def network(
    what: Annotated[Literal["train"], typer.Argument(metavar="WHAT", help="train.")],  # noqa: ARG001 -- the only one so far
    model: Annotated[
        Path,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            readable=False,
            help="A causal language model as Hugging Face saves it: config.json, weights, tokenizer.",
        ),
    ],
    manifest: Annotated[
        str | None,
        typer.Option(
            "--manifest", metavar="MANIFEST", help="A manifest, or the folder of its corpus.toml.", show_default="here"
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", readable=False, help="The folder of the network to write."),
    ] = Path("network"),
    spans: Annotated[
        int, typer.Option("--spans", metavar="N", help="The most spans of a source to train with, of either length.")
    ] = 2000,
    outside: options.Outside = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a network that says which sources a text is like, from what the nodes of a language model do on it.

    The corpus runs through the model, whose weights stay as they are. A fifth of the documents is held out to
    measure the network. Beside its score stand those of the same network on a model with random weights, and of
    text alone, so that nobody takes the surface of texts for what the model has learned.

    A training that was stopped goes on where it was. Nothing is fetched from elsewhere.
    """
    from royaltycli import networks
    from royaltycli.cli import console

    with console.doing(quiet=quiet) as tell:
        trained = networks.train_network(manifest, model=model, output=output, spans=spans, outside=outside, tell=tell)
    if not quiet:
        console.show_network(trained, output)
