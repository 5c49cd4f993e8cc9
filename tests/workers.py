"""The worker processes of this very process, among whatever else it has started."""

from __future__ import annotations

import contextlib
import threading

import psutil


def workers():
    """Those that are there."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if any("royaltycli.parallel.processes" in word for word in child.cmdline()):
                found.append(child)
    return found


@contextlib.contextmanager
def killing():
    """Meanwhile, kill each of them as soon as it is there: before it can have done anything, however busy the machine."""
    over = threading.Event()

    def kill():
        while not over.wait(0.01):
            for worker in workers():
                worker.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
