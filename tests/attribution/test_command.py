"""`royalty attribute` as it is typed: what it writes, and what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from royaltycli.cli import app, results
from tests.attribution.conftest import prose, write_sources

FEW = "with fewer than 30, they are too narrow"


@pytest.fixture
def place(copied, tmp_path, monkeypatch):
    copied({name: {f"{n}.txt": prose(10 * seed + n) for n in range(3)} for seed, name in enumerate(("ann", "bob"))})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def attribute(place, outputs, *options, of_bob=0, weights=None, prompts=None):
    """What is said of so many outputs, which all quote one document of ann, and of others that quote one of bob.

    They answer so many `prompts`, if any.
    """
    seeds = [0] * outputs + [10] * of_bob
    texts = [" ".join(prose(seed).split()[100:200]) for seed in seeds]
    rows = [{"id": number, "text": text} for number, text in enumerate(texts)]
    if weights is not None:
        rows = [row | {"weight": weight} for row, weight in zip(rows, weights, strict=True)]
    if prompts is not None:
        rows = [row | {"prompt": f"Prompt {row['id'] % prompts}"} for row in rows]
    lines = [json.dumps(row) for row in rows]
    (place / "outputs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = CliRunner().invoke(app, ["attribute", "outputs.jsonl", "--method", "verbatim", *options])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_usage_and_details_are_written_as_their_endings_say(place):
    said = attribute(place, 2, "-o", "usage.csv", "--details", "details.parquet")
    assert "Wrote usage.csv and details.parquet." in said
    header, first, *_ = (place / "usage.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("source_id,")
    assert first.startswith("ann,")
    assert pq.read_table(place / "details.parquet")["output_id"].to_pylist()[0] == "0"


def test_a_place_in_a_store_is_named_as_it_was_given(place, monkeypatch):
    monkeypatch.setattr(results, "usage_place", lambda output, *_: (Path(output), "parquet"))
    monkeypatch.setattr(results, "deliver", lambda *_, **__: None)
    assert "Wrote s3://bucket/usage.parquet." in attribute(place, 1, "-o", "s3://bucket/usage.parquet")


def test_intervals_of_few_outputs_are_said_to_be_too_narrow(place):
    assert FEW in attribute(place, 29)
    assert FEW not in attribute(place, 30)


@pytest.mark.parametrize(
    ("weights", "few"), [([1] + [0] * 39, "1 output"), ([100] + [1] * 39, "2 outputs"), ([2, 1] * 20, None)]
)
def test_so_are_those_of_many_of_which_few_weigh_anything(place, weights, few):
    """Of the weights 2 and 1, twenty of each, 36 outputs of the same weight tell as much."""
    said = attribute(place, 40, weights=weights)
    assert FEW not in said
    assert (f"no more than {few} of the same weight" in said) == (few is not None)
    assert ("too narrow" in said) == (few is not None)


def test_so_are_those_of_few_prompts_that_are_drawn(place):
    said = attribute(place, 40, "--draw", "prompts", prompts=29)
    assert "drawing the prompts anew; with fewer than 30, they are too narrow" in said
    assert "too narrow" not in attribute(place, 60, "--draw", "prompts", prompts=30)
    assert "too narrow" not in attribute(place, 40, prompts=29)


def test_a_log_that_names_no_account_is_said_to_have_been_drawn_by_outputs(place):
    said = attribute(place, 30, "--draw", "accounts")
    assert "Note: no two outputs have the same account, so that each was drawn anew by itself." in said


def test_an_index_that_is_too_small_to_judge_by_is_said_to_be(place):
    said = attribute(place, 1, "--method", "text")
    assert re.search(r"Note: the index had only \d+ spans to calibrate by: shares are a guess", said)
    assert "a guess" not in attribute(place, 1)


def test_an_index_of_one_source_is_said_to_tell_it_from_nothing(place):
    """An empty file beside it, and a source that has but a copy, are no others."""
    assert "which it cannot tell from other text" not in attribute(place, 1, "--method", "text")
    (place / "one").mkdir()
    write_sources(place / "one", {"ann": {"0.txt": prose(0)}, "eve": {"copy.txt": prose(0), "empty.txt": ""}})
    result = CliRunner().invoke(app, ["index", "one"])
    assert "All text is of one source, so it has seen none of others" in " ".join(result.output.split())
    note = "Note: the index has one source, which it cannot tell from other text; `--method verbatim` can."
    assert note in attribute(place, 1, "--method", "text")
    assert note not in attribute(place, 1)


def test_sources_that_are_not_shown_are_one_line(place):
    assert re.search(r"\(1 other\) 2\d\.\d{3} % 1 ", attribute(place, 3, "--top", "1", of_bob=1))


def test_a_quiet_command_says_nothing(place):
    assert attribute(place, 1, "--quiet") == ""
    assert (place / "usage.parquet").exists()
