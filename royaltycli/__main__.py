"""`royalty`, and `python -m royaltycli`, which is the same."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line. Until a command begins, Ctrl-C ends the program at once, without a traceback."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # and not ignored, as with nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from royaltycli.cli import main

    main()


if __name__ == "__main__":
    main()
