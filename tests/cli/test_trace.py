"""`royalty trace`, typed: where the text comes from, in which forms it is shown, and the legend of many sources."""

from __future__ import annotations

import csv
import io
import json
import os
import threading

import openpyxl
import pytest
from typer.testing import CliRunner

from royaltycli.attribution.tracing import Passage, Place, Traced, TracedSource
from royaltycli.cli import app, console
from tests.cli import golden

TEXT = "The clockmaker of Ystad said it.\nAnd: =the clockmaker of Ystad said nothing of it to his sister.\n"
SHOWN = """\
The clockmaker of Ystad said it.
And: =the [clockmaker of Ystad said nothing of it to his sister][1].
"""


@pytest.fixture
def typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    golden.make_index(tmp_path / "index")

    def run(*args, given=None):
        result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["trace", *args], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def passages(typed, *args, **options):
    status, output, said = typed(*args, "-f", "json", **options)
    assert (status, said) == (0, "")
    return [(row["start"], row["end"]) for row in json.loads(output)]


def test_a_text_a_file_standard_input_and_a_pipe_are_traced_alike(typed, tmp_path):
    (tmp_path / "answer").write_bytes(TEXT.encode())
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(TEXT.encode(),))
    writer.start()
    expected = passages(typed, TEXT)
    assert expected != []
    assert passages(typed, "answer") == passages(typed, "-", given=TEXT) == passages(typed, "pipe") == expected
    writer.join()


def test_line_ends_and_a_byte_order_mark_are_characters_like_others(typed, tmp_path):
    (tmp_path / "answer").write_bytes(("\ufeff" + TEXT.replace("\n", "\r\n")).encode())
    start, end = passages(typed, "answer")[-1]
    read = (tmp_path / "answer").read_bytes().decode()
    assert read[start:end].strip() == "clockmaker of Ystad said nothing of it to his sister"


def test_one_word_is_a_text_unless_it_ends_as_a_document_does(typed):
    assert typed("sister", "-f", "json") == (0, "[\n]\n", "")
    assert typed("sister.txt.gz", "-f", "json")[0] == 2


def test_a_page(typed, tmp_path):
    assert typed(TEXT, "-o", "answer.html") == (0, "", "")
    page = (tmp_path / "answer.html").read_bytes()
    assert page.startswith(b"<!DOCTYPE html>")
    assert typed(TEXT, "-f", "html")[1].encode() == page
    assert typed(TEXT, "-f", "html", "-o", "-")[1].encode() == page


def test_cells_of_csv_are_no_formulas_unless_they_are_asked_for(typed, tmp_path):
    golden.make_index(tmp_path / "formula", text="=SUM(1) the clockmaker of Ystad said nothing of it.")
    for options, start in (([], "'="), (["--raw"], "=")):
        status, output, _ = typed("=SUM(1) the clockmaker of Ystad", "-i", "formula", "-f", "csv", *options)
        (row,) = csv.DictReader(io.StringIO(output))
        assert status == 0
        assert row["text"].startswith(start)
        assert row["excerpt"].startswith(start)


def test_a_workbook(typed, tmp_path):
    assert typed(TEXT, "-o", "answer.xlsx") == (0, "", "")
    sheet = openpyxl.load_workbook(tmp_path / "answer.xlsx").active
    header, row, *_ = sheet.iter_rows(values_only=True)
    found = dict(zip(header, row, strict=True))
    assert (found["passage"], found["source_id"], found["place"], found["copy"]) == (1, "book", "book.txt", 0)


def test_without_colour_passages_stand_in_brackets(typed):
    assert typed(TEXT, "-f", "table", "--least", "9")[1].startswith(SHOWN)


def test_only_long_passages_are_listed(typed):
    assert len(passages(typed, TEXT, "--least", "4")) > len(passages(typed, TEXT, "--least", "9")) > 0


# -- the legend ------------------------------------------------------------------------------------


def shown(traced, capsys, monkeypatch, width=80):
    monkeypatch.setenv("COLUMNS", str(width))
    console.show_trace(traced)
    return capsys.readouterr().out


def source(name, title=None, documents=1, *, copy=False):
    return TracedSource(name, title, documents, (Place(f"{name}.txt", copy, "", "abc def", ""),))


def traced(text, sources, spans):
    found = tuple(Passage(start, end, text[start:end], 3, 5.0, tuple(sources)) for start, end in spans)
    return Traced(text, 10, 6, found, tuple(one.id for one in sources))


def test_of_many_sources_the_first_are_listed_and_the_others_counted(capsys, monkeypatch):
    sources = [source(f"s{number}", "A Title", number, copy=number == 2) for number in range(1, 8)]
    lines = shown(traced("abc def ghi", sources, [(0, 7)]), capsys, monkeypatch).splitlines()
    rows = [line.split() for line in lines if line.strip()][3:]
    assert rows[:3] == [
        ["1", "s1", "A", "Title", "3", "s1.txt"],
        ["s2", "A", "Title", "copy", "of", "s2.txt", "and", "1", "more"],
        ["s3", "A", "Title", "s3.txt", "and", "2", "more"],
    ]
    assert rows[5:] == [
        ["and", "2", "sources", "more"],
        ["1", "passage", "of", "7", "sources:", "6", "of", "10", "tokens", "(60.000", "%)."],
    ]


@pytest.mark.parametrize(("width", "is_shown"), [(80, True), (30, False)])
def test_titles_are_shown_where_there_is_room_for_them(capsys, monkeypatch, width, is_shown):
    page = shown(traced("abc def", [source("s1", "A Quite Long Title")], [(0, 7)]), capsys, monkeypatch, width)
    assert ("Title" in page) == is_shown
    assert "s1.txt" in page


def test_what_would_steer_a_terminal_does_not(capsys, monkeypatch):
    text = "a\x1b[2Jb\tc\r\nd\re"
    page = shown(traced(text, [source("s1", "\x1b[1mTitle\a")], [(0, 6)]), capsys, monkeypatch)
    assert page.startswith("[a\ufffd[2Jb][1]    c\nd\ufffde\n")
    assert "\ufffd[1mTitle\ufffd" in page
    assert "\x1b" not in page
