"""Trains the heads of the network: all of them in one pass over the features, which are read from the disk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from royaltycli.attribution.network.features import Table
from royaltycli.attribution.network.head import LINEAR, NARROW, RIDGE, Head, Scale

EPOCHS, BATCH = 10, 256
RATE, DECAY = 5e-4, 0.1
SEED = 0

SAMPLED = 4096
"""Sources that are told apart in a step, where there are more: those of its spans, and others by chance."""

SCALING = 8192
"""Spans of each kind from which the scale is taken, evenly spread."""

Numbers = npt.NDArray[np.int64]


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
    short: npt.NDArray[np.bool_]


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
    narrow = sources if sources <= LINEAR else NARROW
    torch.manual_seed(SEED)
    projections = torch.zeros(len(left_out), narrow, table.size, device=device)
    names = torch.eye(sources, device=device).repeat(len(left_out), 1, 1)
    if sources > LINEAR:
        torch.nn.init.normal_(projections, std=table.size**-0.5)
        names = torch.randn(len(left_out), sources, narrow, device=device) * narrow**-0.5
        names.requires_grad_()
    projections.requires_grad_()
    biases = torch.zeros(len(left_out), narrow, device=device, requires_grad=True)
    parameters = [one for one in (projections, biases, names) if one.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * math.ceil(len(examples.spans) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    folds = torch.tensor(list(left_out))
    random = np.random.default_rng(SEED)
    for step, rows in enumerate(_batches(len(examples.spans), EPOCHS, random)):
        tell(step, steps)
        spans = examples.spans[rows]
        given = scale.apply(table.rows(spans).to(device), examples.lengths[spans])
        projected = torch.einsum("bd,hkd->bhk", given, projections) + biases
        right, among = _choice(examples.sources[rows], sources, random)
        scores = projected if sources <= LINEAR else torch.einsum("bhk,hsk->bhs", projected, names[:, among])
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
    learned = (projections.detach(), biases.detach(), names.detach())
    return _with_prototypes(table, examples, left_out, scale, *learned)


def _batches(size: int, epochs: int, random: np.random.Generator) -> Iterator[Numbers]:
    """Numbers of examples, all in each epoch, in another order."""
    for _ in range(epochs):
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
) -> Head:
    """The heads with the prototypes of all sources, from the spans that each was trained with."""
    heads, narrow = projections.shape[:2]
    zeros = lambda *shape: torch.zeros(*shape, dtype=torch.float64, device=projections.device)  # noqa: E731
    sizes, sums = zeros(heads, names.shape[1]), zeros(heads, names.shape[1], narrow)
    squares = zeros(heads, narrow, narrow)
    for rows, part in _parts(table, examples):
        given = scale.apply(rows.to(projections.device), examples.lengths[examples.spans[part]])
        for head, fold in enumerate(left_out):
            inside = torch.from_numpy(np.flatnonzero(examples.folds[part] != fold)).to(given.device)
            weights = torch.from_numpy(examples.weights[part]).to(given.device).double()[inside]
            right = torch.from_numpy(examples.sources[part]).to(given.device)[inside]
            projected = (given[inside] @ projections[head].T + biases[head]).double()
            sizes[head].index_add_(0, right, weights)
            sums[head].index_add_(0, right, projected * weights[:, None])
            squares[head] += projected.T @ (projected * weights[:, None])
    means = sums / sizes.clamp(min=1e-9)[:, :, None]
    spread = squares - torch.einsum("hs,hsk,hsl->hkl", sizes, means, means)
    spread /= sizes.sum(1).clamp(min=1e-9)[:, None, None]
    ridge = RIDGE * spread.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-9)
    sharpness = torch.linalg.inv(spread + ridge[:, None, None] * torch.eye(narrow).to(spread))
    head_of = Head(
        scale, projections, biases, names, means.float(), sharpness.float(), sizes.float(), torch.ones(heads).to(names)
    )
    return dataclasses.replace(head_of, slopes=_slopes(head_of, table, examples))


def _parts(table: Table, examples: Examples) -> Iterator[tuple[torch.Tensor, slice]]:
    """The features of all examples, in parts, and where each stands."""
    for start in range(0, len(examples.spans), 4 * BATCH):
        part = slice(start, start + 4 * BATCH)
        yield table.rows(examples.spans[part]), part


def _slopes(head: Head, table: Table, examples: Examples) -> torch.Tensor:
    """By how much learned scores rise with the discriminants of the same sources, by least squares on some spans."""
    spans = examples.spans[:: max(1, len(examples.spans) // SCALING)]
    rows = table.rows(spans).to(head.projections.device)
    found = []
    for number in range(len(head.projections)):
        seen = head.sizes[number] > 0
        projected = head.project(rows, examples.lengths[spans], number)
        learned = (projected @ head.names[number].T)[:, seen]
        others = head.discriminants(projected, number)[:, seen]
        learned, others = (scores - scores.mean(1, keepdim=True) for scores in (learned, others))
        found.append((learned * others).sum() / others.square().sum().clamp(min=1e-9))
    return torch.stack(found)
