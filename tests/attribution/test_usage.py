"""Rules U10 to U16: from a log of outputs to the table of usage."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import royaltycli
from royaltycli import attributing
from royaltycli.attribution import drawing, usage
from royaltycli.attribution.index import open_index
from royaltycli.attribution.judging import own_parts, spans_of
from royaltycli.attribution.logs import Log
from royaltycli.attribution.usage import exact
from royaltycli.errors import AttributionError, CallError
from royaltycli.payout.measures import UNATTRIBUTED
from tests.attribution.conftest import prose


@pytest.fixture
def index(copied):
    sources = {
        name: {f"{n}.txt": prose(10 * seed + n) for n in range(4)} for seed, name in enumerate(("ann", "bob", "eve"))
    }
    return copied(sources).path


def log(tmp_path, *outputs):
    path = tmp_path / "outputs.jsonl"
    lines = [json.dumps({"id": number, **output}) for number, output in enumerate(outputs)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def credits_of(usage):
    return dict(zip(usage.table["source_id"].to_pylist(), map(Decimal, usage.table["credit"].to_pylist()), strict=True))


QUOTE = " ".join(prose(0).split()[100:200])
"""Of the first document of ann."""


@pytest.mark.parametrize("method", ["text", "verbatim"])
def test_a_quotation_is_credited_to_its_source(index, tmp_path, method):
    usage = attributing.attribute(log(tmp_path, {"text": QUOTE}), index=index, method=method)
    credit = credits_of(usage)
    assert max(credit, key=credit.get) == "ann"
    assert sum(credit.values()) == 1
    assert list(credit)[-1] == UNATTRIBUTED
    best = usage.details.to_pylist()[0]
    assert (best["output_id"], best["rank"], best["source_id"]) == ("0", 1, "ann")


def test_what_nothing_matches_is_unattributed(index, tmp_path):
    usage = attributing.attribute(
        log(tmp_path, {"text": "Ŵqxz ßø 73 %% [] @@ zzz " * 20}), index=index, method="verbatim"
    )
    assert credits_of(usage) == {UNATTRIBUTED: 1}


def test_what_an_output_repeats_of_its_prompt_counts_for_nobody(index, tmp_path):
    usage = attributing.attribute(log(tmp_path, {"text": QUOTE, "prompt": f"Say: {QUOTE}"}), index=index)
    assert usage.repeated >= usage.tokens - 1
    assert credits_of(usage)[UNATTRIBUTED] > Decimal("0.98")


@pytest.mark.parametrize("blank", ["", " ", "  \n\t", "\u3000"])
def test_an_output_without_a_word_weighs_and_is_unattributed(index, tmp_path, blank):
    usage = attributing.attribute(log(tmp_path, {"text": blank}, {"text": QUOTE}), index=index)
    assert credits_of(usage)[UNATTRIBUTED] >= Decimal("0.5")


def test_weights_decide_what_an_output_counts(index, tmp_path):
    other = " ".join(prose(10).split()[100:200])  # of bob
    outputs = log(tmp_path, {"text": QUOTE, "weight": "3"}, {"text": other, "weight": "1"})
    credit = credits_of(attributing.attribute(outputs, index=index, method="verbatim"))
    assert credit["ann"] == pytest.approx(Decimal("0.75"), abs=Decimal("0.03"))
    assert credit["bob"] == pytest.approx(Decimal("0.25"), abs=Decimal("0.03"))


def test_one_account_counts_for_its_part_at_the_most(index, tmp_path):
    """Of thirty outputs, twenty of one account, and the others of ten: it has a tenth of all that counts."""
    other = " ".join(prose(10).split()[100:200])
    outputs = [{"text": QUOTE, "account": "x"}] * 20 + [{"text": other, "account": f"y{n}"} for n in range(10)]
    capped = attributing.attribute(log(tmp_path, *outputs), index=index, method="verbatim")
    assert credits_of(capped)["ann"] == pytest.approx(Decimal("0.1"), abs=Decimal("0.01"))
    uncapped = attributing.attribute(log(tmp_path, *outputs), index=index, method="verbatim", account_cap=1)
    assert credits_of(uncapped)["ann"] == pytest.approx(Decimal(20) / 30, abs=Decimal("0.03"))
    assert (capped.capped, uncapped.capped) == (1, 0)


def test_ten_accounts_with_a_tenth_each_have_no_more_than_their_part(index, tmp_path):
    texts = [" ".join(prose(number).split()[: 150 + 17 * number]) for number in range(10)]
    outputs = [{"text": text, "account": f"y{number}", "weight": "0.1"} for number, text in enumerate(texts)]
    assert attributing.attribute(log(tmp_path, *outputs), index=index, method="verbatim").capped == 0


def test_copies_are_credited_in_equal_parts_or_to_the_first(corpus, tmp_path):
    sources = {name: {f"{n}.txt": prose(10 * seed + n) for n in range(3)} for seed, name in enumerate(("ann", "bob"))}
    sources["copy"] = {"all.txt": sources["ann"]["0.txt"]}
    index = corpus(sources).path
    outputs = log(tmp_path, {"text": QUOTE})
    split = credits_of(attributing.attribute(outputs, index=index, method="verbatim"))
    assert split["ann"] == split["copy"] > Decimal("0.45")
    first = credits_of(attributing.attribute(outputs, index=index, method="verbatim", duplicates="first"))
    assert first["ann"] == split["ann"] + split["copy"]
    assert "copy" not in first


SHARED = "The clockmaker of Ystad wound every seventh zebra twice, and said nothing of it to his sister."


def test_a_passage_of_several_sources_stands_for_each_where_that_source_has_it_first(corpus, tmp_path):
    index = corpus(
        {
            "ann": {"1.txt": prose(1), "2.txt": f"{prose(2)} {SHARED}"},
            "bob": {"1.txt": f"{prose(11)} {SHARED} Zut", "2.txt": f"{prose(12)} {SHARED} And so on."},
            "cy": {"1.txt": f"{prose(2)} {SHARED}"},
        }
    )
    details = attributing.attribute(log(tmp_path, {"text": f"x {SHARED}"}), index=index.path, method="verbatim").details
    shown = {row["source_id"]: (row["passage"], row["place"]) for row in details.to_pylist()}
    assert shown.pop(UNATTRIBUTED) == (None, None)
    assert shown == {
        "ann": (f" {SHARED}", "ann/2.txt"),
        "bob": (f" {SHARED}", "bob/1.txt"),
        "cy": (f" {SHARED}", "ann/2.txt"),  # of which it has a copy
    }


def test_a_passage_has_no_part_of_a_character(corpus, tmp_path):
    """In r50k_base each of these letters is three tokens, a byte each: 鸛 ends as 驛 does, and begins as 鸜 does."""
    index = corpus({"ann": {"1.txt": f"{prose(1)} 驛{SHARED}鸜 x", "2.txt": prose(2)}})
    outputs = log(tmp_path, {"text": f"so 鸛{SHARED}鸛"})
    first = attributing.attribute(outputs, index=index.path, method="verbatim").details.to_pylist()[0]
    assert first["passage"] == SHARED


def test_the_same_log_gives_the_same_bytes(index, tmp_path):
    outputs = log(tmp_path, *({"text": prose(seed, 150)} for seed in range(8)))
    tables = [attributing.attribute(outputs, index=index) for _ in range(2)]
    assert tables[0].table.equals(tables[1].table)
    assert tables[0].details.equals(tables[1].details)


def test_the_interval_holds_the_share(index, tmp_path):
    outputs = log(tmp_path, *({"text": prose(seed, 150)} for seed in (0, 1, 10, 11, 20, 30)))
    for row in attributing.attribute(outputs, index=index).table.to_pylist():
        assert Decimal(row["low"]) <= Decimal(row["credit"]) + Decimal("1e-6")
        assert Decimal(row["credit"]) <= Decimal(row["high"]) + Decimal("1e-6")


def test_the_last_bits_of_sums_move_no_bound(index):
    """Nor are bounds below nothing or above all."""
    opened = open_index(index)
    share = np.array([0.0, 0.0, 1.0, 0.0])
    rows = usage._table(opened, share, np.stack([share - 1e-16, share + 1e-16]), np.zeros(4, np.int64)).to_pylist()
    assert [(row["low"], row["high"]) for row in rows] == [("1.000000", "1.000000"), ("0.000000", "0.000000")]


def test_a_payout_by_the_usage(index, tmp_path):
    """The table is what `royalty payout` takes, and its money adds up."""
    usage = attributing.attribute(log(tmp_path, {"text": QUOTE}), index=index, method="verbatim")
    pq.write_table(usage.table, tmp_path / "usage.parquet")
    tokens = royaltycli.scan(tmp_path, verify=0)
    rows = royaltycli.payout(tokens, profit=1000, rate="20%", basis="usage", usage=tmp_path / "usage.parquet")
    paid = dict(zip(rows["source_id"].to_pylist(), rows["payout"].to_pylist(), strict=True))
    assert paid["ann"] == Decimal("200.00")
    assert sum(paid.values()) == Decimal("200.00")


def test_a_log_without_weight(index, tmp_path):
    with pytest.raises(CallError, match="no output has any weight"):
        attributing.attribute(log(tmp_path, {"text": QUOTE, "weight": 0}), index=index)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"method": "magic"}, "method is 'magic'; it must be text, verbatim, network or all"),
        ({"duplicates": "all"}, "duplicates is 'all'; it must be split or first"),
        ({"account_cap": 0}, "account cap is 0"),
    ],
)
def test_arguments_that_are_none(index, tmp_path, how, said):
    with pytest.raises(CallError, match=said):
        attributing.attribute(log(tmp_path, {"text": QUOTE}), index=index, **how)


def test_no_index(tmp_path):
    with pytest.raises(AttributionError, match="there is no index in"):
        attributing.attribute(log(tmp_path, {"text": "x"}), index=tmp_path / "none")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50).filter(lambda parts: sum(parts) > 0.001))
def test_credits_make_exactly_one(parts):
    share = np.array(parts) / sum(parts)
    found = exact(share)
    assert sum(found) == 10**12
    assert all(
        abs(Fraction(one, 10**12) - Fraction(float(each))) < Fraction(2, 10**12)
        for one, each in zip(found, share, strict=True)
    )


@given(st.lists(st.integers(0, 2), max_size=60), st.lists(st.integers(0, 2), max_size=60))
def test_own_parts_are_what_the_prompt_has_not(text, prompt):
    """Every token that is left stands in no run of eight tokens or more that the prompt has, too."""
    tokens, asked = np.array(text, np.uint32), np.array(prompt, np.uint32)
    runs = {tuple(prompt[at : at + 8]) for at in range(len(prompt) - 7)}
    covered = {place for at in range(len(text) - 7) if tuple(text[at : at + 8]) in runs for place in range(at, at + 8)}
    left = [token for part in own_parts(tokens, asked) for token in part.tolist()]
    assert left == [token for place, token in enumerate(text) if place not in covered]


@given(st.integers(0, 1000))
def test_spans_are_of_about_the_same_size_and_hold_everything(size):
    tokens = np.arange(size, dtype=np.uint32)
    spans = spans_of(tokens)
    assert [token for span in spans for token in span.tolist()] == tokens.tolist()
    sizes = [len(span) for span in spans]
    assert not sizes or (max(sizes) <= 128 and max(sizes) - min(sizes) <= 1)


def test_the_schema_of_the_table(index, tmp_path):
    usage = attributing.attribute(log(tmp_path, {"text": QUOTE}), index=index)
    assert usage.table.schema.names == ["source_id", "title", "credit", "low", "high", "outputs"]
    assert usage.table.schema.field("credit").type == pa.string()


@pytest.mark.parametrize("method", ["text", "verbatim"])
def test_a_long_log_is_gone_through_in_parts(index, tmp_path, monkeypatch, method):
    """The same comes of it, however much of it is held at a time."""
    texts = [" ".join(prose(seed).split()[: 40 * (1 + seed % 5)]) for seed in range(12)]
    outputs = log(tmp_path, *({"text": text, "weight": seed % 3} for seed, text in enumerate(texts)))
    whole = attributing.attribute(outputs, index=index, method=method)
    monkeypatch.setattr(usage, "SCORED_AT_ONCE", 20)
    monkeypatch.setattr(drawing, "AT_ONCE", 50)
    parts = attributing.attribute(outputs, index=index, method=method)
    assert parts.details.equals(whole.details)
    assert parts.details["output_id"].combine_chunks().unique().to_pylist() == [str(one) for one in range(12)]
    assert parts.table.drop(["low", "high"]).equals(whole.table.drop(["low", "high"]))
    for column in ("low", "high"):
        here, there = (np.array(each.table[column].to_pylist(), float) for each in (parts, whole))
        assert here == pytest.approx(there, abs=2e-6)


SHORT = ("Yes.", "ok", "hello", "good morning", "Thank you!", "No.")


def test_so_few_words_that_they_say_nothing_are_nobodys(index, tmp_path):
    found = attributing.attribute(log(tmp_path, *({"text": text} for text in SHORT * 10)), index=index)
    assert credits_of(found) == {UNATTRIBUTED: 1}


def test_documents_that_are_shorter_than_a_span_are_told_apart_in_longer_ones(corpus, tmp_path):
    """Each source is one document of 60 words, cut into ten stretches to calibrate by: none has 128 tokens, nor 32."""
    texts = {f"s{number}": prose(number, 60) for number in range(40)}
    index = corpus({name: {"a.txt": text} for name, text in texts.items()})
    credit = credits_of(
        attributing.attribute(log(tmp_path, *({"text": text} for text in texts.values())), index=index.path)
    )
    assert credit.pop(UNATTRIBUTED) < Decimal("0.1")
    assert max(credit.values()) < Decimal("0.05")  # of 0.025 each


def test_a_document_of_blanks_is_no_source_of_anything(corpus, tmp_path):
    found = corpus({"ann": {"a.txt": prose(1)}, "bob": {"b.txt": "  \n\n\t "}})
    assert [int(size) for size in found.sizes if size] == [found.tokens]
    usage = attributing.attribute(
        log(tmp_path, {"text": "  \n\n\t and so on, and so on, and so on, and so on"}), index=found.path
    )
    assert "bob" not in credits_of(usage)


def test_the_order_of_outputs_and_those_without_weight_change_no_interval(index, tmp_path):
    outputs = [{"id": f"o{number}", "text": prose(number % 7, 60), "weight": 1 + number % 3} for number in range(12)]
    more = [{"id": "n0", "text": prose(5), "weight": 0}]
    tables = []
    for order in (outputs, outputs[::-1], more + outputs[3:] + outputs[:3]):
        table = attributing.attribute(log(tmp_path, *order), index=index).table
        tables.append({row["source_id"]: (row["credit"][:8], row["low"], row["high"]) for row in table.to_pylist()})
    assert tables[0] == tables[1] == tables[2]


def test_details_do_not_depend_on_what_an_output_weighs(index, tmp_path):
    text, prompt = f"{prose(0)} and {QUOTE}", prose(0)
    for method in ("text", "verbatim"):
        outputs = ({"text": text, "prompt": prompt, "weight": weight} for weight in (0, 1))
        details = attributing.attribute(log(tmp_path, *outputs), index=index, method=method).details.to_pylist()
        scores = [[row["score"] for row in details if row["output_id"] == name] for name in ("0", "1")]
        assert scores[0] == scores[1]


def test_rule_u10_shares_are_corrected_where_there_is_a_prior():
    """Judges who are right four times in five of two sources on even terms say 74 to 26: behind it is about 9 to 1."""
    odds = [[0.8, 0.2]] * 74 + [[0.2, 0.8]] * 26
    judgements = [SimpleNamespace(units=np.arange(2), odds=np.array(each), none=0.0) for each in odds]
    ids, ones, none = [f"o{number:02}" for number in range(100)], np.ones(100), [None] * 100
    judged = Log(ids, none, none, ones, ones, np.arange(100), judgements, [{}] * 100, 100, 0)
    index = SimpleNamespace(
        units=[SimpleNamespace(sources=[number], earliest=1) for number in range(2)],
        source_ids=["ann", "bob"],
        sources=pa.table({"title": ["Ann", "Bob"]}),
    )
    for prior, ann in ((np.array([0.5, 0.5, 1e-9, 1e-9]), 0.9), (None, 0.8 * 0.74 + 0.2 * 0.26)):
        found = usage.attribute(index, judged, prior).table
        assert found["source_id"].to_pylist()[0] == "ann"
        assert float(found["credit"][0].as_py()) == pytest.approx(ann, abs=0.02)
