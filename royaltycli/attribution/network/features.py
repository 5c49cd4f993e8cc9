"""The features of many spans, in files that are mapped into memory; what was read before a stop is not read again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from royaltycli.arrays import Numbers
from royaltycli.attribution import folder
from royaltycli.attribution.network.activations import Reader
from royaltycli.notes import note
from royaltycli.storage import make_folder
from royaltycli.tokens.engines import Ids

KEPT = "what was read is kept, and the next `royalty network train` goes on from there"
"""What an interrupted training says."""

VERSION = 1
PART = 2048
"""Spans in one file."""


class Table:
    """Features of spans, a row each, in files of PART rows."""

    def __init__(self, parts: list[npt.NDArray[np.float16]]) -> None:
        self.parts = parts
        self.size = parts[0].shape[1]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def rows(self, numbers: Numbers) -> torch.Tensor:
        """Some rows, as float32."""
        found = np.empty((len(numbers), self.size), np.float16)
        which = numbers // PART
        for part in np.unique(which).tolist():
            at = np.flatnonzero(which == part)
            found[at] = self.parts[part][numbers[at] % PART]
        return torch.from_numpy(found).float()


def read_features(place: Path, reader: Reader, spans: Sequence[Ids], tell: Callable[[int, int], None]) -> Table:
    """The features of all spans, in files below `place`. `tell` is called with the spans done, and all.

    Raises AttributionError and OutputError.
    """
    digest = hashlib.sha256(f"{VERSION} {reader.model.digest} {reader.layers} {reader.size}".encode())
    for span in spans:
        digest.update(len(span).to_bytes(8, "big"))
        digest.update(np.asarray(span, ">u4").tobytes())
    mine = place / digest.hexdigest()
    make_folder(mine)
    parts = []
    for start in range(0, len(spans), PART):
        tell(start, len(spans))
        name = f"part-{start // PART:06}"
        if not (mine / f"{name}.npy").is_file():
            found = reader.read(spans[start : start + PART])
            folder.save(mine, name, found.astype(np.float16))
            note(KEPT)
        parts.append(folder.load(mine, name))
    tell(len(spans), len(spans))
    return Table(parts)


def remove_features(place: Path) -> None:
    """Remove the files of all features; they are of no more use once a network is trained."""
    shutil.rmtree(place, ignore_errors=True)
