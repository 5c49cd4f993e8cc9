"""docs/files.md has the columns of every table, in their order and with their types, and all metadata."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import royaltycli
from royaltycli.report.csv import FREE_TEXT
from tests.docs.pages import ROOT
from tests.docs.tables import code, rows_under

PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "sample_corpora"
PAYOUTS, SHARES = ("source", "holder", "split"), ("source", "holder", "license", "collection")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.parquet"
    royaltycli.scan(SAMPLE, output=path, verify=0)
    return royaltycli.read_tokens(path)


def columns(heading):
    return [(code(row[0])[0], code(row[1])[0]) for row in rows_under(PAGE, heading)]


def types(table):
    return [(field.name, str(field.type)) for field in table.schema]


def test_tokens_parquet(tokens):
    assert columns("## tokens.parquet") == types(tokens)


@pytest.mark.parametrize("by", PAYOUTS)
def test_payouts(tokens, by):
    assert columns(f"### payout --by {by}") == types(royaltycli.payout(tokens, profit=1, rate=1, by=by))


@pytest.mark.parametrize("by", SHARES)
def test_shares(tokens, by):
    assert columns(f"### shares --by {by}") == types(royaltycli.shares(tokens, by=by))


def test_metadata(folder):
    files = {
        "corpus.toml": '[corpus]\nname = "n"\ntrain_tokens = 9\nsources = "list.csv"\n',
        "list.csv": "id,path\na,a.txt\n",
        "a.txt": "a",
    }
    place = folder(files)
    royaltycli.scan(place, output=place / "tokens.parquet")
    written = sorted(key.decode() for key in pq.read_metadata(place / "tokens.parquet").metadata)
    assert sorted(key for key in code(PAGE) if key.startswith("royalty.")) == written


def test_rows_in_parentheses(tokens):
    """Every such id that a result can hold is on the page, and every one on the page comes up."""
    ids = set()
    for by in PAYOUTS:
        rows = royaltycli.payout(tokens, profit="500e6", rate=1, by=by, total_tokens="300e9", top=1)
        ids |= set(rows.column(0).to_pylist())
    for by in SHARES:
        for top in (1, None):
            ids |= set(royaltycli.shares(tokens, by=by, total_tokens="300e9", top=top).column(0).to_pylist())
    without = tokens.set_column(tokens.schema.get_field_index("license"), "license", pa.nulls(len(tokens), pa.string()))
    ids |= set(royaltycli.shares(without, by="license")["license"].to_pylist())
    assert {name for row in rows_under(PAGE, "## Order, and rows in parentheses") for name in code(row[0])} == {
        name for name in ids if name.startswith("(")
    }


def test_rows_of_policies():
    """Every place that rule Y2 lets money go to."""
    rules = (ROOT / "docs" / "spec-policy.md").read_text(encoding="utf-8").splitlines()
    (places,) = (code(line) for line in rules if line.startswith("- **Y2** "))
    assert len(places) > 8
    assert [name for name in places if f"`{name}`" not in PAGE] == []


def test_free_text():
    assert f"Free text ({', '.join(f'`{name}`' for name in FREE_TEXT)})" in PAGE
