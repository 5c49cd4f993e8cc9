"""docs/errors.md has every class of errors.py, quotes messages as they are in the source, and misses none."""

from __future__ import annotations

import ast
import functools
import inspect
import re

import pytest

from royaltycli import errors
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
CLASSES = [
    name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.RoyaltyError)
]
CARRIERS = [*CLASSES, "Problem", "Refusal", "note", "_note"]
"""What a message is given to."""

GAP = "…"
SHORT = 8
"""Fixed words of fewer characters say nothing of where they come from."""


def literal(node):
    """A text in the source, with what is put in at run time as …; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(part) or GAP for part in node.values)
    return None


@functools.cache
def trees():
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "royaltycli").rglob("*.py"))]


def texts():
    """Every text in the source, one after the other."""
    return "\n".join(text for tree in trees() for node in ast.walk(tree) if (text := literal(node)))


def messages():
    """Every message that is written where it is raised or noted, or by another name in the same function."""
    for tree in trees():
        for part in tree.body:
            names = named(part)
            for node in ast.walk(part):
                name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
                for argument in node.args if name in CARRIERS else ():
                    meant = names.get(argument.id, ()) if isinstance(argument, ast.Name) else (argument,)
                    yield from filter(None, map(literal, meant))


def named(part):
    """What each name may stand for in a function or a class."""
    names = {}
    for node in ast.walk(part):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    names.setdefault(name.id, []).append(value)
    return names


def fixed(message):
    """The words of a message that are always the same, in pieces."""
    return [piece for piece in message.split(GAP) if len(piece.strip(" :;,.")) >= SHORT]


def invented(page, source):
    """What a page quotes, but no text in the source holds; what is wrong and how to mend it may be two texts."""
    pieces = [piece for quoted in re.findall(r"``(.+?)``", page) for piece in fixed(quoted.strip())]
    return [piece for piece in pieces if piece not in source and not all(part in source for part in piece.split("; "))]


def missing(page, all_messages):
    """Messages whose fixed words the page does not have, as one message in their order with gaps between."""
    quoted = [" ".join(fixed(text)) for text in re.findall(r"``(.+?)``", page)]
    return [
        text for text in all_messages if fixed(text) and not any(" ".join(fixed(text)) in other for other in quoted)
    ]


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "RoyaltyError"])
def test_every_class_has_a_section(name):
    assert f"\n## {name}\n" in PAGE


def test_the_exit_statuses_are_those_of_the_classes():
    assert {getattr(errors, name).exit_status for name in CLASSES} == {1, 2, 130}
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == ["0", "1", "2", "130"]


def test_every_message_quoted_is_in_the_source():
    assert invented(PAGE, texts()) == []


def test_every_message_of_the_source_is_quoted():
    assert missing(PAGE, messages()) == []


def test_a_changed_message_is_found():
    """The planted violation, in both directions."""
    source = texts().replace("leaves the manifest's folder", "goes out of the manifest's folder")
    assert invented(PAGE, source) == [
        " leaves the manifest's folder; copy it into the folder, or allow it with --outside"
    ]
    assert missing(PAGE, ["path … wanders about; bring it home"]) == ["path … wanders about; bring it home"]
