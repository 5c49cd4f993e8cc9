"""`royalty attribute`: which sources a model's outputs drew on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import completion, options, results

EXAMPLES = """[b]Examples[/b]

[cyan]royalty attribute outputs.jsonl[/cyan]  # by the index here, into usage.parquet

[cyan]royalty attribute outputs.parquet --period 2026-Q3 --details details.csv[/cyan]

[cyan]royalty payout --profit 500e6 --rate 0.2 --basis usage --usage usage.parquet[/cyan]"""


Outputs = Annotated[
    Path,
    typer.Argument(
        metavar="OUTPUTS",
        readable=False,
        help="A log of what a model wrote: JSONL or Parquet with id and text, and optionally weight, prompt, period "
        "and account.",
    ),
]
UsageTable = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The usage table to write; its ending picks the format.",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        "-m",
        metavar="NAME",
        help="text (all evidence, calibrated), verbatim (exact matches alone), network, or all (text and network).",
        autocompletion=completion.methods,
    ),
]
Details = Annotated[
    str | None,
    typer.Option(
        "--details",
        metavar="FILE",
        help="Write the top sources of each output to another file.",
        show_default=False,
    ),
]
Period = Annotated[
    str | None,
    typer.Option("--period", metavar="PERIOD", help="Only the outputs of this period.", show_default="all outputs"),
]
Duplicates = Annotated[
    str,
    typer.Option(
        "--duplicates",
        metavar="HOW",
        help="Who is credited with documents that are copies: split (all in equal parts) or first (the earliest).",
    ),
]
AccountCap = Annotated[
    str,
    typer.Option(
        "--account-cap", metavar="PART", help="The largest part of all outputs that one account may count for."
    ),
]
Draw = Annotated[
    str,
    typer.Option(
        "--draw",
        metavar="WHAT",
        help="What is drawn anew for the intervals: outputs (each by itself), or accounts or prompts (all outputs of "
        "one together).",
        autocompletion=completion.draws,
    ),
]
Network = Annotated[
    Path,
    typer.Option(
        "--network", metavar="FOLDER", readable=False, help="The network, as `royalty network train` made it."
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FOLDER",
        readable=False,
        help="The language model whose activations the network reads.",
        show_default="where it was when the network was trained",
    ),
]
Top = Annotated[int, typer.Option("--top", metavar="N", help="Sources to show, the largest first; 0 for all.")]


def attribute(
    outputs: Outputs,
    index: options.Index = Path("index"),
    output: UsageTable = "usage.parquet",
    method: Method = "text",
    details: Details = None,
    period: Period = None,
    duplicates: Duplicates = "split",
    account_cap: AccountCap = "10%",
    draw: Draw = "outputs",
    network: Network = Path("network"),
    model: Model = None,
    workers: options.Workers = None,
    top: Top = 25,
    quiet: options.Quiet = False,
) -> None:
    """Estimate which sources a model's outputs drew on, in a table that `royalty payout` takes as its basis.

    Outputs are judged in spans of up to 128 tokens. What an output repeats of its own prompt counts for nobody, and
    what nothing in the corpus explains is a row of its own, (unattributed). The interval beside each share is from
    drawing the outputs anew, 200 times.
    """
    from royaltycli import attributing
    from royaltycli.arguments import rows_of
    from royaltycli.attribution.outputs import log_file
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import real_name

    most = rows_of(top)
    log_file(outputs)  # before its folder is told to be in the way of a result
    places = [results.usage_place(output, outputs, index, network)]
    if details is not None:
        places.append(results.usage_place(details, outputs, index, network))
        if len({real_name(place) for place, _ in places}) == 1:
            raise CallError("the usage and the details would be one file; name two")
    with console.doing(quiet=quiet) as tell:
        usage = attributing.attribute(
            outputs,
            index=index,
            method=method,  # type: ignore[arg-type]
            period=period,
            duplicates=duplicates,  # type: ignore[arg-type]
            account_cap=account_cap,
            draw=draw,  # type: ignore[arg-type]
            network=network,
            model=model,
            workers=workers,
            tell=tell,
        )
    for (place, kind), table in zip(places, (usage.table, usage.details), strict=False):
        results.deliver(table, kind, place, quiet=quiet)
    if not quiet:
        console.show_usage(usage, most)
        console.say(f"Wrote {' and '.join(console.clean(written(place)) for place, _ in places)}.")
