"""Faults in the calls of SQLite to the operating system, at any one of them.

SQLite's layer for Unix lets its calls be replaced; `use` puts functions in their place that count, and let the
n-th call end in a fault. `fsync` is none of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util

SIZE, OFFSET, FILE, POINTER = ctypes.c_size_t, ctypes.c_int64, ctypes.c_int, ctypes.c_void_p
CALLS = {
    "write": (ctypes.c_ssize_t, (FILE, POINTER, SIZE)),
    "pwrite": (ctypes.c_ssize_t, (FILE, POINTER, SIZE, OFFSET)),
    "pwrite64": (ctypes.c_ssize_t, (FILE, POINTER, SIZE, OFFSET)),
    "ftruncate": (ctypes.c_int, (FILE, OFFSET)),
    "unlink": (ctypes.c_int, (ctypes.c_char_p,)),
}


class Vfs(ctypes.Structure):
    """`sqlite3_vfs`, of whose functions only the last are called here."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("version", "file_size", "longest_path")),
        *((name, POINTER) for name in ("next", "name", "data")),
        ("methods", POINTER * 13),
        ("set_call", ctypes.CFUNCTYPE(ctypes.c_int, POINTER, ctypes.c_char_p, POINTER)),
        ("get_call", ctypes.CFUNCTYPE(POINTER, POINTER, ctypes.c_char_p)),
    )


def library():
    """The SQLite that Python uses, if it is a library of the system; else None."""
    import _sqlite3

    try:
        loaded = ctypes.CDLL(_sqlite3.__file__)
        loaded.sqlite3_vfs_find.restype = POINTER
        return loaded if loaded.sqlite3_vfs_find(None) else None
    except (OSError, AttributeError):
        return None


class Calls:
    """Counts the calls while it is in use; `fault(name)` is called at the n-th, and gives an errno or None."""

    def __init__(self, at=0, fault=None):
        self.at, self.fault, self.names = at, fault, []

    @contextlib.contextmanager
    def in_use(self):
        found = library().sqlite3_vfs_find(None)
        vfs = Vfs.from_address(found)
        kept = []
        for name, (result, arguments) in CALLS.items():
            before = vfs.get_call(found, name.encode())
            if not before:  # this build of SQLite has no use for it
                continue
            kind = ctypes.CFUNCTYPE(result, *arguments, use_errno=True)
            ours = kind(self._counting(name, kind(before)))
            kept.append((name, ours))
            vfs.set_call(found, name.encode(), ctypes.cast(ours, POINTER))
        try:
            yield self
        finally:
            for name, _ in kept:
                vfs.set_call(found, name.encode(), None)

    def _counting(self, name, real):
        def call(*arguments):
            self.names.append(name)
            if len(self.names) == self.at:
                number = self.fault(name)
                if number:
                    ctypes.set_errno(number)
                    return -1
            return real(*arguments)

        return call
