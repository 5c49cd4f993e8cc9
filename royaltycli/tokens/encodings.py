"""Encodings: the three public ones, which are part of the package, and vocabulary files of the user's."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from royaltycli.errors import EncodingError, reason_of

DEFAULT_ENCODING = "o200k_base"


@dataclass(frozen=True, slots=True)
class PublicEncoding:
    """What a public encoding's vocabulary file does not hold.

    `digest` is the SHA-256 that tiktoken pins for the file, and `pattern` the regular expression that
    splits text before the merges, both as in tiktoken_ext/openai_public.py (tiktoken 0.14.0).
    `scheme` is gigatoken's name for the same splitting.
    """

    digest: str
    pattern: str
    scheme: str


PUBLIC = {
    "r50k_base": PublicEncoding(
        "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
        r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
        "gpt2",
    ),
    "cl100k_base": PublicEncoding(
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
        r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s""",
        "gpt4",
    ),
    "o200k_base": PublicEncoding(
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
        r"""|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"""
        r"""|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
        "o200k",
    ),
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A vocabulary that has been read and checked.

    `name` is what results call it: a public encoding's name, or the file's. `kind` is the format of
    `data`, the vocabulary file's bytes, whose SHA-256 is `digest`. `pattern` names the public encoding
    whose splitting a tiktoken vocabulary uses; a Hugging Face file holds its own.
    """

    name: str
    kind: Literal["tiktoken", "huggingface"]
    digest: str
    path: Path
    data: bytes
    pattern: str = ""


def find_encoding(given: str, pattern: str | None = None, folder: Path = Path()) -> Encoding:
    """The encoding that a name or a path means; a relative path starts at `folder`.

    Raises EncodingError if there is no such encoding, the file is damaged, or a `.tiktoken` file is none
    of the public ones and `pattern` does not say how it splits.
    """
    if pattern is not None and pattern not in PUBLIC:
        raise EncodingError(f"pattern is {pattern!r}; it must be one of {', '.join(PUBLIC)}")
    if given in PUBLIC:
        return _public(given)
    path = folder / given
    if path.suffix not in (".json", ".tiktoken"):
        raise EncodingError(
            f"{given!r} is no encoding; use {', '.join(PUBLIC)}, or the path of a tokenizer.json or .tiktoken file"
        )
    try:
        data = path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        data = None
    except OSError as error:
        raise EncodingError(f"{given} cannot be read ({reason_of(error)})") from error
    if data is None:
        raise EncodingError(
            f"{given} is not there, or is not a file; give the path of a tokenizer.json or .tiktoken file"
        )
    digest = hashlib.sha256(data).hexdigest()
    if path.suffix == ".json":
        return Encoding(path.name, "huggingface", digest, path, data)
    known = next((name for name, public in PUBLIC.items() if public.digest == digest), None)
    splitting = known or pattern
    if splitting is None:
        raise EncodingError(
            f"{given} is none of the public vocabularies, and such a file does not say how it splits text; "
            f"name the one whose splitting it uses with `--pattern`, or as `pattern` in [corpus]: {', '.join(PUBLIC)}"
        )
    return Encoding(known or path.name, "tiktoken", digest, path, data, splitting)


def _public(name: str) -> Encoding:
    path = Path(str(resources.files("royaltycli.tokens").joinpath("vocabularies", f"{name}.tiktoken")))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EncodingError(
            f"the vocabulary {name} is missing from this installation; install royaltycli again"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != PUBLIC[name].digest:
        raise EncodingError(f"the vocabulary {name} of this installation is damaged; install royaltycli again")
    return Encoding(name, "tiktoken", digest, path, data, name)
