"""`royalty bench`: measure again, on this machine, how well attribution does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty bench attribution[/cyan]  the short form

[cyan]royalty bench attribution --full --json attribution.json[/cyan]"""


def bench(
    what: Annotated[Literal["attribution"], typer.Argument(metavar="WHAT", help="attribution.")],
    folder: Annotated[
        Path,
        typer.Option("--folder", metavar="FOLDER", readable=False, help="Where packages, corpus and index are kept."),
    ] = Path(".benchmark-corpus/attribution"),
    full: Annotated[
        bool, typer.Option("--full/--short", help="More spans, more attackers, and an index of everything there is.")
    ] = False,
    json: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", readable=False, help="Write all figures there as well.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Processes.", show_default="one for each core")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Measure how well `royalty attribute` tells sources apart, on a corpus that anyone can rebuild.

    The corpus is the Python code of pinned packages, which pip fetches and checks, and of the standard library. A
    fifth of its documents is held out. Measured are the source of held-out text beside well-known methods, calibration,
    the error of payouts, what unknown text would be paid, what attacks gain, and what all that costs; every figure
    with its interval, and beside its goal whether it is met or not.
    """
    import os

    from royaltycli.bench.run import FULL, SHORT, run
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.limits import WORKERS
    from royaltycli.storage import check_place, write_text

    assert what == "attribution"
    if workers is not None and not 1 <= workers <= WORKERS:
        raise CallError(f"workers is {workers}; it must be from 1 to {WORKERS}")
    if json is not None:
        check_place(json)
    with console.booking(quiet=quiet) as tell:
        report = run(folder, FULL if full else SHORT, workers or os.cpu_count() or 1, tell or (lambda *_said: None))
    console.show_bench(report)
    if json is not None:
        write_text(json, report.as_json())
