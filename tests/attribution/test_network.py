"""Rules V1 and V5: the network from a corpus to probabilities: a tiny language model, real documents, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from royaltycli import networks, notes
from royaltycli.attribution.digests import digest_of_text, fold_of
from royaltycli.attribution.network import activations, store, training
from royaltycli.attribution.network.network import open_network
from royaltycli.cli import console
from royaltycli.errors import AttributionError, CallError, OutputError
from royaltycli.workspace import working_folder
from tests.attribution.language import train_model, write_corpus


def found(network, documents, folds=None):
    """The part of documents whose likeliest source is theirs."""
    scores = network.scores([text for _, text in documents], folds)
    best = [network.sources[number] for number in scores.argmax(axis=1)]
    return np.mean([name == f"sample/{source}" for name, (source, _) in zip(best, documents, strict=True)])


def test_sources_of_held_out_documents_are_found_far_above_chance(network, network_documents):
    folds = [fold_of(text) for _, text in network_documents]
    most_common = max(np.unique([source for source, _ in network_documents], return_counts=True)[1]) / len(
        network_documents
    )
    assert found(network, network_documents, folds) > 2 * most_common


def test_a_head_that_has_seen_the_documents_finds_more_of_them(network, network_documents):
    folds = [fold_of(text) for _, text in network_documents]
    assert found(network, network_documents) > found(network, network_documents, folds)
    assert found(network, network_documents) == found(network, network_documents, [-1] * len(network_documents))


def test_scores_are_logarithms_of_probabilities(network, network_documents):
    texts = [text for _, text in network_documents[:20]]
    scores = network.scores(texts)
    assert scores.dtype == np.float64
    assert scores.shape == (20, len(network.sources))
    assert np.exp(scores).sum(axis=1) == pytest.approx(np.ones(20))
    assert network.scores(texts[3:4])[0] == pytest.approx(scores[3], abs=1e-3)


def test_of_a_text_without_tokens_nothing_is_known(network):
    assert network.scores([""])[0] == pytest.approx(-np.log(len(network.sources)))
    assert network.scores([]).shape == (0, len(network.sources))


def test_what_is_measured_has_the_control_and_text_alone(trained):
    what, place = trained
    assert [row["what"] for row in what.measured] == ["network", "the same, random weights", "text alone"]
    rates = [row[kind] for row in what.measured for kind in what.kinds]
    assert all(0 <= rate <= 1 for rate in rates)
    assert sorted(path.name.partition("-")[0] for path in place.iterdir()) == ["network.json", "weights"]


def test_the_measures_are_those_of_documents_that_no_head_has_seen(trained, network, network_documents):
    what, _ = trained
    tested = [(source, text) for source, text in network_documents if fold_of(text) == training.TESTED]
    assert what.measured[0]["document"] == pytest.approx(found(network, tested, [0] * len(tested)), abs=0.02)


def test_a_new_source_needs_no_training(language_model, network_documents, tmp_path):
    name = network_documents[0][0]
    mine = [text for source, text in network_documents if source == name]
    others = [(source, text) for source, text in network_documents if source != name]
    networks.train_network(write_corpus(tmp_path / "c", others), model=language_model, output=tmp_path / "n")
    old = open_network(tmp_path / "n")
    new = old.add_source(f"sample/{name}", mine[::2])
    assert new.sources == [*old.sources, f"sample/{name}"]
    held = [(name, text) for text in mine[1::2]]
    assert found(new, held) > 2 / len(new.sources)
    assert found(new, others) > found(old, others) - 0.2
    assert new.about.documents == (*old.about.documents, *map(digest_of_text, mine[::2]))
    new.save(tmp_path / "new")
    again = open_network(tmp_path / "new").scores([held[0][1]])
    assert again == pytest.approx(new.scores([held[0][1]]), abs=1e-5)
    with pytest.raises(AttributionError) as error:
        new.add_source(f"sample/{name}", mine)
    assert str(error.value) == f"the network knows sample/{name} already; give the new source an id of its own"
    with pytest.raises(AttributionError) as error:
        new.add_source("empty", [""])
    assert str(error.value) == "the documents of empty hold no token; give some that do"
    for name in ("", "(none)"):
        with pytest.raises(AttributionError) as error:
            new.add_source(name, mine)
        assert str(error.value) == f"the id of the new source is {name!r}, which is that of none; give it another"


def test_a_training_that_was_stopped_goes_on(network_corpus, language_model, trained, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    place, (_, whole) = tmp_path / "network", trained
    with monkeypatch.context() as patch:
        patch.setattr(training, "learn", stop)
        with pytest.raises(KeyboardInterrupt):
            networks.train_network(network_corpus, model=language_model, output=place)
    assert notes.written() == "what was read is kept, and the next `royalty network train` goes on from there"
    with pytest.raises(AttributionError) as error:
        open_network(place)
    assert str(error.value) == f"{place} holds no network; train one with `royalty network train`"
    read = []
    run = activations.Reader._run

    def counted(reader, spans):
        read.append((reader.model.digest, len(spans)))
        return run(reader, spans)

    monkeypatch.setattr(activations.Reader, "_run", counted)
    networks.train_network(network_corpus, model=language_model, output=place)
    about = json.loads((place / "network.json").read_text())
    assert sum(spans for digest, spans in read if digest == about["model_digest"]) == 1  # only to see how many features
    assert about == json.loads((whole / "network.json").read_text())


def test_two_trainings_do_not_write_into_one_folder(network_corpus, tmp_path):
    with working_folder(tmp_path), pytest.raises(OutputError, match=f"another royalty is at work in {tmp_path}"):
        networks.train_network(network_corpus, model="nowhere", output=tmp_path)


def test_the_activations_of_another_model_do_not_fit(trained, network_documents, tmp_path):
    texts = [text for _, text in network_documents]
    other = train_model(tmp_path / "other", texts, tokens=1000)
    with pytest.raises(AttributionError) as error:
        open_network(trained[1], other)
    mend = "name that model with `--model`, or run `royalty network train` again"
    assert str(error.value) == f"{trained[1]} reads the activations of another model than {other}; {mend}"


def test_features_of_another_number_do_not_fit(trained, language_model, monkeypatch):
    monkeypatch.setattr(activations, "NODES", 50)  # as another version of this program might have it
    with pytest.raises(AttributionError) as error:
        open_network(trained[1])
    mend = "name that model with `--model`, or run `royalty network train` again"
    assert str(error.value).endswith(f"features of a span, but {language_model} has 320; {mend}")


@pytest.mark.parametrize("damage", ["cut", "flip", "gone", "key", "json", "list", "other", "no digest", "nested"])
def test_a_damaged_network(trained, tmp_path, damage):
    place = shutil.copytree(trained[1], tmp_path / "network")
    (weights,) = place.glob("weights-*")
    listed = place / store.LIST
    if damage in ("cut", "flip"):
        data = bytearray(weights.read_bytes())
        data[1000] ^= 1
        weights.write_bytes(data[:-10] if damage == "cut" else data)
    elif damage == "gone":
        weights.unlink()
    elif damage in ("other", "no digest"):
        said = json.loads(listed.read_text())
        said["calibration"][next(iter(said["calibration"]))] += 0.5
        if damage == "no digest":
            del said["own_digest"]
        listed.write_text(json.dumps(said))
    else:
        said = json.loads(listed.read_text())
        del said["calibration"]
        listed.write_text({"key": json.dumps(said), "json": "{", "list": "[]", "nested": "[" * 100_000}[damage])
    with pytest.raises(AttributionError) as error:
        open_network(place)
    assert str(error.value) == f"the network in {place} is damaged; run `royalty network train` again"


def test_a_network_of_another_version(trained, tmp_path):
    place = shutil.copytree(trained[1], tmp_path / "network")
    listed = place / store.LIST
    listed.write_text(json.dumps({**json.loads(listed.read_text()), "version": 0}))
    with pytest.raises(AttributionError) as error:
        open_network(place)
    assert str(error.value) == f"{listed} is of another version of royalty; run `royalty network train` again"


def test_without_the_extra(monkeypatch):
    import importlib

    real = importlib.import_module

    def missing(name, *more):
        if name == "transformers":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(CallError) as error:
        networks.train_network("nowhere", model="nowhere")
    assert (
        str(error.value) == "the network needs transformers, which is not installed; pip install 'royaltycli[network]'"
    )


def test_what_is_shown_of_a_training(capsys):
    measured = [
        {"what": "network", "32 tokens": 0.5, "128 tokens": 0.625, "document": 1.0, "ece": 0.0312},
        {"what": "the same, random weights", "32 tokens": 0.25, "128 tokens": 0.5, "document": 0.75},
        {"what": "text alone", "32 tokens": 0.5, "128 tokens": None, "document": 1 / 3},
    ]
    kinds = ("32 tokens", "128 tokens", "document")
    console.show_network(training.Trained(3, 1200, 1, 5000, 960, (0, 1), kinds, measured), Path("mine"))
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines() if line.strip()]
    assert shown.out.startswith("Trained on 3 sources, 1,200 documents, 5,000 spans, 960 features of 2 layers.\n")
    assert lines[1] == ["Left", "out,", "as", "copies:", "1", "document."]
    assert lines[-3:] == [
        ["network", "0.500", "0.625", "1.000"],
        ["the", "same,", "random", "weights", "0.250", "0.500", "0.750"],
        ["text", "alone", "0.500", "0.333"],
    ]
    assert shown.err == "Calibration error 0.031.\nWrote mine.\n"
