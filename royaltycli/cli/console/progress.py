"""The progress of long work: one bar on standard error, wiped at the end, if a person watches."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from royaltycli.cli.console.messages import make_console
from royaltycli.progress import say_nothing

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, Task

AFTER = 1.0
"""Seconds from which on a person wants to know what is being waited for."""

MARGIN = 4
"""Cells left free beside the progress: a typed ^C must not break the line that is to be wiped."""


class Watch(NamedTuple):
    """What a scan reports to: first how many bytes of files there are to count, then what has been counted of them."""

    expect: Callable[[int], None]
    tick: Callable[[int, int, int], None]


@contextlib.contextmanager
def scanning(*, quiet: bool) -> Iterator[Watch]:
    """Show the progress of a scan: how much of its files is done, how quickly, and the tokens so far."""
    if _nobody_watches(quiet=quiet):
        yield Watch(say_nothing, say_nothing)
        return
    from rich.filesize import decimal
    from rich.progress import TextColumn

    class Volume(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"{decimal(int(task.speed))}/s" if task.speed else ""
            if task.total is None:
                return Text("looking for what has changed")
            total = decimal(int(task.total))
            return Text(f"{decimal(int(task.completed))} of {total}  {speed}  {task.fields['tokens']:,} tokens")

    with _bar(TextColumn("{task.percentage:>3.0f}%"), Volume("")) as progress:
        task = progress.add_task("scan", total=None, tokens=0)
        counted = [0]

        def tick(packed: int, tokens: int, _documents: int) -> None:
            counted[0] += tokens
            progress.update(task, advance=packed, tokens=counted[0])

        yield Watch(lambda total: progress.update(task, total=total), tick)


@contextlib.contextmanager
def going_through(words: str, *, quiet: bool, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of a total are done; what is given is told how many more.

    `words` are what is counted, such as `rows`.
    """
    if _nobody_watches(quiet=quiet):
        yield say_nothing
        return
    from rich.progress import TextColumn

    class Done(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"  {task.speed:,.0f}/s" if task.speed and task.speed >= 1 else ""
            return Text(f"{int(task.completed):,} of {total:,} {words}{speed}")

    with _bar(TextColumn("{task.percentage:>3.0f}%"), Done("")) as progress:
        task = progress.add_task(words, total=total)
        yield lambda more: progress.update(task, advance=more)


@contextlib.contextmanager
def doing(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show one step after the other; what is given is told the step in words, how much is done, and of how much.

    Of how much is 0 where that is not known.
    """
    if _nobody_watches(quiet=quiet):
        yield say_nothing
        return
    from rich.progress import TextColumn

    with _bar(TextColumn("{task.description}")) as progress:
        progress.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            (task,) = progress.tasks
            if task.total != (total or None):  # another step, with a time of its own
                progress.remove_task(task.id)
                progress.add_task(what, total=total or None)
            progress.update(progress.task_ids[0], description=what, completed=done)

        yield tell


@contextlib.contextmanager
def waiting(words: str, *, quiet: bool) -> Iterator[None]:
    """Show what is being done, in words, once it has taken a second: how much of it is left nobody knows."""
    if _nobody_watches(quiet=quiet):
        yield
        return
    shown: list[Progress] = []

    def show() -> None:
        from rich.progress import TextColumn

        progress = _bar(TextColumn(words))
        progress.add_task("", total=None)
        progress.start()
        shown.append(progress)

    timer = threading.Timer(AFTER, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for progress in shown:
            progress.stop()


def _nobody_watches(*, quiet: bool) -> bool:
    return quiet or not sys.stderr.isatty()


def _bar(*columns: ProgressColumn) -> Progress:
    """A bar that takes what the columns and the time left leave, so that these are on the screen however large."""
    from rich.progress import BarColumn, Progress, TimeRemainingColumn

    console = make_console(stderr=True)
    console.width = max(MARGIN, console.width - MARGIN)
    around = (BarColumn(None), *columns, TimeRemainingColumn(compact=True))
    return Progress(*around, console=console, transient=True, expand=True)
