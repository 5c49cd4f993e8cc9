"""Builds the index of a corpus: reads its shards, groups copies, and makes the models of each (rules U1 to U3).

What is done stays: a shard that has not changed is not read again, and models whose documents are the same are
not made again; so a build that was interrupted goes on where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from royaltycli.arrays import Mask, Numbers
from royaltycli.attribution import folder
from royaltycli.attribution.calibration import Calibration, calibrate, read_calibration, write_calibration
from royaltycli.attribution.copies import PARTS, Sketches, groups, holders_of
from royaltycli.attribution.folds import FOLDS, folds_of
from royaltycli.attribution.grams import ORDERS, count_grams
from royaltycli.attribution.index import MODELS, open_index
from royaltycli.attribution.passages import index_passages
from royaltycli.attribution.reading import (
    READ,
    documents_of,
    is_read,
    key_of,
    read_shard,
    sketches_of,
    text_of,
)
from royaltycli.attribution.suffixes import searchable, sort_suffixes
from royaltycli.corpus.documents import Owners
from royaltycli.corpus.files import File
from royaltycli.corpus.shards import cut, together
from royaltycli.errors import AttributionError
from royaltycli.limits import INDEX_SHARD_BYTES
from royaltycli.manifest.model import Corpus
from royaltycli.notes import note
from royaltycli.progress import Tell
from royaltycli.storage import write_parquet, write_part, write_whole
from royaltycli.tokens.encodings import PUBLIC, Encoding
from royaltycli.tokens.engines import choose_engine, make_engine
from royaltycli.tokens.reference import load_reference

KEPT = "what was done is kept, and the next `royalty index` goes on from there"
"""What an interrupted build says."""

MODEL_DOCUMENTS = pa.schema([("place", pa.string()), ("unit", pa.int32()), ("digest", pa.uint64())])


@dataclass(frozen=True, slots=True)
class Built:
    """What an index came to: `new` of its shards were read in this build, and `copies` of its documents left out.

    `tokens` are those without copies.
    """

    sources: int
    documents: int
    copies: int
    tokens: int
    shards: int
    new: int
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The documents of all shards: the unit of each, and whether it is the one of its copies that is kept."""

    sources: list[str]
    units: list[tuple[tuple[int, ...], int]]
    unit: Numbers
    kept: Mask
    sizes: Numbers


def build_index(
    corpus: Corpus, files: Sequence[File], encoding: Encoding, index: Path, tell: Tell, workers: int = 1
) -> Built:
    """Build the index of a corpus in a folder, and leave nothing there that does not belong to it.

    Raises DocumentError, EncodingError, AttributionError for a corpus without text, WorkerError and OutputError.
    """
    owners: Owners = dict(enumerate(corpus.owners))
    reference = load_reference(encoding)
    engine_name = choose_engine(None, encoding, reference)
    shards = list(together(cut(files, INDEX_SHARD_BYTES), INDEX_SHARD_BYTES))
    all_bytes = sum(piece.packed_bytes for shard in shards for piece in shard.pieces)
    done = 0
    keys, new = list[str](), list[str]()
    engine = None

    def tick(read: int) -> None:
        nonlocal done
        done += read
        tell("reading", done, all_bytes)

    for shard in shards:
        key = key_of(shard, owners, encoding)
        if is_read(index, key):
            tick(sum(piece.packed_bytes for piece in shard.pieces))
        else:
            engine = engine or make_engine(engine_name, encoding, reference)
            read_shard(index, shard, key, owners, engine, tick)
            new.append(key)
            note(KEPT)
        keys.append(key)
    tell("looking for copies", 0, 0)
    documents = [documents_of(index, key) for key in keys]
    grouped = _group(documents, [sketches_of(index, key) for key in keys])
    if not grouped.sizes.sum():
        folder.remove(index / READ, new)
        raise AttributionError(f"{corpus.file} leads to no text; an index needs some")
    models = _make_models(index, keys, documents, grouped, tell)
    _finish(index, corpus, encoding, keys, models, grouped)
    note(KEPT)
    calibration = _calibrate(index, tell, workers)
    copies, tokens = int((~grouped.kept).sum()), int(grouped.sizes.sum())
    return Built(len(grouped.sources), len(grouped.kept), copies, tokens, len(keys), len(new), calibration)


def _calibrate(index: Path, tell: Tell, workers: int) -> Calibration:
    """The calibration of an index, made where it is not there yet; and with it the index is whole."""
    opened = open_index(index, check=False)
    with contextlib.suppress(AttributionError):  # a damaged one is as good as none
        if (kept := read_calibration(opened)) is not None:
            return kept
    calibration = calibrate(opened, lambda done, of: tell("calibrating", done, of), workers=workers)
    write_calibration(opened, calibration)
    return calibration


def _group(documents: list[pa.Table], sketches: list[Sketches]) -> _Grouped:
    named: list[list[str]] = [names for table in documents for names in table["sources"].to_pylist()]
    lengths = np.concatenate([np.empty(0, np.int64), *(table["tokens"].to_numpy() for table in documents)])
    first = groups(np.concatenate([np.empty((0, PARTS), np.uint32), *sketches]), lengths)
    ids, holders = holders_of(first, named)
    units: dict[tuple[tuple[int, ...], int], int] = {}
    keys = [(holders[group], len(set(named[group]))) for group in first.tolist()]
    unit = np.array([units.setdefault(key, len(units)) for key in keys], np.int64)
    kept = first == np.arange(len(named))
    sizes = np.bincount(unit[kept], lengths[kept], minlength=len(units)).astype(np.int64)
    return _Grouped(ids, list(units), unit, kept, sizes)


