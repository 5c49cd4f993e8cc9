"""Every message that the source raises has its golden case; `errors/elsewhere.txt` has the few that cannot have one.

There a reason stands on a line with `===`, below it the test that shows a message, and indented what of the
message is always the same, with … where it is not.
"""

from __future__ import annotations

import re

from tests.cli import golden
from tests.cli.test_errors import CASES
from tests.docs.pages import ROOT
from tests.docs.test_errors_page import GAP, fixed, messages

LETTERS = 14
"""So many letters of a message in a row must stand in the module of the test that is said to show it."""

ELSEWHERE = (golden.FOLDER / "elsewhere.txt").read_text(encoding="utf-8")
SAID = "".join(case.message for case in CASES.values())


def listed(page):
    """The messages that another test shows, each with that test."""
    found, test = {}, ""
    for line in page.splitlines():
        if line.startswith("    "):
            found[line.strip()] = test
        elif line.startswith("tests/"):
            test = line
    return found


def is_said(message, said):
    """Whether a line of what golden cases say is a message, with anything in its gaps."""
    return re.search(".*?".join(map(re.escape, message.strip(GAP).split(GAP))), said) is not None


def without_case(all_messages, said, elsewhere):
    """Messages that no golden case says, and no list says why."""
    return [text for text in all_messages if fixed(text) and not is_said(text, said) and text not in elsewhere]


def needless(all_messages, said, elsewhere):
    """What is listed, but is no message any more, or has a golden case."""
    return [text for text in elsewhere if text not in all_messages or is_said(text, said)]


def unshown(elsewhere):
    """What is listed with a test that is not there, or in whose module the message is not to be found."""
    found = []
    for text, test in elsewhere.items():
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
        plain = re.sub(r'"\n\s*[rf]*"', "", source.replace("\\", ""))
        starts = [piece[at : at + LETTERS] for piece in fixed(text) for at in range(max(1, len(piece) - LETTERS))]
        if f"\ndef {name}(" not in source or not any(start in plain for start in starts):
            found.append((text, test))
    return found


def test_every_message_has_its_golden_case():
    assert without_case(messages(), SAID, listed(ELSEWHERE)) == []


def test_no_message_is_listed_that_has_a_case_or_is_gone():
    assert needless(set(messages()), SAID, listed(ELSEWHERE)) == []


def test_what_is_listed_is_shown_by_the_test_that_is_named():
    assert unshown(listed(ELSEWHERE)) == []


def test_each_is_listed_once_and_below_a_reason():
    lines = ELSEWHERE.splitlines()
    texts = [line for line in lines if line.startswith("    ")]
    assert len(texts) == len(set(texts)) == len(listed(ELSEWHERE))
    for block in ELSEWHERE.split("\n\n"):
        assert re.match(r"=== .+\n(tests/\S+::\w+\n(    \S.*\n?)+)+$", block)


def test_a_message_without_a_case_is_found():
    """The planted violations: a message taken out of the golden files, one that is new, and lists that are wrong."""
    loss = "profit is …, but must not be negative"
    less = SAID.replace("but must not be negative", "but must be more")
    assert is_said(loss, SAID)
    assert without_case([loss], less, {}) == [loss]
    assert without_case(["path … wanders about; bring it home"], SAID, {}) == ["path … wanders about; bring it home"]
    assert needless({loss}, SAID, {loss: "", "path … wanders about": ""}) == [loss, "path … wanders about"]
    here = "tests/cli/test_every_message.py::test_a_message_without_a_case_is_found"
    assert unshown({loss: here}) == []
    assert unshown({loss: f"{here}_at_all"}) == [(loss, f"{here}_at_all")]
    assert unshown({loss.upper(): here}) == [(loss.upper(), here)]
