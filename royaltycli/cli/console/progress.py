"""The progress of what is done one by one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.text import Text

from royaltycli.cli.console.messages import make_console


@contextlib.contextmanager
def going_through(words: str, *, quiet: bool, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of a total are done, if a person watches; what is given is told how many more.

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


@contextlib.contextmanager
def doing(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show what is being done, if a person watches; what is given is told in words, how much is done, and of how much.

    Of how much is 0 where that is not known.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(None), TextColumn("{task.description}"), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=make_console(stderr=True), transient=True, expand=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total or None)
