"""The terminal: tables, bars, progress and messages. The only module that knows rich.

Results go to standard output, all else to standard error. Colour and width follow the terminal and
NO_COLOR. Text that comes from a corpus is shown without the characters that steer a terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from royaltycli.corpus.opening import Opened
    from royaltycli.payout.estimate import Estimate, Mixture
    from royaltycli.payout.payout import Payout
    from royaltycli.tokens.scan import Scan

ROWS = 25
"""Rows of a table on a terminal, unless `--top` says otherwise."""

WIDE = 110
"""From this width on a table shows titles or names as well."""

JOINERS = "\u200c\u200d"
"""Format characters that emoji and several scripts need, and that steer no terminal."""

BLOCKS = " ▏▎▍▌▋▊▉█"


def say(message: str) -> None:
    """A note, on standard error."""
    _console(stderr=True).print(Text(clean(message)), soft_wrap=True)


def fail(message: str) -> None:
    """An error, on standard error: each of its lines is one thing that is wrong."""
    console = _console(stderr=True)
    for line in message.split("\n"):
        console.print(Text.assemble(("error", "bold red"), ": ", clean(line)), soft_wrap=True)


def clean(text: str) -> str:
    """`text` with anything that would steer a terminal shown as a replacement character."""
    return "".join(letter if letter.isprintable() or letter in JOINERS else "\ufffd" for letter in text)


@contextlib.contextmanager
def scanning(opened: Opened, *, quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    """Show the progress of a scan while it runs, if a person watches; gives the function to report to."""
    total = sum(file.size for file in opened.files)
    if quiet or not sys.stderr.isatty():
        yield lambda _bytes, _tokens, _documents: None
        return
    from rich.filesize import decimal
    from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn

    class Volume(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"{decimal(int(task.speed))}/s" if task.speed else ""
            return Text(f"{decimal(int(task.completed))} of {decimal(total)}  {speed}  {task.fields['tokens']:,} tokens")

    columns = (BarColumn(24), TextColumn("{task.percentage:>3.0f}%"), Volume(""), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=_console(stderr=True), transient=True) as progress:
        task = progress.add_task("scan", total=total, tokens=0)
        counted = [0]

        def tick(packed: int, tokens: int, _documents: int) -> None:
            counted[0] += tokens
            progress.update(task, advance=packed, tokens=counted[0])

        yield tick


def show_check(opened: Opened, *, every_file: bool) -> None:
    """A manifest without errors: what it describes, and its files."""
    corpus, console = opened.corpus, _console()
    kinds = [*corpus.sources, *corpus.collections]
    table = _table("Source or collection", left=["Files", "Bytes"], title=corpus.name or str(corpus.file))
    sizes: list[list[int]] = [[] for _ in kinds]
    for file in opened.files:
        sizes[file.owner].append(file.size)
    for kind, files in list(zip(kinds, sizes, strict=True))[: None if every_file else ROWS]:
        table.add_row(clean(kind.id), f"{len(files):,}", f"{sum(files):,}")
    if len(kinds) > ROWS and not every_file:
        table.add_row(f"({len(kinds) - ROWS:,} others)", "", "")
    console.print(table)
    if every_file:
        for file in opened.files:
            console.print(Text(f"{file.size:>15,}  {clean(file.name)}"), soft_wrap=True)
    total = sum(file.size for file in opened.files)
    console.print(
        f"{len(corpus.sources):,} sources and {len(corpus.collections):,} collections in {len(opened.files):,} files, "
        f"{total:,} bytes; no errors."
    )
    if opened.skipped:
        say(f"{len(opened.skipped):,} other files are no documents and would be left out, such as {opened.skipped[0]}.")


def show_scan(opened: Opened, scan: Scan, output: Path, seconds: float, top: int) -> None:
    """The summary of a scan: totals, the largest sources with a bar each, and how it was checked."""
    import pyarrow.compute as pc

    from royaltycli.tokens.table import metadata_of

    table, about = scan.table, metadata_of(scan.table)
    tokens, text_bytes, documents = (pc.sum(table[name]).as_py() or 0 for name in ("tokens", "bytes", "documents"))
    holders = len(pc.unique(pc.struct_field(pc.list_flatten(table["holders"]), "id")))
    console = _console()
    console.print(Text.assemble((clean(about.get("corpus", "Corpus")), "bold"), f"  {about['encoding']}, by {scan.engine}"))
    totals = Table.grid(padding=(0, 4))
    for _ in range(3):
        totals.add_column(justify="left")
    totals.add_row(_total("sources", table.num_rows), _total("documents", documents), _total("tokens", tokens))
    rate = f"{_brief(text_bytes / max(seconds, 1e-9))}B/s in {seconds:,.1f} s"
    totals.add_row(_total("holders", holders), _total("bytes", text_bytes), Text.assemble(("rate ", "dim"), rate))
    console.print(totals)
    if top > 0 and table.num_rows:
        console.print(_largest(table, tokens, top, console.width))
    verified = f"{scan.verified:,} of {documents:,} documents recounted with {scan.reference}: all equal."
    say(verified if scan.verified else "No document was recounted; see `--verify`.")
    for note in scan.notes:
        say(f"Note: {note}.")
    if opened.skipped:
        say(f"Left out: {len(opened.skipped):,} files that are no documents, such as {opened.skipped[0]}.")
    say(f"Wrote {output}.")


def _largest(tokens_table: pa.Table, tokens: int, top: int, width: int) -> Table:
    largest = tokens_table.sort_by([("tokens", "descending"), ("source_id", "ascending")])
    shown = largest.slice(0, top).select(["source_id", "title", "tokens"]).to_pylist()
    most = max(1, shown[0]["tokens"])
    table = _table("Source", left=["Tokens", "Share"], title="Largest sources")
    table.add_column("")
    for row in shown:
        table.add_row(
            _named(row["source_id"], row["title"], width), f"{row['tokens']:,}", _percent(row["tokens"], tokens),
            _bar(row["tokens"], most),
        )  # fmt: skip
    if largest.num_rows > top:
        rest = tokens - sum(row["tokens"] for row in shown)
        table.add_row(f"({largest.num_rows - top:,} others)", f"{rest:,}", _percent(rest, tokens), "")
    return table


def show_shares(rows: pa.Table, by: str) -> None:
    """The table of shares with a bar each."""
    console = _console()
    first = rows.column_names[0]
    counts = [name for name in ("sources", "tokens", "seen_tokens") if name in rows.column_names]
    table = _table(by.capitalize(), left=[*(name.replace("_", " ").capitalize() for name in counts), "Share"])
    table.add_column("")
    listed = rows.to_pylist()
    most = max((_number(row["share"]) for row in listed), default=0)
    for row in listed:
        cells = ["" if row[name] is None else _grouped(str(row[name])) for name in counts]
        share = _number(row["share"])
        name = _named(row[first], row.get("title") or row.get("name"), console.width)
        table.add_row(name, *cells, _percent(share, 1), _bar(share, most))
    console.print(table)


def show_payout(payout: Payout, by: str) -> None:
    """The payout table with a bar each."""
    console = _console()
    rows = payout.rows
    first = rows.column_names[0]
    table = _table(by.capitalize(), left=[])
    if by == "split":
        table.add_column("Holder", overflow="fold")
    wide = console.width >= WIDE and by == "source"
    if wide:
        table.add_column("Holders", overflow="fold", max_width=40)
    for name in ("Sources",) if by == "holder" else ("Tokens",) if by == "source" else ():
        table.add_column(name, justify="right")
    table.add_column("Share", justify="right")
    table.add_column("")
    table.add_column(f"Payout ({payout.currency.code})", justify="right", style="bold")
    listed = rows.to_pylist()
    most = max((row["payout"] for row in listed if not row[first].startswith("(")), default=0)
    for row in listed:
        aside = row[first].startswith("(")
        cells: list[Any] = [_named(row[first], row["title"] if by != "holder" else row["name"], console.width)]
        if by == "split":
            cells.append("" if row["holder_id"] is None else clean(row["holder_id"]))
        if wide:
            cells.append(clean(row["holders"] or ""))
        if by != "split":
            count = row["sources" if by == "holder" else "tokens"]
            cells.append("" if count is None else f"{count:,}")
        bar = Text("") if aside else _bar(row["payout"], most)
        table.add_row(*cells, _percent(_number(row["share"]), 1), bar, _grouped(str(row["payout"])), style="dim" if aside else "")
    console.print(table)


def prove(payout: Payout, *, aside: bool) -> None:
    """The line that proves that every unit of the pool went somewhere; on standard error if `aside`."""
    from royaltycli.payout.currency import money

    parts = [f"{name} {_grouped(money(units, payout.currency))}" for name, units in payout.destinations]
    pool = _grouped(money(payout.pool, payout.currency))
    line = f"pool {pool} {payout.currency.code} = {' + '.join(parts)}"
    _console(stderr=aside).print(Text(line, style="bold"), soft_wrap=True)


def show_estimate(outcome: Estimate, *, corpus: str, part: str | None, profit: str, rate: str) -> None:
    """What one work would earn."""
    from royaltycli.payout.estimate import amount_text, percent, works_text

    code = outcome.currency.code
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    where = corpus if part is None else f"{part} in {corpus}"
    table.add_row("work", f"{_grouped(_whole(outcome.tokens))} tokens")
    table.add_row("corpus", Text(f"{clean(where)}: {_grouped(_whole(outcome.total))} tokens"))
    table.add_row("share", f"{percent(outcome.share)} %")
    table.add_row("of the whole profit", f"{_grouped(amount_text(outcome.at_full, outcome.currency))} {code}")
    at_rate = f"{_grouped(amount_text(outcome.at_rate, outcome.currency))} {code}"
    table.add_row(f"at a rate of {clean(rate)}", Text(at_rate, style="bold"))
    table.add_row("in other words", works_text(outcome))
    console = _console()
    console.print(table)
    say(f"Share: {outcome.rule}.")
    if outcome.by_weight is not None:
        weighted = amount_text(outcome.by_weight.at_rate, outcome.currency)
        say(f"By the published weight instead it would be {_grouped(weighted)} {code}: published figures differ.")


def show_mixtures(mixtures: tuple[Mixture, ...]) -> None:
    """The published corpora with their parts, and where the figures come from."""
    console = _console()
    for mixture in mixtures:
        console.print(Text.assemble((mixture.name, "bold"), f"  {mixture.title}: {_grouped(_whole(mixture.total))} tokens"))
        console.print(Text(f"  {mixture.source}, {mixture.date}", style="dim"))
        for part in mixture.parts:
            facts = [
                "" if part.size is None else f"{_grouped(format(part.size, 'f'))} {mixture.unit}",
                "" if part.weight is None else f"weight {_percent(part.weight, 1)}",
                "" if part.epochs is None else f"{part.epochs} epochs",
            ]
            console.print(Text(f"  {part.name}: {', '.join(fact for fact in facts if fact) or 'no figures published'}"))
        for note in mixture.notes:
            console.print(Text(f"  Note: {note}", style="dim"))
        console.print()


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False)


def _table(first: str, *, left: list[str], title: str | None = None) -> Table:
    from rich.box import SIMPLE_HEAD

    table = Table(box=SIMPLE_HEAD, title=title and clean(title), title_justify="left", title_style="bold", pad_edge=False)
    table.add_column(first, overflow="fold")
    for name in left:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _named(identifier: str, title: str | None, width: int) -> Text:
    """An id, with the title or name beside it where there is room."""
    text = Text(clean(identifier))
    if title and title != identifier and width >= WIDE:
        text.append(f"  {clean(title)}", style="dim")
    return text


def _total(name: str, value: int) -> Text:
    return Text.assemble((f"{name} ", "dim"), (f"{value:,}", "bold"))


def _percent(part: Any, whole: Any) -> str:
    """A share as a percentage for the eye: three decimals, or more where the first three are zeros."""
    share = 100 * part / whole if whole else 0
    return f"{float(share):.3f} %" if not share or share >= 0.001 else f"{float(share):.2g} %"  # noqa: PLR2004


def _bar(part: Any, most: Any, cells: int = 16) -> Text:
    eighths = int(8 * cells * part / most) if most else 0
    return Text(BLOCKS[8] * (eighths // 8) + (BLOCKS[eighths % 8].strip()), style="cyan")


def _number(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _grouped(number: str) -> str:
    """A plain decimal with its thousands set apart."""
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" if whole.lstrip("-").isdigit() else number


def _whole(number: Any) -> str:
    return str(round(number))


def _brief(number: float) -> str:
    for unit in ("", "k", "M", "G"):
        if number < 1000:  # noqa: PLR2004
            return f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} T"