def _make_models(index: Path, keys: list[str], documents: list[pa.Table], grouped: _Grouped, tell: Tell) -> list[str]:
    """The keys of the models of each shard, made where they are not there yet."""
    made, start = [], 0
    lengths = np.concatenate([table["tokens"].to_numpy() for table in documents])
    nearly_all = FOLDS * lengths > (FOLDS - 1) * grouped.sizes[grouped.unit]
    for number, (key, table) in enumerate(zip(keys, documents, strict=True)):
        tell("making models", number, len(keys))
        part = slice(start, start + len(table))
        start = part.stop
        kept, unit, cut = grouped.kept[part], grouped.unit[part], nearly_all[part]
        said = json.dumps([folder.VERSION, key]).encode()
        own = hashlib.sha256(said + kept.tobytes() + unit.tobytes() + cut.tobytes()).hexdigest()
        if not folder.is_whole(index / MODELS / own):
            _make_model(index, key, own, table, kept, unit, cut)
            note(KEPT)
        made.append(own)
    tell("making models", len(keys), len(keys))
    return made


def _make_model(index: Path, key: str, own: str, table: pa.Table, kept: Mask, unit: Numbers, cut: Mask) -> None:
    """The model of what is `kept` of a shard; documents to be `cut` into folds are nearly all of their units."""
    lengths = table["tokens"].to_numpy()
    tokens = np.asarray(text_of(index, key).tokens)[np.repeat(kept, lengths)]
    lengths, unit = lengths[kept], unit[kept]
    folds = folds_of(lengths, unit, cut[kept])
    place = folder.emptied(index / MODELS / own)
    text = searchable(tokens, lengths)
    folder.save(place, "text", text)
    folder.save(place, "suffixes", sort_suffixes(text))
    folder.save(place, "starts", np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths + 1)]))
    folder.save(place, "documents", np.repeat(np.arange(len(lengths), dtype=np.int32), lengths + 1))
    folder.save(place, "folds", folds)
    owners = np.repeat(unit * FOLDS, lengths) + folds[text[: len(folds)] > 0]
    for order in ORDERS:
        folder.save_all(place, f"grams-{order}", count_grams(tokens, lengths, owners, order))
    folder.save_all(place, "passages", index_passages(tokens, lengths))
    places, digests = (table[name].combine_chunks().filter(pa.array(kept)) for name in ("place", "digest"))
    columns = [places, unit.astype(np.int32), digests]
    write_part(place / "documents.parquet", pa.table(columns, schema=MODEL_DOCUMENTS))
    folder.finish(place)


def _finish(
    index: Path, corpus: Corpus, encoding: Encoding, keys: list[str], models: list[str], grouped: _Grouped
) -> None:
    titles = {source.id: source.title for source in corpus.sources}
    columns = [grouped.sources, [titles.get(name) for name in grouped.sources]]
    schema = pa.schema([("source_id", pa.string()), ("title", pa.string())])
    write_parquet(index / "sources.parquet", pa.table(columns, schema=schema))
    unit_columns = [
        [list(sources) for sources, _ in grouped.units],
        [earliest for _, earliest in grouped.units],
        grouped.sizes,
    ]
    unit_schema = pa.schema([("sources", pa.list_(pa.int64())), ("earliest", pa.int64()), ("tokens", pa.int64())])
    write_parquet(index / "units.parquet", pa.table(unit_columns, schema=unit_schema))
    parts = [f"{READ}/{key}" for key in dict.fromkeys(keys)] + [f"{MODELS}/{key}" for key in dict.fromkeys(models)]
    digests = folder.digests_in(index, parts)
    vocabulary = _keep_vocabulary(index, encoding)
    names = ["sources.parquet", "units.parquet", *([vocabulary] if vocabulary else [])]
    digests |= {name: folder.digest_of(index / name) for name in names}
    about: dict[str, Any] = {
        "version": folder.VERSION,
        "manifest": corpus.digest,
        "encoding": encoding.name,
        "vocabulary": encoding.digest,
        "vocabulary_file": vocabulary,
        "pattern": encoding.pattern,
        "read": keys,
        "models": models,
        "digests": digests,
    }
    folder.write_json(index / folder.LIST, about | {"digest": folder.digest_of_value(about)})
    folder.remove_others(index / READ, set(keys))
    folder.remove_others(index / MODELS, set(models))
    for name in set(folder.VOCABULARIES.values()) - {vocabulary}:
        (index / name).unlink(missing_ok=True)


def _keep_vocabulary(index: Path, encoding: Encoding) -> str | None:
    """The name of the copy of a vocabulary file of the user's, which is kept in the index; None for a public one."""
    if encoding.name in PUBLIC:
        return None
    name = folder.VOCABULARIES[encoding.kind]
    write_whole(index / name, lambda file: file.write(encoding.data))
    return name
