"""The examples in the help are what they look like: lines that can be pasted into a shell as they stand."""

from __future__ import annotations

import re
import shlex
import sys

import pytest
import typer

from royaltycli.cli import COMMANDS, app

TAGS = re.compile(r"\[/?(?:b|cyan)\]")
WIDTH = 78
"""Letters that an example has room for on a line of a terminal of 80 columns."""

EXAMPLES = sorted(
    {
        TAGS.sub("", line)
        for command in COMMANDS.values()
        for line in sys.modules[command.__module__].EXAMPLES.split("\n\n")[1:]
    }
)


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_one_line_that_the_command_takes(line):
    assert len(line) <= WIDTH
    words = shlex.split(line, comments=True)
    words = words[words.index("royalty") + 1 :]
    name, *args = words[: words.index(">")] if ">" in words else words
    typer.main.get_command(app).commands[name].make_context(name, args)
