"""The index of a corpus as attribution asks it: sources, units, and the models of each shard, mapped into memory."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from royaltycli.arrays import Numbers
from royaltycli.attribution import folder
from royaltycli.attribution.folds import FOLDS, Folds
from royaltycli.attribution.grams import ORDERS, Grams
from royaltycli.attribution.passages import Passages
from royaltycli.attribution.suffixes import Suffixes
from royaltycli.errors import AttributionError
from royaltycli.limits import MATCH_TOKENS
from royaltycli.remote.names import check_here
from royaltycli.storage import read_sealed
from royaltycli.tokens.encodings import Encoding, find_encoding
from royaltycli.tokens.engines import Ids
from royaltycli.tokens.reference import Reference, load_reference

MODELS = "models"


@dataclass(frozen=True, slots=True)
class Unit:
    """What is credited as one: the sources that hold the same documents, in the order of the corpus.

    Most units are one source. The first `earliest` of the sources are those of the earliest copy.
    """

    sources: tuple[int, ...]
    earliest: int


@dataclass(frozen=True, slots=True)
class Model:
    """A shard's documents without copies, and what is asked of them.

    Document `d` is of the unit `units[d]`, has the tokens `starts[d]` to `starts[d + 1]` less one of the text, and
    stands where `places[d]` says; `digests[d]` is that of its text. `folds` has the fold of each place of the text.
    """

    suffixes: Suffixes
    starts: Numbers
    units: npt.NDArray[np.int32]
    folds: Folds
    places: pa.StringArray
    digests: npt.NDArray[np.uint64]
    grams: dict[int, Grams]
    passages: Passages

    def tokens(self, start: int, stop: int) -> Ids:
        """The tokens at some places of the text."""
        text = self.suffixes.text[start:stop].astype(np.uint32)
        return text[text > 0] - np.uint32(1)


@dataclass(frozen=True, slots=True)
class Index:
    """An index: `sources` by number, `units` by number, and `sizes`, the tokens of each unit without copies.

    `weights` are those of all runs, a row for each unit and a column for each of its folds, by the order of the runs.
    """

    path: Path
    about: dict[str, Any]
    sources: pa.Table
    units: tuple[Unit, ...]
    sizes: Numbers
    models: tuple[Model, ...]
    weights: dict[int, Numbers]

    @property
    def source_ids(self) -> list[str]:
        """The ids of the sources, in their order."""
        ids: list[str] = self.sources["source_id"].to_pylist()
        return ids

    @property
    def tokens(self) -> int:
        """All tokens without copies."""
        return int(self.sizes.sum())


def open_index(path: Path, *, check: bool = True) -> Index:
    """Open the index in a folder. Raises AttributionError if there is none, or it has changed by as much as a bit.

    Without `check` only what is read at once is looked through, not what is mapped into memory. Raises CallError for
    one in a store.
    """
    check_here(path, "an index")
    if not (path / folder.LIST).is_file():
        raise AttributionError(
            f"there is no index in {path}; `royalty index` makes one, or name its folder with `--index`"
        )
    about = folder.read_json(path / folder.LIST)
    if about.get("version") != folder.VERSION:
        raise AttributionError(
            f"the index {path} has format {about.get('version')}, where this version of royalty reads "
            f"{folder.VERSION}; run `royalty index` again"
        )
    if about.pop("digest", None) != folder.digest_of_value(about):
        raise folder.damaged(path / folder.LIST)
    if check:
        folder.check_digests(path, about["digests"])
    units = read_sealed(path / "units.parquet")
    models = tuple(_model(path / MODELS / key) for key in about["models"])
    return Index(
        path,
        about,
        read_sealed(path / "sources.parquet"),
        tuple(
            Unit(tuple(sources), earliest)
            for sources, earliest in zip(units["sources"].to_pylist(), units["earliest"].to_pylist(), strict=True)
        ),
        units["tokens"].to_numpy(),
        models,
        {order: _weights([model.grams[order] for model in models], len(units)) for order in ORDERS},
    )


def reopened(path: Path, about: dict[str, Any]) -> Index:
    """An index that another process has opened. Raises AttributionError if it is not the same any more."""
    index = open_index(path, check=False)
    if index.about != about:
        raise AttributionError(f"the index {path} was made anew meanwhile; run the command again")
    return index


def _weights(tables: Sequence[Grams], units: int) -> Numbers:
    weights = np.zeros(units * FOLDS, np.int64)
    for table in tables:
        weights[table.owners] += table.sums
    return weights.reshape(units, FOLDS)


def encoding_of(index: Index) -> Encoding:
    """The encoding that an index is of. Raises EncodingError, and AttributionError for a vocabulary that is another.

    A vocabulary file of the user's is kept in the index, as it was when the index was made.
    """
    about = index.about
    name, file = about["encoding"], about["vocabulary_file"]
    found = find_encoding(name) if file is None else find_encoding(file, about["pattern"] or None, index.path)
    if found.digest != about["vocabulary"]:
        raise folder.damaged(found.path)
    return replace(found, name=name)


def reference_of(index: Index) -> Reference:
    """What reads the encoding of an index. Raises EncodingError, and AttributionError if it is not installed."""
    reference = load_reference(encoding_of(index))
    if reference is None:
        raise AttributionError(
            f"{index.path} was made with a tokenizer.json, which tokenizers is needed for; install royaltycli[hf]"
        )
    return reference


def _model(place: Path) -> Model:
    load = functools.partial(folder.load, place)
    documents = read_sealed(place / "documents.parquet")
    suffixes = Suffixes(load("text"), load("suffixes"), load("documents"))
    assert len(suffixes.text) == len(suffixes.documents) + MATCH_TOKENS
    return Model(
        suffixes,
        load("starts"),
        documents["unit"].to_numpy(),
        load("folds"),
        documents["place"].combine_chunks(),
        documents["digest"].to_numpy(),
        {order: folder.load_all(place, f"grams-{order}", Grams) for order in ORDERS},
        folder.load_all(place, "passages", Passages),
    )
