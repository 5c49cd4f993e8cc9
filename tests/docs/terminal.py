"""Runs a command in a terminal of 80 columns, and says what stands on the screen at the end.

Both streams go to one pseudo-terminal, so they stand in the order in which they were written, and a
progress bar that is taken away again is not there.
"""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

WIDTH, HEIGHT = 80, 40
LIMIT_SECONDS = 180

_CONTROL = re.compile(r"\x1b\[(?P<parameters>[0-9;?]*)(?P<final>[A-Za-z])|(?P<character>[\x00-\x1f])")


def run(command: str, folder: Path) -> str:
    """The screen after a shell command in `folder`: lines without blanks at their ends."""
    import fcntl
    import pty
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    with subprocess.Popen(
        ["sh", "-c", command], cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ) as process:
        os.close(its)
        try:
            return screen(_read_all(ours).decode())
        finally:
            os.close(ours)
            process.kill()


def screen(written: str) -> str:
    """What a terminal without an end to its right shows of what was written to it."""
    lines: list[list[str]] = [[]]
    row = column = 0
    at = 0
    while at < len(written):
        control = _CONTROL.match(written, at)
        if control is None:
            line = lines[row]
            line.extend(" " * (column - len(line)))
            line[column : column + 1] = [written[at]]
            column, at = column + 1, at + 1
            continue
        at = control.end()
        if control["character"] == "\n":
            row += 1
            lines.extend([] for _ in range(row + 1 - len(lines)))
        elif control["character"] == "\r":
            column = 0
        elif control["final"] == "A":
            row = max(0, row - int(control["parameters"] or 1))
        elif control["final"] == "K":
            lines[row] = [] if control["parameters"] == "2" else lines[row][:column]
        elif control["final"] not in ("m", "h", "l"):  # colours; whether the cursor is shown
            raise ValueError(f"this terminal does not know {control[0]!r}")
    return "\n".join("".join(line).rstrip() for line in lines)


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's own settings, and the `royalty` of this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {"PATH": path, "HOME": str(home), "TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


def _read_all(terminal: int) -> bytes:
    end = time.monotonic() + LIMIT_SECONDS
    parts = []
    while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # how Linux says that nobody writes any more
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)
    raise TimeoutError(f"no end after {LIMIT_SECONDS} seconds")
