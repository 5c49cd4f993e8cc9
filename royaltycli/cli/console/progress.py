"""The progress of what is done one by one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.text import Text

from royaltycli.cli.console.messages import make_console


@contextlib.contextmanager
def going_through(words: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how many are done of what has no known number, if a person watches; what is given is told how many."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.progress import Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn

    class Done(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"  {task.speed:,.1f}/s" if task.speed else ""
            return Text(f"{int(task.completed):,} {words}{speed}")

    columns = (SpinnerColumn(), Done(""), TimeElapsedColumn())
    with Progress(*columns, console=make_console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=None)
        yield lambda done: progress.update(task, completed=done)


@contextlib.contextmanager
def writing(total: int, words: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` are done, if a person watches; what is given is told how many more.

    `words` are what is counted, such as `rows`.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn

    class Done(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"  {task.speed:,.0f}/s" if task.speed else ""
            return Text(f"{int(task.completed):,} of {total:,} {words}{speed}")

    columns = (BarColumn(None), TextColumn("{task.percentage:>3.0f}%"), Done(""), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=make_console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=total)
        yield lambda more: progress.update(task, advance=more)
