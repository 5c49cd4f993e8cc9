"""`royalty`, and `python -m royaltycli`, which is the same."""

from __future__ import annotations

import gc
import signal

COLLECT_EVERY = 100_000
"""Objects made before Python looks for garbage in circles. There is hardly any, but a corpus may have very many
files, and to look through all that is known of them again and again would take a third of a scan's planning."""


def main() -> None:
    """Run the command line. Until a command begins, Ctrl-C ends the program at once, without a traceback."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # and not ignored, as with nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(COLLECT_EVERY)
    from royaltycli.cli import main

    main()


if __name__ == "__main__":
    main()
