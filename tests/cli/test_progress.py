"""A long scan shows how far it is while a person watches, and leaves nothing of that behind."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import time

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from royaltycli.cli import app, console
from royaltycli.cli.console import progress

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is a thing of Unix", allow_module_level=True)

from tests.cli.golden import make_sources
from tests.cli.terminal import COLOUR, piped, replay, royalty
from tests.ledger.corpora import Ledger

FRAME = re.compile(
    r"(?P<percent>[ \d]{3})% (?P<done>[\d.]+ (?:bytes|[kMGT]B)) of (?P<all>[\d.]+ (?:bytes|[kMGT]B))"
    r"  (?P<rate>(?:[\d.]+ (?:bytes|[kMGT]B)/s)?)  (?P<tokens>[\d,]+) tokens (?P<left>\S+)"
)
"""What is shown beside the bar: part, bytes done of all, rate, tokens, and time left."""

SMALL_BATCHES = (
    "import royaltycli.corpus.text as text, royaltycli.tokens.count as count; "
    "text.READ_BYTES = count.BATCH_BYTES = 1 << 17; "
)
"""So that a small corpus is long work: progress is told after each batch."""

SCAN = ["scan", "--engine", "tiktoken", "--workers", "1", "--verify", "0", "--top", "1"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three million bytes in 60 files."""
    folder = tmp_path_factory.mktemp("progress")
    (folder / "texts").mkdir()
    for number in range(60):
        text = "".join(f"Line {number * line} of text number {number}.\n" for line in range(2000))
        (folder / "texts" / f"{number}.txt").write_text(text[:50_000], encoding="utf-8")
    (folder / "corpus.toml").write_text('[[source]]\nid = "texts"\npath = "texts"\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def watched(corpus):
    return royalty(*SCAN, folder=corpus, before=SMALL_BATCHES)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A token table of 20,000 sources."""
    folder = tmp_path_factory.mktemp("many")
    make_sources(folder / "tokens.parquet", 20_000)
    return folder


def frames(sent):
    return [match.groupdict() for match in FRAME.finditer(COLOUR.sub("", sent))]


def test_progress_has_bytes_tokens_rate_and_time_left(watched):
    shown = frames(watched.sent)
    assert {frame["all"] for frame in shown} == {"3.0 MB"}
    parts = [int(frame["percent"]) for frame in shown]
    assert parts == sorted(parts)
    between = [frame for frame in shown if 0 < int(frame["percent"]) < 100]
    assert between
    assert all(int(frame["tokens"].replace(",", "")) > 0 for frame in between)
    assert any(frame["rate"] and re.fullmatch(r"\d+:\d\d(:\d\d)?", frame["left"]) for frame in between)


def test_nothing_of_it_is_left_on_the_screen(watched):
    lines = watched.screen.splitlines()
    assert lines[0] == "Corpus  o200k_base, by tiktoken"
    assert lines[-1] == "Wrote tokens.parquet."
    assert not frames(watched.screen)
    assert not [line for line in lines if "━" in line]
    assert watched.sent.count("\x1b[?25l") == watched.sent.count("\x1b[?25h") == 1  # the cursor is there again


def test_quiet_shows_nothing(corpus):
    assert royalty(*SCAN, "--quiet", folder=corpus).sent == ""


def test_a_pipe_is_shown_no_progress(corpus):
    done = piped(*SCAN, "--fresh", folder=corpus)
    assert done.stderr.decode() == (
        "No document is a copy of another.\n"
        "Note: nothing was recounted, as tiktoken is itself what counts are checked against.\n"
        "Note: counted with tiktoken, which is slower than gigatoken but counts the same.\n"
        "Wrote tokens.parquet.\n"
    )
    assert b"\x1b" not in done.stdout


def test_progress_goes_to_standard_error(corpus):
    """With standard output in a pipe a person still sees it."""
    done = royalty(*SCAN, "--fresh", folder=corpus, before=SMALL_BATCHES, into=corpus / "summary.txt")
    assert frames(done.sent)
    assert (corpus / "summary.txt").read_text(encoding="utf-8").startswith("Corpus  o200k_base, by tiktoken\n")


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.md", "rows.csv"])
def test_many_rows_show_how_far_they_are(many, name):
    session = royalty("shares", "-o", name, folder=many)
    assert session.status == 0
    assert re.search(r"100% [\d,]+ of 20,000 rows", COLOUR.sub("", session.sent)) is not None
    assert not session.screen.strip()


@pytest.mark.parametrize("args", [["-o", "few.md", "--top", "9000"], ["-f", "csv"], ["-o", "rows.parquet"]])
def test_few_rows_and_those_on_the_screen_do_not(many, args):
    assert "of 20,000 rows" not in COLOUR.sub("", royalty("shares", *args, folder=many).sent)


@pytest.mark.parametrize(
    "command", ["payout -p 1e6 -r 1", "shares", "compare token-share -p 1e6 -r 1 --details", "sweep -p 1e6 -r 5%..10%"]
)
def test_quiet_shows_nothing_of_many_rows(many, command):
    assert royalty(*command.split(), "-o", "rows.md", "--quiet", folder=many).sent == ""


def watched_by(monkeypatch):
    """A terminal in the place of standard error."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    return screen


@pytest.mark.parametrize("columns", [80, 120])
def test_the_largest_figures_fit_the_line(monkeypatch, columns):
    """A corpus of 15 terabytes on a terminal of 80 columns: the bar gives way, the time left does not."""
    screen = watched_by(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(columns))
    with console.scanning(quiet=False) as watch:
        watch.expect(15 * 10**12)
        for _ in range(3):
            watch.tick(3 * 10**12, 1_234_567_890_123, 10**6)
            time.sleep(0.15)
    drawn = COLOUR.sub("", screen.getvalue()).split("\x1b[2K")
    assert max(cell_len(line.split("\n")[0].split("\r")[0]) for line in drawn) <= columns
    assert any(frame["rate"] and ":" in frame["left"] for frame in frames(screen.getvalue()))
    assert not "".join(replay(screen.getvalue())).strip()


def interrupted(screen):
    """Ctrl-C once a person was told what is being waited for."""
    with console.waiting("looking for files", quiet=False):
        while "looking for files" not in COLOUR.sub("", screen.getvalue()):
            time.sleep(0.01)
        raise KeyboardInterrupt


def test_what_takes_a_second_is_said_to_be_done_and_wiped(monkeypatch):
    screen = watched_by(monkeypatch)
    monkeypatch.setattr(progress, "AFTER", 0.01)
    with pytest.raises(KeyboardInterrupt):
        interrupted(screen)
    assert not "".join(replay(screen.getvalue())).strip()
    assert screen.getvalue().count("\x1b[?25l") == screen.getvalue().count("\x1b[?25h") == 1


def test_what_takes_less_is_not(monkeypatch):
    screen = watched_by(monkeypatch)
    monkeypatch.setattr(progress, "AFTER", 3600)
    with console.waiting("looking for files", quiet=False):
        pass
    assert screen.getvalue() == ""


def test_a_step_of_unknown_length_shows_no_part_and_no_time_left(monkeypatch):
    screen = watched_by(monkeypatch)
    with console.doing(quiet=False) as tell:
        tell("reading", 50, 100)
        time.sleep(0.15)
        tell("looking for copies", 0, 0)
        time.sleep(0.15)
    drawn = COLOUR.sub("", screen.getvalue())
    assert re.search(r"reading [-\d]+:[-\d]+", drawn) is not None
    assert "looking for copies" in drawn
    assert re.search(r"looking for copies [-\d]+:[-\d]+", drawn) is None


LEDGER = {
    "payments 2026": "reading the ledger",
    "balance": "reading the ledger",
    "unclaimed": "reading the ledger",
    "statement a 2026": "reading the ledger",
    "statement --all 2026 -o statements": "reading the ledger",
    "settle 2026 --all --paid": "marking payments",
    "transfer a b": "transferring",
    "release b": "releasing escrow",
    "redistribute --age 1 --to payer": "redistributing escrow",
}


@pytest.mark.parametrize("call", LEDGER)
def test_what_reads_a_ledger_says_so_once_it_takes_a_second(tmp_path, monkeypatch, call):
    """A ledger of a hundred thousand holders takes seconds to read."""
    ledger = Ledger(tmp_path)
    ledger.close("2026", 10, ("x", 1, {"a": "1"}), ("y", 1, {"b": "1"}), holders="holder_id,reachable\nb,no\n")
    ledger.close("2027", 0, ("x", 1, {"a": "1"}))
    said = []
    monkeypatch.setattr(console, "waiting", lambda words, *, quiet: contextlib.nullcontext(said.append((words, quiet))))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, [*call.split(), "-q"]).exit_code == 0
    assert said == [(LEDGER[call], True)]
