"""The payload of an HTTP response, taken out of the transfer and content encodings that it was sent in.

A library reads the headers. Arrow's streams unpack, as they do with files: at a missing end they fail, where
the library gives what there is.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pyarrow as pa

from royaltycli.limits import MiB

ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "gzip", "br": "brotli", "zstd": "zstd"}
"""Arrow's name for each encoding; its `gzip` takes zlib data too, which is what `deflate` means here."""

NONE = ("identity", "")

_LINE_END = b"\r\n"
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Response(NamedTuple):
    """An HTTP response: its content type in small letters, its character set, and its payload as it was sent.

    `encodings` is what it was sent in, in the order in which they were applied.
    """

    content_type: str
    charset: str | None
    encodings: tuple[str, ...]
    sent: bytes


def read_response(block: bytes) -> Response:
    """The HTTP response that a record holds. Raises OSError or ValueError if its headers are broken."""
    from fastwarc.warc import WarcRecord

    record = WarcRecord()
    record.is_http = True
    record.set_bytes_content(block)
    record.parse_http(auto_decode="none", quirks_mode=True)
    content = _listed(record.http_headers, "Content-Encoding")
    transfer = dict.fromkeys(_listed(record.http_headers, "Transfer-Encoding"))  # said twice, it is meant once
    return Response(
        (record.http_content_type or "").lower(), record.http_charset, (*content, *transfer), record.reader.read()
    )


def payload(response: Response, most: int) -> bytes:
    """What was meant to be sent; if that is more than `most` bytes, more than `most` of it, or of one step to it.

    Nothing is nothing in all encodings: that is how answers without a body are sent. Raises OSError,
    ValueError, EOFError or ArrowException for an encoding that is broken, has no end, or is not known.
    """
    data = response.sent
    for encoding in reversed(response.encodings):
        if not data or len(data) > most:
            break
        data = _joined(data) if encoding == "chunked" else _unpacked(data, encoding, most)
    return data


def _listed(headers: Any, name: str) -> list[str]:
    """The encodings that a header lists, in small letters."""
    values = ",".join(headers.get_multiple(name)).split(",")
    return [value for value in (value.strip().lower() for value in values) if value not in NONE]


def _unpacked(data: bytes, encoding: str, most: int) -> bytes:
    if encoding not in ENCODINGS:
        raise ValueError(f"its encoding {encoding!r} is not known")
    stream = pa.CompressedInputStream(pa.BufferReader(data), ENCODINGS[encoding])
    parts: list[bytes] = []
    size = 0
    while size <= most and (part := stream.read(MiB)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _joined(data: bytes) -> bytes:
    """The chunks of a chunked transfer, up to the last one, which is empty."""
    chunks: list[bytes] = []
    at = 0
    while True:
        end = data.find(_LINE_END, at)
        if end < 0:
            raise EOFError("the last of its chunks is missing")
        size = data[at:end].partition(b";")[0].strip()
        if _SIZE.fullmatch(size) is None:
            raise ValueError("a chunk of it does not begin with its size")
        start, length = end + len(_LINE_END), int(size, 16)
        at = start + length
        if length == 0:
            return b"".join(chunks)
        if at > len(data):
            raise EOFError("the last of its chunks is missing")
        chunks.append(data[start:at])
        if data[at : at + len(_LINE_END)] == _LINE_END:
            at += len(_LINE_END)
        elif at < len(data):
            raise ValueError("a chunk of it has another size than it says")
