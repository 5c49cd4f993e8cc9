"""Notes of what this process has written, for the message of a command that ends early: true at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was written, in `words`; it is a result, or else something kept on the way to one."""

    words: str
    is_result: bool


_notes: dict[Path, Note] = {}
"""In the order in which they were made, by the name that a result had at first, or by the words."""


def note(words: str, name: Path | None = None, *, is_result: bool = False) -> None:
    """Let `written` say this, in the place of what was noted by that name, or of the same words."""
    key = name or Path(words)
    if next(reversed(_notes), key) != key:
        _notes.pop(key, None)  # else it would stay in its place, before what was written since
    _notes[key] = Note(words, is_result)


def unnote(name: Path) -> None:
    """Take back what was noted by that name, if anything was."""
    _notes.pop(name, None)


def forget() -> None:
    """Let `written` know of nothing, as a command begins."""
    _notes.clear()


def written() -> str:
    """What this process has written last, in words."""
    return next((each.words for each in reversed(_notes.values())), "nothing was written")


def also_written() -> str:
    """As the end of an error: which result this process has written before, in words; empty if there is none."""
    return next((f"; {each.words}" for each in reversed(_notes.values()) if each.is_result), "")
