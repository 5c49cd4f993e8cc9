"""What people see on a terminal: each file of tests/cli/golden is a session, its width in its name.

A line that begins with `$` is typed, and what follows is left on the screen in the end, without blanks at
the ends of lines. After a change that is meant, `python -m tests.cli.test_tables` writes the files anew.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from royaltycli.cli import columns, console
from royaltycli.cli.console import counting, messages, tables
from royaltycli.corpus.opening import Opened

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is a thing of Unix", allow_module_level=True)

from tests.cli.terminal import COLOUR, royalty

GOLDEN = Path(__file__).parent / "golden"
SAMPLE = Path(__file__).parents[2] / "sample_corpora"
SESSIONS = sorted(path.name for path in GOLDEN.glob("*.txt"))

SPEED = re.compile(r"(?<=rate |time )([\d.]+ [kMG]?B/s, [\d.]+( [kMG])? tokens/s, in )?[\d.,]+ s$", re.MULTILINE)
"""The only thing on a screen that is not the same every time: how fast a scan was."""

DIGEST = re.compile(r"[0-9a-f]{17,}")
"""A SHA-256 or a line of one. Those of Parquet files depend on the version of pyarrow."""

TYPER = "0.29"
"""The help texts are laid out by typer, each version in its own way; the golden ones are this version's."""

ANSWER = """\
Ask him for bread, and he'll say: "I did not name him. He came with the name, in a jar, from a neighbour who was \
moving to Lisbon." Ask for a speech, and it begins: "We hold these truths to be self-evident, that all loaves are \
created equal."

\tनीम के नीचे का पुस्तकालय is a library \U0001f642, or so it is said. \x1b[2J
"""
"""What a model wrote, in part from the sample corpora, in part not."""

DEDUCTING = """\
name = "deducting"
deductions = { fee = "15%", withholding = "10%", reserve = "5%" }
payment = { minimum = "200.00" }
"""
"""A policy by which a holder's balance has more than two parts."""

BY_USAGE = """\
name = "by-usage"
basis = { seen_tokens = "50%", usage = "50%" }
usage = { unattributed = "escrow" }
"""
"""A policy by which statements have usage, and a usage table as `royalty attribute` makes them."""

USAGE = """\
source_id,credit
quire,0.250000000000
quantum-textbook,0.003100000001
(unattributed),0.746899999999
"""

CODES = {"", "0", "1", "2", "3", "22"}
"""What a terminal without colour still gets: bold, dim, italic, and their ends."""


def play(name, folder):
    """A session played again: the same commands, with what they show now."""
    _, columns_wide, *colour = name.removesuffix(".txt").split(".")
    text = ""
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("$ "):
            continue
        program, *args = shlex.split(line[2:])
        if program == "cat":
            shown = (folder / args[0]).read_text(encoding="utf-8")
        else:
            session = royalty(*args, folder=folder, columns=int(columns_wide), colour=bool(colour))
            shown = session.styled if colour else session.screen
            shown += f"[exit status {session.status}]\n" if session.status else ""
        text += f"{line}\n{DIGEST.sub(lambda found: '#' * len(found[0]), SPEED.sub('(how fast it was)', shown))}\n"
    return text


def prepare(folder):
    """What sessions start from: the sample corpora, counts, index, an answer, policies, usage, a folder without a manifest."""
    (folder / "sample_corpora").symlink_to(SAMPLE)
    shutil.copytree(SAMPLE / "books", folder / "books")
    assert royalty("scan", "sample_corpora", "--quiet", folder=folder).sent == ""
    assert royalty("index", "sample_corpora", "--quiet", folder=folder).sent == ""
    (folder / "answer.txt").write_text(ANSWER, encoding="utf-8")
    (folder / "deducting.toml").write_text(DEDUCTING, encoding="utf-8")
    (folder / "by-usage.toml").write_text(BY_USAGE, encoding="utf-8")
    (folder / "usage.csv").write_text(USAGE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("session"))


@pytest.mark.parametrize("name", SESSIONS)
def test_what_a_session_shows(place, name):
    if name.startswith("help") and not version("typer").startswith(TYPER):
        pytest.skip(f"the golden help was laid out by typer {TYPER}")
    assert play(name, place) == (GOLDEN / name).read_text(encoding="utf-8")


