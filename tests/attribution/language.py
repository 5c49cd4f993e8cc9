"""A tiny language model, and a corpus of some sources of `sample_corpora` cut into documents: made in seconds."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from royaltycli.attribution.reading import sources_of
from royaltycli.bench.language import train_language_model
from royaltycli.bench.shape import Shape
from royaltycli.corpus.documents import read
from royaltycli.corpus.opening import open_corpus
from royaltycli.corpus.shards import cut, together
from tests.docs.pages import ROOT

MANIFEST = '[[collection]]\nid = "sample"\npath = "documents.jsonl"\nsource = "source"\n'
LETTERS, DOCUMENTS = 900, 12
"""Letters of a document, and the least documents of a source."""


def sample_documents():
    """(source, text) of the larger sources of the sample corpora."""
    opened = open_corpus(ROOT / "sample_corpora")
    owners = dict(enumerate((*opened.corpus.sources, *opened.corpus.collections)))
    pieces = {}
    for shard in together(cut(opened.files, 1 << 26), 1 << 26):
        for _, batch in read(shard.pieces, owners):
            names = sources_of(batch, owners[batch.file.owner])
            for text, (source, *_) in zip(batch.texts.to_pylist(), names, strict=True):
                if len(text) >= LETTERS:
                    parts = [text[at : at + LETTERS] for at in range(0, len(text) - LETTERS // 2, LETTERS)]
                    pieces.setdefault(source.rpartition("/")[2].replace("%20", "-"), []).extend(parts)
    return [(source, text) for source, texts in pieces.items() if len(texts) >= DOCUMENTS for text in texts]


def write_corpus(folder, documents):
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("corpus.toml").write_text(MANIFEST, encoding="utf-8")
    lines = [json.dumps({"source": source, "text": text}) + "\n" for source, text in documents]
    folder.joinpath("documents.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def write_tokenizer(path, texts, words=1024):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=words, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))
    return path


def train_model(folder, texts, *, tokens, layers=2, width=64):
    """A language model of two small layers, in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(folder / "words.json", texts)
    shape = Shape(layers=layers, width=width, neurons=3 * width, window=128, batch=8)
    train_language_model(texts, tokenizer, folder, shape, tokens=tokens)
    return folder
