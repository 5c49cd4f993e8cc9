"""A disk that fails: for tests that break a write at any one of its calls to the operating system."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib

from royaltycli import storage, workspace

OF_OS = ("close", "fstat", "fsync", "open")
OF_PATH = ("chmod", "replace", "stat")
"""What storage and workspace call by these two ways, beside the reading and writing of files."""


def failing(number):
    """A call that ends in this error."""

    def fault(_name):
        raise OSError(number, os.strerror(number))

    return fault


class Disk:
    """Counts calls while it is in use and lets `at`, the n-th of them, end in `fault`."""

    def __init__(self, at=0, fault=None):
        self.at, self.fault, self.calls = at, fault, []

    def call(self, name):
        self.calls.append(name)
        if len(self.calls) == self.at:
            self.fault(name)

    def counted(self, name, real):
        def run(*args, **options):
            self.call(name)
            return real(*args, **options)

        return run

    @contextlib.contextmanager
    def in_use(self):
        disk, path, methods = self, pathlib.Path, {name: getattr(pathlib.Path, name) for name in (*OF_PATH, "open")}
        real_open = methods["open"]

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

        def open_counted(path, mode="r", *_, **options):
            if "b" not in mode:  # texts are other people's
                return real_open(path, mode, **options)
            return io.BufferedRandom(Raw(path, mode)) if "+" in mode else io.BufferedReader(Raw(path, mode))

        calls = {name: staticmethod(self.counted(name, getattr(os, name))) for name in OF_OS}
        storage.os = workspace.os = type("os", (), {**vars(os), **calls})
        path.open = open_counted
        for name in OF_PATH:
            setattr(path, name, self.counted(name, methods[name]))
        try:
            yield disk
        finally:
            storage.os = workspace.os = os
            for name, method in methods.items():
                setattr(path, name, method)
