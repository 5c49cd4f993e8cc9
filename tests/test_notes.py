"""What a command that ends early says that it has written."""

from pathlib import Path

import pytest

from royaltycli import notes


@pytest.fixture(autouse=True)
def fresh():
    notes.forget()
    yield
    notes.forget()


def test_the_last_note_is_what_was_written_and_the_last_result_what_ends_an_error():
    assert (notes.written(), notes.also_written()) == ("nothing was written", "")
    notes.note("a.csv is there", is_result=True)
    notes.note("what was counted is written")  # whatever its words: no result
    assert (notes.written(), notes.also_written()) == ("what was counted is written", "; a.csv is there")


def test_a_note_of_the_same_name_stands_for_the_one_before_and_is_the_last():
    notes.note("a may be there", Path("a"), is_result=True)
    notes.note("b is there", is_result=True)
    notes.note("a is there", Path("a"), is_result=True)
    assert notes.also_written() == "; a is there"
    notes.unnote(Path("a"))
    assert notes.also_written() == "; b is there"
