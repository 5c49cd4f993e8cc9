"""The progress of what is done one by one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.text import Text

from royaltycli.cli.console.messages import make_console


@contextlib.contextmanager
def going_through(words: str, *, quiet: bool, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show how many are done, if a person watches, of a `total` if it is known; what is given is told how many more.

    `words` are what is counted, such as `rows`.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _more: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    class Done(TextColumn):
        def render(self, task: Task) -> Text:
            speed = f"  {task.speed:,.0f}/s" if task.speed else ""
            of = "" if total is None else f" of {total:,}"
            return Text(f"{int(task.completed):,}{of} {words}{speed}")

    known = (BarColumn(None), TextColumn("{task.percentage:>3.0f}%"), Done(""), TimeRemainingColumn(compact=True))
    columns = (SpinnerColumn(), Done(""), TimeElapsedColumn()) if total is None else known
    with Progress(*columns, console=make_console(stderr=True), transient=True) as progress:
        task = progress.add_task(words, total=total)
        yield lambda more: progress.update(task, advance=more)
