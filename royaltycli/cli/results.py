"""Where the result of a command goes: a file, a pipe or a terminal, but never over what it is made from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    import pyarrow as pa

STANDARD_OUTPUT = Path("-")

MANY_ROWS = 10_000
"""More rows than these are written with a bar that shows how far they are."""


def token_table(output: str, *, is_written: bool = True) -> Path:
    """As `scanning.token_table`. Raises CallError for standard output, too."""
    from royaltycli.errors import CallError
    from royaltycli.scanning import token_table

    table = token_table(output, is_written=is_written)
    if table == STANDARD_OUTPUT:
        raise CallError("a token table goes into a file; name one with `-o`")
    return table


def path_of(output: str | None) -> Path | None:
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


def place_of(output: str | None, asked: str | None, tokens: str, *others: str | Path | None) -> tuple[Path | None, str]:
    """The path and the format of rows that are made of a token table, and perhaps of other files.

    Raises CallError if they would take the place of one of these, OutputError and RemoteError.
    """
    from royaltycli.errors import CallError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import is_same

    place = path_of(output)
    kind = format_of(asked, place)
    if place is not None and is_same(place, tokens):
        raise CallError(f"{written(place)} is the token table itself, and would be lost; name another file")
    spare(place, *others)
    return place, kind


def spare(output: Path | None, *inputs: str | Path | None) -> None:
    """Raises CallError if the result would take the place of a file that it is made from, or lie in such a folder."""
    from royaltycli.errors import CallError
    from royaltycli.remote.locations import written
    from royaltycli.remote.names import is_in

    if output is not None and any(is_in(output, each) for each in inputs if each):
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
) -> bool:
    """Show the first `top` rows of a ledger's list, or write them, as `deliver` does.

    Gives whether they were shown as a table.
    """
    from royaltycli.arguments import rows_of
    from royaltycli.cli import console

    rows = rows.slice(0, rows_of(top))
    place = path_of(output)
    kind = format_of(format_, place)
    spare_ledger(place, ledger)
    if kind == "table":
        console.show_rows(rows, console.ROWS if top is None else top)
    else:
        deliver(rows, kind, place, raw=raw, quiet=quiet)
    return kind == "table"


def _bytes(write: Callable[[BinaryIO], object]) -> bytes:
    import io

    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()
