"""Web archives: the pages of WARC files as they were fetched, and their texts in WET files.

A document is a `conversion` record, whose block is its text, or the payload of a `response` record that
is an HTML page. All other records are passed over. The headers of a record are its fields.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa

from royaltycli.corpus.batches import Batch, Fields, Numbering, place
from royaltycli.corpus.files import File
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.text import decode
from royaltycli.corpus.unpack import blocks, bound, reason, too_large
from royaltycli.errors import DocumentError
from royaltycli.limits import BATCH_BYTES, DOCUMENT_BYTES
from royaltycli.manifest.model import Field, Reading
from royaltycli.manifest.wording import printable

HTML = ("text/html", "application/xhtml+xml")

WEB_CODECS = frozenset({
    "ascii", "big5", "big5hkscs", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp1258", "cp866", "cp874", "cp932", "cp949", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp",
    "iso8859-1", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "iso8859-2", "iso8859-3",
    "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "koi8-r", "koi8-u", "mac-cyrillic",
    "mac-roman", "shift_jis", "tis-620", "utf-16", "utf-16-be", "utf-16-le", "utf-8",
})  # fmt: skip
"""The character sets that pages are written in, by Python's names."""

END = b"\r\n\r\n"
"""What follows every record, also the last."""

META_BYTES = 1024
_META = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


class Document(NamedTuple):
    """A record that is a document: its number, its text, whether that is an HTML page, and what it names."""

    number: int
    text: str
    is_page: bool
    source: str | None
    holder: str | None


def read_warc(piece: Piece, fields: Fields, reading: Reading) -> Iterator[Batch]:
    """The documents of a web archive. Raises DocumentError for a broken one, and names the record."""
    stream = _Stream(piece.file)
    documents: list[Document] = []
    size = packed = 0
    for number, record in _records(piece.file, stream):
        found = _text(piece.file, number, record, stream, reading)
        if found is not None:
            names = (_header(record, field) for field in (fields.source, fields.holder))
            documents.append(Document(number, *found, *names))
            size += len(found[0])
        if size >= BATCH_BYTES:
            yield _batch(piece.file, documents, stream.packed - packed, fields, reading)
            documents, size, packed = [], 0, stream.packed
    yield _batch(piece.file, documents, stream.packed - packed, fields, reading)


class _Stream:
    """The unpacked bytes of a file, as a library reads them; within the bounds of any packed file.

    The library is not made to carry an error of ours: at one the bytes end, and `error` holds it.
    """

    def __init__(self, file: File) -> None:
        self.packed = 0
        self.error: DocumentError | None = None
        self._blocks = blocks(file)
        self._rest = memoryview(b"")
        self._at = 0
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        """Some bytes, at most `size`; none at the end."""
        if not self._rest and self.error is None:
            try:
                block, packed = next(self._blocks, (b"", 0))
            except DocumentError as error:
                self.error = error
                return b""
            self._rest = memoryview(block).cast("B")
            self.packed += packed
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        self._at += len(data)
        self._last = (self._last + bytes(data[-len(END) :]))[-len(END) :]
        return bytes(data)

    def is_whole(self) -> bool:
        """Whether what was read ends as the last record of an archive does: the library does not mind."""
        return self._at == 0 or self._last == END

    def tell(self) -> int:
        """How many bytes were read."""
        return self._at


def _records(file: File, stream: Any) -> Iterator[tuple[int, Any]]:
    """All records with their numbers, from 1. Raises DocumentError."""
    try:
        from fastwarc.warc import ArchiveIterator
    except ImportError as error:
        raise DocumentError(
            f"{file.name}: a web archive is read with the package fastwarc, which is not installed; "
            "install royaltycli[warc]"
        ) from error
    number = 0
    try:
        for number, record in enumerate(ArchiveIterator(stream, parse_http=False, stream_detect=False), 1):
            yield number, record
    except (OSError, ValueError) as error:
        raise stream.error or _broken(file, number + 1, error) from error
    if stream.error is not None:
        raise stream.error
    if not stream.is_whole():
        raise _broken(file, max(number, 1), EOFError("it ends within the record"))


