"""What a manifest says, as plain values: holders, sources, collections, and the corpus they make."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from royaltycli.errors import Place

Format = Literal["text", "html", "jsonl", "parquet", "warc"]
NAMING_FORMATS: tuple[Format, ...] = ("jsonl", "parquet", "warc")
"""Those in which each document can name its source: of these a collection is made."""

Function = Literal["domain", "host", "folder"]
Lists = Literal["split", "first", "joint"]
Duplicates = Literal["all", "first", "split"]
DUPLICATES: tuple[Duplicates, ...] = get_args(Duplicates)

Field = tuple[str, ...]
"""The way to a value of a document: the name of its field, of nested fields one name for each level."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How a document names its source, or its holder: by a field, a function of one, or a fixed value for all.

    `field` is empty where there is a fixed value.
    """

    field: Field = ()
    function: Function | None = None
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A person or body that is paid. `name` is the id itself where the manifest gives none."""

    id: str
    name: str
    isni: str | None = None
    ipi: str | None = None
    orcid: str | None = None


@dataclass(frozen=True, slots=True)
class HolderShare:
    """A holder's part of a source; the parts of one source make exactly one."""

    holder: str
    share: Fraction


@dataclass(frozen=True, slots=True)
class Reading:
    """How files become documents.

    `format` is None where each file's ending says it. `text` is the field or column that holds the
    text of JSONL and Parquet. `strip` is "html" to count a page's visible text instead of its source.
    `errors` is "replace" to read invalid UTF-8 with U+FFFD in its place instead of refusing it.
    `dataset` says that the files are those of a published dataset, where `.json` means JSONL too, and
    other formats are no documents.
    """

    format: Format | None = None
    text: Field = ("text",)
    strip: Literal["html"] | None = None
    errors: Literal["strict", "replace"] = "strict"
    dataset: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The unit that earns. `patterns` are files, folders or globs, relative to the manifest."""

    id: str
    place: Place
    patterns: tuple[str, ...]
    title: str | None = None
    holders: tuple[HolderShare, ...] = ()
    license: str | None = None
    epochs: Decimal = Decimal(1)
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Collection:
    """Files that hold many sources; each document names its source, and its holder if `holder` is set.

    `lists` says what becomes of a document that names several, and is None where none may. `split` is
    the part of a dataset folder that is meant, such as `train`.
    """

    id: str
    place: Place
    patterns: tuple[str, ...]
    source: Naming
    holder: Naming | None = None
    holders: tuple[HolderShare, ...] = ()
    license: str | None = None
    epochs: Decimal = Decimal(1)
    reading: Reading = Reading()
    lists: Lists | None = None
    split: str | None = None


Owner = Source | Collection
"""What files belong to."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """All that a manifest describes.

    `folder` holds the manifest, and every pattern is relative to it. `encoding` is the name of a
    public encoding or the path of a vocabulary file, as written; `pattern` names the public encoding
    whose splitting pattern a `.tiktoken` file uses. With `remote`, paths may lead to other machines.
    `train_tokens` is the size of the whole training run where this corpus is a part of it. `duplicates`
    says which sources are credited with a text that occurs more than once. `digest` is the SHA-256 of the
    manifest's bytes, `lists` those of its list files, by path.
    """

    file: str
    folder: Path
    digest: str
    name: str | None = None
    remote: bool = False
    encoding: str | None = None
    pattern: str | None = None
    train_tokens: Decimal | None = None
    duplicates: Duplicates | None = None
    holders: tuple[Holder, ...] = ()
    sources: tuple[Source, ...] = ()
    collections: tuple[Collection, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()

    @property
    def owners(self) -> tuple[Owner, ...]:
        """The sources and then the collections: `File.owner` is a place among these."""
        return (*self.sources, *self.collections)
