"""docs/cli.md, made of the help of every command. `python -m tests.docs.renew` renews it."""

from __future__ import annotations

import re
from pathlib import Path

from royaltycli.cli import COMMANDS
from tests.docs.pages import ROOT, sample_copy
from tests.docs.terminal import run

PAGE = ROOT / "docs" / "cli.md"
OPENING = """\
# Commands

The help of every command, as `royalty COMMAND --help` shows it in a terminal of 80 columns. This page is
generated.
"""


def page() -> str:
    """The whole page."""
    with sample_copy() as folder:
        sections = [_section(command, folder) for command in ("", *COMMANDS)]
    return "\n".join([OPENING, *sections])


def _section(command: str, folder: Path) -> str:
    called = f"royalty {command}".strip()
    return f"## `{called}`\n\n```text\n{run(f'{called} --help', folder).strip(chr(10))}\n```\n"


def words(text: str) -> list[str]:
    """The words of a page, without its frames and the types of values.

    Those are of the version of typer that draws them, so a page is compared by its words.
    """
    bare = re.sub(r"[─│╭╮╰╯*]", " ", text)
    return [word for word in bare.split() if not re.fullmatch(r"<\S+>|\[\S+\]", word)]
