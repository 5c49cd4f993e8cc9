"""`royalty init`: a starter manifest for the files of a folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """[b]Examples[/b]

[cyan]royalty init[/cyan]  # for the files here

[cyan]royalty init books[/cyan]"""


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", readable=False, help="The folder of the corpus.", show_default="here"),
    ] = Path(),
) -> None:
    """Write a starter corpus.toml for the files found in a folder, with comments, never over an existing one."""
    from royaltycli.cli import console
    from royaltycli.errors import CallError
    from royaltycli.manifest.starter import starter
    from royaltycli.storage import write_text

    manifest = folder / "corpus.toml"
    there = "" if folder == Path() else f" {shlex.quote(str(folder))}"

    def check_free() -> None:
        if manifest.exists() or manifest.is_symlink():
            raise CallError(
                f"{manifest} is already there, and stays as it is; `royalty check{there}` says what it describes"
            )

    check_free()
    text, left_out = starter(folder)
    check_free()  # as the search may take long
    write_text(manifest, text)
    console.say(f"Wrote {manifest}.")
    for reason in left_out:
        console.say(f"Left out {reason}.")
    console.say(f"Look through it, then run `royalty check{there}` and `royalty scan{there}`.")
