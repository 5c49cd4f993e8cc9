"""Co-holders that divide a source by a ratio such as 2:1: the exact shares of it, wherever holders are written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from royaltycli import api
from royaltycli.errors import Place
from royaltycli.manifest.fields import Entry
from royaltycli.manifest.model import HolderShare
from royaltycli.manifest.shares import RATIO_DIGITS, holder_shares, parse_cell
from tests.manifest.test_lists import parquet

TWO_TO_ONE = (HolderShare("x", Fraction(2, 3)), HolderShare("y", Fraction(1, 3)))
ROW = {"id": "a", "path": "a.txt"}
LARGEST = 10**RATIO_DIGITS - 1


def structs(two, one, **more):
    return {**ROW, "holders": [{"id": "x", "ratio": two, **more}, {"id": "y", "ratio": one, **more}]}


def read_holders(holders):
    """The shares of holders as a manifest has them, and what is said of them."""
    entry = Entry("source", {"id": "a", "holders": holders}, Place("corpus.toml", 1), [])
    return holder_shares(entry), [str(problem) for problem in entry.problems]


@pytest.mark.parametrize(
    "holders",
    [
        '[{ id = "x", ratio = 2 }, { id = "y", ratio = 1 }]',
        '[{ id = "x", ratio = "2" }, { id = "y", ratio = "1" }]',
        '[{ id = "x", ratio = 20 }, { id = "y", ratio = 10 }]',
    ],
)
@pytest.mark.parametrize("kind", ["source", "collection"])
def test_a_ratio_in_a_manifest(read, kind, holders):
    path = {"source": 'path = "a.txt"', "collection": 'path = "p.jsonl"\nsource = "author"'}[kind]
    corpus = read(f'[[{kind}]]\nid = "a"\n{path}\nholders = {holders}', {"a.txt": "a", "p.jsonl": [{"text": "t"}]})
    assert (corpus.sources or corpus.collections)[0].holders == TWO_TO_ONE


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", "id,path,holders\na,a.txt,x:2;y:1\n"),
        ("l.csv", "id,path,holders\na,a.txt, x : 2 ; y : 1\n"),
        ("l.jsonl", [structs(2, 1)]),
        ("l.jsonl", [{**ROW, "holders": "x:2;y:1"}]),
        ("l.parquet", parquet([structs(2, 1, share=None)])),
        ("l.parquet", parquet([structs(Decimal("2.00"), Decimal("1.00"))])),
        ("l.parquet", parquet([{**ROW, "holders": "x:2;y:1"}])),
    ],
)
def test_a_ratio_in_every_kind_of_list(read, name, content):
    assert read(f'corpus.sources = "{name}"', {"a.txt": "a", name: content}).sources[0].holders == TWO_TO_ONE


def test_a_list_whose_rows_are_written_in_different_ways(read):
    parts = [{"id": "x", "ratio": 3, "share": None}], [{"id": "x", "ratio": None, "share": "1"}]
    rows = [{"id": f"s{number}", "path": f"{number}.txt", "holders": part} for number, part in enumerate(parts)]
    corpus = read('corpus.sources = "l.parquet"', {"l.parquet": parquet(rows)})
    assert [source.holders for source in corpus.sources] == [(HolderShare("x", Fraction(1)),)] * 2


def test_the_token_table_has_the_exact_shares_as_texts(folder):
    text = '[[source]]\nid = "{0}"\npath = "{0}.txt"\nholders = [{1}]\n'
    ratios = {"song": (2, 5, 11), "tune": (1, 4)}
    holders = {name: ", ".join(f'{{ id = "h{part}", ratio = {part} }}' for part in of) for name, of in ratios.items()}
    manifest = "".join(text.format(*item) for item in holders.items())
    tokens = api.scan(folder({"corpus.toml": manifest, "song.txt": "la", "tune.txt": "la"}) / "corpus.toml")
    shares = [[holder["share"] for holder in of] for of in tokens["holders"].to_pylist()]
    assert shares == [["1/9", "5/18", "11/18"], ["0.2", "0.8"]]


@given(parts=st.lists(st.integers(1, LARGEST // 10), min_size=1, max_size=9))
def test_a_to_b_to_c_is_the_fractions_a_b_and_c_of_their_sum(parts):
    """Also as a cell of a list, and as shares that are written as these fractions."""
    whole = sum(parts)
    ids = [f"h{number}" for number in range(len(parts))]
    expected = tuple(HolderShare(holder, Fraction(part, whole)) for holder, part in zip(ids, parts, strict=True))
    pairs = list(zip(ids, parts, strict=True))
    assert read_holders([{"id": holder, "ratio": part} for holder, part in pairs]) == (expected, [])
    assert read_holders(parse_cell(";".join(f"{holder}:{part}" for holder, part in pairs))) == (expected, [])
    assert read_holders(parse_cell(";".join(f"{holder}={part}/{whole}" for holder, part in pairs))) == (expected, [])
    assert sum(part.share for part in expected) == 1


@given(part=st.integers(1, LARGEST), size=st.integers(1, 9))
def test_a_ratio_of_equals_is_equal_parts(part, size):
    ids = [f"h{number}" for number in range(size)]
    assert read_holders([{"id": holder, "ratio": part} for holder in ids]) == read_holders(ids)


RULE = "must be a whole number from 1 on, of up to 18 digits; write 2 for one and 1 for the other to divide by 2 to 1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "'0'"),
        (-1, "'-1'"),
        (True, "true or false"),
        (1.5, "a binary float"),
        ([2, 1], "a list"),
        ("", "''"),
        ("2:1", "'2:1'"),
        ("1/2", "'1/2'"),
        ("50%", "'50%'"),
        ("²", "'²'"),
        (LARGEST + 1, f"'{LARGEST + 1}'"),
    ],
)
def test_what_is_no_part_of_a_ratio(value, shown):
    said = [f"corpus.toml:1: source 'a': the ratio of holder 'x' is {shown}, but {RULE}"]
    assert read_holders([{"id": "x", "ratio": value}, {"id": "y", "ratio": 1}]) == ((), said)


MIXED = "corpus.toml:1: source 'a': holder {}"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x:2;y=1/3", "'y' has a share, but holder 'x' a ratio; give all holders a share, or all a ratio"),
        ("x;y=1/3;z:1", "'y' has a share, but holder 'z' a ratio; give all holders a share, or all a ratio"),
        ("x:2;y", "'y' has no ratio, but others have; give all holders a ratio, or none for equal parts"),
        ("x=1/3;y", "'y' has no share, but others have; give all holders a share, or none for equal parts"),
        ("x:2;x:1", "'x' is named twice; name each holder once, with its whole share"),
    ],
)
def test_holders_of_one_source_are_written_in_one_way(cell, said):
    assert read_holders(parse_cell(cell)) == ((), [MIXED.format(said)])


def test_one_holder_has_a_share_or_a_ratio():
    both = [{"id": "x", "ratio": 2, "share": "2/3"}, {"id": "y", "ratio": 1}]
    assert read_holders(both) == ((), [MIXED.format("'x' has both share and ratio; keep one of them")])
