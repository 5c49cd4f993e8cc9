"""What is shown of an attribution network: what it was trained on, and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, print_line, say
from royaltycli.cli.console.tables import new_table, print_whole
from royaltycli.numerals import several

if TYPE_CHECKING:
    from royaltycli.attribution.network.training import Trained


def show_network(trained: Trained, output: Path) -> None:
    """What was trained, and a table of the texts whose source was found, beside what random weights and text find."""
    console = make_console()
    counts = (
        several(trained.sources, "source"),
        several(trained.documents, "document"),
        several(trained.spans, "span"),
        f"{several(trained.features, 'feature')} of {several(len(trained.layers), 'layer')}",
    )
    print_line(console, Text(f"Trained on {', '.join(counts)}."))
    if trained.copies:
        console.print(Text(f"Left out, as copies: {several(trained.copies, 'document')}."))
    table = new_table()
    table.add_column("Source found, held-out documents")
    for kind in trained.kinds:
        table.add_column(kind, justify="right", no_wrap=True)
    for row in trained.measured:
        table.add_row(row["what"], *("" if row[kind] is None else f"{row[kind]:.3f}" for kind in trained.kinds))
    print_whole(console, table)
    say(f"Calibration error {trained.measured[0]['ece']:.3f}.")
    say(f"Wrote {clean(str(output))}.")
