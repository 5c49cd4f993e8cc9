"""docs/cli.md, made of the help of every command. `python -m tests.docs.renew` renews it."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from royaltycli.cli import COMMANDS, app
from tests.docs.pages import ROOT

COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # which some of the machines that run tests ask for
PAGE = ROOT / "docs" / "cli.md"
OPENING = """\
# Commands

The help of every command, as `royalty COMMAND --help` shows it in a terminal of 80 columns. This page is
generated.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([OPENING, *(_section(command) for command in ("", *COMMANDS))])


def _section(command: str) -> str:
    terminal = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    shown = terminal.invoke(app, [*command.split(), "--help"], prog_name="royalty").stdout
    lines = "\n".join(line.rstrip() for line in COLOUR.sub("", shown).split("\n")).strip("\n")
    return f"## `{f'royalty {command}'.strip()}`\n\n```text\n{lines}\n```\n"


def words(text: str) -> list[str]:
    """The words of a page, without its frames and the types of values.

    Those are of the version of typer that draws them, so a page is compared by its words.
    """
    bare = re.sub(r"[─│╭╮╰╯*]", " ", text)
    return [word for word in bare.split() if not re.fullmatch(r"<\S+>|\[\S+\]", word)]
