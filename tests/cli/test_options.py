"""Where a result goes, and in which format: `--format`, `-o` and its endings, pipes and terminals."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import royaltycli
from royaltycli.cli import app
from royaltycli.storage import read_sealed, write_parquet
from tests.report.hostile import texts, tokens

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is a thing of Unix", allow_module_level=True)

from royaltycli.tokens.table import SCHEMA, with_metadata
from tests.cli.terminal import COLOUR, ENVIRONMENT, ROYALTY, piped, royalty

MONEY = ["--profit", "500e6", "--rate", "0.2"]
PROOF = "pool 100,000,000.00 USD = paid 100,000,000.00\n"


@pytest.fixture(scope="module")
def table():
    """The token table of a hostile corpus."""
    made = tokens()
    rest = {
        "documents": [1] * len(made),
        "bytes": made["tokens"],
        "credited_tokens": made["tokens"],
        "digest": pa.array([bytes(32)] * len(made), pa.binary(32)),
    }
    columns = {**dict(zip(made.column_names, made.columns, strict=True)), **rest}
    return with_metadata(pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA), schema="2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, table):
    place = tmp_path_factory.mktemp("options")
    write_parquet(place / "tokens.parquet", table)
    return place


@pytest.fixture
def typed(folder, monkeypatch):
    """Types a command in the folder, into a pipe: its exit status, standard output as bytes, and standard error."""
    monkeypatch.chdir(folder)

    def run(*args):
        result = CliRunner().invoke(app, args, prog_name="royalty")
        return result.exit_code, result.stdout_bytes, result.stderr

    return run


def payout_rows(table):
    return royaltycli.payout(table, profit="500e6", rate="0.2")


READERS = {
    "csv": lambda data: list(csv.reader(io.StringIO(data.decode(), newline="")))[1:],
    "json": lambda data: [list(row.values()) for row in json.loads(data)],
    "jsonl": lambda data: [list(json.loads(line).values()) for line in data.decode().split("\n")[:-1]],
    "parquet": lambda data: texts(pq.read_table(pa.BufferReader(data))),
    "markdown": lambda data: [line.split(" | ") for line in data.decode().split("\n")[2:-1]],
}
ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".parquet": "parquet", ".md": "markdown"}


def payouts(kind, data):
    """The last but one column, which is the payout, as text."""
    return [str(row[-2]) for row in READERS[kind](data)]


@pytest.mark.parametrize(("ending", "kind"), ENDINGS.items())
def test_the_ending_of_a_file_picks_the_format(typed, folder, table, ending, kind):
    assert typed("payout", *MONEY, "-o", f"rows{ending}") == (0, b"", PROOF)
    data = (folder / f"rows{ending}").read_bytes()
    assert payouts(kind, data) == [row[-2] for row in texts(payout_rows(table))]


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("to", [[], ["-o", "-"]])
def test_format_picks_it_for_a_pipe(typed, folder, kind, to):
    typed("payout", *MONEY, "-o", f"rows.{kind}", "--format", kind)
    status, data, said = typed("payout", *MONEY, "--format", kind, *to)
    assert (status, said) == (0, PROOF)
    assert data == (folder / f"rows.{kind}").read_bytes()


def test_csv_is_for_pipes_and_a_table_for_terminals(typed, folder):
    assert typed("shares")[1] == typed("shares", "--format", "csv")[1]
    assert typed("shares")[1] == piped("shares", folder=folder).stdout
    assert "───" in royalty("shares", folder=folder).screen
    assert typed("shares", "--format", "table")[1].count("─".encode()) > 40


def test_format_wins_over_the_ending(typed, folder):
    assert typed("shares", "-o", "rows.txt", "--format", "json")[0] == 0
    assert isinstance(json.loads((folder / "rows.txt").read_bytes()), list)
    assert typed("shares", "-o", "rows.csv", "--format", "jsonl")[0] == 0
    assert (folder / "rows.csv").read_bytes().startswith(b'{"source_id"')


def test_endings_are_the_same_in_capitals(typed, folder):
    assert typed("shares", "-o", "ROWS.CSV")[0] == 0
    assert (folder / "ROWS.CSV").read_bytes() == typed("shares", "--format", "csv")[1]


MISTAKES = [
    (
        ["-o", "rows.xls"],
        "rows.xls has none of the endings .csv, .json, .jsonl, .parquet, .md, .xlsx; use one of them, or say `--format`",
    ),
    (
        ["-o", "rows"],
        "rows has none of the endings .csv, .json, .jsonl, .parquet, .md, .xlsx; use one of them, or say `--format`",
    ),
    (["--format", "xml"], "format is 'xml'; it must be one of table, csv, json, jsonl, parquet, markdown, xlsx"),
    (
        ["--format", "table", "-o", "rows.csv"],
        "a table is for the terminal; for a file use `--format markdown`, csv, json, jsonl, parquet or xlsx",
    ),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES)
def test_what_cannot_be_written(typed, folder, options, message):
    before = sorted(folder.iterdir())
    assert typed("shares", *options) == (2, b"", f"error: {message}\n")
    assert sorted(folder.iterdir()) == before


def test_parquet_is_not_for_a_terminal(folder):
    session = royalty("shares", "--format", "parquet", folder=folder)
    assert session.status == 2
    assert session.screen == "error: Parquet is not for a terminal; name a file with `-o`, or pipe it on\n"


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "markdown", "table"])
@pytest.mark.parametrize("more", [[], ["--raw"]])
def test_no_character_of_the_corpus_steers_a_terminal(folder, kind, more):
    """In a file and a pipe every character is as it is: what is lossless for a program could move a cursor here."""
    for command in (["payout", *MONEY], ["shares", "--by", "holder"]):
        session = royalty(*command, "--format", kind, *more, folder=folder)
        assert session.status == 0
        shown = COLOUR.sub("", session.sent).replace("\r\n", "")
        spaces_and_joiners = "\u00a0\u3000\u200c\u200d"  # of other widths, and what emoji need
        assert [letter for letter in shown if not letter.isprintable() and letter not in spaces_and_joiners] == []
        assert "\ufffd" in shown


def test_an_output_on_a_terminal_is_else_what_goes_into_a_pipe(folder):
    shown = royalty("shares", "--format", "csv", "--top", "3", folder=folder).sent.replace("\r\n", "\n")
    assert shown.encode() == piped("shares", "--format", "csv", "--top", "3", folder=folder).stdout


def test_parquet_in_a_pipe_is_sealed_like_a_file(folder, tmp_path):
    path = tmp_path / "piped.parquet"
    path.write_bytes(piped("payout", *MONEY, "--format", "parquet", folder=folder).stdout)
    assert read_sealed(path).num_rows > 0


def test_raw_leaves_titles_alone(typed):
    assert b",'=cmd|" in typed("shares")[1]
    assert b",=cmd|" in typed("shares", "--raw")[1]


def test_into_a_pipe_come_all_rows_unless_top_says_otherwise(typed, table):
    assert len(READERS["csv"](typed("payout", *MONEY)[1])) == table.num_rows
    assert len(READERS["csv"](typed("payout", *MONEY, "--top", "0")[1])) == table.num_rows
    largest = READERS["csv"](typed("payout", *MONEY, "--top", "2")[1])
    assert [row[0] for row in largest] == ["(other sources)", "s068", "s067"]


@pytest.mark.parametrize(("top", "others"), [("0", 0), ("2", 2), ("4", 0)])
def test_the_summary_of_a_scan_lists_every_source_for_none(tmp_path, monkeypatch, top, others):
    entries = [f'[[source]]\nid = "{name}"\npath = "{name}.txt"\n' for name in "abcd"]
    (tmp_path / "corpus.toml").write_text("".join(entries), encoding="utf-8")
    for name in "abcd":
        (tmp_path / f"{name}.txt").write_text("One day.", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["scan", "--top", top, "--verify", "0"]).stdout
    assert ("others)" in shown) == (others > 0)
    assert len(re.findall(r"^ *[a-d] .* 25\.000 %", shown, re.MULTILINE)) == 4 - others


def test_quiet_keeps_the_proof_to_itself(typed):
    loud, silent = typed("payout", *MONEY), typed("payout", *MONEY, "--quiet")
    assert (loud[1], loud[2]) == (silent[1], PROOF)
    assert silent[2] == ""


def test_a_reader_that_has_had_enough_is_no_error(folder):
    """`royalty shares | head -1`, which Unix ends with a closed pipe."""
    command = [sys.executable, "-c", ROYALTY, "shares", "--format", "json"]
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
