"""The tables of a page in Markdown, by the heading that they stand under."""

from __future__ import annotations

import re


def rows_under(page, heading):
    """The rows of the first table under a heading, each a list of its cells, without the head."""
    _, found, rest = page.partition(f"{heading}\n")
    assert found, f"there is no heading {heading!r}"
    section = re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(cell):
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)
