"""Reading options of published datasets by name; `presets.toml` holds them and says where they come from."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

PRESETS = ("dolma", "fineweb", "redpajama", "pile", "common-pile", "the-stack", "starcoder")
"""The names, in the order of the file."""


@cache
def _all() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("royaltycli.manifest").joinpath("presets.toml").read_text(encoding="utf-8"))


def preset(name: object) -> dict[str, str]:
    """The keys that a preset stands for, as a manifest would write them; empty if there is none of that name."""
    if name not in PRESETS:
        return {}
    return {key: value for key, value in _all()[str(name)].items() if key in ("text", "source")}
