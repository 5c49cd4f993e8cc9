"""A scan as one would write it in an afternoon: slowly, with the standard library and tiktoken.

It shares nothing with the package but the format of a manifest.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import tomllib
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

VOCABULARIES = Path(__file__).parents[1] / "royaltycli" / "tokens" / "vocabularies"


@functools.cache
def encoding(name):
    """tiktoken's own encoding of that name, its vocabulary taken from the package instead of the network."""
    import tiktoken.load
    from tiktoken_ext import openai_public

    original = openai_public.load_tiktoken_bpe
    try:
        openai_public.load_tiktoken_bpe = lambda *_args, **_options: {
            base64.b64decode(token): int(rank)
            for token, rank in map(bytes.split, (VOCABULARIES / f"{name}.tiktoken").read_bytes().splitlines())
        }
        return tiktoken.Encoding(**getattr(openai_public, name)())
    finally:
        openai_public.load_tiktoken_bpe = original


def scan(folder, encoding_name, read_page=None):
    """(documents, bytes, tokens, digest) of each source of a corpus whose paths are plain globs."""
    manifest = tomllib.loads((folder / "corpus.toml").read_text(encoding="utf-8"))
    encode = encoding(encoding_name).encode_ordinary
    sources = {}
    for source in manifest.get("source", []):
        sources[source["id"]] = [
            document for file in files(folder, source) for document in texts(file, source, read_page)
        ]
    for collection in manifest.get("collection", []):
        for file in files(folder, collection):
            for row in rows(file):
                value = quote(row[collection["source"]], safe="@:/-._~").replace("~", "%7E")
                sources.setdefault(f"{collection['id']}/{value}", []).append(row[collection.get("text", "text")])
    return {identifier: totals(documents, encode) for identifier, documents in sources.items()}


def totals(documents, encode):
    digests = [hashlib.sha256(document.encode()).digest() for document in documents]
    return (
        len(documents),
        sum(len(document.encode()) for document in documents),
        sum(len(encode(document)) for document in documents),
        hashlib.sha256(b"".join(digests)).digest(),
    )


def files(folder, entry):
    patterns = entry["path"] if isinstance(entry["path"], list) else [entry["path"]]
    found = {
        file
        for pattern in patterns
        for path in ([folder / pattern] if (folder / pattern).exists() else folder.glob(pattern))
        for file in (path.rglob("*") if path.is_dir() else [path])
        if file.is_file()
    }
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix().encode())


def unpacked(file):
    data = file.read_bytes()
    if file.suffix == ".gz":
        return gzip.decompress(data), file.stem
    if file.suffix == ".zst":
        return pa.input_stream(pa.py_buffer(data), compression="zstd").read(), file.stem
    return data, file.name


def rows(file):
    data, name = unpacked(file)
    if name.endswith(".parquet"):
        return pq.read_table(pa.BufferReader(data)).to_pylist()
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def texts(file, source, read_page):
    data, name = unpacked(file)
    if name.endswith((".jsonl", ".parquet")) and "format" not in source:
        return [row[source.get("text", "text")] for row in rows(file)]
    text = data.decode()
    return [read_page(text) if source.get("strip") == "html" else text]
