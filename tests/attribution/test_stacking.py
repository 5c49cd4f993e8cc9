"""Rule U17, and the whole way: a model is trained, a network beside it, outputs are generated, and paid for by usage."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, normalizers

import royaltycli
from royaltycli import attributing
from royaltycli.attribution import calibration, folder, stacking
from royaltycli.attribution.calibration import calibrate, read_calibration, sample
from royaltycli.attribution.digests import digest_of_text, fold_of
from royaltycli.attribution.evidence import MEASURES, evidence
from royaltycli.attribution.index import open_index, reference_of
from royaltycli.attribution.network import store
from royaltycli.attribution.stacking import Beside, check_documents
from royaltycli.cli.console.attribution import show_usage
from royaltycli.errors import AttributionError, OutputError
from tests.attribution.language import write_corpus, write_tokenizer


@pytest.fixture(scope="module")
def index(network_corpus, tmp_path_factory):
    place = tmp_path_factory.mktemp("index") / "index"
    attributing.index(network_corpus, place)
    return open_index(place)


def generated(language_model, prompts, size=60):
    """What the language model goes on with after each prompt."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = (
        AutoTokenizer.from_pretrained(language_model),
        AutoModelForCausalLM.from_pretrained(language_model),
    )
    torch.manual_seed(1)
    for prompt in prompts:
        given = tokenizer(prompt, return_tensors="pt").input_ids
        made = model.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=size, do_sample=True, pad_token_id=0
        )
        yield tokenizer.decode(made[0, given.shape[1] :])


def write_log(path, outputs):
    path.write_text("".join(json.dumps(output) + "\n" for output in outputs), encoding="utf-8")
    return path


@pytest.mark.parametrize("method", ["network", "all"])
def test_the_whole_way_from_a_model_to_a_payout(
    index, trained, language_model, network_documents, network_corpus, tmp_path, method
):
    prompts = [text[:40] for _, text in network_documents[::40]]
    outputs = [
        {"id": number, "prompt": prompt, "text": text}
        for number, (prompt, text) in enumerate(zip(prompts, generated(language_model, prompts), strict=True))
    ]
    log = write_log(tmp_path / "outputs.jsonl", outputs)
    usage = attributing.attribute(log, index=index.path, method=method, network=trained[1])
    assert sum(map(Decimal, usage.table["credit"].to_pylist())) == 1
    assert usage.outputs == len(outputs)
    pq.write_table(usage.table, tmp_path / "usage.parquet")
    tokens = royaltycli.scan(network_corpus, verify=0)
    rows = royaltycli.payout(tokens, profit=1000, rate="20%", basis="usage", usage=tmp_path / "usage.parquet")
    assert sum(rows["payout"].to_pylist()) == Decimal("200.00")


def test_a_document_is_credited_to_its_source_by_text_and_network_together(index, trained, network_documents, tmp_path):
    source, text = network_documents[0]
    log = write_log(tmp_path / "outputs.jsonl", [{"id": 1, "text": text}])
    usage = attributing.attribute(log, index=index.path, method="all", network=trained[1])
    assert usage.table["source_id"][0].as_py() == f"sample/{source}"


def test_sources_that_came_after_the_training_are_told(index, trained, network_documents, tmp_path, capsys):
    """As of a network that knows one of them by another name."""
    about, head = store.load(trained[1])
    store.save(tmp_path / "network", replace(about, sources=("elsewhere", *about.sources[1:])), head)
    log = write_log(tmp_path / "outputs.jsonl", [{"id": 1, "text": network_documents[0][1]}])
    usage = attributing.attribute(log, index=index.path, method="network", network=tmp_path / "network")
    assert usage.strangers == 1
    show_usage(usage, 0)
    assert "the network does not know 1 source of the index" in " ".join(capsys.readouterr().err.split())
    known = attributing.attribute(log, index=index.path, method="network", network=trained[1])
    assert known.strangers == 0


