"""The counting engines: texts in an Arrow array to the number of tokens of each.

gigatoken is the fast one. Its hazards and the way around each: texts go to it as large_string without
nulls, never as files; no special tokens are named to it, so they count as plain text; its caches are
bounded by making it anew; all workers share one, which spreads a batch over its own threads, and no
process is forked; and documents that it would split by a newer Unicode than tiktoken are counted by
tiktoken.
"""

from __future__ import annotations

import importlib.metadata
import os
import threading
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.errors import CallError, EncodingError
from royaltycli.limits import CACHE_BYTES, CACHE_CHECK_BYTES
from royaltycli.tokens.encodings import PUBLIC, Encoding
from royaltycli.tokens.reference import Reference, TiktokenReference, without_special_tokens
from royaltycli.tokens.unicode_guard import guarded

Counts = npt.NDArray[np.int64]

POOL_SIZE = "RAYON_NUM_THREADS"

EXACT_VERSION = "0.10."
"""The gigatoken that was compared with tiktoken; up to 0.9 it splits every vocabulary as r50k_base does."""


class Engine(Protocol):
    """Counts the tokens of many texts. Safe to share between threads."""

    def count(self, texts: pa.LargeStringArray) -> Counts:
        """The number of tokens of each text, on its own."""


def gigatoken_version() -> str:
    """The installed version of gigatoken; empty if there is none, as where it has no wheel."""
    try:
        return importlib.metadata.version("gigatoken")
    except importlib.metadata.PackageNotFoundError:
        return ""


def choose_engine(asked: str | None, reference: Reference | None) -> str:
    """The name of the engine to count with: what was asked for, or the fastest there is.

    Raises CallError if the one asked for is not installed or cannot count what the reference counts.
    """
    if asked in (None, "gigatoken") and gigatoken_version().startswith(EXACT_VERSION):
        return "gigatoken"
    if asked == "gigatoken":
        raise CallError("gigatoken 0.10 is not installed here; leave out `--engine`, or install it")
    if asked not in (None, "tiktoken"):
        raise CallError(f"engine is {asked!r}; it must be gigatoken or tiktoken")
    if reference is None:
        raise CallError("a tokenizer.json is counted by gigatoken or by tokenizers; install royaltycli[hf] for the latter")
    if asked == "tiktoken" and reference.name != "tiktoken":
        raise CallError("tiktoken cannot count a Hugging Face tokenizer.json; leave out `--engine`")
    return reference.name


def make_engine(name: str, encoding: Encoding, reference: Reference | None, workers: int = 1) -> Engine:
    """An engine of that name, to be shared by so many workers. Raises EncodingError if the vocabulary does not load."""
    if name == "gigatoken":
        return Gigatoken(encoding, reference, workers)
    assert reference is not None  # choose_engine saw to it
    return OneByOne(reference)


class OneByOne:
    """A reference engine as the counting engine."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def count(self, texts: pa.LargeStringArray) -> Counts:
        """Each text by the reference."""
        return np.fromiter((self._reference.count(text.as_py()) for text in texts), np.int64, len(texts))


class Gigatoken:
    """gigatoken, made exact and kept within bounds."""

    def __init__(self, encoding: Encoding, reference: Reference | None, workers: int) -> None:
        """Raises EncodingError if gigatoken does not load the vocabulary."""
        import psutil

        self._encoding = encoding
        self._reference = reference
        # None: over gigatoken's threads, but not in a forked process, where those would not answer.
        self._parallel = None if workers > 1 else False
        self._allowance = CACHE_BYTES * workers
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._renew()
        if workers > 1:
            _start_threads(self._tokenizer, workers)

    def count(self, texts: pa.LargeStringArray) -> Counts:
        """Each text by gigatoken, those with newer letters than tiktoken knows by tiktoken."""
        import awkward

        if not len(texts):
            return np.empty(0, dtype=np.int64)
        encoded = self._tokenizer.encode_batch(awkward.from_arrow(texts), parallel=self._parallel)
        counts = np.asarray(awkward.num(encoded)).astype(np.int64)
        if isinstance(self._reference, TiktokenReference):
            for index in guarded(texts):
                counts[index] = self._reference.count(texts[int(index)].as_py())
        with self._lock:
            self._bound_caches(texts.nbytes)
        return counts

    def _renew(self) -> None:
        self._tokenizer: Any = _load(self._encoding)
        self._since_check = 0
        self._base = self._process.memory_info().rss

    def _bound_caches(self, counted: int) -> None:
        """Make the tokenizer anew when its caches, which only grow, have grown enough."""
        self._since_check += counted
        if self._since_check < CACHE_CHECK_BYTES:
            return
        self._since_check = 0
        if self._process.memory_info().rss - self._base > self._allowance:
            self._renew()


_threads_started = threading.Event()


def _start_threads(tokenizer: Any, workers: int) -> None:
    """Give gigatoken's thread pool its size, which it takes from the environment when it first works.

    It is one pool for the process: later scans in the same process use it as it is.
    """
    if _threads_started.is_set():
        return
    before = os.environ.get(POOL_SIZE)
    os.environ[POOL_SIZE] = str(workers)
    try:
        tokenizer.encode_batch(["a", "b"], parallel=None)
    finally:
        if before is None:
            del os.environ[POOL_SIZE]
        else:
            os.environ[POOL_SIZE] = before
    _threads_started.set()


def _load(encoding: Encoding) -> Any:
    import gigatoken

    try:
        if encoding.kind == "huggingface":
            return gigatoken.Tokenizer.from_json(without_special_tokens(encoding))
        # The scheme named, so that special tokens are not taken from the file's name.
        return gigatoken.Tokenizer.from_tiktoken(encoding.path, pretokenizer=PUBLIC[encoding.pattern].scheme)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]  # without the place in its source
        raise EncodingError(f"{encoding.name}: gigatoken cannot load it ({reason})") from error

