"""The part `cost`: what an index and attribution cost, for a part of the corpus and for all of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from royaltycli.bench.corpus import write_corpus
from royaltycli.bench.growth import Cost, cost_of
from royaltycli.bench.measures import Estimate
from royaltycli.bench.packages import Document, documents_of, pinned, standard_library
from royaltycli.bench.results import Goal, Row
from royaltycli.bench.setting import Headed, Setting

MILLION = 1e6


def measure(setting: Setting) -> Headed:
    """The costs of parts of the documents and, in some forms, of every document of the packages."""
    prepared, folder = setting.prepared, setting.folder
    corpora: list[Sequence[Document]] = [prepared.parts.known[::part] for part in setting.form.one_in]
    if setting.form.everything:
        kind = prepared.kind
        packaged = [each for package in pinned()[0] for each in documents_of(package, prepared.wheels, kind)]
        corpora.append([*packaged, *standard_library(kind)])
    rows = []
    for documents in corpora:
        place = folder / "growth"
        write_corpus(documents, place / "corpus", prepared.manifest.parent / "tokenizer.json")
        setting.tell(f"building an index of {len(documents):,} documents", 0, 0)
        shutil.rmtree(place / "index", ignore_errors=True)
        cost = cost_of(place / "corpus" / "corpus.toml", place / "index", folder / "held-out.jsonl")
        rows += _rows(cost)
        shutil.rmtree(place, ignore_errors=True)
    yield "Cost", rows


def _rows(cost: Cost) -> list[Row]:
    words = f"of {cost.tokens / MILLION:.2f} million tokens"
    millions = cost.tokens / MILLION
    figures = [
        ("index with its calibration, seconds for a million tokens", cost.build_seconds / millions, 2),
        ("index, peak memory in MB", cost.build_memory / MILLION, 0),
        ("index on disk, bytes a token", cost.index_bytes / cost.tokens, 1),
        ("attribution, milliseconds for a span of 128 tokens", cost.span_seconds * 1000, 2),
        ("attribution, peak memory in MB", cost.span_memory / MILLION, 0),
    ]
    return [
        Row(f"{measure}, {words}", Goal(), Estimate(value, value, value), places=places)
        for measure, value, places in figures
    ]
