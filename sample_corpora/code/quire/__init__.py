"""quire: sets plain text in paragraphs, columns and pages, with footnotes at their feet.

    >>> from quire import Page, set_paragraph
    >>> print("\\n".join(set_paragraph("It was a dark and stormy night; the rain fell.", width=24)))
    It was a dark and stormy
    night; the rain fell.

A quire is twenty-four sheets of paper, or twenty-five if the stationer liked you.
"""

from .breaks import Break, break_lines, set_paragraph
from .columns import Cell, Column, Table
from .hyphen import Hyphenator
from .measure import cells, clip, pad
from .notes import Note, Page, paginate

__all__ = [
    "Break",
    "Cell",
    "Column",
    "Hyphenator",
    "Note",
    "Page",
    "Table",
    "break_lines",
    "cells",
    "clip",
    "pad",
    "paginate",
    "set_paragraph",
]
__version__ = "0.7.0"
