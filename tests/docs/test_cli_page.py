"""docs/cli.md has the help of every command in its own words."""

from __future__ import annotations

from tests.docs.cli_page import PAGE, page, words


def test_the_help_is_that_of_the_program():
    assert words(PAGE.read_text(encoding="utf-8")) == words(page()), "renew it with `python -m tests.docs.renew`"


def test_frames_and_types_are_not_compared_but_words_are():
    frame = "│ --top    -t   N     Only the N largest rows. │\n│ --quiet  -q  <bool>  Say nothing. │\n╰────╯"
    assert " ".join(words(frame)) == "--top -t N Only the N largest rows. --quiet -q Say nothing."
    assert words(frame) != words(frame.replace("largest", "smallest"))
