"""A log is judged by one process or by several, and comes to the same."""

from __future__ import annotations

import json

import pytest

from royaltycli import attributing
from royaltycli.attribution import logs
from royaltycli.attribution.index import open_index
from royaltycli.errors import AttributionError, ManifestError, WorkerError
from royaltycli.parallel import inorder
from royaltycli.parallel.processes import WorkerProcess
from royaltycli.tokens.engines import Gigatoken
from tests.attribution.conftest import prose
from tests.workers import killing, workers


@pytest.fixture
def outputs(tmp_path):
    """A hundred outputs of one to five spans, some of which repeat their prompt, and an empty one."""
    said = []
    for number in range(100):
        text = prose(number % 13, length=20 + 100 * (number % 5))
        said.append(
            {"id": number, "text": text if number else ""} | ({"prompt": text[:200]} if number % 7 == 1 else {})
        )
    path = tmp_path / "outputs.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in said), encoding="utf-8")
    return path


def without_waiting(monkeypatch):
    """Other processes start with the first output."""
    monkeypatch.setattr(logs, "ALONE", 0)


@pytest.mark.parametrize("method", ["text", "verbatim"])
def test_the_usage_does_not_depend_on_workers(index, outputs, method, monkeypatch):
    alone = attributing.attribute(outputs, index=index.path, method=method, workers=1)
    without_waiting(monkeypatch)
    started, start = [], WorkerProcess.__init__
    monkeypatch.setattr(WorkerProcess, "__init__", lambda *given: started.append(1) or start(*given))
    for several in (2, 3):
        usage = attributing.attribute(outputs, index=index.path, method=method, workers=several)
        assert (usage.table, usage.details) == (alone.table, alone.details)
        assert (usage.tokens, usage.repeated) == (alone.tokens, alone.repeated)
    assert len(started) == 1 + 2
    assert workers() == []


def test_outputs_and_prompts_are_encoded_many_at_once_and_no_more_than_memory_takes(index, outputs, monkeypatch):
    encoded = []
    encode = Gigatoken.encode
    monkeypatch.setattr(Gigatoken, "encode", lambda engine, texts: encoded.append(len(texts)) or encode(engine, texts))
    of_all = attributing.attribute(outputs, index=index.path, workers=1)
    assert encoded == [100 + 15]
    found = []
    for together, letters in ((1, logs.LETTERS), (logs.TOGETHER, 1)):
        encoded.clear()
        monkeypatch.setattr(logs, "TOGETHER", together)
        monkeypatch.setattr(logs, "LETTERS", letters)
        found.append(attributing.attribute(outputs, index=index.path, workers=1))
        assert len(encoded) >= 99  # the empty one is of no letter
    for each in found:
        assert (each.table, each.details) == (of_all.table, of_all.details)
        assert (each.tokens, each.repeated) == (of_all.tokens, of_all.repeated)


def test_a_short_log_is_judged_by_one_process(index, outputs, monkeypatch):
    monkeypatch.setattr(WorkerProcess, "__init__", lambda *_: pytest.fail("a process was started"))
    assert attributing.attribute(outputs, index=index.path, workers=3).outputs == 100


def test_a_lost_worker_fails_the_command(index, outputs, monkeypatch):
    without_waiting(monkeypatch)
    monkeypatch.setattr(inorder, "AHEAD", 1)  # or all others were done while the first worker starts
    with killing(), pytest.raises(WorkerError, match=r"^a worker was lost while it judged an output .it was killed"):
        attributing.attribute(outputs, index=index.path, workers=2)
    assert workers() == []


def test_an_error_in_the_log_ends_the_workers(index, outputs, monkeypatch):
    without_waiting(monkeypatch)
    with outputs.open("a", encoding="utf-8") as file:
        file.write("no JSON\n")
    with pytest.raises(ManifestError):
        attributing.attribute(outputs, index=index.path, workers=2)
    assert workers() == []


def test_a_worker_that_finds_another_index_says_so(index):
    job = (index.path, {**index.about, "manifest": "another"}, "verbatim")
    with pytest.raises(AttributionError, match=r"was made anew meanwhile; run the command again$"):
        attributing.judge_elsewhere(job, None)
    job = (index.path, open_index(index.path).about, "verbatim")
    assert attributing.judge_elsewhere(job, None)([]) == []


def test_within_a_long_output_it_tells_how_far_it_is(index, tmp_path):
    told, path = [], tmp_path / "long.jsonl"
    path.write_text(json.dumps({"id": 1, "text": prose(1, length=500)}), encoding="utf-8")
    attributing.attribute(path, index=index.path, tell=lambda what, _done, _of: told.append(what))
    spans = len(told) - 1
    assert spans > 3
    assert told == [f"judging outputs: 0, spans: {n}" for n in range(1, spans + 1)] + [
        f"judging outputs: 1, spans: {spans}"
    ]
