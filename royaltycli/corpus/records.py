"""The records of a web archive: where each begins and ends, by its version line and its Content-Length.

A library reads the headers. Where a record ends is looked at here, as no text may be cut short and counted:
the library believes any length, and knows `Content-Length` in these capitals only.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO, NamedTuple

from royaltycli.corpus.batches import place
from royaltycli.corpus.files import File
from royaltycli.corpus.unpack import blocks, reason
from royaltycli.errors import DocumentError
from royaltycli.limits import DOCUMENT_BYTES, KiB, MiB
from royaltycli.manifest.wording import printable

END = b"\r\n\r\n"
"""What follows every record, also the last."""

HEAD_BYTES = 32 * KiB
"""The most that the headers of a record may take."""

_BLANK = b"\r\n"
_VERSION = re.compile(rb"WARC/[01]\.\d+\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_SKIP_STEP = MiB


class Record(NamedTuple):
    """A record: its number, from 1; its type in small letters; its headers, in any capitals; and all that it holds.

    `packed` is how much of the file was read to its end.
    """

    number: int
    kind: str
    headers: Any
    block: bytes
    packed: int


def read_records(file: File, kinds: Collection[str]) -> Iterator[Record]:
    """The records of some kinds; all others are looked at, but not held. Raises DocumentError that names the record."""
    try:
        from fastwarc.warc import HeaderMap
    except ImportError as error:
        raise DocumentError(
            f"{file.name}: a web archive is read with the package fastwarc, which is not installed; "
            "install royaltycli[warc]"
        ) from error
    unpacked = _Unpacked(file)
    stream: BinaryIO = io.BufferedReader(unpacked, 64 * KiB)
    number = 1
    while True:
        try:
            head = _head(stream)
            if not head:
                break
            headers = HeaderMap()
            headers.parse(io.BytesIO(head))
            kind, length = _only(headers, "WARC-Type").lower(), _length(headers)
            if kind in kinds and length > DOCUMENT_BYTES:
                raise DocumentError(
                    f"{place(file, number)}: longer than {DOCUMENT_BYTES:,} bytes, the most that one document may be; "
                    "leave the file out"
                )
            block = _block(stream, length) if kind in kinds else _pass_over(stream, length)
            _check_end(stream)
        except (OSError, ValueError, EOFError) as error:
            raise broken(file, number, error) from error
        if kind in kinds:
            yield Record(number, kind, headers, block, unpacked.packed)
        number += 1


def broken(file: File, number: int, error: Exception) -> DocumentError:
    """The error for a record that cannot be read."""
    return DocumentError(f"{place(file, number)}: broken web archive ({printable(reason(error))}); replace the file")


class _Unpacked(io.RawIOBase):
    """The unpacked bytes of a file, within the bounds of any packed file; `packed` is how much of it was read."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self.packed = 0
        self._blocks = blocks(file)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        """Some bytes; none at the end. Raises DocumentError."""
        if not self._rest:
            block, packed = next(self._blocks, (b"", 0))
            self._rest = memoryview(block).cast("B")
            self.packed += packed
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _head(stream: BinaryIO) -> bytes:
    """The version line and the headers of the next record, with the blank line after them; nothing at the end."""
    while (line := stream.readline(HEAD_BYTES)) == _BLANK:
        pass
    if not line:
        return b""
    if _VERSION.fullmatch(line) is None:
        raise ValueError("it does not begin with a line such as WARC/1.0")
    lines, size = [line], len(line)
    while line != _BLANK:
        line = stream.readline(HEAD_BYTES)
        if not line.endswith(b"\n"):
            raise _too_early() if len(line) < HEAD_BYTES else _too_long()
        if not line.endswith(_BLANK) or not lines[0].endswith(_BLANK):
            raise ValueError("the lines of its headers do not end in CR LF")
        lines.append(line)
        size += len(line)
        if size > HEAD_BYTES:
            raise _too_long()
    return b"".join(lines)


def _only(headers: Any, name: str) -> str:
    """The value of a header that every record has. Raises ValueError without it, or if it says two things."""
    value = header(headers, name)
    if value is None:
        raise ValueError(f"it has no header {name}")
    return value


def header(headers: Any, name: str) -> str | None:
    """The value of a header, None without it. Raises ValueError if it says two things."""
    values = set(headers.get_multiple(name))
    if len(values) > 1:
        raise ValueError(f"it has two different headers {name}")
    return str(values.pop()).strip() if values else None


def _length(headers: Any) -> int:
    value = _only(headers, "Content-Length")
    if _LENGTH.fullmatch(value) is None:
        raise ValueError(f"its Content-Length is no number of bytes: {value!r}")
    return int(value)


def _block(stream: BinaryIO, length: int) -> bytes:
    block = stream.read(length)
    if len(block) < length:
        raise _too_early()
    return block


def _pass_over(stream: BinaryIO, length: int) -> bytes:
    while length:
        length -= len(_block(stream, min(length, _SKIP_STEP)))
    return b""


def _check_end(stream: BinaryIO) -> None:
    """Two line ends follow every record: that tells a wrong length, and an archive that was cut."""
    end = stream.read(len(END))
    if end == END:
        return
    if END.startswith(end):
        raise _too_early()
    raise ValueError("its Content-Length is wrong: what it holds is not followed by two line ends")


def _too_early() -> EOFError:
    return EOFError("it ends within the record")


def _too_long() -> ValueError:
    return ValueError(f"its headers are longer than {HEAD_BYTES:,} bytes")
