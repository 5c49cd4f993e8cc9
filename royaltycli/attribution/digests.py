"""The digest of a document's text: by it a network and an index know what both have, and the fold of each (rule V5)."""

from __future__ import annotations

from blake3 import blake3

NETWORK_FOLDS = 5
"""The folds of a network, which are not those of an index."""


def digest_of_text(text: str) -> int:
    """The first 64 bits of the BLAKE3 of a text, as it was read from the corpus."""
    return int.from_bytes(blake3(text.encode("utf-8")).digest(8), "big")


def fold_of(text: str) -> int:
    """The fold of a document, by its text alone: the heads of that fold were trained without it."""
    return digest_of_text(text) % NETWORK_FOLDS
