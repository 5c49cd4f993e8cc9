"""The terminal: tables, bars, progress and messages. The only module that knows rich.

Results go to standard output, all else to standard error. Colour and width follow the terminal and
NO_COLOR. Text that comes from a corpus is shown without the characters that steer a terminal.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement, measure_renderables
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from royaltycli.cli.columns import fit

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from royaltycli.corpus.opening import Opened
    from royaltycli.manifest.model import Collection, Source
    from royaltycli.payout.estimate import Estimate, Mixture
    from royaltycli.payout.payout import Payout
    from royaltycli.tokens.scan import Plan, Scan
    from royaltycli.tokens.totals import Totals

ROWS = 25
"""Rows of a table on a terminal, unless `--top` says otherwise."""

ASIDES = ("title", "name", "holders")
"""Columns that a table shows as far as there is room for them."""

NUMBERS = ("sources", "tokens", "seen_tokens", "share", "payout")

JOINERS = "\u200c\u200d"
"""Format characters that emoji and several scripts need, and that steer no terminal."""

INDENT = 2

ROOMY = 10_000
"""Cells in which every table is as wide as it likes."""

FOLDED = 6
"""An id is folded to no fewer cells than these."""

KILO = 1000
MARGIN = 4
BLOCKS = " ▏▎▍▌▋▊▉█"


def say(message: str) -> None:
    """A note, on standard error."""
    _speak(Text(clean(message)))


def fail(message: str) -> None:
    """An error, on standard error: each of its lines is one thing that is wrong."""
    for line in message.split("\n"):
        _speak(Text.assemble(("error", "bold red"), ": ", clean(line)))


def _speak(line: Text) -> None:
    """Print to standard error. What does not fit there, as its disk is full, is lost: the result is what counts."""
    with contextlib.suppress(OSError):
        _console(stderr=True).print(line, soft_wrap=True)


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
            return Text(
                f"{decimal(int(task.completed))} of {decimal(total)}  {speed}  {task.fields['tokens']:,} tokens"
            )

    # The bar takes what the figures leave, so that the time left is on the screen however large they are.
    columns = (BarColumn(None), TextColumn("{task.percentage:>3.0f}%"), Volume(""), TimeRemainingColumn(compact=True))
    console = _console(stderr=True)
    console.width = max(MARGIN, console.width - MARGIN)  # a typed ^C must not break the line that is to be wiped
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        task = progress.add_task("scan", total=total, tokens=0)
        counted = [0]

        def tick(packed: int, tokens: int, _documents: int) -> None:
            counted[0] += tokens
            progress.update(task, advance=packed, tokens=counted[0])

        yield tick


def show_check(opened: Opened, *, every_file: bool) -> None:
    """A manifest without errors: what it describes, and its files."""
    corpus, console = opened.corpus, _console()
    owners: list[Source | Collection] = [*corpus.sources, *corpus.collections]
    sizes: list[list[int]] = [[] for _ in owners]
    for file in opened.files:
        sizes[file.owner].append(file.size)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Source or collection", overflow="fold")
    table.add_column("Files", justify="right", no_wrap=True)
    table.add_column("Bytes", justify="right", no_wrap=True)
    for owner, files in list(zip(owners, sizes, strict=True))[:ROWS]:
        table.add_row(clean(owner.id), f"{len(files):,}", f"{sum(files):,}")
    if len(owners) > ROWS:
        table.add_row(f"({len(owners) - ROWS:,} others)", "", "", style="dim")
    console.print(Text(clean(corpus.name or corpus.file), style="bold"))
    _print_whole(console, table)
    if every_file:
        for file in opened.files:
            console.print(Text(f"{file.size:>15,}  {clean(file.name)}"), soft_wrap=True)
    total = sum(file.size for file in opened.files)
    console.print(
        f"{_several(len(corpus.sources), 'source')} and {_several(len(corpus.collections), 'collection')} "
        f"in {_several(len(opened.files), 'file')}, {_several(total, 'byte')}; no errors."
    )
    _say_left_out(opened)


def show_plan(opened: Opened, plan: Plan) -> None:
    """What a scan would count and why: the reasons in the order of the first file that each is given for."""
    from royaltycli.tokens.plan import UNCHANGED

    files: dict[str, dict[str, int]] = {}
    for one in plan.pieces:
        of_reason = files.setdefault(one.why, {})
        of_reason[one.piece.file.name] = of_reason.get(one.piece.file.name, 0) + one.piece.packed_bytes
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("Why")
    for number in ("Files", "Bytes"):
        table.add_column(number, justify="right", no_wrap=True)
    table.add_column("Such as", overflow="fold")
    for why, sizes in files.items():
        table.add_row(why, f"{len(sizes):,}", f"{sum(sizes.values()):,}", clean(next(iter(sizes))))
    console = _console()
    console.print(Text(clean(plan.corpus.name or plan.corpus.file), style="bold"))
    _print_whole(console, table)
    todo = [one.piece for one in plan.pieces if one.why != UNCHANGED]
    read = len({piece.file.name for piece in todo})
    size = _several(sum(piece.packed_bytes for piece in todo), "byte")
    console.print(f"A scan would read {read:,} of {_several(len(opened.files), 'file')}, {size}.")
    _say_left_out(opened)


def _say_left_out(opened: Opened) -> None:
    if opened.skipped:
        others = "" if len(opened.skipped) == 1 else f"{len(opened.skipped):,} files, such as "
        say(f"Left out, as no documents: {others}{opened.skipped[0]}.")


def show_scan(opened: Opened, scan: Scan, output: Path, seconds: float) -> None:
    """The summary of a scan: totals, the largest sources with a bar each, and how it was checked."""
    sums, console = scan.totals, _console()
    documents, tokens, text_bytes = sums.documents, sums.tokens, sums.bytes
    console.print(
        Text.assemble((clean(opened.corpus.name or "Corpus"), "bold"), f"  {scan.encoding}, by {scan.engine}")
    )
    totals = Table.grid(padding=(0, 4))
    for may_wrap in (False, False, True):
        totals.add_column(no_wrap=not may_wrap)
    totals.add_row(_total("sources", sums.sources), _total("documents", documents), _total("tokens", tokens))
    rate = f"{_brief(text_bytes / seconds)}B/s, {_brief(tokens / seconds).strip()} tokens/s, in {seconds:,.1f} s"
    totals.add_row(_total("holders", sums.holders), _total("bytes", text_bytes), Text.assemble(("rate ", "dim"), rate))
    _print_whole(console, totals)
    rows = sums.largest.rename_columns(["source_id", "title", "tokens"]).to_pylist()
    if rows:
        if sums.sources > len(rows):
            rest = sums.credited_tokens - sum(row["tokens"] for row in rows)
            rows.append({"source_id": f"({sums.sources - len(rows):,} others)", "title": None, "tokens": rest})
        shares = [{**row, "share": Fraction(row["tokens"], max(sums.credited_tokens, 1))} for row in rows]
        what = "Tokens" if sums.duplicates == "all" else "Credited"
        _show_ranking(
            console, shares, {"source_id": "Source", "title": "Title", "tokens": what, "share": "Share"}, "tokens"
        )
    _say_copies(sums)
    verified = f"{scan.verified:,} of {documents:,} documents recounted with {scan.reference}: all equal."
    if scan.engine != scan.reference:
        say(verified if scan.verified else "No document was recounted; see `--verify`.")
    if scan.unchanged:
        say(f"{scan.unchanged:,} of {_several(len(opened.files), 'file')} counted by an earlier scan, and not changed.")
    for note in scan.notes:
        say(f"Note: {note}.")
    _say_left_out(opened)
    say(f"Wrote {output}.")


def _say_copies(totals: Totals) -> None:
    """How much of a corpus repeats itself to the letter, and what became of that."""
    copies = totals.copies
    documents = copies.documents_within + copies.documents_across
    if not documents:
        say("No document is a copy of another.")
        return
    tokens = copies.tokens_within + copies.tokens_across
    within = f"{copies.documents_within:,} ({copies.tokens_within:,}) within sources"
    across = f"{copies.documents_across:,} ({copies.tokens_across:,}) across"
    credited = {"all": "every copy is credited", "first": "the first is credited", "split": "the credit is split"}
    how = credited[totals.duplicates]
    say(f"Copies: {_several(documents, 'document')} ({_several(tokens, 'token')}), {within}, {across}; {how}.")


def show_shares(rows: pa.Table, by: str) -> None:
    """The table of shares with a bar each."""
    names = {"holders": "Holders", "name": "Name", "title": "Title", "sources": "Sources", "tokens": "Tokens"}
    headers = {name: names.get(name, by.capitalize()) for name in rows.column_names}
    headers |= {"seen_tokens": "Seen tokens", "share": "Share"}
    headers.pop("credited_tokens", None)  # seen tokens tell as much
    _show_ranking(_console(), rows.to_pylist(), headers, "share")


def show_payout(payout: Payout, by: str) -> None:
    """The payout table with a bar each."""
    headers = {
        "source": {"source_id": "Source", "title": "Title", "holders": "Holders", "tokens": "Tokens"},
        "holder": {"holder_id": "Holder", "name": "Name", "sources": "Sources"},
        "split": {"source_id": "Source", "title": "Title", "holder_id": "Holder", "name": "Name"},
    }[by]
    headers |= {"share": "Share", "payout": f"Payout ({payout.currency.code})"}
    _show_ranking(_console(), payout.rows.to_pylist(), headers, "payout")


def _show_ranking(console: Console, rows: list[dict[str, Any]], headers: dict[str, str], measure: str) -> None:
    """A table of rows from the largest to the smallest with a bar for the measure; rows in parentheses at the foot.

    Titles, names and holders are shown as far as there is room for them.
    """
    cells = {name: [_cell(name, row[name]) for row in rows] for name in headers}
    natural = {name: max(map(cell_len, [header, *cells[name]])) for name, header in headers.items()}
    natural |= {name: 0 for name in headers if name in ASIDES and not any(cells[name])}
    widths, bar = fit(console.width - 2, natural, ASIDES)
    first, last = next(iter(widths)), list(widths)[-1]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name, width in widths.items():
        if bar and name == last == "payout":
            table.add_column("", width=bar)
        aside, number = name in ASIDES, name in NUMBERS
        table.add_column(
            headers[name],
            justify="right" if number else "left",
            no_wrap=number or aside,
            overflow="ellipsis" if aside else "fold",
            max_width=width if aside else None,
            style="bold" if name == "payout" else "dim" if aside else "",
        )
    if bar and last != "payout":
        table.add_column("", width=bar)
    named = [index for index, row in enumerate(rows) if not _in_parentheses(row[first])]
    others = [index for index, row in enumerate(rows) if _in_parentheses(row[first])]
    most = max((_number(rows[index][measure]) for index in named), default=Decimal())
    for place, index in enumerate(named + others, 1):
        line: list[str | Text] = [cells[name][index] for name in widths]
        if bar:
            drawn = _bar(_number(rows[index][measure]), most, bar) if place <= len(named) else ""
            line.insert(len(line) - (last == "payout"), drawn)
        ends = bool(others) and place == len(named)
        table.add_row(*line, style="" if place <= len(named) else "dim", end_section=ends)
    _print_whole(console, table)


def _print_whole(console: Console, table: Table, indent: int = 0) -> None:
    """Print a table that keeps its numbers whole: a terminal too narrow for it wraps the lines itself.

    Of its columns only those give way that may be folded, to FOLDED cells, or wrapped, to their longest word.
    """
    usual = console.width
    roomy = console.options.update(width=ROOMY)
    least = Measurement.get(console, roomy, table).maximum + indent
    for column in table.columns:
        if column.width is None and not column.no_wrap:
            cells = measure_renderables(console, roomy, [column.header, *column.cells])
            least -= cells.maximum - (min(cells.maximum, FOLDED) if column.overflow == "fold" else cells.minimum)
    console.width = max(usual, least)
    console.print(Padding(table, (0, 0, 0, indent)))
    console.width = usual


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, INDENT))


def _in_parentheses(identifier: str) -> bool:
    """Whether a row stands for no source, holder or licence; a licence may begin with `(c)`."""
    return identifier.startswith("(") and identifier.endswith(")")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "share":
        return _percent(_number(value))
    return _grouped(str(value)) if name in NUMBERS else clean(str(value))


def prove(payout: Payout, *, aside: bool) -> None:
    """The line that proves that every unit of the pool went somewhere; on standard error if `aside`."""
    from royaltycli.payout.currency import money

    parts = [f"{name} {_grouped(money(units, payout.currency))}" for name, units in payout.destinations]
    pool = _grouped(money(payout.pool, payout.currency))
    line = f"pool {pool} {payout.currency.code} = {' + '.join(parts)}"
    if aside:
        _speak(Text(line, style="bold"))
    else:
        _console().print(Text(line, style="bold"), soft_wrap=True)


def show_estimate(outcome: Estimate, *, corpus: str, part: str | None, rate: str) -> None:
    """What one work would earn."""
    from royaltycli.numerals import parse_fraction
    from royaltycli.payout.estimate import amount_text, percent, works_text

    code = outcome.currency.code
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    where = corpus if part is None else f"{part} in {corpus}"
    table.add_row("work", f"{_grouped(_whole(outcome.tokens))} tokens")
    table.add_row("corpus", Text(f"{clean(where)}: {_grouped(_whole(outcome.total))} tokens"))
    table.add_row("share", f"{percent(outcome.share)} %")
    table.add_row("of the whole profit", f"{_grouped(amount_text(outcome.at_full, outcome.currency))} {code}")
    at_rate = f"{_grouped(amount_text(outcome.at_rate, outcome.currency))} {code}"
    table.add_row(f"at a rate of {percent(parse_fraction(rate, 'rate'))} %", Text(at_rate, style="bold"))
    table.add_row("in other words", " ".join(_grouped(word) for word in works_text(outcome).split()))
    _print_whole(_console(), table)
    say(f"Share: {outcome.rule}.")
    if outcome.by_weight is not None:
        weighted = amount_text(outcome.by_weight.at_rate, outcome.currency)
        say(f"By the published weight instead it would be {_grouped(weighted)} {code}: published figures differ.")


def show_mixtures(mixtures: tuple[Mixture, ...]) -> None:
    """The published corpora with their parts, and where the figures come from."""
    from royaltycli.numerals import plain_fraction

    console = _console()
    for mixture in mixtures:
        console.print(
            Text.assemble((mixture.name, "bold"), f"  {mixture.title}: {_grouped(_whole(mixture.total))} tokens")
        )
        console.print(_indented(Text(f"{mixture.source}, {mixture.date}", style="dim")))
        parts = Table.grid(padding=(0, 3, 0, 0))
        parts.add_column(overflow="fold")
        for _ in ("size", "weight", "epochs"):
            parts.add_column(justify="right", no_wrap=True)
        for part in mixture.parts:
            size = "" if part.size is None else f"{_grouped(format(part.size, 'f'))} {mixture.unit}"
            weight = "" if part.weight is None else f"weight {plain_fraction(part.weight * 100)} %"
            parts.add_row(part.name, size, weight, "" if part.epochs is None else f"epochs {part.epochs}")
        if mixture.parts:
            _print_whole(console, parts, INDENT)
        for note in mixture.notes:
            console.print(_indented(Text(f"Note: {note}", style="dim")))
        console.print()


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, as for any other output; rich would end with status 1."""
        raise BrokenPipeError


