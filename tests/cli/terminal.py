"""A terminal to run commands in: what a person would see, and what is left on the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import royaltycli

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(Path(royaltycli.__file__).parent.parent),  # the one under test, whichever is installed
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
ROYALTY = "import sys; sys.argv[0] = 'royalty'; from royaltycli.cli import main; main()"
NEVER_LONG = "from royaltycli.cli.console import progress; progress.AFTER = 3600; "
"""What takes a second of a busy machine is not said to be waited for."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])")
"""A control sequence (its numbers and its letter), or the ends of a line."""


@dataclass(frozen=True)
class Session:
    """How a command ended, and every character that it sent to the terminal."""

    status: int
    sent: str

    @property
    def screen(self):
        """The lines that are left in the end, without colours and without blanks at the ends of lines."""
        return "".join(line.rstrip() + "\n" for line in replay(self.sent))

    @property
    def styled(self):
        """What was sent, with ␛ for the escape character, for commands that only write forward."""
        return re.sub(r"[ ]+(?=\n)", "", self.sent.replace("\r\n", "\n").replace("\x1b", "␛"))


def royalty(*args, folder, columns=80, colour=False, before="", into=None):
    """Run a command with all three streams on a terminal that is so many columns wide.

    `before` is Python that runs first. `into` is a file for standard output.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = ENVIRONMENT | ({} if colour else {"NO_COLOR": "1"})
    with contextlib.ExitStack() as stack:
        output = theirs if into is None else stack.enter_context(into.open("wb"))
        command = [sys.executable, "-c", before + NEVER_LONG + ROYALTY, *args]
        streams = {"stdin": theirs, "stdout": output, "stderr": theirs}
        process = subprocess.Popen(command, cwd=folder, env=environment, **streams)
    os.close(theirs)
    sent = b""
    while piece := read(ours):
        sent += piece
    os.close(ours)
    return Session(process.wait(), sent.decode())


def read(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that the other end is closed
        return b""


def piped(*args, folder, stdin=None):
    """Run a command without any terminal."""
    command = [sys.executable, "-c", ROYALTY, *args]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False, input=stdin)


def replay(sent):
    """The lines of a screen, on which cursor movements and erasures have been carried out."""
    lines, row, column, at = [[]], 0, 0, 0
    for match in [*CONTROL.finditer(sent), None]:
        for letter in sent[at : match.start() if match else None]:
            lines[row][column : column + 1] = [letter]
            column += 1
        if match is None:
            break
        at = match.end()
        numbers, letter, end = match.groups()
        if end == "\r":
            column = 0
        elif end == "\n":
            row += 1
            lines += [[]] if row == len(lines) else []
        elif letter == "A":
            row -= int(numbers or 1)
        elif (numbers, letter) == ("2", "K"):
            lines[row] = []
        elif letter not in "mhl":
            raise AssertionError(f"a terminal would do what this one cannot: {match[0]!r}")
        lines[row] += [" "] * (column - len(lines[row]))
    text = ["".join(line) for line in lines]
    return text[:-1] if not text[-1] else text
