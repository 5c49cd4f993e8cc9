"""Linear algebra in one thread: in several a sum is put together from other parts, and its last bits are others."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """While this is entered numpy multiplies matrices in one thread, whatever number of cores there is."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits
