"""Types a command into a shell in a terminal of 80 columns, and says what stands on the screen at the end.

Both streams go to one pseudo-terminal, so they stand in the order in which they were written, and a
progress bar that is taken away again is not there.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

WIDTH, HEIGHT = 80, 40


def run(command: str, folder: Path) -> str:
    """The screen after a shell command in `folder`: lines without blanks at their ends, as long as they are."""
    import fcntl
    import pty
    import termios

    from tests.cli.terminal import ENVIRONMENT, read, replay

    here = str(Path(sys.executable).parent)  # where the `royalty` of this Python is
    environment = {**ENVIRONMENT, "PATH": os.pathsep.join([here, ENVIRONMENT["PATH"]]), "NO_COLOR": "1"}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    streams = {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(["sh", "-c", command], cwd=folder, env=environment, **streams) as process:
        os.close(theirs)
        written = b""
        while piece := read(ours):
            written += piece
        os.close(ours)
        process.wait()
    return "".join(f"{line.rstrip()}\n" for line in replay(written.decode()))
