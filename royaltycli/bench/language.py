"""Small language models for benchmarks and tests: trained from scratch into a Hugging Face folder, and asked.

It is a Llama in small: as good as any of its size, and its layers are those that most models of today have.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from royaltycli.arrays import Floats, Mask, Numbers
from royaltycli.bench.shape import Shape
from royaltycli.tokens.engines import Ids

WARMUP = 0.05
"""The part of the training in which the rate of learning rises."""

AT_ONCE = 64
"""Texts that are read or written at a time."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The mean loss, in nats a token, over the last tenth of the training; what it took, in tokens and seconds."""

    loss: float
    tokens: int
    seconds: float


def train_language_model(
    texts: Sequence[str],
    tokenizer: Path,
    folder: Path,
    shape: Shape | None = None,
    *,
    tokens: int,
    seconds: float = math.inf,
    seed: int = 0,
    left_out: Sequence[bool] = (),
    start: Path | None = None,
) -> Trained:
    """Train a model on some texts until it has seen so many tokens, or time is up, and save it with its tokenizer.

    `tokenizer` is a tokenizer.json. The same seed on the same machine gives the same model, unless the time ends
    it. Texts that are `left_out` are not seen, but others in their place: all else comes in the order in which it
    would have come with them. A model in the folder `start` is trained further, instead of one of random weights.
    """
    transformers: Any = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    shape = shape or Shape()
    words = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tokenizer))
    ids = [
        np.asarray(one, np.int64) for one in words(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    ]
    torch.manual_seed(seed)
    model = _untrained(transformers, len(words), shape) if start is None else _saved(transformers, start)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    started = time.monotonic()
    losses = []
    steps = max(1, math.ceil(tokens / (shape.batch * shape.window)))
    optimizer = _optimizer(model, shape)
    hidden = np.repeat(np.array(left_out or [False] * len(ids), bool), [len(one) for one in ids])
    for step, batch in zip(range(steps), _batches(np.concatenate(ids), hidden, shape, seed), strict=False):
        part = max(step / steps, (time.monotonic() - started) / seconds)
        if part >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = shape.rate * _rising_and_falling(part)
        given = torch.from_numpy(batch).to(device)
        loss = model(input_ids=given, labels=given).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    last = losses[-max(1, steps // 10) :]
    return Trained(sum(last) / len(last), len(losses) * shape.batch * shape.window, time.monotonic() - started)


def write(model: Path, count: int, seed: int, prompts: Sequence[Ids]) -> list[Ids]:
    """What a model writes after each prompt: `count` tokens, each drawn by its probability (temperature 1).

    The prompts are of the same length, of one token or more.
    """
    network = _load(model)
    torch.manual_seed(seed)
    found: list[Ids] = []
    for start in range(0, len(prompts), AT_ONCE):
        given = _stacked(prompts[start : start + AT_ONCE], network)
        how: dict[str, Any] = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_new_tokens": count}
        said = network.generate(given, attention_mask=torch.ones_like(given), **how)
        found += list(said[:, given.shape[1] :].cpu().numpy().astype(np.uint32))
    return found


def losses(prompts: Sequence[Ids], texts: Sequence[Ids], model: Path) -> Floats:
    """The loss of each text after its prompt, by a model: the mean over its tokens, in nats.

    All prompts are of the same length, and so are all texts. After no prompt the first token of a text is given.
    """
    network = _load(model)
    found = [np.empty(0)]
    for start in range(0, len(texts), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        given = _stacked([np.concatenate(pair) for pair in zip(prompts[part], texts[part], strict=True)], network)
        with torch.inference_mode():
            said = network(input_ids=given).logits[:, :-1].float().transpose(1, 2)
            each = torch.nn.functional.cross_entropy(said, given[:, 1:], reduction="none")
        found.append(each[:, max(0, len(prompts[start]) - 1) :].mean(1).double().cpu().numpy())
    return np.concatenate(found)


def _load(model: Path) -> Any:
    use_one_thread()
    transformers: Any = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    network = _saved(transformers, model)
    return network.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _saved(transformers: Any, model: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(str(model.resolve()), local_files_only=True)


def _stacked(tokens: Sequence[Ids], network: Any) -> torch.Tensor:
    return torch.from_numpy(np.stack(tokens).astype(np.int64)).to(network.device)


def _untrained(transformers: Any, words: int, shape: Shape) -> Any:
    """A model of random weights."""
    config = transformers.LlamaConfig(
        vocab_size=words,
        hidden_size=shape.width,
        intermediate_size=shape.neurons,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=max(1024, shape.window),
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    return transformers.LlamaForCausalLM(config)


def _optimizer(model: torch.nn.Module, shape: Shape) -> torch.optim.Optimizer:
    """AdamW without decay of gains."""
    matrices = [one for one in model.parameters() if one.ndim > 1]
    gains = [one for one in model.parameters() if one.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": shape.decay}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=shape.rate, betas=(0.9, 0.95))


def _rising_and_falling(part: float) -> float:
    """The rate of learning when a part of the training is done: it rises in a line, and falls along a cosine."""
    if part < WARMUP:
        return 0.01 + 0.99 * part / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (part - WARMUP) / (1 - WARMUP)))


def _batches(ids: Numbers, hidden: Mask, shape: Shape, seed: int) -> Iterator[Numbers]:
    """Windows of the text, which is gone through in another order, and cut at other places, each time.

    In the place of a window with a token that is `hidden` comes another one.
    """
    random, others = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    window = min(shape.window, len(ids))
    before = np.concatenate([[0], np.cumsum(hidden)])
    pending: list[Numbers] = []
    while True:
        offset = int(random.integers(0, min(window, len(ids) - window + 1)))
        starts = np.arange(offset, len(ids) - window + 1, window)
        shown = starts[before[starts + window] == before[starts]]
        for start in random.permutation(starts).tolist():
            at = start if before[start + window] == before[start] else int(others.choice(shown))
            pending.append(ids[at : at + window])
            if len(pending) == shape.batch:
                yield np.stack(pending)
                pending = []


def use_one_thread() -> None:
    """For a process beside others: they would hold each other up."""
    torch.set_num_threads(1)
