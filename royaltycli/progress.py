"""What long work is told to, step by step, while it goes on; where a person watches, it is shown."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is, 0 where that is not known."""


def say_nothing(*_said: object) -> None:
    """Where nobody watches, whatever there is to be told."""
