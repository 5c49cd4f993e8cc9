"""The scan: from the files of a corpus to the token table."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from royaltycli.corpus.files import File
from royaltycli.corpus.shards import Shard, plan, text_size
from royaltycli.errors import CallError
from royaltycli.limits import PROCESSES_FROM, REFERENCE_TIMES, WORKERS
from royaltycli.manifest.identifiers import encode_value, source_id
from royaltycli.manifest.model import Collection, Corpus, HolderShare, Source
from royaltycli.numerals import plain, plain_fraction
from royaltycli.tokens.count import Counting, Key, Partial, Tally, Tick, count_shard, two_holders
from royaltycli.tokens.encodings import Encoding
from royaltycli.tokens.engines import choose_engine, make_engine
from royaltycli.tokens.processes import Job, WorkerProcess
from royaltycli.tokens.reference import load_reference
from royaltycli.tokens.table import SCHEMA, SCHEMA_VERSION, lists_text, with_metadata
from royaltycli.tokens.workers import Check, InOrder


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan: the token table, and how it came about."""

    table: pa.Table
    engine: str
    reference: str | None
    verified: int
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Row:
    """A source as the scan goes on; `digest` takes its documents' digests in the order of the corpus."""

    holder: str | None
    file: str
    documents: int = 0
    bytes: int = 0
    tokens: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def default_workers() -> int:
    """As many as there are processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def scan_files(
    corpus: Corpus,
    files: tuple[File, ...],
    encoding: Encoding,
    *,
    engine: str | None = None,
    workers: int | None = None,
    verify: Fraction = Fraction(1, 100),
    tick: Tick = lambda _bytes, _tokens, _documents: None,
) -> Scan:
    """Count the tokens of every source of a corpus in its `files`, exactly.

    `engine` is gigatoken or tiktoken, by default the fastest there is. `verify` is the part of the
    documents that the reference engine counts as well. The table is the same, to the byte, for any
    engine and number of workers. Raises DocumentError for the first document that cannot be read,
    VerificationError for the first that is counted otherwise, EncodingError and CallError.
    """
    workers = default_workers() if workers is None else workers
    if not 1 <= workers <= WORKERS:
        raise CallError(f"workers is {workers}; it must be from 1 to {WORKERS}")
    reference = load_reference(encoding)
    chosen = choose_engine(engine, encoding, reference)
    owners: tuple[Source | Collection, ...] = (*corpus.sources, *corpus.collections)
    if reference is not None and chosen == reference.name:
        verify = Fraction(0)  # the reference against itself would show nothing
    slowly = 1 if chosen != "gigatoken" else verify
    alone = workers == 1 or text_size(files) * (1 + REFERENCE_TIMES * slowly) < PROCESSES_FROM

    processes = contextlib.ExitStack()

    def here() -> Callable[[Shard, Check], Partial]:
        counting = Counting(make_engine(chosen, encoding, reference), reference, verify, tick)
        return lambda shard, check: count_shard(shard, dict(enumerate(owners)), counting, check)

    def elsewhere() -> Callable[[Shard, Check], Partial]:
        worker = WorkerProcess(Job(encoding, chosen, verify), tick, owners)
        processes.callback(worker.end)
        return worker.count

    # One worker is this very process, which counts while the others are still starting.
    starts = [here] if alone else [here, *[elsewhere] * (workers - 1)]

    rows: dict[Key, _Row] = {(index, None): _Row(None, "") for index in range(len(corpus.sources))}
    verified = gave_up = 0
    with processes:
        for partial in InOrder(plan(files), starts):
            verified += partial.verified
            gave_up += partial.gave_up
            for key, tally in partial.tallies.items():
                _merge(rows, key, tally)
    table = _table(corpus, owners, rows, encoding)
    name = reference.name if reference else None
    return Scan(table, chosen, name, verified, _notes(chosen, name, gave_up))


def _merge(rows: dict[Key, _Row], key: Key, tally: Tally) -> None:
    row = rows.get(key)
    if row is None:
        row = rows[key] = _Row(tally.holder, tally.file)
    elif row.holder != tally.holder:
        raise two_holders(tally.file, key[1] or "", tally.holder, Tally(row.holder, row.file))
    row.documents += tally.documents
    row.bytes += tally.bytes
    row.tokens += tally.tokens
    row.digest.update(tally.digests)


def _table(
    corpus: Corpus, owners: tuple[Source | Collection, ...], rows: dict[Key, _Row], encoding: Encoding
) -> pa.Table:
    names = {holder.id: holder.name for holder in corpus.holders}
    listed = []
    for (index, value), row in rows.items():
        owner = owners[index]
        if isinstance(owner, Collection):
            identifier, title = source_id(owner.id, value or ""), None
        else:
            identifier, title = owner.id, owner.title
        holders = _holders(owner.holders, names) if row.holder is None else [_named_holder(row.holder, names)]
        listed.append((identifier, title, holders, owner, row))
    listed.sort(key=lambda entry: entry[0])
    columns = {
        "source_id": [entry[0] for entry in listed],
        "title": [entry[1] for entry in listed],
        "holders": [entry[2] for entry in listed],
        "license": [entry[3].license for entry in listed],
        "documents": [entry[4].documents for entry in listed],
        "bytes": [entry[4].bytes for entry in listed],
        "tokens": [entry[4].tokens for entry in listed],
        "epochs": [plain(entry[3].epochs) for entry in listed],
        "digest": [entry[4].digest.digest() for entry in listed],
    }
    return with_metadata(
        pa.table(columns, schema=SCHEMA),
        schema=SCHEMA_VERSION,
        tool=f"royaltycli {version('royaltycli')}",
        corpus=corpus.name,
        manifest_sha256=corpus.digest,
        lists_sha256=lists_text(corpus.lists),
        encoding=encoding.name,
        vocabulary_sha256=encoding.digest,
        pattern=encoding.pattern or None,
        train_tokens=None if corpus.train_tokens is None else plain(corpus.train_tokens),
    )


def _holders(shares: tuple[HolderShare, ...], names: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"id": part.holder, "name": names.get(part.holder, part.holder), "share": plain_fraction(part.share)}
        for part in shares
    ]


def _named_holder(value: str, names: dict[str, str]) -> dict[str, str]:
    """A holder that a field names: the value as id, and as name what the manifest says or the value as it stands."""
    identifier = encode_value(value)
    return {"id": identifier, "name": names.get(identifier, value), "share": "1"}


def _notes(engine: str, reference: str | None, gave_up: int) -> tuple[str, ...]:
    notes = []
    if engine == reference:
        notes.append(f"nothing was recounted, as {engine} is itself what counts are checked against")
    if engine == "tokenizers":
        notes.append("counted with tokenizers, as gigatoken is not there or does not know this tokenizer")
    elif engine == "tiktoken":
        notes.append(f"counted with {engine}, which is slower than gigatoken but counts the same")
    if reference is None:
        notes.append(
            "not verified: tokenizers, which would recount a tokenizer.json, is not installed (royaltycli[hf])"
        )
    if gave_up:
        documents = "1 document holds" if gave_up == 1 else f"{gave_up:,} documents hold"
        notes.append(f"{documents} too much whitespace at a stretch for tiktoken; the regex package split it instead")
    return tuple(notes)
