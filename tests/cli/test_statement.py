"""`royalty statement` and `royalty payout -o payout.xlsx`, typed."""

from __future__ import annotations

import json
import shlex

import openpyxl
import pytest
from typer.testing import CliRunner

from royaltycli.cli import app
from royaltycli.errors import CallError
from royaltycli.report.statements.sender import read_contacts, read_sender
from tests.cli import golden
from tests.ledger.corpora import Ledger

PAYER = '[payer]\nname = "Society"\nemail = "m@society.example"\n[use]\ntype = "training of models"\n'
SOURCES = [("s1", 600, {"a": "1/3", "b": "2/3"}), ("s2", 400, {"a": "1"})]


@pytest.fixture
def typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(command):
        result = CliRunner(env={"COLUMNS": "100"}).invoke(app, shlex.split(command))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def closed(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.close("2026-Q1", 100, *SOURCES)
    (tmp_path / "payer.toml").write_text(PAYER, encoding="utf-8")
    return tmp_path


def test_one_statement_in_every_form(typed, closed):
    status, output, _ = typed("statement a 2026-Q1")
    read = json.loads(output)
    assert (status, read["paid"], read["payer"]["name"], read["type_of_use"]) == (
        0,
        "60.00",
        "Society",
        "training of models",
    )
    status, text, _ = typed("statement a 2026-Q1 -f text")
    assert status == 0
    assert [line.split()[-1] for line in text.splitlines() if line.strip().startswith(("Paid ", "Opening"))][:2] == [
        "0.00",
        "−60.00",
    ]
    for ending, start in ((".html", b"<!DOCTYPE html>"), (".pdf", b"%PDF-"), (".json", b"{")):
        assert typed(f"statement a 2026-Q1 -o it{ending}") == (0, "", "")
        assert (closed / f"it{ending}").read_bytes().startswith(start)
    assert json.loads((closed / "it.json").read_bytes()) == read


def test_all_statements(typed, closed):
    (closed / "contacts.csv").write_text("email,holder_id\nb@x.example,b\n", encoding="utf-8")
    status, output, said = typed("statement --all 2026-Q1 -o out -f json,html --contacts contacts.csv")
    assert (status, output) == (0, "")
    assert said == "2 statements in out; open out/index.html\n"
    assert sorted(path.name for path in (closed / "out").iterdir()) == [
        "a.html", "a.json", "b.html", "b.json", "index.csv", "index.html",
    ]  # fmt: skip
    assert json.loads((closed / "out" / "b.json").read_bytes())["holder"]["contacts"] == {"email": "b@x.example"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("statement a 2026-Q1 -o it.doc", "a statement cannot be written as 'doc'; use one of html, pdf, json"),
        ("statement a 2026-Q1 -f doc", "a statement cannot be written as 'doc'; use one of text, html, pdf, json"),
        (
            "statement --all 2026-Q1 -o out -f html,text",
            "a statement cannot be written as 'text'; use one of html, pdf, json",
        ),
        (
            "statement --all 2026-Q1 -o s3://b/c",
            "the statements of all holders go into a folder here; name one with `-o`",
        ),
        ("statement z 2026-Q1", "the ledger knows no holder z; `royalty balance` lists them"),
        ("statement a 2027", "period 2027 has not been closed; the last is 2026-Q1"),
        (
            "statement a 2026-Q1 --payer no.toml",
            "no.toml cannot be read (no such file or directory); name another file",
        ),
    ],
)
def test_what_cannot_be_asked(typed, closed, command, said):
    before = golden.snapshot(closed)
    assert typed(command) == (2, "", f"error: {said}\n")
    assert golden.snapshot(closed) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[payer", "p.toml is no TOML (…); correct it"),
        ("[payer]\n", 'p.toml names no payer; write its name below [payer], such as name = "A Society"'),
        (
            '[payer]\nname = "S"\nfax = "1"\n',
            "p.toml has fax = '1' below [payer]; it takes name, address, email, telephone, website, register, each a text",
        ),
        (
            "[payer]\nname = 3\n",
            "p.toml has name = 3 below [payer]; it takes name, address, email, telephone, website, register, each a text",
        ),
        ('[payer]\nname = "S"\n[rules]\n', "p.toml has the unknown key rules; it has the tables payer and use"),
    ],
)
def test_a_payer_that_is_wrong(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    path = tmp_path.joinpath("p.toml").relative_to(tmp_path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CallError) as caught:
        read_sender(path)
    start, _, end = said.partition("…")
    assert str(caught.value).startswith(start)
    assert str(caught.value).endswith(end)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,email\n", "must have a column holder_id, none twice, and commas between; correct its first line"),
        (
            "holder_id,email,email\n",
            "must have a column holder_id, none twice, and commas between; correct its first line",
        ),
        ("holder_id,email\na\n", "c.csv:2: the row has not as many cells as the header; correct it"),
        ("holder_id,email\na,x\na,y\n", "c.csv:3: a is named a second time; keep one of the rows"),
        ('holder_id,email\na,"x\n', "c.csv is no CSV in UTF-8"),
    ],
)
def test_contacts_that_are_wrong(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    path = tmp_path.joinpath("c.csv").relative_to(tmp_path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CallError) as caught:
        read_contacts(path)
    assert said in str(caught.value)


def test_a_payout_as_a_workbook(typed, tmp_path):
    golden.make_tokens(tmp_path / "tokens.parquet")
    status, output, said = typed("payout --profit 500e6 --rate 0.2 --period 2026 -o payout.xlsx")
    assert (status, output) == (0, "")
    assert said.startswith("pool 100,000,000.00 USD = paid ")
    book = openpyxl.load_workbook(tmp_path / "payout.xlsx")
    assert book.sheetnames == ["Summary", "Payouts", "Holders", "Policy"]
    assert [book["Summary"].cell(row, 2).value for row in range(2, 7)] == [500_000_000, 0.2, 100_000_000, "USD", "2026"]
    status, _, _ = typed("payout --profit 500e6 --rate 0.2 --policy token-share --by split -o by-policy.xlsx -q")
    book = openpyxl.load_workbook(tmp_path / "by-policy.xlsx")
    assert (status, book.sheetnames[3]) == (0, "Splits")
    assert book["Policy"]["B2"].value.startswith("token-share: ")
    assert "SHA-256 of the policy" in {row[0].value for row in book["Summary"].iter_rows()}


@pytest.mark.usefixtures("typed")
def test_a_workbook_in_a_pipe_is_its_bytes(tmp_path):
    golden.make_tokens(tmp_path / "tokens.parquet")
    result = CliRunner().invoke(app, shlex.split("payout --profit 500e6 --rate 0.2 -f xlsx -q"))
    assert result.stdout_bytes.startswith(b"PK")
