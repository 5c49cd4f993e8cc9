"""A disk that fails: for tests that break a write at any one of its calls to the operating system."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib

from royaltycli import storage

CALLS = ("chmod", "close", "fstat", "fsync", "open", "replace", "stat")


class Disk:
    """Counts calls while it is in use and lets `at`, the n-th of them, end in `fault`."""

    def __init__(self, at=0, fault=None):
        self.at, self.fault, self.calls = at, fault, []

    def call(self, name):
        self.calls.append(name)
        if len(self.calls) == self.at:
            self.fault(name)

    @contextlib.contextmanager
    def in_use(self):
        disk, real, opened = self, {name: getattr(os, name) for name in CALLS}, pathlib.Path.open

        def counted(name):
            def run(*args, **options):
                disk.call(name)
                return real[name](*args, **options)

            return run

        class Raw(io.FileIO):
            def __init__(self, *args):
                disk.call("open")
                super().__init__(*args)

            def write(self, data):
                disk.call("write")
                return super().write(data)

            def readinto(self, buffer):
                disk.call("read")
                return super().readinto(buffer)

        def open_counted(path, mode="r", *_):
            return io.BufferedRandom(Raw(path, mode)) if "+" in mode else io.BufferedReader(Raw(path, mode))

        stand_in = type("os", (), {**vars(os), **{name: staticmethod(counted(name)) for name in CALLS}})
        storage.os, pathlib.Path.open = stand_in, open_counted
        try:
            yield disk
        finally:
            storage.os, pathlib.Path.open = os, opened