def test_how_a_network_is_weighed_is_found_out_once(index, trained, network_documents, tmp_path, monkeypatch):
    """Until network, index or method is another, or what was kept is damaged."""
    log = write_log(tmp_path / "outputs.jsonl", [{"id": 1, "text": network_documents[0][1]}])
    network = Path(shutil.copytree(trained[1], tmp_path / "network"))
    for kept in network.glob("calibration-*"):
        kept.unlink()
    fits, found = [], {}

    def credited(method="all"):
        def calibrate_once(*given, **more):
            fits.append(method)
            if method not in found:  # it would come to the same each time
                found[method] = calibrate(*given, **more)
            return found[method]

        monkeypatch.setattr(calibration, "calibrate", calibrate_once)
        usage = attributing.attribute(log, index=index.path, method=method, network=network)
        return usage.table.to_pylist()

    first = credited()
    assert (credited(), len(fits)) == (first, 1)
    credited("network")
    assert len(fits) == 2
    kept = network / "calibration-all.json"
    kept.write_text(kept.read_text().replace("1", "2", 1))
    assert (credited(), len(fits)) == (first, 3)
    (network / "calibration-all-prior.npy").write_bytes(b"")
    assert (credited(), len(fits)) == (first, 4)
    about = network / "network.json"
    about.write_text(about.read_text() + "\n")
    assert (credited(), len(fits)) == (first, 5)
    assert (credited(), len(fits)) == (first, 5)


def test_a_network_that_cannot_be_written_to_is_weighed_anew(index, trained, network_documents, tmp_path, monkeypatch):
    log = write_log(tmp_path / "outputs.jsonl", [{"id": 1, "text": network_documents[0][1]}])
    network = Path(shutil.copytree(trained[1], tmp_path / "network"))
    for kept in network.glob("calibration-*"):
        kept.unlink()

    def no_room(*_):
        raise OutputError("the disk is full")

    monkeypatch.setattr(folder, "save", no_room)
    assert attributing.attribute(log, index=index.path, method="network", network=network).outputs == 1
    assert not list(network.glob("calibration-*"))


def uniform(sources):
    """A network that knows nothing."""
    return lambda texts, _fold: np.full((len(texts), len(sources)), -np.log(len(sources)))


def test_measures_stand_beside_those_of_text_or_in_their_place(index):
    spans, sources = list(sample(index, 0))[:3], index.source_ids
    found = evidence(index, spans[0].tokens, None, spans[0].left_out)
    for method, size in (("network", 1), ("all", MEASURES + 1)):
        beside = Beside(index, sources, uniform(sources), reference_of(index).decode, method)
        assert beside.extend(spans)(0, found).measures.shape[1] == size


def without_much(texts, path):
    """A tokenizer whose tokens say less than a text: small letters alone, one form of each, and words run together."""
    tokenizer = Tokenizer.from_file(str(write_tokenizer(path, texts)))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.save(str(path))
    return path


def test_each_span_is_judged_by_the_head_that_has_not_seen_its_document(network_documents, tmp_path):
    """The fold is that of the document's text as it was read, whatever its tokens say of it. A quote is judged by the
    head of all."""
    texts = [text for _, text in network_documents[:60]]
    corpus = write_corpus(tmp_path / "corpus", network_documents[:60])
    attributing.index(corpus, tmp_path / "index", encoding=str(without_much(texts, tmp_path / "words.json")))
    index = open_index(tmp_path / "index")
    decode = reference_of(index).decode
    assert decode(reference_of(index).encode(texts[0])) != texts[0]
    spans = list(sample(index, 0))[:40]
    assert any(span.quoted for span in spans)
    places = [index.models[span.model].places[span.document].as_py() for span in spans]
    lines = [int(place.rpartition(":")[2]) for place in places]
    expected = [-1 if span.quoted else fold_of(texts[line - 1]) for span, line in zip(spans, lines, strict=True)]
    asked = []

    def scores(given, fold):
        asked.extend(fold)
        return np.zeros((len(given), len(index.sources)))

    found = evidence(index, spans[0].tokens, None, spans[0].left_out)
    Beside(index, index.source_ids, scores, decode, "all").extend(spans)(0, found)
    assert asked == expected


