"""Opens files and unpacks them, within bounds.

Arrow's own streams unpack: they read every member of a gzip file and every frame of a zstd file, and
check the checksums of both. At a bound the reading fails: text is never cut short and counted.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.errors import DocumentError
from royaltycli.limits import DOCUMENT_BYTES, EXPANSION, EXPANSION_FREE, READ_BYTES, KiB
from royaltycli.manifest.paths import READING
from royaltycli.remote.reading import RemoteFile, fetcher
from royaltycli.remote.waiting import all_of

SMALL_STEP = 1 << 10
REST_STEP = 64 * KiB
"""How much is read at first for the rest of a line that a range ends in."""

WINDOW = "Frame requires too much memory for decoding"
"""What zstd says of a frame that is good, but refers further back than it unpacks unless it is told to."""


def blocks(
    file: File, start: int = 0, stop: int | None = None, step: int | None = None
) -> Iterator[tuple[pa.Buffer, int]]:
    """The unpacked bytes of a file, or of a range of it, as (block, bytes of the file read for it).

    A range of a packed file begins and ends between frames; how much of it was read is not told for each
    block. `step` is how much is read at first, if not READ_BYTES; each read is twice as large as the last.
    Raises DocumentError if the file cannot be opened, has changed its size since it was found, is
    broken, is not cut between frames, or unpacks to more than its bound.
    """
    end = file.size if stop is None else stop
    allowed, unpacked, position = bound(file, start, stop), 0, start
    raw = open_raw(file, ahead=step is None, stop=stop)
    step = step or READ_BYTES
    stream = raw
    try:
        if file.compression is not None:
            if file.size == 0:
                raise OSError("it is empty")
            packed = raw if (start, stop) == (0, None) else raw.get_stream(start, end - start)
            stream = pa.CompressedInputStream(packed, file.compression)
        elif start:
            raw.seek(start)
        while (block := stream.read_buffer(_step(file, step, end - position))).size:
            unpacked += block.size
            if unpacked > allowed:
                raise too_large(file)
            before, position = position, min(raw.tell(), end)
            yield block, position - before
            step = min(READ_BYTES, 2 * step)
    except (OSError, pa.ArrowException) as error:
        raise _broken(file, error, whole=(start, stop) == (0, None)) from error
    finally:
        stream.close()
        raw.close()


def _step(file: File, step: int, left: int) -> int:
    """How much to read next: of a plain file nothing beyond the range's end."""
    return step if file.compression is not None else min(step, left)


def rest_of_line(file: File, start: int) -> Iterator[bytes]:
    """The text from byte `start` of a file on, between frames if it is packed, through the first newline.

    It is read in small steps, as lines are short for the most part. Raises DocumentError.
    """
    if start >= file.size:
        return
    for block, _ in blocks(file, start, step=REST_STEP):
        data = block.to_pybytes()
        end = data.find(b"\n") + 1
        yield data[:end] if end else data
        if end:
            return


def _broken(file: File, error: Exception, *, whole: bool) -> DocumentError:
    if file.compression is None:
        return unreadable(file, error)
    lines, intact = _intact_lines(file)
    if not intact and file.compression == "gzip" and _is_padded(file):
        return DocumentError(f"{file.name}: has zeros after its data, as tapes are filled up with; pack it anew")
    if intact and not whole:
        return DocumentError(
            f"{file.name}: was cut where a frame seemed to begin and none does, as one lies within another; "
            "unpack the file, or pack it anew"
        )
    if WINDOW in str(error):
        return DocumentError(
            f"{file.name}: was packed with a window of more than 128 MiB, as `zstd --long=31` does, and would take as "
            "much memory to unpack; pack it anew without"
        )
    return DocumentError(f"{file.name}:{lines + 1}: broken {file.compression} data ({reason(error)}); replace the file")


def _is_padded(file: File) -> bool:
    """Whether all that is wrong with a gzip file are zeros after its end, which Python's reader passes over."""
    with contextlib.suppress(OSError, EOFError, zlib.error), open_raw(file, ahead=True) as raw:
        packed = gzip.GzipFile(fileobj=raw)
        while packed.read(READ_BYTES):
            pass
        return True
    return False


