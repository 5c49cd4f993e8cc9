"""The counting engines: texts in an Arrow array to the number of tokens of each.

gigatoken is the fast one. Its hazards and the way around each: texts go to it as large_string without
nulls, never as files; no special tokens are named to it, so they count as plain text; its caches are
bounded by making it anew; each worker has its own, in a process that was not forked; and documents that
it would split by a newer Unicode than tiktoken are counted by tiktoken.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.errors import CallError, EncodingError
from royaltycli.limits import CACHE_BYTES, CACHE_CHECK_BYTES, CACHE_TEXT
from royaltycli.tokens.encodings import PUBLIC, Encoding
from royaltycli.tokens.reference import Reference, without_special_tokens
from royaltycli.tokens.unicode_guard import guarded

Ids = npt.NDArray[np.uint32]
"""Tokens by their numbers in the vocabulary."""

EXACT_VERSION = "0.10."
"""The gigatoken that was compared with tiktoken; up to 0.9 it splits every vocabulary as r50k_base does."""


class Engine(Protocol):
    """Counts the tokens of many texts. One thread uses it at a time."""

    def count(self, texts: pa.LargeStringArray) -> Numbers:
        """The number of tokens of each text, on its own."""

    def encode(self, texts: pa.LargeStringArray) -> tuple[Ids, Numbers]:
        """The tokens of all texts, one text after the other, and the number of each text's own."""


def gigatoken_version() -> str:
    """The installed version of gigatoken; empty if there is none, as where it has no wheel."""
    try:
        return importlib.metadata.version("gigatoken")
    except importlib.metadata.PackageNotFoundError:
        return ""


def choose_engine(asked: str | None, encoding: Encoding, reference: Reference | None) -> str:
    """The name of the engine to count with: what was asked for, or the fastest there is for the encoding.

    Raises CallError if the one asked for is not installed or cannot count the encoding, and EncodingError
    if none can.
    """
    if asked in (None, "gigatoken") and gigatoken_version().startswith(EXACT_VERSION):
        if encoding.kind == "huggingface" and asked is None and reference is not None and not _knows(encoding):
            return reference.name
        return "gigatoken"
    if asked == "gigatoken":
        raise CallError("gigatoken 0.10 is not installed here; leave out `--engine`, or install it")
    if asked not in (None, "tiktoken", "tokenizers"):
        raise CallError(f"engine is {asked!r}; it must be gigatoken, tiktoken or tokenizers")
    if reference is None:
        raise CallError(
            "a tokenizer.json is counted by gigatoken or by tokenizers; install royaltycli[hf] for the latter"
        )
    if asked not in (None, reference.name):
        raise CallError(f"{asked} cannot count this encoding; use `--engine {reference.name}`, or leave it out")
    return reference.name


def make_engine(name: str, encoding: Encoding, reference: Reference | None) -> Engine:
    """A new engine of that name for one worker. Raises EncodingError and CallError if it does not load."""
    if name == "gigatoken":
        return Gigatoken(encoding, reference)
    assert reference is not None  # choose_engine saw to it
    return OneByOne(reference)


def fastest_engine(encoding: Encoding, reference: Reference | None) -> Engine:
    """A new engine, the fastest there is for the encoding. Raises EncodingError."""
    return make_engine(choose_engine(None, encoding, reference), encoding, reference)


class OneByOne:
    """A reference engine as the counting engine."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def count(self, texts: pa.LargeStringArray) -> Numbers:
        """Each text by the reference."""
        return np.fromiter((self._reference.count(text.as_py()) for text in texts), np.int64, len(texts))

    def encode(self, texts: pa.LargeStringArray) -> tuple[Ids, Numbers]:
        """Each text by the reference."""
        return _joined([np.array(self._reference.encode(text.as_py()), np.uint32) for text in texts])


class Gigatoken:
    """gigatoken, made exact and kept within bounds."""

    def __init__(self, encoding: Encoding, reference: Reference | None) -> None:
        """Raises EncodingError if gigatoken does not load the vocabulary."""
        import psutil

        self._encoding = encoding
        self._reference = reference
        self._process = psutil.Process()
        self._renew()

    def count(self, texts: pa.LargeStringArray) -> Numbers:
        """Each text by gigatoken, those with newer letters than the reference knows by the reference."""
        if not len(texts):
            return np.empty(0, dtype=np.int64)
        _, counts = self._encoded(texts)
        if self._reference is not None:
            for index in guarded(texts):
                counts[index] = self._reference.count(texts[int(index)].as_py())
        return counts

    def encode(self, texts: pa.LargeStringArray) -> tuple[Ids, Numbers]:
        """Each text by gigatoken, those with newer letters than the reference knows by the reference."""
        import awkward

        if not len(texts):
            return _joined([])
        encoded, counts = self._encoded(texts)
        ids = np.asarray(awkward.flatten(encoded)).astype(np.uint32, copy=False)
        if self._reference is not None and len(other := guarded(texts)):
            parts = np.split(ids, np.cumsum(counts)[:-1])
            for index in other:
                parts[index] = np.array(self._reference.encode(texts[int(index)].as_py()), np.uint32)
            ids, counts = _joined(parts)
        return ids, counts

    def _encoded(self, texts: pa.LargeStringArray) -> tuple[Any, Numbers]:
        """The tokens of each text by gigatoken alone, and how many they are."""
        import awkward

        self._bound_caches(texts.nbytes)
        encoded = self._tokenizer.encode_batch(awkward.from_arrow(texts), parallel=False)
        return encoded, np.asarray(awkward.num(encoded)).astype(np.int64)

    def _renew(self) -> None:
        self._tokenizer: Any = None  # the old one's memory is free before the new one takes its own
        self._tokenizer = _load(self._encoding)
        self._counted = 0
        self._base = self._process.memory_info().rss

    def _bound_caches(self, coming: int) -> None:
        """Make the tokenizer anew if its caches, which only grow, have grown enough before so much text to come."""
        counted = self._counted
        self._counted += coming
        if not counted or self._counted // CACHE_CHECK_BYTES == counted // CACHE_CHECK_BYTES:
            return
        if self._counted > CACHE_TEXT or self._process.memory_info().rss - self._base > CACHE_BYTES:
            self._renew()
            self._counted = coming


def _joined(parts: list[Ids]) -> tuple[Ids, Numbers]:
    counts = np.fromiter(map(len, parts), np.int64, len(parts))
    return np.concatenate([np.empty(0, np.uint32), *parts]), counts


def _knows(encoding: Encoding) -> bool:
    """Whether gigatoken can load a tokenizer.json: it does not know every kind there is."""
    try:
        _load(encoding)
    except EncodingError:
        return False
    return True


def _load(encoding: Encoding) -> Any:
    try:
        import gigatoken
    except ImportError as error:  # such as of a wheel for another machine
        reason = str(error).partition("\n")[0]
        raise CallError(
            f"gigatoken is installed, but cannot be loaded ({reason}); install it anew, or uninstall it, and tiktoken "
            "counts"
        ) from error
    try:
        if encoding.kind == "huggingface":
            return gigatoken.Tokenizer.from_json(without_special_tokens(encoding))
        # The scheme named, so that special tokens are not taken from the file's name.
        return gigatoken.Tokenizer.from_tiktoken(encoding.path, pretokenizer=PUBLIC[encoding.pattern].scheme)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]  # without the place in its source
        raise EncodingError(f"{encoding.name}: gigatoken cannot load it ({reason})") from error