def renew():
    """Write all sessions anew."""
    with tempfile.TemporaryDirectory() as folder:
        place = prepare(Path(folder))
        for name in SESSIONS:
            (GOLDEN / name).write_text(play(name, place), encoding="utf-8")


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize(
    "command", ["shares", "payout --profit 500e6 --rate 0.2", "payout -p 1 -r 1 --by split", "trace answer.txt"]
)
def test_no_line_is_wider_than_the_terminal(place, command, width):
    screen = royalty(*command.split(), folder=place, columns=width).screen
    assert max(cell_len(line) for line in screen.splitlines()) <= width


NUMBER = re.compile(r"(?<![=\d.])\d[\d,.]*")
COMMANDS = [
    "shares --top 3",
    "payout --profit 500e6 --rate 0.2 --top 3",
    "payout --profit 500e6 --rate 0.2 --top 3 --by split",
    "check sample_corpora",
    "scan sample_corpora --top 3 -o again.parquet",
    "estimate --tokens 130k --profit 500e6 --rate 0.2",
    "estimate --list",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_numbers_are_whole_however_narrow_the_terminal_is(place, command):
    """It wraps the lines that are too long for it, but nothing is left out of a number."""
    wide, narrow = (royalty(*command.split(), folder=place, columns=width).screen for width in (200, 24))
    numbers = {number for number in NUMBER.findall(SPEED.sub("", wide)) if "," in number or "." in number}
    assert numbers
    assert numbers - set(NUMBER.findall(narrow)) == set()


def test_a_width_of_zero_is_none(place):
    """Some programs set COLUMNS to 0 where they know no width."""
    command = ["shares", "--top", "3"]
    before = "import os; os.environ['COLUMNS'] = '0'; "
    assert royalty(*command, folder=place, before=before).screen == royalty(*command, folder=place).screen
    assert "Usage" in royalty("--help", folder=place, before=before).screen


def test_no_color_leaves_no_colour(place):
    """https://no-color.org: colour goes, weight may stay."""
    command = ["payout", "--profit", "500e6", "--rate", "0.2"]
    without, coloured = (royalty(*command, folder=place, colour=colour).sent for colour in (False, True))
    assert {code for sequence in COLOUR.findall(without) for code in sequence[2:-1].split(";")} <= CODES
    assert COLOUR.sub("", coloured) == COLOUR.sub("", without)
    assert coloured != without


@pytest.mark.parametrize(
    ("number", "shown"),
    [("-0.02345078", "-0.02345078"), ("-1234.5", "-1,234.5"), ("1234", "1,234"), ("", ""), ("-", "-")],
)
def test_a_small_debt_stays_one(number, shown):
    assert tables.grouped(number) == shown


def test_a_list_that_is_cut_says_so(capsys):
    rows = pa.table({"holder_id": [f"h{place}" for place in range(30)], "payout": ["1.00"] * 30})
    console.show_rows(rows, console.ROWS)
    assert capsys.readouterr().out.rstrip().endswith("The first 25 of 30 rows; `--top 0` shows all.")
    console.show_rows(rows)
    assert "--top" not in capsys.readouterr().out


def test_payments_end_with_what_they_come_to(capsys):
    status = ["waiting", "returned", "paid", "waiting"]
    amounts = pa.array([Decimal("1000.05"), Decimal("2.00"), Decimal("3.10"), Decimal("0.95")], pa.decimal128(38, 2))
    rows = pa.table({"payout": amounts, "status": status, "currency": ["EUR"] * 4})
    console.show_sum(rows, "2026", aside=False)
    console.show_sum(rows.slice(1, 1), "2026", aside=False)
    console.show_sum(rows.slice(4), "2026", aside=True)
    shown = capsys.readouterr()
    assert shown.out == (
        "4 payments of 2026: 1,006.10 EUR = waiting 1,001.00 + paid 3.10 + returned 2.00\n"
        "1 payment of 2026: 2.00 EUR = returned 2.00\n"
    )
    assert shown.err == "0 payments of 2026\n"


def test_what_is_left_out_is_named(capsys):
    for skipped in ((), ("notes.pdf",), ("a.pdf", "b.pdf")):
        counting._say_left_out(Opened(None, (), skipped))
    said = "Left out, as no documents: notes.pdf.\nLeft out, as no documents: 2 files, such as a.pdf.\n"
    assert capsys.readouterr().err == said


# -- single tables ---------------------------------------------------------------------------------


def drawn(rows, width=80, measure="payout"):
    """The lines of a ranking by payout on a terminal without colour."""
    headers = {"source_id": "Source", "title": "Title", "tokens": "Tokens", "payout": "Payout"}
    page = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    listed = [dict(zip(headers, row, strict=True)) for row in rows]
    tables.show_ranking(page, listed, headers, measure)
    return [line.rstrip() for line in page.file.getvalue().splitlines()]


def test_wide_characters_keep_the_columns_in_line():
    rows = [("a", "巷口的修伞铺", 12, "3.00"), ("b", "नीम के नीचे का पुस्तकालय", 1, "2.00"), ("c", "plain", 1, "1.00")]
    lines = drawn(rows)
    assert [line.split()[-1] for line in lines[3:6]] == ["3.00", "2.00", "1.00"]
    assert len({cell_len(line) for line in lines[1:6]}) == 1


def test_a_long_title_of_wide_characters_is_cut_by_cells():
    lines = drawn([("a", "伞" * 80, 12, "3.00"), ("b", "x" * 200, 12, "2.00")])
    assert [cell_len(line) for line in lines[1:5]] == [79, 79, 79, 79]
    assert re.search("伞 ?…", lines[3])
    assert "x…" in lines[4]


def test_a_title_means_what_it_says():
    """No markup, no emoji codes, and nothing that steers the terminal."""
    lines = drawn([("a", "[bold]x[/bold] [/] :smile:", 1, "2.00"), ("b", "bell\a \x1b[2J red", 1, "1.00")])
    assert "[bold]x[/bold] [/] :smile:" in lines[3]
    assert "bell\ufffd \ufffd[2J red" in lines[4]


def test_spaces_of_any_width_stay_as_they_are():
    titles = ["巷口的\u3000修伞铺", "Prix\u00a0fixe", "12\u202f000"]
    shown = "\n".join(drawn([(str(number), title, 1, "2.00") for number, title in enumerate(titles)]))
    assert all(title in shown for title in titles)
    assert messages.clean("a\u2028b\u2029c\u0085d") == "a\ufffdb\ufffdc\ufffdd"


@pytest.mark.parametrize(("encoding", "bar"), [("ascii", "#"), ("utf-8", "█")])
def test_a_bar_is_drawn_with_what_the_terminal_has(encoding, bar):
    file = io.TextIOWrapper(io.BytesIO(), encoding, errors="replace")
    page = Console(file=file, width=80, highlight=False)
    tables.show_ranking(page, [{"source_id": "a", "tokens": 2}], {"source_id": "Source", "tokens": "Tokens"}, "tokens")
    file.flush()
    text = file.buffer.getvalue().decode(encoding)
    assert bar * 20 in text
    assert "?" not in text


def test_equal_shares_have_equal_bars_whatever_is_paid(place):
    screen = royalty("payout", "-p", "0", "-r", "1", folder=place).screen
    assert "█" in screen


@pytest.mark.parametrize(("asked", "shown"), [("1.5", "1.5 tokens"), ("1", "1 token"), ("130k", "130,000 tokens")])
def test_an_estimate_shows_the_size_that_it_computes_with(place, asked, shown):
    screen = royalty("estimate", "--tokens", asked, "--profit", "500e6", folder=place).screen
    assert re.search(rf"^work +{re.escape(shown)}$", screen, re.MULTILINE)


def test_titles_are_left_out_where_nobody_gave_one():
    assert drawn([("a", None, 1, "2.00")])[1].split() == ["Source", "Tokens", "Payout"]


def test_an_id_is_folded_only_where_it_must_be():
    row = [("x" * 40, None, 1, "2.00")]
    assert "x" * 40 in "".join(drawn(row, width=64))
    assert [line.split()[0] for line in drawn(row, width=40)[3:5]] == ["x" * 22, "x" * 18]


def test_where_ids_have_next_to_no_room_numbers_keep_theirs():
    lines = drawn([("x" * 15, "Title", 1_234_567, "12345678.00")], width=1)
    assert [line.split()[0] for line in lines[3:6]] == ["x" * 6, "x" * 6, "x" * 3]
    assert lines[3].split()[1:] == ["1,234,567", "12,345,678.00"]


def test_rows_in_parentheses_stand_at_the_foot_without_a_bar():
    lines = drawn([("(not scanned)", None, None, "9.00"), ("b", None, 1, "2.00")])
    assert [line.split()[0] for line in lines if line.strip() and "─" not in line] == ["Source", "b", "(not"]
    assert "█" * 20 in lines[3]
    assert "█" not in lines[5]


def test_a_licence_that_begins_and_ends_with_parentheses_is_one_like_others():
    lines = drawn([("(c) Ann (2026)", None, 4, "9.00"), ("(none)", None, 1, "2.00")])
    assert lines[3].split()[:3] == ["(c)", "Ann", "(2026)"]
    assert "█" * 20 in lines[3]
    assert "█" not in lines[5]


def test_a_line_breaks_neither_within_a_command_nor_before_a_number(monkeypatch):
    """Nor does a digest, which a narrow terminal wraps by itself; in a pipe a line is one."""
    page = Console(file=io.StringIO(), width=24)
    line = f"Run `royalty check books x` now: paid 28.00 + (not scanned) 9,971.13 digest {'a' * 30} ok"
    messages.print_line(page, Text(line))
    monkeypatch.setattr(page.file, "isatty", lambda: True, raising=False)
    messages.print_line(page, Text(line))
    assert page.file.getvalue().splitlines() == [
        line,
        "Run",
        "`royalty check books x`",
        "now: paid 28.00 + (not",
        "scanned) 9,971.13 digest",
        "a" * 30,
        "ok",
    ]


def test_nothing_to_draw():
    assert drawn([])[1].split() == ["Source", "Tokens", "Payout"]
    assert "█" not in "".join(drawn([("a", None, 0, "0.00")]))


naturals = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 60), min_size=1)


