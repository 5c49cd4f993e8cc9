"""The documents of a corpus as the network is trained on them: tokens, sources, and the fold of each.

Of documents that are copies, or nearly, only the first stays; it is of all sources that have one (rule U2). An index
must find the same ones, by the same tokens: else the head that judges a document might have seen its copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from royaltycli.arrays import Mask, Numbers
from royaltycli.attribution.copies import PARTS, groups, holders_of, sketches
from royaltycli.attribution.digests import NETWORK_FOLDS, digest_of_text
from royaltycli.attribution.network.model import LanguageModel
from royaltycli.attribution.network.spans import short_windows, windows
from royaltycli.attribution.reading import sources_of, without_blank
from royaltycli.corpus.documents import Owners, read
from royaltycli.corpus.files import File
from royaltycli.corpus.shards import cut, together
from royaltycli.corpus.unpack import check_unchanged
from royaltycli.errors import AttributionError
from royaltycli.limits import INDEX_SHARD_BYTES
from royaltycli.manifest.model import Corpus
from royaltycli.tokens.encodings import DEFAULT_ENCODING, find_encoding
from royaltycli.tokens.engines import Ids, fastest_engine
from royaltycli.tokens.reference import load_reference


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is kept: its tokens, the numbers of its sources, and the digest of its text."""

    tokens: Ids
    sources: tuple[int, ...]
    digest: int

    @property
    def fold(self) -> int:
        """The heads of this fold are trained without it."""
        return self.digest % NETWORK_FOLDS


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a corpus, the ids of its sources, and how many documents were left out as copies."""

    sources: list[str]
    kept: list[Document]
    copies: int


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of documents: the tokens of each, of which document it is, and whether it is a short one of a long one."""

    tokens: list[Ids]
    documents: Numbers
    short: Mask

    @property
    def lengths(self) -> Numbers:
        """How many tokens each span has."""
        return np.fromiter(map(len, self.tokens), np.int64, len(self.tokens))


def read_documents(
    corpus: Corpus, files: Sequence[File], model: LanguageModel, tell: Callable[[int, int], None]
) -> Documents:
    """Read all documents of a corpus. `tell` is called with the bytes done, and all.

    Raises DocumentError, EncodingError, and AttributionError for a corpus from which nothing can be learned.
    """
    owners: Owners = dict(enumerate(corpus.owners))
    encoding = find_encoding(corpus.encoding or DEFAULT_ENCODING, corpus.pattern, corpus.folder)
    engine = fastest_engine(encoding, load_reference(encoding))
    sketched, counts = [np.empty((0, PARTS), np.uint32)], [np.empty(0, np.int64)]
    tokens: list[Ids] = []
    digests: list[int] = []
    names: list[list[str]] = []
    done, all_bytes = 0, sum(file.size for file in files)
    for shard in together(cut(files, INDEX_SHARD_BYTES), INDEX_SHARD_BYTES):
        for _, batch in read(shard.pieces, owners):
            texts = without_blank(batch.texts)
            found, lengths = engine.encode(texts)
            sketched.append(sketches(found, lengths))
            counts.append(lengths)
            tokens += model.encode(texts.to_pylist())
            digests += map(digest_of_text, batch.texts.to_pylist())
            names += sources_of(batch, owners[batch.file.owner])
            done += batch.packed_bytes
            tell(done, all_bytes)
        for piece in shard.pieces:
            check_unchanged(piece.file)
    first = groups(np.concatenate(sketched), np.concatenate(counts))
    ids, holders = holders_of(first, names)
    kept = [
        Document(tokens[document], sources, digests[document])
        for document, sources in holders.items()
        if len(tokens[document])
    ]
    if len({source for one in kept for source in one.sources}) <= 1:
        raise AttributionError(f"{corpus.file} leads to text of fewer than two sources; a network tells sources apart")
    return Documents(ids, kept, int(np.count_nonzero(first != np.arange(len(first)))))


def spans_of(documents: Sequence[Document], most: int) -> Spans:
    """The spans to train with, long and short: of each source no more than `most` of either, evenly spread."""
    tokens: list[Ids] = []
    owners: list[int] = []
    is_short: list[bool] = []
    totals: dict[int, int] = {}
    for one in documents:
        totals[one.sources[0]] = totals.get(one.sources[0], 0) + len(windows(len(one.tokens)))
    passed = dict.fromkeys(totals, 0)
    for number, one in enumerate(documents):
        every = max(1.0, totals[one.sources[0]] / most)
        long, short = windows(len(one.tokens)), short_windows(len(one.tokens))
        for place in range(len(long)):
            at = passed[one.sources[0]]
            passed[one.sources[0]] += 1
            if int(at / every) == int((at - 1) / every) and at:
                continue
            for start, stop in (long[place], *short[place : place + 1]):
                tokens.append(one.tokens[start:stop])
                owners.append(number)
                is_short.append((start, stop) != long[place])
    return Spans(tokens, np.array(owners, np.int64), np.array(is_short, bool))
