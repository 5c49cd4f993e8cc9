"""Trains the heads of the network: all of them in one pass over the features, which are read from the disk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import dropout, gelu

from royaltycli.arrays import Mask, Numbers
from royaltycli.attribution.network.features import Table
from royaltycli.attribution.network.head import NARROW, RIDGE, Head, Scale

EPOCHS, STEPS, BATCH = 8, 200, 256
"""All examples are gone through EPOCHS times, and for so many steps at the least."""

RATE, DECAY = 1e-3, 0.1
DROPPED = 0.3
"""The part of the features, and of the numbers that they are projected to, that is left out at each step."""

SEED = 0

SAMPLED = 4096
"""Sources that are told apart in a step, where there are more: those of its spans, and others by chance."""

SCALING = 8192
"""Spans of each kind from which the scale is taken, evenly spread."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Spans of a table, which of the sources each is of, and the fold of its document; `weights` are above 0.

    A span of several sources is several examples, each of a part of the weight. `lengths` and `short` are of all
    spans of the table.
    """

    spans: Numbers
    sources: Numbers
    folds: Numbers
    weights: npt.NDArray[np.float32]
    lengths: Numbers
    short: Mask


def learn(
    table: Table,
    examples: Examples,
    sources: int,
    left_out: Sequence[int],
    device: torch.device,
    tell: Callable[[int, int], None],
) -> Head:
    """Train heads, each without one fold of `left_out` (-1: with all). `tell` is called with steps done, and all."""
    scale = _scale(table, examples, device)
    torch.manual_seed(SEED)
    heads = len(left_out)
    projections = (torch.randn(heads, NARROW, table.size) * table.size**-0.5).to(device).requires_grad_()
    names = (torch.randn(heads, sources, NARROW) * NARROW**-0.5).to(device).requires_grad_()
    biases = torch.zeros(heads, NARROW, device=device, requires_grad=True)
    levels = torch.zeros(heads, sources, device=device, requires_grad=True)
    optimizer = torch.optim.AdamW([projections, biases, names, levels], lr=RATE, weight_decay=DECAY)
    steps = max(STEPS, EPOCHS * math.ceil(len(examples.spans) / BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    folds = torch.tensor(list(left_out))
    random = np.random.default_rng(SEED)
    for step, rows in zip(range(steps), _batches(len(examples.spans), random), strict=False):
        tell(step, steps)
        spans = examples.spans[rows]
        given = scale.apply(table.rows(spans).to(device), examples.lengths[spans])
        projected = gelu(torch.einsum("bd,hkd->bhk", dropout(given, DROPPED), projections) + biases)
        right, among = _choice(examples.sources[rows], sources, random)
        scores = torch.einsum("bhk,hsk->bhs", dropout(projected, DROPPED), names[:, among]) + levels[:, among]
        losses = torch.logsumexp(scores, 2) - scores[torch.arange(len(rows)), :, right]
        weights = torch.from_numpy(examples.weights[rows])[:, None] * (
            torch.from_numpy(examples.folds[rows])[:, None] != folds
        )
        weights = weights.to(device)
        loss = ((losses * weights).sum(0) / weights.sum(0).clamp(min=1e-6)).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    tell(steps, steps)
    learned = (projections.detach(), biases.detach(), names.detach(), levels.detach())
    return _with_prototypes(table, examples, left_out, scale, *learned)


def _batches(size: int, random: np.random.Generator) -> Iterator[Numbers]:
    """Numbers of examples, over and over, all of them each time, in another order."""
    while True:
        order = random.permutation(size)
        for start in range(0, size, BATCH):
            yield np.sort(order[start : start + BATCH])


def _choice(right: Numbers, sources: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """The sources that are told apart in a step, and which of them is right for each example."""
    if sources <= SAMPLED:
        return torch.from_numpy(right), torch.arange(sources)
    among = np.unique(np.concatenate([right, random.integers(0, sources, SAMPLED)]))
    return torch.from_numpy(np.searchsorted(among, right)), torch.from_numpy(among)


def _scale(table: Table, examples: Examples, device: torch.device) -> Scale:
    """The scale of features, from some spans; of the other kind where there are hardly any of one."""
    means, spreads = [], []
    for kind in (True, False):
        spans = np.flatnonzero(examples.short == kind)
        if len(spans) <= 1:
            spans = np.arange(len(examples.short))
        rows = table.rows(spans[:: max(1, len(spans) // SCALING)])
        means.append(rows.mean(0))
        spreads.append(rows.std(0, correction=0).clamp(min=1e-4))
    return Scale(torch.stack(means).to(device), torch.stack(spreads).to(device))


def _with_prototypes(
    table: Table,
    examples: Examples,
    left_out: Sequence[int],
    scale: Scale,
    projections: torch.Tensor,
    biases: torch.Tensor,
    names: torch.Tensor,
    levels: torch.Tensor,
) -> Head:
    """The heads with the prototypes of all sources, from the spans that each was trained with."""
    heads, narrow = projections.shape[:2]
    precise: dict[str, Any] = {"dtype": torch.float64, "device": projections.device}
    sizes, sums = torch.zeros(heads, names.shape[1], **precise), torch.zeros(heads, names.shape[1], narrow, **precise)
    squares = torch.zeros(heads, narrow, narrow, **precise)
    for rows, part in _parts(table, examples):
        given = scale.apply(rows.to(projections.device), examples.lengths[examples.spans[part]])
        for head, fold in enumerate(left_out):
            inside = torch.from_numpy(np.flatnonzero(examples.folds[part] != fold)).to(given.device)
            weights = torch.from_numpy(examples.weights[part]).to(given.device).double()[inside]
            right = torch.from_numpy(examples.sources[part]).to(given.device)[inside]
            projected = gelu(given[inside] @ projections[head].T + biases[head]).double()
            sizes[head].index_add_(0, right, weights)
            sums[head].index_add_(0, right, projected * weights[:, None])
            squares[head] += projected.T @ (projected * weights[:, None])
    means = sums / sizes.clamp(min=1e-9)[:, :, None]
    spread = squares - torch.einsum("hs,hsk,hsl->hkl", sizes, means, means)
    spread /= sizes.sum(1).clamp(min=1e-9)[:, None, None]
    ridge = RIDGE * spread.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-9)
    sharpness = torch.linalg.inv(spread + ridge[:, None, None] * torch.eye(narrow).to(spread))
    head_of = Head(
        scale,
        projections,
        biases,
        names,
        levels,
        means.float(),
        sharpness.float(),
        sizes.float(),
        torch.ones(heads).to(names),
    )
    return dataclasses.replace(head_of, heights=_heights(head_of, table, examples))


def _parts(table: Table, examples: Examples) -> Iterator[tuple[torch.Tensor, slice]]:
    """The features of all examples, in parts, and where each stands."""
    for start in range(0, len(examples.spans), 4 * BATCH):
        part = slice(start, start + 4 * BATCH)
        yield table.rows(examples.spans[part]), part


def _heights(head: Head, table: Table, examples: Examples) -> torch.Tensor:
    """By how much the scores of spans' own sources are above the mean of all, in the mean over some spans."""
    some = slice(None, None, max(1, len(examples.spans) // SCALING))
    spans = examples.spans[some]
    right = torch.from_numpy(examples.sources[some]).to(head.projections.device)
    rows = table.rows(spans).to(right.device)
    found = []
    for number in range(len(head.projections)):
        learned = head.learned(head.project(rows, examples.lengths[spans], number), number)
        seen = head.sizes[number] > 0
        own = learned.gather(1, right[:, None])[:, 0] - learned[:, seen].mean(1)
        found.append(own[seen[right]].mean())
    return torch.stack(found)
