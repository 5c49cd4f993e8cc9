"""The command line: each command's file parses, makes one call and renders; `console` alone knows rich.

Nothing heavy is imported before a command needs it, so that help and completion are quick.
"""

from __future__ import annotations

import codecs
import errno
import functools
import inspect
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from royaltycli.cli import (
    attribute,
    balance,
    bench,
    check,
    close,
    compare,
    estimate,
    explain,
    index,
    init,
    ledger,
    merge,
    network,
    payments,
    payout,
    policies,
    scan,
    shares,
    statement,
    sweep,
    trace,
    transfer,
    unclaimed,
)
from royaltycli.cli.values import Commands, OneCommand

if TYPE_CHECKING:
    from royaltycli.errors import RoyaltyError

EPILOG = "Start with `royalty init`, or try the sample: `royalty scan sample_corpora`, then `royalty payout`."

app = typer.Typer(
    name="royalty",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"royalty {version('royaltycli')}")
        raise typer.Exit


@app.callback()
def _royalty(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """How much of a model's training was whose, and what are they owed?

    Counts the tokens of every source in a corpus, exactly, and pays a pool out to them, to the cent.
    """


COMMANDS: dict[str, Callable[..., None]] = {
    "init": init.init,
    "check": check.check,
    "scan": scan.scan,
    "merge": merge.merge,
    "shares": shares.shares,
    "payout": payout.payout,
    "policies": policies.policies,
    "explain": explain.explain,
    "compare": compare.compare,
    "sweep": sweep.sweep,
    "estimate": estimate.estimate,
    "index": index.index,
    "attribute": attribute.attribute,
    "trace": trace.trace,
    "close": close.close,
    "restate": close.restate,
    "payments": payments.payments,
    "settle": payments.settle,
    "balance": balance.balance,
    "transfer": transfer.transfer,
    "statement": statement.statement,
    "unclaimed": unclaimed.unclaimed,
    "release": unclaimed.release,
    "redistribute": unclaimed.redistribute,
    "ledger": ledger.ledger,
    "network": network.network,
    "bench": bench.bench,
}


def ending_well(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an exit status for every ending, and a traceback for none that a user can cause."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        from royaltycli.errors import Interrupted, OutputError, RemoteError, RoyaltyError
        from royaltycli.notes import also_written, forget, written

        loading = signal.getsignal(signal.SIGINT) == signal.SIG_DFL  # as `__main__` has it until here
        try:
            if loading:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            forget()
            command(*args, **options)
            sys.stdout.flush()
        except (OutputError, RemoteError) as error:
            _end(f"{error}{also_written()}", status=error.exit_status)
        except RoyaltyError as error:
            _end(*_wrong(error), status=error.exit_status)
        except KeyboardInterrupt:
            _end(f"interrupted; {written()}", status=Interrupted.exit_status)
        except MemoryError:
            _end(f"out of memory; {_fewer(command)}use a machine with more", status=RoyaltyError.exit_status)
        except UnicodeEncodeError as error:  # of an argument in some other encoding, as Python passes it on
            _end(f"{error.object[:80]!r} is not valid UTF-8; write it in UTF-8", status=RoyaltyError.exit_status)
        except OSError as error:
            _end_for(error, command)
        finally:
            if loading:
                signal.signal(signal.SIGINT, signal.SIG_DFL)

    return run


def _help(command: Callable[..., None]) -> str:
    """A command's docstring, its paragraphs each on one line for the terminal to wrap."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


for _name, _command in COMMANDS.items():
    _epilog = sys.modules[_command.__module__].EXAMPLES
    app.command(_name, cls=OneCommand, help=_help(_command), epilog=_epilog)(ending_well(_command))


def main() -> None:
    """Run the command line, and end the program with its exit status."""
    try:
        _run()
    except SystemExit as ending:
        # Everything is written and flushed by now. Python's own ending would be broken off by threads that a scan
        # which was stopped leaves deep in an engine, and at times by those of a library; and an interrupt within
        # `exec`, as classes of data are made with, lets Python end by the signal, whoever has handled it.
        if ending.code is None or isinstance(ending.code, int):
            _give_back()
            os._exit(ending.code or 0)
        raise


def _give_back() -> None:
    """Remove the semaphores of multiprocessing, such as tqdm makes for a bar that nobody sees.

    Python does so when it ends by itself, and says that they were leaked where that is left out.
    """
    if "multiprocessing.util" in sys.modules:
        from multiprocessing import util

        util._run_finalizers(0)  # type: ignore[attr-defined]  # noqa: SLF001 -- nothing public does only this


def _run() -> None:
    _replace_closed_streams()
    for name in ("COLUMNS", "LINES"):
        if os.environ.get(name, "").strip("0") == "":  # a size that is not known: the terminal says it
            os.environ.pop(name, None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_liken.__name__)  # a terminal that lacks a character shows another
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as ending:
        if isinstance(broken := ending.__context__, BrokenPipeError):
            # Typer and rich end with 1 when nobody reads them any more; an error of the call keeps its own status.
            sys.exit(getattr(broken.__context__, "exit_code", 0))
        raise
    except OSError as error:  # of what typer itself writes, such as help; the commands have handled theirs
        _end_for(error, main)
    finally:
        try:
            sys.stderr.flush()
        except OSError:  # its disk is full, and what was said is lost
            _discard(sys.stderr)


LIKE = {"−": "-", "×": "x", "…": "...", "≤": "<="}
"""How our own signs are written where there are none; all else is a question mark there."""


def _liken(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks (a handler of errors for `codecs`)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(LIKE.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


codecs.register_error(_liken.__name__, _liken)


def _replace_closed_streams() -> None:
    """Put something in the place of a standard stream that the caller has closed.

    Python has None there, and the next file to be opened would take its number. What is written to
    standard output then fails, as on a full disk; messages are lost.
    """
    for number, (name, mode) in enumerate((("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))):
        if getattr(sys, name) is None:
            free = os.open(os.devnull, mode)  # the lowest that is free, so this very one
            setattr(sys, name, os.fdopen(free, "w" if number else "r", encoding="utf-8"))


def _wrong(error: RoyaltyError) -> Sequence[str]:
    """What an error says is wrong: one thing, or all that is wrong with a manifest or a ledger."""
    from royaltycli.errors import LedgerDamage, ManifestError

    if isinstance(error, ManifestError):
        return [str(problem) for problem in error.problems]
    return str(error).split("\n") if isinstance(error, LedgerDamage) else [str(error)]


def _end(*messages: str, status: int) -> NoReturn:
    from royaltycli.cli.console import fail

    fail(*messages)
    sys.exit(status)


def _fewer(command: Callable[..., None]) -> str:
    """How to mend a command that takes too much, if it has workers: the beginning of a list of ways."""
    return "use fewer `--workers`, or " if "workers" in inspect.signature(command).parameters else ""


def _end_for(error: OSError, command: Callable[..., None]) -> NoReturn:
    """End as an error of the system wants that nobody has named: of standard output, or for want of resources."""
    from royaltycli.errors import RoyaltyError, reason_of
    from royaltycli.notes import also_written

    if error.errno in (errno.EMFILE, errno.ENFILE):
        mend = f"{_fewer(command)}allow more (`ulimit -n`)"
        _end(f"too many files are open; {mend}", status=RoyaltyError.exit_status)
    if error.filename is not None:
        _end(f"{error.filename} cannot be opened ({reason_of(error)})", status=RoyaltyError.exit_status)
    _discard(sys.stdout)
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
        sys.exit(0)  # whoever reads our output has had enough, of which Windows says so
    _end(f"the output cannot be written ({reason_of(error)}){also_written()}", status=RoyaltyError.exit_status)


def _discard(stream: TextIO) -> None:
    """Let the interpreter's own last flush go nowhere instead of failing once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