def test_few_spans_are_asked_about_at_a_time_and_each_has_its_own_scores(index, monkeypatch):
    """As of very many sources the scores of all spans would be too many."""
    monkeypatch.setattr(stacking, "TEXTS", 4)
    spans, sources, asked = list(sample(index, 0))[:10], index.source_ids, []
    assert any(span.unknown for span in spans)

    def scores(texts, fold):
        assert len(texts) == len(fold) <= 4
        asked.extend(texts)
        likely = np.array([np.exp(-(len(text) % 7 + 1.0) * np.arange(len(sources))) for text in texts])
        return np.log(likely / likely.sum(axis=1, keepdims=True))

    beside = Beside(index, sources, scores, reference_of(index).decode, "network")
    extended = beside.extend(spans)
    for number, span in enumerate(spans):
        found = evidence(index, span.tokens, None, span.left_out)
        odds = np.exp(scores([reference_of(index).decode(span.tokens.tolist())], [0])[0])
        by_unit = np.array([odds[list(unit.sources)].sum() for unit in index.units])
        if span.unknown:  # the others have all probability
            by_unit /= 1 - by_unit[span.unit]
        expected = np.log(by_unit[found.units]) - found.before
        assert extended(number, found).measures[:, 0] == pytest.approx(expected, abs=1e-6)
    assert len(asked) == 2 * len(spans)  # by each of them once, and once by this test


def test_a_network_that_knows_the_answer_is_believed_and_one_that_knows_nothing_is_not(index):
    """The weights are learned: an oracle makes nearly all spans right, noise takes nothing from the text."""
    plain = read_calibration(index)
    spans = list(sample(index, 0))
    owners = iter([index.units[span.unit].sources[0] for span in spans])  # it is asked about all spans in their order

    def oracle(texts, _fold):
        logs = np.full((len(texts), len(index.sources)), -10.0)
        logs[np.arange(len(texts)), list(itertools.islice(owners, len(texts)))] = -0.01
        return logs

    decode = reference_of(index).decode
    sure = Beside(index, index.source_ids, oracle, decode, "all")
    assert calibrate(index, lambda *_: None, extend=sure.extend).right > max(0.95, plain.right)
    empty = Beside(index, index.source_ids, uniform(index.source_ids), decode, "all")
    assert calibrate(index, lambda *_: None, extend=empty.extend).right == pytest.approx(plain.right, abs=0.05)


def test_a_network_of_another_corpus(index):
    with pytest.raises(AttributionError, match="the network knows no source of the index"):
        Beside(index, ["x", "y"], uniform("xy"), reference_of(index).decode, "all")


def test_a_network_of_another_corpus_whose_sources_have_the_same_ids(index, trained, network_documents, tmp_path):
    """One document in common is enough: others may have come, or gone."""
    about, head = store.load(trained[1])
    log = write_log(tmp_path / "outputs.jsonl", [{"id": 1, "text": network_documents[0][1]}])
    others = tuple(digest_of_text(f"{text} Or not.") for _, text in network_documents)
    store.save(tmp_path / "network", replace(about, documents=others), head)
    with pytest.raises(AttributionError) as error:
        attributing.attribute(log, index=index.path, method="network", network=tmp_path / "network")
    assert str(error.value) == (
        "the network and the index have no document in common; train one on the corpus of the index, or name another "
        "with `--network`"
    )
    assert not (tmp_path / "network" / "calibration-network.json").exists()
    check_documents(index, (*others, digest_of_text(network_documents[-1][1])))
