"""What is shown of a corpus and of its scan."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from royaltycli.cli.console.messages import clean, make_console, say
from royaltycli.cli.console.tables import ROWS, new_table, print_whole, show_ranking
from royaltycli.numerals import several

if TYPE_CHECKING:
    from pathlib import Path

    from royaltycli.corpus.opening import Opened
    from royaltycli.tokens.scan import CountedPlan, Plan
    from royaltycli.tokens.totals import Scan, Totals

KILO = 1000


def show_check(opened: Opened, *, every_file: bool) -> None:
    """A manifest without errors: what it describes, and its files."""
    corpus, console = opened.corpus, make_console()
    owners = corpus.owners
    sizes: list[list[int]] = [[] for _ in owners]
    for file in opened.files:
        sizes[file.owner].append(file.size)
    table = new_table()
    table.add_column("Source or collection", overflow="fold")
    table.add_column("Files", justify="right", no_wrap=True)
    table.add_column("Bytes", justify="right", no_wrap=True)
    for owner, files in list(zip(owners, sizes, strict=True))[:ROWS]:
        table.add_row(clean(owner.id), f"{len(files):,}", f"{sum(files):,}")
    if len(owners) > ROWS:
        table.add_row(f"({several(len(owners) - ROWS, 'other')})", "", "", style="dim")
    console.print(Text(clean(corpus.name or corpus.file), style="bold"))
    print_whole(console, table)
    if every_file:
        for file in opened.files:
            console.print(Text(f"{file.size:>15,}  {clean(file.name)}"), soft_wrap=True)
    total = sum(file.size for file in opened.files)
    console.print(
        f"{several(len(corpus.sources), 'source')} and {several(len(corpus.collections), 'collection')} "
        f"in {several(len(opened.files), 'file')}, {several(total, 'byte')}; no errors."
    )
    _say_left_out(opened)


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
    say(f"Copies: {several(documents, 'document')} ({several(tokens, 'token')}), {within}, {across}; {how}.")


def show_plan(opened: Opened, plan: Plan) -> None:
    """What a scan would count and why: the reasons in the order of the first file that each is given for."""
    files: dict[str, dict[str, int]] = {}
    for one in plan.pieces:
        of_reason = files.setdefault(one.why, {})
        of_reason[one.piece.file.name] = of_reason.get(one.piece.file.name, 0) + one.piece.packed_bytes
    table = new_table()
    table.add_column("Why")
    for number in ("Files", "Bytes"):
        table.add_column(number, justify="right", no_wrap=True)
    table.add_column("Such as", overflow="fold")
    for why, sizes in files.items():
        table.add_row(why, f"{len(sizes):,}", f"{sum(sizes.values()):,}", clean(next(iter(sizes))))
    console = make_console()
    console.print(Text(clean(plan.corpus.name or plan.corpus.file), style="bold"))
    print_whole(console, table)
    todo = [one.piece for one in plan.pieces if not one.done]
    read = len({piece.file.name for piece in todo})
    size = several(sum(piece.packed_bytes for piece in todo), "byte")
    console.print(f"A scan would read {read:,} of {several(len(opened.files), 'file')}, {size}.")
    _say_left_out(opened)


def show_part(opened: Opened, counts: CountedPlan, seconds: float) -> None:
    """The summary of a part of a corpus."""
    part, entries = counts.plan.part, [one.entry for one in counts.kept]
    files = len({entry.name for entry in entries})
    documents, tokens = (sum(getattr(entry.sums, name) for entry in entries) for name in ("documents", "tokens"))
    console = make_console()
    console.print(Text.assemble((clean(opened.corpus.name or "Corpus"), "bold"), f"  part {part}"))
    console.print(
        f"{several(tokens, 'token')} in {several(documents, 'document')} of {several(files, 'file')}, "
        f"{len(counts.files):,} of which were read now, in {seconds:,.1f} s."
    )
    say("When all parts are counted, `royalty merge` makes one table of them.")
    _say_left_out(opened)


def show_scan(opened: Opened, scan: Scan, output: Path, seconds: float) -> None:
    """The summary of a scan: totals, the largest sources with a bar each, and how it was checked."""
    from royaltycli.remote.locations import written

    sums, console = scan.totals, make_console()
    documents, tokens, text_bytes = sums.documents, sums.tokens, sums.bytes
    console.print(
        Text.assemble((clean(opened.corpus.name or "Corpus"), "bold"), f"  {scan.encoding}, by {scan.engine}")
    )
    totals = Table.grid(padding=(0, 4))
    for may_wrap in (False, False, True):
        totals.add_column(no_wrap=not may_wrap)
    totals.add_row(_total("sources", sums.sources), _total("documents", documents), _total("tokens", tokens))
    rate = f"in {seconds:,.1f} s"
    if not scan.unchanged:  # or it would be of what was counted another time
        rate = f"{_brief(text_bytes / seconds)}B/s, {_brief(tokens / seconds).strip()} tokens/s, {rate}"
    totals.add_row(_total("holders", sums.holders), _total("bytes", text_bytes), Text.assemble(("rate ", "dim"), rate))
    print_whole(console, totals)
    rows = sums.largest.rename_columns(["source_id", "title", "tokens"]).to_pylist()
    if rows:
        if sums.sources > len(rows):
            rest = sums.credited_tokens - sum(row["tokens"] for row in rows)
            rows.append({"source_id": f"({several(sums.sources - len(rows), 'other')})", "title": None, "tokens": rest})
        shares = [{**row, "share": Fraction(row["tokens"], max(sums.credited_tokens, 1))} for row in rows]
        what = "Tokens" if sums.duplicates == "all" else "Credited"
        headers = {"source_id": "Source", "title": "Title", "tokens": what, "share": "Share"}
        show_ranking(console, shares, headers, "tokens")
    _say_copies(sums)
    if scan.verified:
        say(f"{scan.verified:,} of {documents:,} documents recounted with {scan.reference}: all equal.")
    elif scan.engine != scan.reference:
        say("No document was recounted; see `--verify`.")
    if scan.unchanged:
        say(f"{scan.unchanged:,} of {several(len(opened.files), 'file')} counted by an earlier scan, and not changed.")
    for note in scan.notes:
        say(f"Note: {note}.")
    _say_left_out(opened)
    say(f"Wrote {written(output)}." if scan.written else f"{written(output)} is up to date.")


def _say_left_out(opened: Opened) -> None:
    if opened.skipped:
        others = "" if len(opened.skipped) == 1 else f"{len(opened.skipped):,} files, such as "
        say(f"Left out, as no documents: {others}{opened.skipped[0]}.")


def _total(name: str, value: int) -> Text:
    return Text.assemble((f"{name} ", "dim"), (f"{value:,}", "bold"))


def _brief(number: float) -> str:
    for unit in ("", "k", "M"):
        if number < KILO:
            return f"{number:.1f} {unit}"
        number /= KILO
    return f"{number:.1f} G"
