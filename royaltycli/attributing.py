"""The commands of attribution, from what callers give: texts, files, and the folder of an index.

Between the command line with the Python API, and attribution itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from royaltycli.arguments import check_types
from royaltycli.errors import CallError, DocumentError
from royaltycli.limits import TRACE_BYTES

if TYPE_CHECKING:
    from royaltycli.attribution.tracing import Traced

LEAST = 3
"""Tokens of the shortest passage that is looked for."""


def trace(text: str, *, index: str | Path = "index", least: int = LEAST) -> Traced:
    """The passages of one text that a corpus has, too, with their sources. Raises AttributionError and CallError.

    `index` is the folder that `royalty index` made; `least` is how many tokens a passage has at the least.
    """
    from royaltycli.attribution.index import open_index
    from royaltycli.attribution.tracing import check_text
    from royaltycli.attribution.tracing import trace as run

    check_types(text=text, index=index, least=least)
    check_text(text, least)  # before an index is looked through
    return run(open_index(Path(index)), text, least=least)


def text_of(given: str, standard_input: BinaryIO) -> str:
    """The text that is meant: of the file of that name if there is one, of standard input for `-`, else as given.

    Raises CallError, also for a text that is too long to be traced, and DocumentError for one that is not UTF-8.
    """
    if given == "-":
        return _decoded(standard_input.read(TRACE_BYTES + 1), "standard input")
    if os.path.isdir(given):
        raise CallError(f"{given} is a folder; name a file in it")
    if not os.path.exists(given):
        if _is_name(given):
            raise CallError(f"there is no file {given!r}; name the file of a text, or write the text itself")
        return given
    try:
        with Path(given).open("rb") as file:
            return _decoded(file.read(TRACE_BYTES + 1), given)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CallError(f"{given} cannot be read ({reason}); name another file") from error


def _is_name(given: str) -> bool:
    """Whether what is given was surely meant to be a file: a word with the ending of a document."""
    from royaltycli.manifest.endings import kind_of

    return not any(letter.isspace() for letter in given) and kind_of(given)[0] is not None


def _decoded(data: bytes, name: str) -> str:
    from royaltycli.attribution.tracing import too_long

    if len(data) > TRACE_BYTES:
        raise too_long()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place, byte = error.start + 1, data[error.start]
        raise DocumentError(f"{name}: not valid UTF-8 at byte {place:,} (0x{byte:02x}); save it as UTF-8") from error
