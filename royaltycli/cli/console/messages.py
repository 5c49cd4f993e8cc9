"""Messages on standard error, and the consoles that everything else is printed on."""

from __future__ import annotations

import contextlib
import re
import unicodedata

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

JOINERS = "\u200c\u200d"
"""Format characters that emoji and several scripts need, and that steer no terminal."""

PIECES = re.compile(r"`[^`]*`\S*|\S+(?: -?[\d.,]+(?!\S))?")
"""What stays on one line: a command in backticks, and any other word with the number after it."""


def say(message: str) -> None:
    """A note, on standard error."""
    speak(Text(clean(message)))


def fail(*messages: str) -> None:
    """Errors, on standard error, each on a line: a line end in one is of a name, and shown as all that steers."""
    for message in messages:
        speak(Text.assemble(("error", "bold red"), ": ", clean(message)))


def speak(line: Text) -> None:
    """Print to standard error. What does not fit there, as its disk is full, is lost: the result is what counts."""
    with contextlib.suppress(OSError):
        print_line(make_console(stderr=True), line)


def print_line(console: Console, line: Text) -> None:
    """Print a line, on a terminal that is too narrow for it broken between its pieces; one longer than it stays whole.

    So commands, paths and digests can be copied. In a pipe or a file it is one line.
    """
    if console.file.isatty():
        starts, start = [], 0
        for piece in PIECES.finditer(line.plain):
            if piece.start() > start and cell_len(line.plain[start : piece.end()]) > console.width:
                start = piece.start()
                starts.append(start)
        for part in (parts := line.divide(starts)):
            part.rstrip()
        line = Text("\n").join(parts)
    console.print(line, soft_wrap=True)


def say_sum(line: str, *, aside: bool) -> None:
    """The line that a table adds up to, below it; on standard error if `aside`."""
    said = Text(line, style="bold")
    if aside:
        speak(said)
    else:
        print_line(make_console(), said)


def clean(text: str) -> str:
    """`text` with anything that would steer a terminal shown as a replacement character."""
    return "".join(letter if _is_harmless(letter) else "\ufffd" for letter in text)


def _is_harmless(letter: str) -> bool:
    """Spaces of any width are; Python calls none but the ordinary one printable."""
    return letter.isprintable() or letter in JOINERS or unicodedata.category(letter) == "Zs"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, as for any other output; rich would end with status 1."""
        raise BrokenPipeError


def make_console(*, stderr: bool = False) -> Console:
    """A console for standard output or standard error, on which text means what it says."""
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
