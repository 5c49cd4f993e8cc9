"""The size of a small language model: apart, as what trains it imports torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a language model, and how it is trained. The defaults make 1.05 million parameters of 2,048 words."""

    layers: int = 4
    width: int = 128
    heads: int = 4
    neurons: int = 344
    window: int = 256
    batch: int = 16
    rate: float = 4e-3
    decay: float = 0.1
