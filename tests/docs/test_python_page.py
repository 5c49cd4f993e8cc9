"""docs/python.md has the signature of every function of the package, as it is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import royaltycli

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
FUNCTIONS = sorted(set(royaltycli.__all__) - {"RoyaltyError"})


def written(name, page=PAGE):
    """The parameters of a function as the page has them, on one line."""
    (found,) = re.findall(rf"^`{name}\(([^`]*)\)`", page, re.MULTILINE)
    return " ".join(found.split())


def parameters(function):
    """Those of the code: names, defaults, and from where on they are given by name."""
    found = []
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        default = "" if one.default is one.empty else "=" + repr(one.default).replace("'", '"')
        found.append(one.name + default)
    return ", ".join(found)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_signature_is_that_of_the_function(name):
    assert written(name) == parameters(getattr(royaltycli, name))


def test_a_wrong_signature_is_found():
    """A planted violation: a default that is another."""
    page = PAGE.replace('read_tokens(path="tokens.parquet")', 'read_tokens(path="tokens")')
    assert written("read_tokens", page) != parameters(royaltycli.read_tokens)
