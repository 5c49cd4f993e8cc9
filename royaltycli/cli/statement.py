"""`royalty statement`: what a holder earned in a period, was paid, and is still owed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from royaltycli.cli import completion, options, results

if TYPE_CHECKING:
    from royaltycli.report.statements.assembly import Contacts, Sender

EXAMPLES = """[b]Examples[/b]

[cyan]royalty statement a-rao 2026-Q3[/cyan]  # on the terminal

[cyan]royalty statement a-rao 2026-Q3 -o a-rao.pdf[/cyan]  # or .html, or .json

[cyan]royalty statement --all 2026-Q3 -o statements -f html,pdf[/cyan]  # with an index"""

PAYER = Path("payer.toml")


def statement(
    of: Annotated[
        list[str],
        typer.Argument(metavar="[HOLDER] PERIOD", help="The id of a holder, and a closed period."),
    ],
    ledger: options.Ledger = Path("ledger"),
    every: Annotated[bool, typer.Option("--all", help="The statements of all holders, into a folder.")] = False,
    payer: Annotated[
        Path | None,
        typer.Option(
            "--payer",
            metavar="FILE",
            readable=False,
            help="Who sends the statement, with contact details: a TOML file.",
            show_default="payer.toml here, if there is one",
        ),
    ] = None,
    contacts: Annotated[
        Path | None,
        typer.Option(
            "--contacts",
            metavar="FILE",
            readable=False,
            help="Contact details of holders: a CSV of holder_id and any other columns.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="text, html, pdf or json; with `--all` one or several with commas between.",
            autocompletion=completion.statement_formats,
            show_default="the file's ending; text on a terminal, else json; html with --all",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER",
            help="Write to a file; with `--all`, the files into a folder here.",
            show_default=False,
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Show what a holder earned in a closed period, source by source, what was deducted and paid, and what is owed.

    With contact details, deductions and digests, it has all that Article 18 (1) of Directive 2014/26/EU asks a
    collecting society to tell rights holders. A statement never changes: a correction is on that of the period in
    which it is booked.
    """
    from royaltycli.errors import CallError

    if len(of) != (1 if every else 2):
        raise CallError("name a holder and a period, such as `royalty statement a-rao 2026`, or `--all` and a period")
    if output is not None and "://" not in output:
        results.spare(Path(output), payer or PAYER, contacts)
        results.spare_ledger(Path(output), ledger)
    sent = _sender(payer), _contacts(contacts)
    if every:
        _all(of[0], ledger, sent, format_, output, quiet=quiet)
    else:
        _one(of[0], of[1], ledger, sent, format_, output, quiet=quiet)


def _one(
    holder: str,
    period: str,
    ledger: Path,
    sent: tuple[Sender, Contacts],
    asked: str | None,
    output: str | None,
    *,
    quiet: bool,
) -> None:
    from royaltycli.cli import console
    from royaltycli.report.statements.assembly import statements_of
    from royaltycli.report.statements.page import page_of
    from royaltycli.report.statements.rendering import FORMATS

    place = results.path_of(output)
    to_file = place is not None and place != results.STANDARD_OUTPUT
    usual = place.suffix.lower().removeprefix(".") if place is not None and to_file else "json"
    kind = asked or ("text" if not to_file and sys.stdout.isatty() else usual)
    _check_format(kind, () if to_file else ("text",))
    with console.waiting("reading the ledger", quiet=quiet):
        (made,) = statements_of(ledger, period, *sent, holder)[1]
    if kind == "text":
        console.show_statement(page_of(made))
        return
    data = FORMATS[kind](made)
    results.deliver_written(lambda file: file.write(data), kind, place)


def _all(
    period: str, ledger: Path, sent: tuple[Sender, Contacts], asked: str | None, output: str | None, *, quiet: bool
) -> None:
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.numerals import several
    from royaltycli.report.statements.assembly import statements_of
    from royaltycli.report.statements.files import write_statements

    if output is None or "://" in output or output == "-":
        raise CallError("the statements of all holders go into a folder here; name one with `-o`")
    if Path(output).resolve() == ledger.resolve():
        raise CallError(f"{output} is the folder of the ledger itself; name another one with `-o`")
    formats = list(dict.fromkeys((asked or "html").split(",")))
    for kind in formats:
        _check_format(kind)
    with console.waiting("reading the ledger", quiet=quiet):
        count, statements = statements_of(ledger, period, *sent)
    with console.going_through("statements", quiet=quiet, total=count) as tick:
        written = write_statements(Path(output), statements, formats, tick)
    if not quiet:
        console.say(f"{several(written, 'statement')} in {output}; open {Path(output, 'index.html')}")


def _sender(payer: Path | None) -> Sender:
    from royaltycli.report.statements.sender import NOBODY, read_sender

    if payer is None and not PAYER.is_file():
        return NOBODY
    return read_sender(payer or PAYER)


def _contacts(contacts: Path | None) -> Contacts:
    from royaltycli.report.statements.sender import read_contacts

    return {} if contacts is None else read_contacts(contacts)


def _check_format(kind: str, more: tuple[str, ...] = ()) -> None:
    from royaltycli.errors import CallError
    from royaltycli.report.statements.rendering import FORMATS

    known = (*more, *FORMATS)
    if kind not in known:
        raise CallError(f"a statement cannot be written as {kind!r}; use one of {', '.join(known)}")
