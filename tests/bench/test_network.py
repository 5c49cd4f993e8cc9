"""The parts of the benchmark that train language models, on a tiny corpus."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from royaltycli.attribution import calibration
from royaltycli.bench import run as running
from royaltycli.bench.corpus import prepare
from royaltycli.bench.language import _batches, losses, write
from royaltycli.bench.leftout import drawn, of_sources
from royaltycli.bench.setting import Budget, Form, LeftOut
from royaltycli.bench.shape import Shape
from royaltycli.bench.spans import Spans
from tests.attribution.language import train_model
from tests.bench import wheels
from tests.bench.reports import rows

SMALL = Shape(layers=1, width=32, heads=2, neurons=64, window=64, batch=8)
BUDGET = Budget(20_000, 600, 20, SMALL)  # so many seconds that it is the tokens that count
TINY = Form(
    "tiny",
    parts=(),
    spans=20,
    documents=8,
    attackers=1,
    attacks=1,
    logs=1,
    one_in=(1,),
    everything=False,
    models=1,
    stacked=True,
    budget=BUDGET,
    left_out=LeftOut(3, 6, 2, 10_000, BUDGET),
    seeds=(0, 1),
)


@pytest.fixture(scope="module", autouse=True)
def threads():
    """What these tests train takes one thread for itself; others that run in this process have theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(calibration, "SPANS", dict.fromkeys(calibration.SPANS, 60))
    known = [wheels.make(folder / "wheels", name, 10) for name in ("ants", "bees", "cats", "dogs")]
    prepared = prepare(folder, lambda _words: None, packages=(known, [wheels.make(folder / "wheels", "emus")]))
    yield running.run(folder, TINY, 1, lambda *_said: None, ("network", "left-out"), prepared=prepared)
    monkeypatch.undo()


def test_network_and_stack_find_plain_sources(report):
    for size in ("32 tokens", "128 tokens", "a whole document"):
        by_method = rows(report, f"Network: top-1 source of {size}")
        found = {name: row.estimate.value for name, row in by_method.items()}
        assert found["network and text stacked"] > 0.9
        assert all(0 <= found[name] <= 1 for name in ("network alone", "the same on random weights, the control"))
        lead = found["network alone"] - found["the same on random weights, the control"]
        assert found["lead of the network over the control"] == pytest.approx(lead)
        assert all(len(row.seeds) == 1 for row in by_method.values())


def test_the_control_finds_documents_by_their_words(report):
    """Of so few tokens a language model learns nothing that helps, so that the network may do worse."""
    found = rows(report, "Network: top-1 source of a whole document")
    assert found["the same on random weights, the control"].estimate.value > 0.6


def test_the_stack_pays_as_the_text_does(report):
    money = rows(report, "Network and text stacked: payouts")
    assert money["corrected by expectation and maximisation"].estimate.value < 0.2
    assert len(rows(report, "Network and text stacked: calibration")) == 6
    assert 0 <= rows(report, "Network and text stacked: known")["AUROC, 128 tokens"].estimate.value <= 1


def test_what_was_trained_is_stated(report):
    trained = rows(report, "Network: the language models")
    assert 0 < trained["tokens that a model was trained with, millions"].estimate.value <= 0.021
    assert 0 < trained["loss at the end of the training, nats a token"].estimate.value < np.log(2048)


def test_in_place_of_what_is_left_out_comes_something_else_and_all_else_as_it_was():
    ids, hidden = np.arange(400), np.repeat([False, True, False], [100, 60, 240])
    shape = Shape(window=10, batch=4)
    pairs = zip(_batches(ids, np.zeros(400, bool), shape, 3), _batches(ids, hidden, shape, 3), strict=False)
    seen = 0
    for _, (every, some) in zip(range(30), pairs, strict=False):
        assert not hidden[some].any()
        for one, other in zip(every, some, strict=True):
            seen += hidden[one].any()
            assert hidden[one].any() or one.tolist() == other.tolist()
    assert seen > 10


def test_sources_that_are_left_out_are_found(report):
    held_out = rows(report, "Left out and trained again, held-out text")
    assert held_out["top-1, the source that the text, or its prompt, is of"].estimate.value > 0.8
    assert held_out["top-1, network and text stacked"].estimate.value > 0.8
    assert held_out["Spearman, network and text stacked"].estimate.value > 0.3
    own = held_out["rise of the loss without the source of the text, or its prompt, nats a token"]
    assert own.estimate.value > held_out["the same without another source, in the mean"].estimate.value + 0.1
    assert held_out["top-1, of one training by another"].estimate.value > 0.8
    assert held_out["Spearman, of one training and another"].estimate.value > 0.3
    written = rows(report, "Left out and trained again, text that the base model wrote")
    assert list(written) == list(held_out)
    assert all(-1 <= row.estimate.value <= 1 for name, row in written.items() if name.startswith(("top", "Spearman")))
    assert all(row.goal.value is None for row in (*held_out.values(), *written.values()))  # of three it is easier


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    texts = [wheels.text(name, at) for name in ("ants", "bees") for at in range(8)]
    return train_model(folder / "model", texts, tokens=20_000, layers=1, width=32)


def test_what_is_written_is_drawn_by_the_seed(model):
    prompts = [np.array([5, 6, at], np.uint32) for at in range(70)]
    once, again, other = (write(model, 9, seed, prompts) for seed in (1, 1, 2))
    assert [len(each) for each in once] == [9] * 70
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_the_loss_of_a_text_after_a_prompt_is_that_of_its_tokens(model):
    tokens = [np.arange(at, at + 12, dtype=np.uint32) for at in range(70)]
    whole = losses([each[:0] for each in tokens], tokens, model)  # eleven tokens, as the first is given
    first = losses([each[:0] for each in tokens], [each[:5] for each in tokens], model)  # four
    rest = losses([each[:5] for each in tokens], [each[5:] for each in tokens], model)  # seven
    assert (4 * first + 7 * rest) / 11 == pytest.approx(whole, rel=1e-5)


def test_spans_of_some_sources_are_drawn_of_each():
    spans = Spans(tuple(np.full(2, at, np.uint32) for at in range(30)), np.arange(30), np.arange(30) % 5)
    chosen = of_sources(spans, np.array([1, 3]), 4, 0)
    assert chosen.sources.tolist() == [1] * 4 + [3] * 4
    assert [int(each[0]) for each in chosen.tokens] == chosen.documents.tolist()
    assert len(of_sources(spans, np.array([1, 3]), 99, 0)) == 12
    assert drawn(5, 9, 0).tolist() == [0, 1, 2, 3, 4]
