"""The head of the network: from the features of a span to a score for each source (rule V3).

Features are scaled, and a learned projection, with a non-linearity behind it, takes them to a few numbers, by which
sources are scored (multinomial logistic regression). There each source has a prototype as well, the mean of its spans:
a source that comes later is scored by a linear discriminant (Fisher 1936) with the spread of the others, so it needs
but its own spans. There is a head for each fold, which has not seen the fold's documents, and one that has seen all.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import gelu

from royaltycli.arrays import Floats, Numbers
from royaltycli.attribution.network.spans import LONG, SHORT

NARROW = 256
"""Numbers that the projection leads to."""

CLIP = 8.0
"""Standard deviations at which a feature ends."""

RIDGE = 0.1
"""Of the mean spread, which is added to the spread in every direction, so that none is without."""

UNSEEN = -1e4
"""The score of a source of which a head has seen no span: far below all others."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The mean and the spread of each feature over short spans, and over long ones: two rows each.

    Of spans between, they lie between, by the logarithm of the length: the greatest value of a node over a span
    grows with its length, and would say more of that than of the source.
    """

    means: torch.Tensor
    spreads: torch.Tensor

    def apply(self, rows: torch.Tensor, lengths: Numbers) -> torch.Tensor:
        """Features in standard deviations from their means."""
        at = np.clip(np.log(np.maximum(lengths, 1) / SHORT) / np.log(LONG / SHORT), 0, 1)
        part = torch.from_numpy(at).to(rows)[:, None]
        means = self.means[0] * (1 - part) + self.means[1] * part
        spreads = self.spreads[0] * (1 - part) + self.spreads[1] * part
        return ((rows - means) / spreads).clamp(-CLIP, CLIP)


@dataclass(frozen=True, slots=True)
class Head:
    """All heads, one after the other, the last of which has seen all documents.

    `projections` (heads × narrow × features) and `biases`; `names` (heads × sources × narrow) and `levels`, by which
    the sources that were learned are scored. For those that come later: `prototypes` (heads × all sources × narrow);
    `sharpness` (heads × narrow × narrow), the inverse of the spread; `sizes`, the spans that each source has; and
    `heights`, by how much the scores of spans' own sources are above the mean of all.
    """

    scale: Scale
    projections: torch.Tensor
    biases: torch.Tensor
    names: torch.Tensor
    levels: torch.Tensor
    prototypes: torch.Tensor
    sharpness: torch.Tensor
    sizes: torch.Tensor
    heights: torch.Tensor

    @property
    def features(self) -> int:
        """The features of a span."""
        return self.projections.shape[2]

    @property
    def sources(self) -> int:
        """The sources, also those that came later."""
        return self.prototypes.shape[1]

    def project(self, rows: torch.Tensor, lengths: Numbers, head: int) -> torch.Tensor:
        """The few numbers of each span, by one of the heads."""
        scaled = self.scale.apply(rows, lengths)
        return gelu(scaled @ self.projections[head].T + self.biases[head])

    def scores(self, rows: torch.Tensor, lengths: Numbers, head: int) -> Floats:
        """The score of each source for each span: the logarithm of how likely it is, up to a number of the span."""
        projected = self.project(rows, lengths, head)
        learned = self.learned(projected, head)
        seen = self.sizes[head] > 0
        known = seen[: learned.shape[1]]
        if self.sources > learned.shape[1]:
            middle = learned[:, known].mean(1, keepdim=True)
            learned = torch.cat([learned, middle + self.later(projected, known, head)], dim=1)
        found: Floats = learned.masked_fill(~seen, UNSEEN).double().cpu().numpy()
        return found

    def learned(self, projected: torch.Tensor, head: int) -> torch.Tensor:
        """The scores of the sources that were learned."""
        return projected @ self.names[head].T + self.levels[head]

    def later(self, projected: torch.Tensor, known: torch.Tensor, head: int) -> torch.Tensor:
        """The scores of the sources that came later, above the mean of those that were learned and are `known`.

        On its own spans a source has, in the mean, as much as others on theirs; on the spans of others as little.
        """
        old, new = self.prototypes[head][: len(known)][known], self.prototypes[head][len(known) :]
        apart = new - old.mean(0)
        weights = apart @ self.sharpness[head]
        part = ((projected - old.mean(0)) @ weights.T) / (weights * apart).sum(1).clamp(min=1e-9)
        least = -self.heights[head] / max(1, len(old) - 1)
        return least + (self.heights[head] - least) * part

    def with_source(self, rows: torch.Tensor, lengths: Numbers) -> Head:
        """The heads with one more source, the last, of which these are spans."""
        means = [self.project(rows, lengths, head).mean(0) for head in range(len(self.projections))]
        prototypes = torch.cat([self.prototypes, torch.stack(means)[:, None]], dim=1)
        sizes = torch.cat([self.sizes, torch.full((len(means), 1), float(len(rows))).to(self.sizes)], dim=1)
        return dataclasses.replace(self, prototypes=prototypes, sizes=sizes)
