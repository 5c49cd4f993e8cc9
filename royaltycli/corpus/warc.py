"""Web archives: the pages of WARC files as they were fetched, and their texts in WET files.

A document is a `conversion` record, whose block is its text, or the payload of a `response` record that
is an HTML page. All other records are passed over. The headers of a record are its fields.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from royaltycli.corpus.batches import Batch, Fields, place
from royaltycli.corpus.files import File
from royaltycli.corpus.payloads import payload, read_response
from royaltycli.corpus.pieces import Piece
from royaltycli.corpus.records import Record, broken, header, read_records
from royaltycli.corpus.text import decode
from royaltycli.corpus.unpack import bound, too_large
from royaltycli.errors import DocumentError
from royaltycli.limits import BATCH_BYTES, DOCUMENT_BYTES
from royaltycli.manifest.model import Field, Reading

HTML = ("text/html", "application/xhtml+xml")

WEB_CODECS = frozenset({
    "ascii", "big5", "big5hkscs", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp1258", "cp866", "cp874", "cp932", "cp949", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp",
    "iso8859-1", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "iso8859-2", "iso8859-3",
    "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "koi8-r", "koi8-u", "mac-cyrillic",
    "mac-roman", "shift_jis", "tis-620", "utf-16", "utf-16-be", "utf-16-le", "utf-8",
})  # fmt: skip
"""The character sets that pages are written in, by Python's names."""

KINDS = ("conversion", "response")
"""The types of the records that may be documents."""

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
    documents: list[Document] = []
    size = packed = told = 0
    for record in read_records(piece.file, KINDS):
        found = _text(piece.file, record, reading)
        packed = record.packed
        if found is not None:
            names = (_header(piece.file, record, field) for field in (fields.source, fields.holder))
            documents.append(Document(record.number, *found, *names))
            size += len(found[0])
        if size >= BATCH_BYTES:
            yield _batch(piece.file, documents, packed - told, fields, reading)
            documents, size, told = [], 0, packed
    yield _batch(piece.file, documents, piece.file.size - told, fields, reading)


def _text(file: File, record: Record, reading: Reading) -> tuple[str, bool] | None:
    """The text of a record, and whether it is an HTML page; None if the record is no document."""
    where = place(file, record.number)
    if record.kind == "conversion":
        return decode(record.block, where, reading), False
    if not _is_http(record):
        return None
    most = min(bound(file), DOCUMENT_BYTES)
    try:
        response = read_response(record.block)
        if response.content_type not in HTML:
            return None
        page = payload(response, most)
    except (OSError, ValueError, EOFError, pa.ArrowException) as error:
        raise broken(file, record.number, error) from error
    if len(page) > most:
        raise too_large(file)
    return _decoded(page, response.charset, where, reading), True


def _is_http(record: Record) -> bool:
    said = record.headers.get("Content-Type") or ""
    return bool(said.partition(";")[0].strip().lower() == "application/http")


def _decoded(page: bytes, charset: str | None, where: str, reading: Reading) -> str:
    """A page by the character set that its server says, else by the one it says itself, else UTF-8."""
    said = _META.search(page[:META_BYTES])
    codec = _codec(charset) or _codec(said[1].decode("ascii") if said else None) or "utf-8"
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


def _header(file: File, record: Record, field: Field | None) -> str | None:
    try:
        value = None if field is None else header(record.headers, field[0])
    except ValueError as error:
        raise broken(file, record.number, error) from error
    return None if value is None else value.removeprefix("<").removesuffix(">")


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
        [document.number for document in documents],
    )