def _intact_lines(file: File) -> tuple[int, bool]:
    """How many whole lines of text a broken file unpacks to, read again in small steps; whether that is all of it."""
    lines = 0
    with contextlib.suppress(OSError, pa.ArrowException), open_raw(file, ahead=True) as raw:
        stream = pa.CompressedInputStream(raw, file.compression)
        while block := stream.read(SMALL_STEP):
            lines += block.count(b"\n")
        return lines, True
    return lines, False


def wholes(files: Sequence[File]) -> list[pa.Buffer]:
    """All unpacked bytes of some files, in their order; of remote ones many at a time. Raises DocumentError."""
    if len(files) == 1 or not any(file.remote for file in files):
        return [whole(file) for file in files]
    return all_of(whole, files)


def whole(file: File) -> pa.Buffer:
    """All unpacked bytes of a file that is held in memory at once. Raises DocumentError."""
    if file.compression is None:
        return _plain(file)
    parts: list[pa.Buffer] = []
    size = 0
    for block, _ in blocks(file):
        parts.append(block)
        size += block.size
        if size > DOCUMENT_BYTES:
            raise _too_long(file)
    return parts[0] if len(parts) == 1 else pa.py_buffer(b"".join(memoryview(part) for part in parts))


def _plain(file: File) -> pa.Buffer:
    """A plain file's bytes in one read, as there may be a great many small ones."""
    if file.size > DOCUMENT_BYTES:
        raise _too_long(file)
    if file.remote:
        return pa.py_buffer(open_remote(file).read())
    try:
        descriptor = os.open(file.path, READING)
        try:
            _check_unchanged(file, os.fstat(descriptor))
            data = os.read(descriptor, file.size + 1)
            while len(data) <= file.size and (more := os.read(descriptor, file.size + 1 - len(data))):
                data += more  # a read of two gigabytes comes in parts
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(file, error) from error
    if len(data) != file.size:
        raise _changed(file)
    return pa.py_buffer(data)


def bound(file: File, start: int = 0, stop: int | None = None) -> int:
    """The most bytes of text that a file may unpack to, or a range of it."""
    return EXPANSION_FREE + EXPANSION * ((file.size if stop is None else stop) - start)


def too_large(file: File) -> DocumentError:
    """The error for a file that unpacks to more than its bound."""
    return DocumentError(
        f"{file.name}: unpacks to more than {EXPANSION} times its size, as a decompression bomb does; "
        "if it is genuine, unpack it and name the unpacked file"
    )


def open_raw(file: File, *, ahead: bool = False, stop: int | None = None) -> Any:
    """The file itself as an Arrow input file. Raises DocumentError if it is not what was found before.

    Of a file on another machine, the next part is read `ahead`, up to the byte `stop`; it raises RemoteError.
    """
    if file.remote:
        return pa.PythonFile(open_remote(file, ahead=ahead, stop=stop), mode="r")
    try:
        _check_unchanged(file, os.stat(file.path))
        return pa.OSFile(file.path)
    except OSError as error:
        raise unreadable(file, error) from error


def open_remote(file: File, *, ahead: bool = False, stop: int | None = None) -> RemoteFile:
    """A file on another machine, of which each part that is read is of the version that was found."""
    return RemoteFile(fetcher(file.path, file.size, str(file.stamp[0])), file.size, ahead=ahead, stop=stop)


def check_unchanged(file: File) -> None:
    """Raises DocumentError if a file is no longer what it was when it was found, or is gone."""
    if file.remote:
        return  # all that was read was of that version
    try:
        _check_unchanged(file, os.stat(file.path))
    except OSError as error:
        raise unreadable(file, error) from error


def _check_unchanged(file: File, now: os.stat_result) -> None:
    if not stat.S_ISREG(now.st_mode):
        raise DocumentError(f"{file.name}: is no longer a regular file; run the scan again")
    if (now.st_size, now.st_mtime_ns) != (file.size, file.stamp[0]):
        raise _changed(file)


def unreadable(file: File, error: Exception) -> DocumentError:
    """The error for a file that the system does not let be read."""
    return DocumentError(f"{file.name}: cannot be read ({reason(error)})")


def _changed(file: File) -> DocumentError:
    return DocumentError(f"{file.name}: changed while it was being read; let it come to rest and scan again")


def reason(error: Exception) -> str:
    """The library's own words for what went wrong, as one short clause."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    return words[:200].rstrip(".")


def _too_long(file: File) -> DocumentError:
    return DocumentError(
        f"{file.name}: longer than {DOCUMENT_BYTES:,} bytes, the most that one document may be; split it"
    )