def _console(*, stderr: bool = False) -> Console:
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)  # text means what it says


def _several(number: int, word: str) -> str:
    """How many there are: `1 file`, `2,000 files`."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _total(name: str, value: int) -> Text:
    return Text.assemble((f"{name} ", "dim"), (f"{value:,}", "bold"))


def _percent(share: Decimal | Fraction) -> str:
    """A share as a percentage for the eye: three decimals, or three digits where those would be zeros."""
    from royaltycli.payout.estimate import percent

    exact = Fraction(share)
    if not exact or exact >= Fraction(1, 10_000):
        shown = round(exact * 100, 3)
        if shown >= 100 > exact * 100:  # noqa: PLR2004 -- only all is 100 %
            shown = Fraction(99_999, 1000)
        return f"{Decimal(int(shown * 1000)) / 1000:.3f} %"
    return f"{percent(exact)} %"


def _bar(part: Decimal | Fraction, most: Decimal | Fraction, cells: int) -> Text:
    eighths = int(8 * cells * Fraction(part) / Fraction(most)) if most else 0
    return Text(BLOCKS[8] * (eighths // 8) + BLOCKS[eighths % 8].strip(), style="cyan")


def _number(value: Any) -> Decimal | Fraction:
    return value if isinstance(value, (Decimal, Fraction)) else Decimal(value)


def _grouped(number: str) -> str:
    """A plain decimal with its thousands set apart."""
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" if whole.lstrip("-").isdigit() else number


def _whole(number: Any) -> str:
    return str(round(number))


def _brief(number: float) -> str:
    for unit in ("", "k", "M"):
        if number < KILO:
            return f"{number:.1f} {unit}"
        number /= KILO
    return f"{number:.1f} G"
