"""`--basis` and `--blend`, from what is typed or called to what is paid, explained, and written as a workbook."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import royaltycli
from royaltycli.cli import app
from royaltycli.distributing import BASES, basis_of
from royaltycli.errors import CallError
from royaltycli.policies.reading import MEASURES
from tests.cli import golden

USAGE = "source_id,credit\nbook,2.5\nessay,1.5\n(unattributed),16\n"
HOW = {"profit": "1000", "rate": "20%"}
SEEN = Fraction(4, 7)
"""The part of the book of all seen tokens: 200 of 350. Its part of the usage is 5/8."""


@pytest.fixture
def tokens(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    golden.make_tokens(tmp_path / "tokens.parquet")
    Path("usage.csv").write_text(USAGE, encoding="utf-8")
    return royaltycli.read_tokens()


def paid(rows):
    return dict(zip(rows.column(0).to_pylist(), rows["payout"].to_pylist(), strict=True))


def typed(command):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, shlex.split(command))
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout


@pytest.mark.parametrize("blend", ["0.3", "30%", ".3", "3/10", " 30 % ", Decimal("0.3"), Fraction(3, 10)])
def test_the_ways_to_give_a_blend(tokens, blend):
    rows = royaltycli.payout(tokens, blend=blend, usage="usage.csv", **HOW)
    book = 200 * (Fraction(3, 10) * Fraction(5, 8) + Fraction(7, 10) * SEEN)
    assert paid(rows) == {"book": Decimal("117.50"), "essay": Decimal("82.50")}
    assert book == Fraction(235, 2)


@pytest.mark.parametrize("blend", [0.5, 1.0, True, float("nan"), []])
def test_a_blend_that_is_a_float_is_refused(tokens, blend):
    with pytest.raises(CallError, match=r"^blend is .*; give it as text, int, Decimal or Fraction, which are exact$"):
        royaltycli.payout(tokens, blend=blend, usage="usage.csv", **HOW)


def test_the_bases_are_the_measures_of_a_policy_file():
    assert tuple(BASES.values()) == MEASURES
    for name, measure in BASES.items():
        usage = "usage.csv" if name == "usage" else None
        for written in (name, measure):
            assert basis_of(written, None, policy=None, usage=usage) == ((measure, 1),)


@pytest.mark.parametrize(
    ("basis", "book"),
    [("seen-tokens", "114.29"), ("tokens", "133.33"), ("works", "100.00"), ("bytes", "133.33"), ("usage", "125.00")],
)
def test_command_function_and_policy_file_pay_the_same(tokens, basis, book):
    usage = "usage.csv" if basis == "usage" else None
    by_function = paid(royaltycli.payout(tokens, basis=basis, usage=usage, **HOW))
    Path("mine.toml").write_text(f"[basis]\n{basis.replace('-', '_')} = 1\n", encoding="utf-8")
    by_policy = paid(royaltycli.payout(tokens, policy="mine.toml", usage=usage, **HOW))
    options = f"--basis {basis}" + (f" --usage {usage}" if usage else "")
    written = typed(f"payout --profit 1000 --rate 20% {options} --format jsonl --quiet")
    by_command = {row["source_id"]: Decimal(row["payout"]) for row in map(json.loads, written.splitlines())}
    assert by_command == by_function == by_policy == {"book": Decimal(book), "essay": 200 - Decimal(book)}


def test_usage_may_be_named_beside_its_blend(tokens):
    alone = royaltycli.payout(tokens, blend="1/3", usage="usage.csv", **HOW)
    assert alone.equals(royaltycli.payout(tokens, basis="usage", blend="1/3", usage="usage.csv", **HOW))
    everything = royaltycli.payout(tokens, blend=1, usage="usage.csv", **HOW)
    assert everything.equals(royaltycli.payout(tokens, basis="usage", usage="usage.csv", **HOW))
    nothing = royaltycli.payout(tokens, blend=0, usage="usage.csv", **HOW)
    assert nothing.equals(royaltycli.payout(tokens, **HOW))


@pytest.mark.parametrize(
    "how",
    [
        {"basis": "streams"},
        {"basis": 5},
        {"basis": "usage"},
        {"blend": "0.5"},
        {"blend": "1.5", "usage": "usage.csv"},
        {"basis": "seen-tokens", "blend": "0.5", "usage": "usage.csv"},
        {"usage": "usage.csv"},
        {"usage": 5},
        {"policy": 5},
        {"policy": "token-share", "basis": "seen-tokens"},
        {"policy": "token-share", "blend": 0, "usage": "usage.csv"},
        {"policy": "token-share", "usage": "usage.csv"},
    ],
)
def test_payout_and_explain_refuse_the_same_in_the_same_words(tokens, how):
    said = []
    for call in (royaltycli.payout, lambda tokens, **how: royaltycli.explain("book", tokens, **how)):
        with pytest.raises(royaltycli.RoyaltyError) as caught:
            call(tokens, **how, **HOW)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_comparison_takes_usage_for_those_policies_that_go_by_it(tokens):
    """By a gate, too: whoever has fewer uses than the gate asks for is paid nothing."""
    gate = '[basis]\ndocuments = 1\n[[gate]]\nminimum = { usage = 2 }\nto = "pool"\n'
    Path("gated.toml").write_text(gate, encoding="utf-8")
    rows = royaltycli.compare(["token-share", "gated.toml"], tokens, usage="usage.csv", details=True, **HOW)
    alone = royaltycli.compare(["token-share"], tokens, details=True, **HOW)
    assert rows["token-share"].equals(alone["token-share"])
    assert paid(royaltycli.payout(tokens, policy="gated.toml", usage="usage.csv", **HOW))["essay"] == 0


@pytest.mark.parametrize("how", [{"basis": "works"}, {"basis": "usage"}, {"blend": "1/3"}, {"blend": "0.123456789"}])
def test_what_is_explained_is_what_is_paid(tokens, how):
    usage = None if how == {"basis": "works"} else "usage.csv"
    rows = paid(royaltycli.payout(tokens, usage=usage, **how, **HOW))
    for source in ("book", "essay"):
        explained = royaltycli.explain(source, tokens, usage=usage, **how, **HOW)
        (whole,) = [step.amount for step in explained.steps if step.what == "comes to"]
        assert abs(Decimal(whole) - rows[source]) < Decimal("0.01")
        assert explained.policy.name == "plain"
    assert royaltycli.explain("book", tokens, basis="seen-tokens", **HOW).policy.name == "token-share"


def test_rule_h3_a_holder_is_explained_what_it_is_paid(tokens):
    """Of three tokens of five, of which each comes to 1.6 cents: 3 to 6 cents, as ties fall, and not always 5."""
    sources = [f"s{number}" for number in range(5)]
    held = [[{"id": "a" if number < 3 else f"b{number}", "name": "x", "share": "1"}] for number in range(5)]
    table = pa.table({name: tokens[name].take([0] * 5) for name in tokens.column_names}).replace_schema_metadata()
    for name, values in (("source_id", sources), ("holders", held), ("credited_tokens", [1] * 5)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.field(at), pa.array(values, table.field(at).type))
    shown = set()
    for period in map(str, range(2000, 2020)):
        how = {"profit": "0.08", "rate": 1, "period": period}
        last = royaltycli.explain("a", table, **how).steps[-1]
        assert Decimal(last.amount) == paid(royaltycli.payout(table, by="holder", **how))["a"]
        assert (last.what, last.how) == ("paid", "whole units, rounded source by source")
        shown.add(last.amount)
    assert len(shown) > 1
    listed = Path("holders.csv")
    listed.write_text("holder_id\na\n", encoding="utf-8")
    assert royaltycli.explain("a", table, holders=listed, **how).steps[-1].how == "whole units"


@pytest.mark.usefixtures("tokens")
def test_an_explanation_names_the_basis():
    said = typed("explain book -p 1000 -r 20% --blend 1/3 --usage usage.csv")
    assert "by the policy plain: 2/3 by seen tokens and 1/3 by usage, without further rules\n" in said.replace(
        " \n", " "
    )
    assert re.search(r"by usage +66\.66666667 × 2\.5 / 4 ", said)


@pytest.mark.usefixtures("tokens")
def test_a_workbook_says_what_shares_go_by():
    typed("payout -p 1000 -r 20% --blend 40% --usage usage.csv -o payout.xlsx")
    book = openpyxl.load_workbook("payout.xlsx")
    rules = {row[0].value: row[1].value for row in book["Policy"].iter_rows(min_row=2)}
    assert rules["Basis"] == "60 % by seen tokens and 40 % by usage"
    assert rules["Unattributed usage"] == "to the others"
    assert rules["Minimum payment"] == "none"
    assert [row[0].value for row in book["Payouts"].iter_rows(min_row=2)] == ["book", "essay"]
    typed("payout -p 1000 -r 20% --basis works -o payout.xlsx")
    rules = {row[0].value: row[1].value for row in openpyxl.load_workbook("payout.xlsx")["Policy"].iter_rows()}
    assert rules["Basis"] == "100 % by works"
    assert "Unattributed usage" not in rules


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize("listed", ["", "--holders holders.csv"])
@pytest.mark.parametrize("shared_by", ["--basis usage", "--blend 40%", "--policy used.toml"])
def test_a_payout_says_how_much_of_the_usage_is_nobodys(shared_by, listed):
    Path("holders.csv").write_text("holder_id\nann\n", encoding="utf-8")
    Path("used.toml").write_text('[basis]\nusage = "100%"\n', encoding="utf-8")
    said = CliRunner().invoke(app, shlex.split(f"payout -p 1000 -r 20% {shared_by} --usage usage.csv {listed}")).stderr
    assert "80 % of the usage is of no source, and shared among all; a policy can send it elsewhere" in said
    silent = CliRunner().invoke(app, shlex.split(f"payout -p 1000 -r 20% --blend 0 --usage usage.csv {listed}")).stderr
    assert "usage" not in silent
    Path("used.toml").write_text('[basis]\nusage = "100%"\n[usage]\nunattributed = "payer"\n', encoding="utf-8")
    elsewhere = "payout -p 1000 -r 20% --policy used.toml --usage usage.csv"
    assert "shared among all" not in CliRunner().invoke(app, shlex.split(elsewhere)).stderr


def test_a_list_of_holders_without_a_policy_goes_with_the_one_that_stands_for_none(tokens):
    Path("holders.csv").write_text("holder_id,withholding\nann,50%\n", encoding="utf-8")
    how = HOW | {"by": "holder", "holders": "holders.csv"}
    by_list = royaltycli.payout(tokens, **how)
    assert by_list == royaltycli.payout(tokens, policy="token-share", **how)
    assert sum(by_list["payout"].to_pylist()) == 200
    Path("works.toml").write_text('[basis]\nworks = "100%"\n[payment]\nrests = "round"\n', encoding="utf-8")
    by_works = royaltycli.payout(tokens, basis="works", **how)
    assert by_works == royaltycli.payout(tokens, policy="works.toml", **how) != by_list


@pytest.mark.usefixtures("tokens")
def test_a_workbook_says_by_which_policy_a_list_of_holders_went():
    Path("holders.csv").write_text("holder_id\nann\n", encoding="utf-8")
    typed("payout -p 1000 -r 20% --holders holders.csv --basis works -o payout.xlsx")
    book = openpyxl.load_workbook("payout.xlsx")
    rules = {row[0].value: row[1].value for row in book["Policy"].iter_rows()}
    assert (rules["Policy"], rules["Basis"]) == ("plain: 100 % by works, without further rules", "100 % by works")
    assert "SHA-256 of the policy" not in [row[0].value for row in book["Summary"].iter_rows()]


SAID = "No share goes by tokens, so the size of the whole run changes nothing; nothing is kept for the rest of it."


@pytest.mark.parametrize(
    "shared_by",
    ["--basis works", "--blend 1 --usage usage.csv", "--policy per-work", "--policy per-work --total-tokens 2000"],
)
def test_rules_b6_and_y6_a_payout_says_that_the_size_of_the_run_changes_nothing(tokens, shared_by):
    of_run = tokens.replace_schema_metadata({**(tokens.schema.metadata or {}), b"royalty.train_tokens": b"1000"})
    golden.write_parquet(Path("tokens.parquet"), of_run)
    run = CliRunner().invoke(app, shlex.split(f"payout -p 1000 -r 20% {shared_by}"))
    assert SAID in run.stderr.splitlines()
    assert "(not scanned)" not in run.stdout


@pytest.mark.usefixtures("tokens")
@pytest.mark.parametrize(
    "shared_by", ["--total-tokens 1000", "--policy token-share --total-tokens 1000", "--basis works"]
)
def test_where_it_does_or_is_not_known_nothing_is_said(shared_by):
    assert "whole run" not in CliRunner().invoke(app, shlex.split(f"payout -p 1000 -r 20% {shared_by}")).stderr


@pytest.mark.usefixtures("tokens")
def test_the_usage_that_a_payout_is_made_from_is_not_written_over():
    result = CliRunner().invoke(app, shlex.split("payout -p 1 -r 1 --basis usage --usage usage.csv -o usage.csv"))
    assert (result.exit_code, Path("usage.csv").read_text(encoding="utf-8")) == (2, USAGE)
