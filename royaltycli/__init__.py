"""royalty: count the tokens of every source in a training corpus, and pay a pool out to them.

The functions mirror the commands and work on Arrow tables:

    import royaltycli

    tokens = royaltycli.scan("sample_corpora")
    rows = royaltycli.payout(tokens, profit="500e6", rate="20%")

Everything is imported when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from royaltycli.api import check, compare, estimate, explain, merge, payout, read_tokens, scan, shares, sweep
    from royaltycli.attributing import attribute, index, trace
    from royaltycli.errors import RoyaltyError

__all__ = [
    "RoyaltyError",
    "attribute",
    "check",
    "compare",
    "estimate",
    "explain",
    "index",
    "merge",
    "payout",
    "read_tokens",
    "scan",
    "shares",
    "sweep",
    "trace",
]
ELSEWHERE = {"RoyaltyError": "errors", "attribute": "attributing", "index": "attributing", "trace": "attributing"}
"""The modules of what is not in `api`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{ELSEWHERE.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """The package itself, whose `payout` stays the function when the folder of that name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in __all__ or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
