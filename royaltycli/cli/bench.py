"""`royalty bench`: measure again, on this machine, how well attribution does."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from royaltycli.cli import options

if TYPE_CHECKING:
    from royaltycli.bench.results import Report

EXAMPLES = """[b]Examples[/b]

[cyan]royalty bench attribution[/cyan]  # the short form

[cyan]royalty bench attribution --part text --part attacks[/cyan]  # only these parts

[cyan]royalty bench attribution --corpus documentation --part text[/cyan]  # of prose

[cyan]royalty bench attribution --full --json attribution.json[/cyan]"""


class Part(StrEnum):
    """The parts of the benchmark, in their order."""

    TEXT = "text"
    NETWORK = "network"
    LEFT_OUT = "left-out"
    ATTACKS = "attacks"
    COST = "cost"


def bench(
    what: Annotated[Literal["attribution"], typer.Argument(metavar="WHAT", help="attribution.")],
    folder: Annotated[
        Path,
        typer.Option("--folder", metavar="FOLDER", readable=False, help="Where packages, corpus and index are kept."),
    ] = Path(".benchmark-corpus/attribution"),
    corpus: Annotated[
        Literal["code", "documentation"],
        typer.Option("--corpus", metavar="KIND", help="What is read of the packages: code or documentation."),
    ] = "code",
    full: Annotated[
        bool, typer.Option("--full/--short", help="More spans, more attackers, and an index of everything there is.")
    ] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="FILE",
            readable=False,
            help="Write all figures there as well, as they are measured.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        list[Part] | None,
        typer.Option(
            "--part",
            metavar="PART",
            help="Only this: text, network, left-out, attacks or cost; may be repeated.",
            show_default="all of it; in the short form, all but left-out",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Processes.", show_default="one for each core")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Measure how well `royalty attribute` tells sources apart, on a corpus that anyone can rebuild.

    The corpus is the Python code of the standard library and of pinned packages, which pip fetches and checks; or the
    documentation in that code, which is what its docstrings say. A fifth of the documents is held out.

    It measures how often the source of held-out text is found, beside well-known methods, calibration, the error of
    payouts, and what unknown text would be paid (text); the same for the attribution network, with a language model
    that is trained on the corpus (network); how well attribution finds the source without which a language model would
    have learned a text less well (left-out); what attacks gain (attacks); and what an index costs (cost). Every figure
    has an interval, and says whether its goal is met, where it has one.
    """
    from royaltycli.bench.run import run
    from royaltycli.bench.setting import FULL, SHORT
    from royaltycli.cli import console
    from royaltycli.parallel.processes import how_many
    from royaltycli.storage import check_place, write_text

    assert what == "attribution"
    processes = how_many(workers)
    if json is not None:
        check_place(json)

    def keep(report: Report) -> None:
        if json is not None:
            write_text(json, report.as_json())

    with console.doing(quiet=quiet) as tell:
        report = run(folder, FULL if full else SHORT, processes, tell, part or (), corpus, keep=keep)
    console.show_bench(report)
