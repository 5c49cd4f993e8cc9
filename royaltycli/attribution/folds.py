"""Into which folds the documents of a unit are cut, so that a calibration can overlook one of all units (rule U19)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from royaltycli.arrays import Mask, Numbers

Folds = npt.NDArray[np.int8]

FOLDS = 10


def folds_of(lengths: Numbers, units: Numbers, cut: Mask) -> Folds:
    """The fold of each token of documents that follow one another, and of the one place more that follows each.

    The folds of a unit have about as many tokens each: were more of one unit overlooked than of others, that would
    tell which unit a span is of. A document that is to be `cut` makes as many stretches, one for each.
    """
    folds = np.zeros(len(lengths), np.int8)
    shift = int(lengths.sum())
    loads: dict[int, Numbers] = {}
    # The longest first, each to the fold that has least; the first fold of a unit is another for each shard.
    for document in np.lexsort((np.arange(len(lengths)), -lengths)).tolist():
        unit, length = int(units[document]), int(lengths[document])
        load = loads.setdefault(unit, np.zeros(FOLDS, np.int64))
        first = (unit + shift) % FOLDS
        fold = (int(np.roll(load, -first).argmin()) + first) % FOLDS
        load[fold] += length
        folds[document] = fold
    of_places = np.repeat(folds, lengths + 1)
    ends = np.cumsum(lengths + 1)
    for document in np.flatnonzero(cut).tolist():
        length, end = int(lengths[document]), int(ends[document])
        of_places[end - length - 1 : end] = np.arange(length + 1) * FOLDS // (length + 1)
    return of_places