def _broken(file: File, number: int, error: Exception) -> DocumentError:
    return DocumentError(f"{place(file, number)}: broken web archive ({printable(reason(error))}); replace the file")


def _text(file: File, number: int, record: Any, stream: _Stream, reading: Reading) -> tuple[str, bool] | None:
    """The text of a record, and whether it is an HTML page; None if the record is no document."""
    from fastwarc.warc import WarcRecordType

    kind = record.record_type
    if kind == WarcRecordType.conversion:
        return decode(_block(file, number, record, stream), place(file, number), reading), False
    if kind != WarcRecordType.response:
        return None
    block = _block(file, number, record, stream)
    if not (record.headers.get("Content-Type") or "").lower().startswith("application/http"):
        return None
    try:
        record.set_bytes_content(block)
        record.parse_http(auto_decode="all", quirks_mode=True)
        if (record.http_content_type or "").lower() not in HTML:
            return None
        most = min(bound(file), DOCUMENT_BYTES)
        page = record.reader.read(most + 1)
    except (OSError, ValueError) as error:
        raise _broken(file, number, error) from error
    if len(page) > most:
        raise too_large(file)
    return _decoded(page, record.http_charset, place(file, number), reading), True


def _block(file: File, number: int, record: Any, stream: _Stream) -> bytes:
    """All that a record holds. Raises DocumentError if the file ends in it, or it is longer than a document may be."""
    if record.content_length > DOCUMENT_BYTES:
        raise DocumentError(
            f"{place(file, number)}: longer than {DOCUMENT_BYTES:,} bytes, the most that one document may be; "
            "leave the file out"
        )
    block: bytes = record.reader.read(record.content_length)
    if len(block) < record.content_length:
        raise stream.error or _broken(file, number, EOFError("it ends within the record"))
    return block


def _decoded(page: bytes, charset: str | None, where: str, reading: Reading) -> str:
    """A page by the character set that its server says, else by the one it says itself, else UTF-8."""
    said = _META.search(page[:META_BYTES])
    for name in (charset, said[1].decode("ascii") if said else None):
        codec = _codec(name)
        if codec is not None:
            break
    else:
        codec = "utf-8"
    if codec == "utf-8":
        return decode(page, where, reading)
    try:
        return page.decode(codec, errors=reading.errors)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{where}: not valid {codec} at byte {error.start + 1:,} (0x{page[error.start]:02x}), "
            'which the page says it is; set errors = "replace" for its source'
        ) from error


def _codec(name: str | None) -> str | None:
    try:
        found = codecs.lookup(name).name if name else None
    except (LookupError, ValueError):
        return None
    return found if found in WEB_CODECS else None


def _header(record: Any, field: Field | None) -> str | None:
    value = None if field is None else record.headers.get(field[0])
    return None if value is None else str(value).removeprefix("<").removesuffix(">")


def _batch(file: File, documents: list[Document], packed: int, fields: Fields, reading: Reading) -> Batch:
    texts = [document.text for document in documents]
    pages = [at for at, document in enumerate(documents) if document.is_page]
    if reading.strip == "html" and pages:
        from royaltycli.corpus.html import visible_texts

        sources = pa.array([texts[at] for at in pages], pa.large_string())
        seen = visible_texts(sources, lambda at: place(file, documents[pages[at]].number))
        for at, text in zip(pages, seen.to_pylist(), strict=True):
            texts[at] = text
    return Batch(
        file,
        pa.array(texts, pa.large_string()),
        packed,
        None if fields.source is None else pa.array([one.source for one in documents], pa.large_string()),
        None if fields.holder is None else pa.array([one.holder for one in documents], pa.large_string()),
        Numbering([document.number for document in documents]),
    )
