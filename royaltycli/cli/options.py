"""Options that several commands share, and where a result goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from royaltycli.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    import pyarrow as pa

STANDARD_OUTPUT = Path("-")

MANY_ROWS = 10_000
"""More rows than these are written with a bar that shows how far they are."""

Manifest = Annotated[
    str | None,
    typer.Argument(
        metavar="MANIFEST", help="A manifest, or the folder that holds its corpus.toml.", show_default="here"
    ),
]
# Text, as a Path would make another name of `s3://bucket//file`.
Tokens = Annotated[str, typer.Argument(metavar="TOKENS", help="The table that `royalty scan` wrote.")]
TokensOption = Annotated[
    str,
    typer.Option("--tokens", "-t", metavar="TOKENS", help="The table that `royalty scan` wrote."),
]
TokenTable = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The token table to write.")]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        "-e",
        metavar="NAME|PATH",
        help="r50k_base, cl100k_base, o200k_base, or the path of a tokenizer.json or .tiktoken file.",
        show_default="the manifest's, else o200k_base",
        autocompletion=completion.encodings,
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="NAME",
        help="The public encoding whose splitting a .tiktoken file uses.",
        autocompletion=completion.encodings,
    ),
]
Verify = Annotated[
    str, typer.Option("--verify", metavar="PART", help="Part of the documents to recount with tiktoken, 0 to 100%.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-w",
        metavar="N",
        help="Worker processes; for little work one is enough.",
        show_default="one a core",
    ),
]
Duplicates = Annotated[
    str | None,
    typer.Option(
        "--duplicates",
        metavar="HOW",
        help="Who is credited with a text that occurs more than once: all, first or split.",
        show_default="the manifest's, else all",
        autocompletion=completion.duplicates,
    ),
]
Counts = Annotated[
    str | None,
    typer.Option(
        "--counts",
        metavar="FOLDER",
        help="Where to keep what is counted, for the next scan: here, or at s3://, gs:// or az://.",
        show_default="hidden beside the table, or in your cache if that is remote",
    ),
]
Largest = Annotated[int, typer.Option("--top", metavar="N", help="Sources to show in the summary; 0 for all.")]
Outside = Annotated[bool, typer.Option("--outside", help="Let paths leave the manifest's folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
TotalTokens = Annotated[
    str | None,
    typer.Option(
        "--total-tokens",
        metavar="N",
        help="Tokens that the whole training run saw, where these sources are a part of it, such as 300e9.",
        show_default="train_tokens of the manifest",
    ),
]
Top = Annotated[
    int | None,
    typer.Option("--top", metavar="N", help="Only the N largest rows, and one for all others; 0 for every row."),
]
First = Annotated[
    int | None,
    typer.Option(
        "--top", metavar="N", help="Only the first N rows; 0 for every row.", show_default="25 in a table, else all"
    ),
]
Currency = Annotated[
    str,
    typer.Option(
        "--currency",
        "-c",
        metavar="CODE",
        help="ISO 4217, such as USD, EUR, JPY or KWD.",
        autocompletion=completion.currencies,
    ),
]
Profit = Annotated[
    str, typer.Option("--profit", "-p", metavar="P", help="The profit, such as 500e6, 500_000_000 or 500M.")
]
Rate = Annotated[
    str | None,
    typer.Option(
        "--rate",
        "-r",
        metavar="R",
        help="The part of it that is paid out, such as 0.2 or 20%.",
        show_default="the policy's, if it has one",
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="FILE|NAME",
        help="The rules to pay by: a file, or one of `royalty policies`.",
        autocompletion=completion.policies,
        show_default="seen tokens, without further rules",
    ),
]
Basis = Annotated[
    str | None,
    typer.Option(
        "--basis",
        metavar="NAME",
        help="What shares go by, without a policy: seen-tokens, tokens, documents, bytes, works or usage.",
        autocompletion=completion.bases,
        show_default="seen-tokens",
    ),
]
Blend = Annotated[
    str | None,
    typer.Option(
        "--blend",
        metavar="LAMBDA",
        help="Shares go by usage to this part, such as 0.5 or 50%, and by seen tokens to the rest.",
        show_default=False,
    ),
]
# `readable=False`, of this path and others: what cannot be read or written, its reader or writer says in its own words.
Holders = Annotated[
    Path | None,
    typer.Option(
        "--holders",
        metavar="FILE",
        readable=False,
        help="A list of holders: who can be reached, withholding, advances, minimums. CSV, JSONL or Parquet.",
        show_default=False,
    ),
]
Usage = Annotated[
    Path | None,
    typer.Option(
        "--usage",
        metavar="FILE",
        readable=False,
        help="The usage of each source, for shares that go by it: CSV or Parquet of source_id and credit.",
        show_default=False,
    ),
]
Index = Annotated[
    Path,
    typer.Option(
        "--index", "-i", metavar="FOLDER", readable=False, help="The index of the corpus, as `royalty index` made it."
    ),
]
Period = Annotated[
    str, typer.Option("--period", metavar="PERIOD", help="The period paid for, such as 2026; it settles ties.")
]
Ledger = Annotated[
    Path, typer.Option("--ledger", "-l", metavar="FOLDER", readable=False, help="The folder of the ledger.")
]
PeriodName = Annotated[str, typer.Argument(metavar="PERIOD", help="The name of the period, such as 2026 or 2026-Q3.")]
LedgerCurrency = Annotated[
    str | None,
    typer.Option(
        "--currency",
        "-c",
        metavar="CODE",
        help="ISO 4217, such as USD, EUR, JPY or KWD.",
        autocompletion=completion.currencies,
        show_default="the ledger's, or USD for a new one",
    ),
]
Date = Annotated[
    str,
    typer.Option(
        "--date", metavar="DATE", help="A date to note in the ledger, such as 2026-12-31.", show_default=False
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        help="table, csv, json, jsonl, parquet, markdown or xlsx.",
        autocompletion=completion.formats,
        show_default="a table on a terminal, else csv",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to a file, here or at s3://, gs:// or az://; its ending picks the format.",
        show_default=False,
    ),
]
Raw = Annotated[bool, typer.Option("--raw", help="Leave free text in CSV as it is, even what a spreadsheet would run.")]


def token_table(output: str, *, is_written: bool = True) -> Path:
    """As `scanning.token_table`. Raises CallError for standard output, too."""
    from royaltycli.errors import CallError
    from royaltycli.scanning import token_table

    table = token_table(output, is_written=is_written)
    if table == STANDARD_OUTPUT:
        raise CallError("a token table goes into a file; name one with `-o`")
    return table


def result(output: str | None) -> Path | None:
    """The path of the result that a command is to write, if one is given. Raises OutputError and RemoteError."""
    from royaltycli.remote.names import named_file

    return None if output is None else named_file(output)


def usage_place(output: str, *inputs: Path) -> tuple[Path, str]:
    """The path and the format of a result of attribution.

    Raises CallError if it is one of its inputs, or in one, or its ending is none of a format; OutputError too.
    """
    from royaltycli.errors import CallError
    from royaltycli.remote.names import named_file
    from royaltycli.report.formats import format_by_ending
    from royaltycli.storage import check_place

    place = named_file(output)
    if place == STANDARD_OUTPUT:
        raise CallError("usage and details go into files; name one with `-o` or `--details`")
    check_place(place)
    spare(place, *inputs)
    return place, format_by_ending(place)


def format_of(asked: str | None, output: Path | None, more: tuple[str, ...] = ()) -> str:
    """The format of a result, as `report.formats` chooses it, which `more` formats may have. Raises CallError."""
    from royaltycli.report.formats import choose_format

    place = None if output == STANDARD_OUTPUT else output
    return choose_format(asked, place, terminal=sys.stdout.isatty(), more=more)


def spare_input(tokens: str, output: Path | None, *others: str | Path | None) -> None:
    """Raises CallError if the result would take the place of the table or of another file that it is made from."""
    from royaltycli.errors import CallError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import real_name

    if output is not None and real_name(output) == real_name(tokens):
        raise CallError(f"{written(output)} is the token table itself, and would be lost; name another file")
    spare(output, *others)


def spare(output: Path | None, *inputs: str | Path | None) -> None:
    """Raises CallError if the result would take the place of a file that it is made from, or lie in such a folder."""
    from royaltycli.errors import CallError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import real_name

    names = [real_name(Path(each)) for each in inputs if each]
    if output is not None and any(f"{real_name(output)}/".startswith(f"{name}/") for name in names):
        raise CallError(f"{written(output)} is read by this very command, and would be lost; name another file")


def spare_ledger(output: Path | None, ledger: Path) -> None:
    """Raises CallError if the result would take the place of a ledger's journal, or of an input that it keeps."""
    from royaltycli.ledger import inputs, journal

    spare(output, *(ledger / f"{journal.FILE}{ending}" for ending in journal.ENDINGS), ledger / inputs.FOLDER)


