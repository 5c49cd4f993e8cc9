"""Shares a document out among the sources that it names: in whole tokens and bytes, in equal parts.

What is left goes one each to the first of the parts, in the order of the SHA-256 of the document's digest
and the name; so it depends on nothing but the document and the names, and all parts together are the
document. As a document it counts in the first part. A part is told from the whole text by its digest: the
SHA-256 of the document's digest, the place of the part and the number of parts, 8 bytes each.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.arrays import Numbers

Digests = npt.NDArray[np.uint8]
"""SHA-256 of documents, a row of 32 bytes each."""


def shared_out(
    names: pa.Array, documents: npt.NDArray[np.intp], sizes: Numbers, counts: Numbers, digests: Digests
) -> tuple[Numbers, Numbers, Numbers, Digests]:
    """Documents, bytes, tokens and digest of each part; `documents` says of which document each name is a part.

    The parts of a document stand side by side. One that names a single source, or none, stays whole.
    """
    several, starts = np.bincount(documents, minlength=len(counts)), np.searchsorted(documents, documents)
    ranks = np.zeros(len(documents), dtype=np.int64)
    own = digests[documents]
    shared = np.flatnonzero(several[documents] > 1)
    for first in np.unique(starts[shared]).tolist():
        number = int(several[documents[first]])
        digest = digests[documents[first]].tobytes()
        keys = [hashlib.sha256(digest + names[first + part].as_py().encode()).digest() for part in range(number)]
        for rank, part in enumerate(sorted(range(number), key=keys.__getitem__)):
            ranks[first + part] = rank
            written = digest + rank.to_bytes(8, "big") + number.to_bytes(8, "big")
            own[first + part] = np.frombuffer(hashlib.sha256(written).digest(), dtype=np.uint8)
    one = _part(np.ones(len(counts), dtype=np.int64), documents, several, ranks)
    return one, _part(sizes, documents, several, ranks), _part(counts, documents, several, ranks), own


def _part(wholes: Numbers, documents: npt.NDArray[np.intp], several: npt.NDArray[np.intp], ranks: Numbers) -> Numbers:
    quotients, left = np.divmod(wholes, np.maximum(several, 1))
    parts: Numbers = quotients[documents] + (ranks < left[documents])
    return parts
