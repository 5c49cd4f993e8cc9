"""HTML pages that need nothing else: a template and its style, which lie in one folder of this package."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


@functools.cache
def template(folder: str, name: str, style: str, **filters: Callable[..., str]) -> Template:
    """A template that has its style and some filters."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    # The style is ours, and holds nothing of what is shown; all else is escaped.
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= filters
    made = environment.from_string(text_of(folder, name))
    made.globals["style"] = Markup(text_of(folder, style))  # noqa: S704
    return made


def text_of(folder: str, name: str) -> str:
    """A file of this package, such as a template."""
    return resources.files(f"royaltycli.report.{folder}").joinpath(name).read_text(encoding="utf-8")