def deliver(rows: pa.Table, kind: str, output: Path | None, *, raw: bool = False, quiet: bool) -> None:
    """Write rows to a file, whole or not at all, or to standard output. Raises CallError, OutputError.

    A file and a pipe get every character as it is; a terminal gets none that would steer it. Many rows that go
    into a file show how far they are, if a person watches; Parquet takes no time.
    """
    from royaltycli.cli import console
    from royaltycli.report.formats import writer

    is_long = output not in (None, STANDARD_OUTPUT) and kind != "parquet" and rows.num_rows > MANY_ROWS
    with console.going_through("rows", quiet=quiet or not is_long, total=rows.num_rows) as tick:
        deliver_written(writer(kind, rows, raw=raw, tick=tick), kind, output)


def deliver_written(write: Callable[[BinaryIO], object], kind: str, output: Path | None) -> None:
    """As `deliver`, of anything that `write` writes in a format."""
    from royaltycli.cli.console import clean
    from royaltycli.errors import CallError
    from royaltycli.notes import note
    from royaltycli.report.formats import BINARY
    from royaltycli.storage import write_whole

    if output is not None and output != STANDARD_OUTPUT:
        write_whole(output, write)
        return
    note("the output may not be whole")
    if sys.stdout.isatty():
        if kind in BINARY:
            raise CallError(f"{BINARY[kind]} is not for a terminal; name a file with `-o`, or pipe it on")
        lines = _bytes(write).decode("utf-8").split("\n")
        sys.stdout.buffer.write("\n".join(map(clean, lines)).encode("utf-8"))
    elif kind in BINARY:
        sys.stdout.buffer.write(_bytes(write))
    else:
        write(sys.stdout.buffer)
    sys.stdout.buffer.flush()


def list_rows(
    rows: pa.Table, ledger: Path, top: int | None, format_: str | None, output: str | None, *, raw: bool, quiet: bool
) -> None:
    """Show the rows of a ledger's list, on a terminal the first of them; or write them, as `deliver` does."""
    from royaltycli.cli import console

    place = result(output)
    kind = format_of(format_, place)
    spare_ledger(place, ledger)
    if kind == "table":
        console.show_rows(rows, console.ROWS if top is None else top)
    else:
        deliver(rows, kind, place, raw=raw, quiet=quiet)


def _bytes(write: Callable[[BinaryIO], object]) -> bytes:
    import io

    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()
