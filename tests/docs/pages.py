"""The pages of the documentation as they are checked and renewed: what is typed, and what is then shown.

In a block marked `console`, a line that begins with `$ ` is typed into a shell, and the lines up to the
next one are the whole of what the terminal then shows; empty lines at its end do not count. In a block
marked `pycon`, `>>> ` is typed into Python. All blocks of a page follow on one another, in a folder that
holds a copy of `sample_corpora`. Only what no two runs have in common is masked: see `masked`.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.terminal import run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

BLOCK = re.compile(r"^```(console|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RATE = re.compile(r"(rate ).*/s, in [0-9.,]+ s")
"""The end of a line in the summary of a scan: its speed, and how long it took."""

DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
"""A SHA-256. Those of Parquet files depend on the version of pyarrow, and those of a ledger on such files."""


def masked(shown: str) -> str:
    """The text without times and speeds, which are those of one run, and without digests."""
    return DIGEST.sub("…", RATE.sub(r"\1…", shown))


@contextlib.contextmanager
def sample_copy() -> Iterator[Path]:
    """A temporary folder with a copy of the sample corpora."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "sample_corpora", folder / "sample_corpora", ignore=shutil.ignore_patterns("tokens.*"))
        yield folder


def renewed(page: str) -> str:
    """The page with everything that is shown as it is shown now, but for what is masked."""
    if not BLOCK.search(page):
        return page
    with sample_copy() as folder:
        names: dict[str, Any] = {"__name__": "__main__"}
        return BLOCK.sub(lambda block: _renewed_block(block, folder, names), page)


def _renewed_block(block: re.Match[str], folder: Path, names: dict[str, Any]) -> str:
    new = _session(block[2], folder) if block[1] == "console" else _dialogue(block[2], folder, names)
    return block[0] if masked(new) == masked(block[2]) else f"```{block[1]}\n{new}```"


def _session(written: str, folder: Path) -> str:
    """A block of shell commands with what each shows; one empty line sets a command apart from the one before."""
    shown = []
    for command in re.findall(r"^\$ (.*)$", written, re.MULTILINE):
        output = run(command, folder).rstrip("\n")
        shown.append(f"$ {command}\n" + (f"{output}\n\n" if output else ""))
    return "".join(shown).rstrip("\n") + "\n"


def _dialogue(written: str, folder: Path, names: dict[str, Any]) -> str:
    """A block of Python with what each statement shows."""
    shown = []
    for example in doctest.DocTestParser().get_examples(written):
        first, *more = example.source.splitlines()
        shown += [f">>> {first}\n", *(f"... {line}\n" for line in more), _answer(example.source, folder, names)]
    return "".join(shown)


def _answer(statement: str, folder: Path, names: dict[str, Any]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.chdir(folder):
        try:
            exec(compile(statement, "<page>", "single"), names)
        except Exception as error:  # noqa: BLE001 -- shown as Python shows it
            kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
            return f"{output.getvalue()}Traceback (most recent call last):\n    ...\n{kind}: {error}\n"
    return output.getvalue()
