"""`royalty check`: what is wrong with a manifest, and which files a scan would read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from royaltycli.cli import options

EXAMPLES = """[b]Examples[/b]

[cyan]royalty check[/cyan]  # the corpus.toml here

[cyan]royalty check sample_corpora --files[/cyan]  # with the name of every file"""


def check(
    manifest: options.Manifest = None,
    files: Annotated[bool, typer.Option("--files", help="List every file.")] = False,
    outside: options.Outside = False,
) -> None:
    """Report all errors of a manifest and the files that a scan would read, without counting.

    Each error names its file and line, and says how to mend it.
    """
    from royaltycli import api, scanning
    from royaltycli.cli import console

    with console.waiting("looking for files", quiet=False):
        opened = api.check(manifest, outside=outside)
        scanning.plan_opened(opened, Path())  # which reads its vocabulary, as a scan would
    console.show_check(opened, every_file=files)