@given(room=st.integers(1, 250), natural=naturals, asides=st.sets(st.sampled_from("bdfh")))
def test_a_row_fits_on_one_line(room, natural, asides):
    """Unless the ids and numbers alone are too wide for it."""
    widths, bar = columns.fit(room, natural, asides)
    needed = [width for name, width in natural.items() if name not in asides]
    assert [width for name, width in widths.items() if name not in asides] == needed
    assert all(widths[name] <= natural[name] for name in widths)
    assert list(widths) == [name for name in natural if name in widths]
    assert bar == 0 or columns.BAR <= bar <= 2 * columns.BAR
    shown = [*widths.values(), *([bar] if bar else [])]
    if sum(needed) + columns.GAP * (len(needed) - 1) <= room:
        assert sum(shown) + columns.GAP * (len(shown) - 1) <= room


if __name__ == "__main__":
    renew()


def test_points_stand_below_each_other_and_below_a_header_of_any_script():
    header, cells = tables.on_points("均等分配ポリシー", [Text("2,000.00"), Text("-3.5"), Text("7")])
    assert [cell_len(text) for text in (header, *(cell.plain for cell in cells))] == [16] * 4
    assert [cell.plain.rstrip() for cell in cells] == ["        2,000.00", "           -3.5", "            7"]
    assert tables.on_points("USD", []) == ("USD", [])


def test_columns_that_have_no_room_beside_each_other_make_several_tables(capsys):
    narrow = Console(width=20)
    keys = [tables.Column("Holder", ["a", "b"])]
    amounts = [tables.Column(name, ["1,000.00", "2.00"], "right") for name in ("Paid", "Reserve")]
    tables.print_beside(narrow, keys, amounts)
    shown = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]
    assert shown == [
        ["Holder", "Paid"],
        ["a", "1,000.00"],
        ["b", "2.00"],
        ["Holder", "Reserve"],
        ["a", "1,000.00"],
        ["b", "2.00"],
    ]
    tables.print_beside(narrow, [tables.Column("Holder", [])], [replace(each, cells=[]) for each in amounts])
    assert capsys.readouterr().out.count("Holder") == 1
