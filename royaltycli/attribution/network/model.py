"""A language model in a folder on this disk, as transformers loads it: never from elsewhere, and without its code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from royaltycli.attribution.folder import digest_of
from royaltycli.attribution.network.spans import LONG
from royaltycli.errors import AttributionError, reason_of
from royaltycli.remote.names import check_here
from royaltycli.tokens.engines import Ids

CONTROL_SEED = 0
"""Of the random weights that the control has."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal language model and its tokenizer, ready to be run; `digest` is that of its files."""

    path: Path
    digest: str
    network: Any
    tokenizer: Any

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self.network.device
        return device

    @property
    def first(self) -> int | None:
        """The token with which its texts begin, if it has one."""
        number: int | None = self.tokenizer.bos_token_id
        return number

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """The tokens of each text, without special ones."""
        if not texts:
            return []
        found = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return [np.asarray(ids, np.uint32) for ids in found]


def open_model(path: Path) -> LanguageModel:
    """Load a model from its folder. Raises AttributionError if that holds none, or a part of one."""
    digest = digest_of_model(path)
    transformers = _transformers()
    place = str(path.resolve())
    how: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    on_gpu = torch.cuda.is_available()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **how)
        network, report = transformers.AutoModelForCausalLM.from_pretrained(
            place, dtype="auto" if on_gpu else torch.float32, output_loading_info=True, **how
        )
        _check(network, tokenizer)
    except Exception as error:  # transformers and what it calls raise whatever a damaged file leads to
        raise AttributionError(
            f"{path} holds no language model that can be loaded ({_reason(error)}); "
            "name a folder with config.json, weights and a tokenizer"
        ) from error
    if lacking := sorted(report["missing_keys"]):
        raise AttributionError(f"{path} has no weights for {lacking[0]} of its model; get the model's files again")
    return LanguageModel(path, digest, network.to("cuda" if on_gpu else "cpu").eval(), tokenizer)


def _check(network: Any, tokenizer: Any) -> None:
    """Raises ValueError for a model that cannot read what its tokenizer gives, or a tokenizer that gives nothing.

    Where there is no file of a tokenizer, transformers makes one without words.
    """
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ValueError("it has no tokenizer")
    if len(tokenizer) > network.get_input_embeddings().num_embeddings:
        raise ValueError("its tokenizer has more words than it")
    if getattr(network.config, "max_position_embeddings", LONG + 1) <= LONG:
        raise ValueError(f"it reads no more than {network.config.max_position_embeddings} tokens at once")


def with_random_weights(model: LanguageModel) -> LanguageModel:
    """The control: a model of the same shape that has learned nothing, always with the same weights."""
    torch.manual_seed(CONTROL_SEED)
    network = _transformers().AutoModelForCausalLM.from_config(model.network.config, dtype=model.network.dtype)
    digest = hashlib.sha256(f"random weights {CONTROL_SEED} {model.digest}".encode()).hexdigest()
    return LanguageModel(model.path, digest, network.to(model.device).eval(), model.tokenizer)


def digest_of_model(path: Path) -> str:
    """The digest of all files of a model's folder but hidden ones. Raises AttributionError if there is no model.

    Raises CallError for one in a store.
    """
    check_here(path, "a language model")
    if not path.is_dir():
        raise AttributionError(f"{path} is no folder; name one that holds a language model, with `--model`")
    if not (path / "config.json").is_file():
        raise AttributionError(f"{path} has no config.json; name the folder of a Hugging Face model, with `--model`")
    try:
        files = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
        said = [[one.name, digest_of(one)] for one in files]
    except OSError as error:
        raise AttributionError(
            f"{error.filename} cannot be read ({reason_of(error)}); allow it, or name another model"
        ) from error
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _transformers() -> Any:
    import transformers

    logging: Any = transformers.utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return transformers


def _reason(error: Exception) -> str:
    """The first line of what a library says, in brackets of ours."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return first.rstrip(".")[:160]
