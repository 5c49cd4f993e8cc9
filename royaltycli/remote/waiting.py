"""Waiting for other machines in such a way that Ctrl-C need not wait as well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from royaltycli.limits import AT_A_TIME

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


WAIT_SECONDS = 0.1
"""How long it is waited at a time, as Windows lets no interrupt through to who waits without an end."""


def begun(call: Callable[[], Answer]) -> Future[Answer]:
    """What a call is going to give. It runs in a thread, for whose end the command line does not wait."""
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- for whoever waits
            future.set_exception(error)

    threading.Thread(target=run).start()  # no daemon, which Python would break off at its end, and abort
    return future


def waited(future: Future[Answer]) -> Answer:
    """What was begun has given, once it has. Raises what it raised."""
    while not wait([future], WAIT_SECONDS).done:
        pass
    return future.result(0)


def asked(call: Callable[[], Answer]) -> Answer:
    """What a call gives, as soon as it has. Raises what it raises."""
    return waited(begun(call))


def all_of(call: Callable[[Asked], Answer], many: Iterable[Asked]) -> list[Answer]:
    """What a call gives for each of many, in their order, several at a time. Raises what the first of them raises."""
    threads = ThreadPoolExecutor(AT_A_TIME)
    try:
        futures = [threads.submit(call, one) for one in many]
        return [waited(future) for future in futures]
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
