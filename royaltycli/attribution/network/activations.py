"""What the nodes of a language model do on a span of text (rule V2).

Of some layers, the feed-forward neurons (what the last matrix of a layer's feed-forward part is given, after the
non-linearity) and the residual stream behind the layer; of each node, its mean and its greatest value over the tokens
of the span. They are found by the structure of the model, not by the names that its family gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from royaltycli.attribution.network.model import LanguageModel
from royaltycli.errors import AttributionError
from royaltycli.tokens.engines import Ids

ALL_LAYERS, FEW_LAYERS = 6, 4
"""A model with no more than ALL_LAYERS is read in all of them, a larger one in FEW_LAYERS."""

NODES = 4096
"""The most nodes of one kind that are read of a layer; of more, evenly spaced ones."""

BATCH_TOKENS = 8192
"""Tokens that run through the model at once."""

LARGEST = float(np.finfo(np.float16).max)
"""No feature is beyond it, in a training, which keeps them as float16, or later."""

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """A layer of a model, and the last matrix of its feed-forward part."""

    number: int
    whole: torch.nn.Module
    down: torch.nn.Module


class Reader:
    """Reads spans with a model. `layers` are counted from 0; `size` is the number of features of a span."""

    def __init__(self, model: LanguageModel, layers: Sequence[int] | None = None) -> None:
        """Raises AttributionError for a model whose layers have no feed-forward part that is known."""
        self.model = model
        blocks = find_blocks(model)
        self.layers = evenly(len(blocks)) if layers is None else list(layers)
        self.blocks = [blocks[number] for number in self.layers if number < len(blocks)]
        self.size = self.read([np.zeros(2, np.uint32)]).shape[1]

    def read(self, spans: Sequence[Ids]) -> Features:
        """The features of each span, a row. A span has at least one token.

        Raises AttributionError if the model computes what is no number.
        """
        found: Features | None = None
        for rows in _batches(spans):
            features = self._run([spans[row] for row in rows])
            if found is None:
                found = np.empty((len(spans), features.shape[1]), np.float32)
            found[rows] = features
        return np.empty((0, self.size), np.float32) if found is None else found

    def _run(self, spans: list[Ids]) -> Features:
        """One batch through the model."""
        head = [] if self.model.first is None else [self.model.first]
        lengths = torch.tensor([len(span) for span in spans])
        ids = torch.zeros((len(spans), len(head) + int(lengths.max())), dtype=torch.int64)
        for row, span in enumerate(spans):
            ids[row, : len(head) + len(span)] = torch.from_numpy(np.append(head, span).astype(np.int64))
        places = torch.arange(ids.shape[1])
        seen = places < len(head) + lengths[:, None]
        counted = (seen & (places >= len(head))).to(self.model.device)
        pooled: list[torch.Tensor] = []
        hooks = []
        for block in self.blocks:
            hooks += [
                block.down.register_forward_pre_hook(lambda _module, given: _pool(pooled, given[0], counted)),
                block.whole.register_forward_hook(
                    lambda _module, _given, out: _pool(pooled, out[0] if isinstance(out, tuple) else out, counted)
                ),
            ]
        try:
            with torch.inference_mode():
                self.model.network.base_model(
                    input_ids=ids.to(self.model.device), attention_mask=seen.to(self.model.device), use_cache=False
                )
        finally:
            for hook in hooks:
                hook.remove()
        if len(pooled) != 2 * len(self.blocks):
            raise _unknown(self.model)
        features: Features = torch.cat(pooled, dim=1).float().clamp(-LARGEST, LARGEST).cpu().numpy()
        if np.isnan(features).any():
            raise AttributionError(
                f"{self.model.path} computes what is no number, as with damaged weights or too little precision; get "
                "the model's files again, or name another"
            )
        return features


def _pool(pooled: list[torch.Tensor], values: torch.Tensor, counted: torch.Tensor) -> None:
    """Add the mean and the greatest value of each node over the tokens that count."""
    if values.shape[:1] == (counted.numel(),):  # some models flatten the batch
        values = values.view(*counted.shape, -1)
    if values.shape[:-1] != counted.shape:
        return
    step = -(-values.shape[2] // NODES)
    values = values[:, :, ::step].float()
    mask = counted[:, :, None]
    pooled.append(
        torch.cat([(values * mask).sum(1) / mask.sum(1), values.masked_fill(~mask, -torch.inf).amax(1)], dim=1)
    )


def _batches(spans: Sequence[Ids]) -> Iterator[list[int]]:
    """The numbers of spans that run together: of about the same length, so that little is filled up."""
    order = sorted(range(len(spans)), key=lambda number: len(spans[number]))
    rows: list[int] = []
    for number in order:
        if rows and (len(rows) + 1) * len(spans[number]) > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(number)
    if rows:
        yield rows


def evenly(layers: int) -> list[int]:
    """The layers that are read of so many: all of a few, else FEW_LAYERS of even distance, the last among them."""
    if layers <= ALL_LAYERS:
        return list(range(layers))
    return [layers * part // FEW_LAYERS - 1 for part in range(1, FEW_LAYERS + 1)]


def find_blocks(model: LanguageModel) -> list[Block]:
    """The layers of a model: the longest list of modules of one class. Raises AttributionError if they are unknown."""
    lists = [
        module
        for module in model.network.modules()
        if isinstance(module, torch.nn.ModuleList) and len({type(one) for one in module}) == 1
    ]
    blocks = []
    longest = max((list(one) for one in lists), key=len, default=[])
    for number, whole in enumerate(longest):
        down = _down(whole, model.network.config.hidden_size)
        if down is None:
            raise _unknown(model)
        blocks.append(Block(number, whole, down))
    if not blocks:
        raise _unknown(model)
    return blocks


def _down(whole: torch.nn.Module, width: int) -> torch.nn.Module | None:
    """The last matrix of a layer that is not of its attention, and leads back to the width of the model."""
    found = None
    for name, module in whole.named_modules():
        if "att" not in name.lower() and _outputs(module) == width:
            found = module
    return found


def _outputs(module: Any) -> int | None:
    """The width of what a matrix gives; GPT-2's have theirs under another name."""
    if isinstance(module, torch.nn.Linear):
        return module.out_features
    if type(module).__name__ == "Conv1D":
        width: int = module.nf
        return width
    return None


def _unknown(model: LanguageModel) -> AttributionError:
    return AttributionError(
        f"{model.path} has no layers with a feed-forward part that is known; name one like GPT-2, Llama or OPT"
    )
