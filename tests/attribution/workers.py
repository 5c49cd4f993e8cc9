"""The worker processes of this very process, among whatever else it has started."""

from __future__ import annotations

import contextlib

import psutil


def workers():
    """Those that are there."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if any("royaltycli.parallel.processes" in word for word in child.cmdline()):
                found.append(child)
    return found


def kill_workers(*_said):
    """Kill them all."""
    for worker in workers():
        worker.kill()
