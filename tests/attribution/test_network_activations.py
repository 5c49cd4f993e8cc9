"""Rule V2: which nodes of a language model are read, whatever its family; and model folders that do not serve."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from royaltycli.attribution.network import activations
from royaltycli.attribution.network import model as models
from royaltycli.attribution.network.activations import Reader, evenly, find_blocks
from royaltycli.attribution.network.features import read_features
from royaltycli.attribution.network.model import LanguageModel, open_model
from royaltycli.errors import AttributionError

pytestmark = pytest.mark.usefixtures("_quick")

SIZES = {"vocab_size": 50, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
LLAMA = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
}  # fmt: skip

FAMILIES = {
    "GPT2": ({"n_embd": 16, "n_inner": 24, "n_layer": 2, "n_head": 2}, "mlp.c_proj"),
    "Llama": (LLAMA, "mlp.down_proj"),
    "GPTNeoX": (LLAMA, "mlp.dense_4h_to_h"),
    "OPT": ({**LLAMA, "ffn_dim": 24, "word_embed_proj_dim": 16, "max_position_embeddings": 64}, "fc2"),
    "Phi": (LLAMA, "mlp.fc2"),
    "Qwen2": (LLAMA, "mlp.down_proj"),
}


class Tokenizer:
    """As much of a tokenizer as a reader asks for."""

    def __init__(self, first=None):
        self.bos_token_id = first


def small_model(family, first=None):
    sizes, _ = FAMILIES[family]
    torch.manual_seed(1)
    config = getattr(transformers, f"{family}Config")(**SIZES, **sizes)
    network = transformers.AutoModelForCausalLM.from_config(config).eval()
    return LanguageModel("lm", "digest", network, Tokenizer(first))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_matrix_of_the_feed_forward_part_is_found(family):
    given = small_model(family)
    blocks = find_blocks(given)
    assert [block.number for block in blocks] == [0, 1]
    for block in blocks:
        assert block.down is block.whole.get_submodule(FAMILIES[family][1])
    assert Reader(given).size == 2 * 2 * (24 + 16)


def test_features_are_means_and_greatest_values_of_neurons_and_residual_stream():
    given = small_model("Llama")
    seen = {}
    down = given.network.model.layers[0].mlp.down_proj
    hook = down.register_forward_pre_hook(lambda _module, args: seen.update(neurons=args[0][0]))
    with torch.inference_mode():
        out = given.network(torch.tensor([[3, 4, 5]]), output_hidden_states=True)
    hook.remove()
    residual = out.hidden_states[1][0]
    expected = torch.cat([seen["neurons"].mean(0), seen["neurons"].amax(0), residual.mean(0), residual.amax(0)])
    found = Reader(given, [0]).read([np.array([3, 4, 5], np.uint32)])
    assert found[0] == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.parametrize("family", ["GPT2", "Llama", "OPT"])
def test_a_span_is_read_alike_alone_and_beside_longer_ones(family, monkeypatch):
    reader = Reader(small_model(family))
    random = np.random.default_rng(0)
    spans = [random.integers(0, 50, size).astype(np.uint32) for size in (1, 7, 20, 3, 12)]
    together = reader.read(spans)
    alone = np.concatenate([reader.read([span]) for span in spans])
    assert together == pytest.approx(alone, abs=1e-4)
    monkeypatch.setattr(activations, "BATCH_TOKENS", 25)
    assert reader.read(spans) == pytest.approx(alone, abs=1e-4)
    assert reader.read([]).shape == (0, reader.size)


def test_a_first_token_is_run_but_not_counted():
    span = np.array([3, 4, 5], np.uint32)
    with_first = Reader(small_model("Llama", first=7), [0]).read([span])[0]
    bare = Reader(small_model("Llama"), [0])
    assert with_first != pytest.approx(bare.read([span])[0], abs=1e-3)
    assert with_first != pytest.approx(bare.read([np.array([7, 3, 4, 5], np.uint32)])[0], abs=1e-3)


@pytest.mark.parametrize(
    ("layers", "read"), [(1, [0]), (6, [0, 1, 2, 3, 4, 5]), (7, [0, 2, 4, 6]), (32, [7, 15, 23, 31])]
)
def test_the_layers_that_are_read(layers, read):
    assert evenly(layers) == read


def test_of_very_many_neurons_evenly_spaced_ones_are_read(monkeypatch):
    monkeypatch.setattr(activations, "NODES", 10)
    assert Reader(small_model("Llama"), [0]).size == 2 * (8 + 8)


def test_a_model_without_a_feed_forward_part():
    given = small_model("Llama")
    for layer in given.network.model.layers:
        layer.mlp = torch.nn.Identity()
    said = "lm has no layers with a feed-forward part that is known; name one like GPT-2, Llama or OPT"
    with pytest.raises(AttributionError, match=f"^{said}$"):
        find_blocks(given)
    given.network.model.layers = torch.nn.ModuleList()
    with pytest.raises(AttributionError, match=f"^{said}$"):
        find_blocks(given)


def test_a_model_whose_feed_forward_part_is_not_run_on_every_token():
    given = small_model("Llama")
    for layer in given.network.model.layers:
        layer.mlp.forward = lambda given: given
    with pytest.raises(AttributionError, match=r"^lm has no layers with a feed-forward part that is known"):
        Reader(given)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"vocab_size": 1000}, "its tokenizer has more words than it"),
        ({"max_position_embeddings": 100}, "it reads no more than 100 tokens at once"),
    ],
)
def test_a_model_that_cannot_read_what_its_tokenizer_gives(changed, reason, language_model, tmp_path):
    place = shutil.copytree(language_model, tmp_path / "lm")
    config = json.loads((place / "config.json").read_text())
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**config, **changed})).save_pretrained(place)
    with pytest.raises(AttributionError) as error:
        open_model(place)
    mend = "name a folder with config.json, weights and a tokenizer"
    assert str(error.value) == f"{place} holds no language model that can be loaded ({reason}); {mend}"


def test_weights_that_are_missing(language_model, tmp_path):
    place = shutil.copytree(language_model, tmp_path / "lm")
    weights = load_file(place / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    save_file(
        {key: value for key, value in weights.items() if key != name}, place / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(AttributionError) as error:
        open_model(place)
    assert str(error.value) == f"{place} has no weights for {name} of its model; get the model's files again"


def test_weights_that_are_no_numbers():
    given = small_model("Llama")
    with torch.no_grad():
        given.network.model.layers[1].mlp.up_proj.weight[0, 0] = torch.nan
    with pytest.raises(AttributionError) as error:
        Reader(given)
    said = "as with damaged weights or too little precision; get the model's files again, or name another"
    assert str(error.value) == f"lm computes what is no number, {said}"


def test_features_beyond_what_a_training_keeps_are_the_same_without_one(tmp_path):
    """Of a node that does very much: its features stay numbers, wherever they are read."""
    given = small_model("Llama")
    with torch.no_grad():
        given.network.model.layers[1].mlp.up_proj.weight[0] *= 1e12
    reader, spans = Reader(given), [np.arange(9, dtype=np.uint32)]
    found = reader.read(spans)
    assert np.abs(found).max() == activations.LARGEST
    kept = read_features(tmp_path, reader, spans, lambda *_said: None).rows(np.array([0]))
    assert np.allclose(kept.numpy(), found, rtol=1e-3, atol=1e-6)


def test_a_model_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(models, "digest_of", refuse)
    with pytest.raises(AttributionError) as error:
        open_model(tmp_path)
    said = f"{tmp_path}/config.json cannot be read (permission denied); allow it, or name another model"
    assert str(error.value) == said


def test_the_code_of_a_model_is_never_run(language_model, tmp_path):
    place = shutil.copytree(language_model, tmp_path / "lm")
    config = json.loads((place / "config.json").read_text())
    del config["model_type"]
    config["auto_map"] = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}
    (place / "config.json").write_text(json.dumps(config))
    (place / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(AttributionError, match="holds no language model that can be loaded"):
        open_model(place)
    assert not (tmp_path / "ran").exists()


def test_any_changed_file_makes_it_another_model(language_model, tmp_path):
    place = shutil.copytree(language_model, tmp_path / "lm")
    assert open_model(place).digest == open_model(language_model).digest
    (place / "generation_config.json").write_text("{ }")
    assert open_model(place).digest != open_model(language_model).digest
