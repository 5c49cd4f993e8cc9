"""What is shown of attribution: an index that was built, and the usage of sources."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, print_line, say
from royaltycli.cli.console.tables import show_ranking
from royaltycli.numerals import several

if TYPE_CHECKING:
    from royaltycli.attribution.building import Built
    from royaltycli.attribution.usage import Usage

FEW = 500
"""Spans below which a calibration means little."""

NAMES = {"source_id": "Source", "title": "Title", "share": "Share", "interval": "95 % of samples", "outputs": "Outputs"}


def show_index(built: Built, folder: Path, seconds: float) -> None:
    """What an index came to, and how well its calibration does."""
    console = make_console()
    counts = (
        several(built.sources, "source"),
        several(built.documents, "document"),
        f"{several(built.tokens, 'token')} without copies",
    )
    print_line(console, Text(f"{', '.join(counts)}, in {seconds:.1f} s"))
    if built.copies:
        copies = "is like an earlier one, and shares" if built.copies == 1 else "are like an earlier one, and share"
        say(f"Copies: {several(built.copies, 'document')} {copies} what that one earns.")
    kept = built.shards - built.new
    if kept:
        say(f"{several(kept, 'shard')} of {built.shards:,} had been read before.")
    calibration = built.calibration
    if calibration.right:
        say(
            f"Calibrated on {calibration.spans:,} spans of its own documents, each judged as if the tenth of the "
            f"corpus that has it were not there. Of those of 128 tokens, the source was right for "
            f"{calibration.right:.0%}; calibration error {calibration.error:.3f}."
        )
    else:
        say(
            f"Calibrated on {calibration.spans:,} spans of its own documents, none of which has 128 tokens: longer "
            "spans of an output are weighed as if they were hardly longer than these."
        )
    if calibration.spans < FEW:
        spans = several(calibration.spans, "span")
        say(f"It had only {spans} to calibrate by, so its shares are a guess; `--method verbatim` needs none.")
    if calibration.of_one:
        say("All text is of one source, so it has seen none of others: take `--method verbatim`, or all counts for it.")
    say(f"Wrote {clean(str(folder))}.")


MANY = 30
"""Groups of one weight from which drawing them anew says how much of a share is chance; of one all draws are alike."""


def show_usage(usage: Usage, rows: int | None) -> None:
    """The usage of sources with a bar each, the largest first, and what could not be attributed."""
    table = usage.table.to_pylist()
    rest = [row for row in table if row["source_id"].startswith("(")]
    named = [row for row in table if row not in rest]
    shown = named[:rows]
    lines = [_line(row) for row in shown]
    if len(named) > len(shown):
        left = named[len(shown) :]
        others = {"source_id": f"({several(len(left), 'other')})", "title": None, "interval": ""}
        share, outputs = sum(Decimal(row["credit"]) for row in left), sum(row["outputs"] for row in left)
        lines.append(others | {"share": share, "outputs": outputs})
    lines += [_line(row) for row in rest]
    show_ranking(make_console(), lines, NAMES, "share")
    say(
        f"{several(usage.outputs, 'output')}, {several(usage.tokens, 'token')}"
        + (f", {usage.repeated:,} of them repeated from a prompt and not attributed" if usage.repeated else "")
        + ". Attribution is an estimate: docs/attribution.md says what it cannot know."
    )
    if usage.calibrated is not None and usage.calibrated < FEW:
        spans = several(usage.calibrated, "span")
        say(f"Note: the index had only {spans} to calibrate by: shares are a guess; `--method verbatim` needs none.")
    if usage.of_one:
        say("Note: the index has one source, which it cannot tell from other text; `--method verbatim` can.")
    if usage.strangers:
        strangers = several(usage.strangers, "source")
        say(f"Note: the network does not know {strangers} of the index. Such are hardly ever found: train it anew.")
    if usage.capped:
        counts = "counts for less than it weighs" if usage.capped == 1 else "count for less than they weigh"
        say(f"Note: {several(usage.capped, 'account')} {counts}: none has more than its part (`--account-cap`).")
    one = usage.draw[:-1]
    if usage.draw != "outputs" and usage.groups == usage.outputs:
        say(f"Note: no two outputs have the same {one}, so that each was drawn anew by itself.")
    if usage.groups < MANY:
        say(f"Note: the intervals are from drawing the {usage.draw} anew; with fewer than {MANY}, they are too narrow.")
    elif usage.alike < MANY:
        say(
            f"Note: the intervals are from drawing the {usage.draw} anew, and too narrow: as their weights are so "
            f"unequal, they tell no more than {several(round(usage.alike), one)} of the same weight."
        )


def _line(row: dict[str, object]) -> dict[str, object]:
    # Rounded outwards, as the file has them: else a small share would stand outside its own interval.
    outwards = {"low": ROUND_FLOOR, "high": ROUND_CEILING}
    low, high = (Decimal(str(row[end])).quantize(Decimal("1e-4"), how) * 100 for end, how in outwards.items())
    line: dict[str, object] = {"source_id": row["source_id"], "title": row["title"], "outputs": row["outputs"]}
    return line | {"share": Decimal(str(row["credit"])), "interval": f"{low:.2f} to {high:.2f} %"}
