"""Rule V1: the documents that a network is trained on are those of an index, whatever the tokens of its language model."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from royaltycli import attributing
from royaltycli.attribution.index import open_index
from royaltycli.corpus.opening import open_corpus
from tests.attribution.conftest import prose

pytest.importorskip("torch")

MANIFEST = '[corpus]\nencoding = "r50k_base"\n\n[[collection]]\nid = "c"\npath = "rows.jsonl"\nsource = "who"\n'

BY_BYTES = SimpleNamespace(
    encode=lambda texts: [np.frombuffer(text.encode(), np.uint8).astype(np.uint32) for text in texts]
)
"""A language model whose tokens are much shorter than those of any encoding, so that changed texts look more alike."""


def read(place):
    from royaltycli.attribution.network.corpus import read_documents

    opened = open_corpus(place)
    return read_documents(opened.corpus, opened.files, BY_BYTES, lambda *_: None)


def write(place, texts):
    place.joinpath("corpus.toml").write_text(MANIFEST, encoding="utf-8")
    rows = [json.dumps({"who": who, "text": text}) + "\n" for who, text in texts]
    place.joinpath("rows.jsonl").write_text("".join(rows), encoding="utf-8")


def changed(text, every):
    """A text with another word in the place of each so-manieth."""
    return " ".join("heron" if at % every == 0 else word for at, word in enumerate(text.split(), 1))


def test_of_near_copies_those_are_kept_that_an_index_keeps(tmp_path):
    texts = [("ann", prose(seed)) for seed in range(12)]
    write(tmp_path, texts + [("bob", changed(text, 15 + 15 * at)) for at, (_, text) in enumerate(texts)])
    attributing.index(tmp_path, tmp_path / "index")
    (model,) = open_index(tmp_path / "index").models
    documents = read(tmp_path)
    assert [one.digest for one in documents.kept] == model.digests.tolist()
    assert 0 < documents.copies < 12


def test_blanks_are_of_nobody(tmp_path):
    write(tmp_path, [("ann", prose(1)), ("ann", " \n\n\t"), ("bob", prose(2)), ("bob", "")])
    assert [one.sources for one in read(tmp_path).kept] == [(0,), (1,)]
