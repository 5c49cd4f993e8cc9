"""Every command and result on the pages is what the program says today, and the check itself finds what is wrong."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.docs.pages import BLOCK, PAGES, ROOT, masked, renewed
from tests.docs.terminal import run

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("termios") is None or importlib.util.find_spec("gigatoken") is None,
    reason="the pages show a terminal of Unix, and gigatoken at work",
)
SHOWING = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", SHOWING, ids=lambda page: page.name)
def test_commands_and_results_are_as_shown(page):
    written = page.read_text(encoding="utf-8")
    assert written == renewed(written), "renew it with `python -m tests.docs.renew`"


def test_the_readme_shows_the_commands_and_the_worked_example():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ royalty (\w+)", readme, re.MULTILINE)
    first = {"init", "check", "scan", "shares", "payout", "estimate"}
    assert set(commands) == first | {"close", "explain", "statement", "index", "trace"}
    for words in ("0.0000433 %", "$216.67", "$43.33", "216.67 USD", "43.33 USD"):
        assert words in readme


PAGE = """
```console
$ printf 'one\\ntwo\\n'
one
two

$ echo three
three
```

```pycon
>>> number = 6 * 7
>>> number
42
```
"""


def test_a_page_that_is_right_stays_as_it_is():
    assert renewed(PAGE) == PAGE


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("\ntwo\n", "\n2\n"),
        ("\ntwo\n", "\n"),
        ("two\n", "two\nand a half\n"),
        ("\nthree\n", "\nthree.\n"),
        ("42", "43"),
    ],
)
def test_a_planted_wrong_result_is_found_and_renewed(right, wrong):
    page = PAGE.replace(right, wrong)
    assert page != PAGE
    assert renewed(page) == PAGE


def test_a_command_that_is_not_there_is_found():
    page = "```console\n$ royalty pay --profit 1\n```\n"
    assert "No such command 'pay'" in renewed(page)


def test_only_the_rate_is_masked():
    line = "holders 136    bytes 316,692    rate 274.5 kB/s, 70.2 k tokens/s, in 1.2 s"
    assert masked(line) == "holders 136    bytes 316,692    rate …"
    assert masked(line) != masked(line.replace("136", "137"))
    assert masked("at a rate of 20%     19.11 USD") == "at a rate of 20%     19.11 USD"


def test_the_screen_is_what_is_left_at_the_end(tmp_path):
    """A progress bar is drawn over itself and taken away; colours show nothing."""
    written = r"\033[?25l 10%%\r\033[2K 100%%\n\033[1A\033[2K\033[1mdone\033[0m  \nnext\n"
    assert run(f"printf '{written}'", tmp_path) == "done\nnext\n"


def test_both_streams_reach_the_terminal_and_it_is_80_columns_wide(tmp_path):
    assert run("echo out; echo err >&2; stty size < /dev/stderr", tmp_path) == "out\nerr\n40 80\n"
