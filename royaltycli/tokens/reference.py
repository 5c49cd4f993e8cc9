"""The reference engines: what every count must equal.

tiktoken for its own vocabularies. For a Hugging Face tokenizer.json its own library, tokenizers, where
it is installed; special tokens count as plain text in both.
"""

from __future__ import annotations

import binascii
import functools
import itertools
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from royaltycli.errors import EncodingError
from royaltycli.limits import WHITESPACE_RUN
from royaltycli.tokens.encodings import PUBLIC, Encoding

if TYPE_CHECKING:
    import tiktoken

BYTES = 256

_LONG_RUN = re.compile(rf"\s{{{WHITESPACE_RUN}}}")


class Reference(Protocol):
    """Counts one text exactly, and says what its tokens are. `name` is the library's."""

    name: str
    gave_up: int
    """Documents that it could not count in the ordinary way, and were counted by other means."""

    def count(self, text: str) -> int:
        """The number of tokens of `text` on its own, special tokens as plain text."""

    def encode(self, text: str) -> list[int]:
        """Those tokens."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Of each of them the characters of `text` it is of: from one up to another.

        Of a token that begins or ends within a character all of that character.
        """

    def decode(self, tokens: list[int]) -> str:
        """What tokens say, with U+FFFD for a part of a character."""


def load_reference(encoding: Encoding) -> Reference | None:
    """The reference for an encoding; None for a tokenizer.json where tokenizers is not installed.

    Raises EncodingError if the vocabulary cannot be used.
    """
    if encoding.kind == "tiktoken":
        return TiktokenReference(encoding)
    try:
        import tokenizers  # noqa: F401 -- only whether it is there
    except ImportError:
        return None
    return TokenizersReference(encoding)


class TiktokenReference:
    """tiktoken's `encode_ordinary`, or its parts where that gives up."""

    name = "tiktoken"

    def __init__(self, encoding: Encoding) -> None:
        """Raises EncodingError if the ranks are unusable."""
        self.gave_up = 0
        self._pattern = PUBLIC[encoding.pattern].pattern
        self._source = encoding
        if encoding.name not in PUBLIC:  # what is not known to be good must fail at once
            _ = self._engine

    @functools.cached_property
    def _engine(self) -> tiktoken.Encoding:
        """tiktoken's encoding, made when it is first needed: a scan's main process never needs it."""
        import tiktoken

        name, ranks = self._source.name, mergeable_ranks(self._source)
        return tiktoken.Encoding(name, pat_str=self._pattern, mergeable_ranks=ranks, special_tokens={})

    def count(self, text: str) -> int:
        """The length of `encode_ordinary(text)`."""
        if gives_up(text):
            self.gave_up += 1
            return self.count_by_pieces(text)
        return len(self._engine.encode_ordinary(text))

    def encode(self, text: str) -> list[int]:
        """`encode_ordinary(text)`."""
        if gives_up(text):
            return list(itertools.chain.from_iterable(self._by_pieces(text)))
        return self._engine.encode_ordinary(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """By the bytes of each token."""
        sizes = map(len, map(self._engine.decode_single_token_bytes, self.encode(text)))
        ends = list(itertools.accumulate(sizes))
        bytes_of = ([at] * len(letter.encode("utf-8")) for at, letter in enumerate(text))
        characters = list(itertools.chain.from_iterable(bytes_of))  # of each byte the character that it is of
        return [(characters[start], characters[end - 1] + 1) for start, end in itertools.pairwise([0, *ends])]

    def decode(self, tokens: list[int]) -> str:
        """tiktoken's `decode`."""
        return self._engine.decode(tokens, errors="replace")

    def count_by_pieces(self, text: str) -> int:
        """The same number, with the regex package in place of the splitter that overflows its stack."""
        return sum(map(len, self._by_pieces(text)))

    def _by_pieces(self, text: str) -> Iterator[list[int]]:
        merge = self._engine._encode_single_piece  # noqa: SLF001 -- part of tiktoken's interface for learners
        return (merge(match.group()) for match in _compiled(self._pattern).finditer(text))


class TokenizersReference:
    """The `tokenizers` library on a tokenizer.json without its special tokens."""

    name = "tokenizers"

    def __init__(self, encoding: Encoding) -> None:
        """Raises EncodingError if the file is not a usable tokenizer."""
        import tokenizers

        self.gave_up = 0
        try:
            self._tokenizer = tokenizers.Tokenizer.from_str(without_special_tokens(encoding))
        except EncodingError:
            raise
        except Exception as error:  # the library raises no other
            raise EncodingError(f"{encoding.name}: not a usable tokenizer.json ({error})") from error

    def count(self, text: str) -> int:
        """The number of ids, without any that the tokenizer would add around the text."""
        return len(self.encode(text))

    def encode(self, text: str) -> list[int]:
        """The ids, without any that the tokenizer would add around the text."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        """The offsets that the library keeps, through whatever it does to a text before it splits it."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return offsets

    def decode(self, tokens: list[int]) -> str:
        """The library's `decode`."""
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=False)
        return text


def gives_up(text: str) -> bool:
    """Whether tiktoken could overflow its stack on `text` (openai/tiktoken issue 15)."""
    return len(text) >= WHITESPACE_RUN and _LONG_RUN.search(text) is not None


def mergeable_ranks(encoding: Encoding) -> dict[bytes, int]:
    """A tiktoken vocabulary as a mapping of token bytes to rank. Raises EncodingError that says what is wrong."""
    words = encoding.data.split()
    try:
        ranks = dict(zip(map(_token, words[::2]), map(int, words[1::2]), strict=True))
    except (ValueError, binascii.Error) as error:
        line = _first_bad_line(encoding.data)
        raise EncodingError(
            f"{encoding.name}:{line}: not a token in base64 and its rank; get the file again"
        ) from error
    if not all(bytes([byte]) in ranks for byte in range(BYTES)) or sorted(ranks.values()) != list(range(len(ranks))):
        raise EncodingError(
            f"{encoding.name}: not a whole vocabulary; each byte must be a token, and the ranks run from 0 without "
            "gaps; get the file again"
        )
    return ranks


_token = functools.partial(binascii.a2b_base64, strict_mode=True)


def _first_bad_line(vocabulary: bytes) -> int:
    lines = vocabulary.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            token, rank = line.split()
            _token(token)
            int(rank)
        except (ValueError, binascii.Error):
            return number
    return len(lines)


def without_special_tokens(encoding: Encoding) -> str:
    """A tokenizer.json whose special tokens are plain text, and which adds nothing around a text."""
    try:
        tokenizer: Any = json.loads(encoding.data)
        added = tokenizer["added_tokens"] or []
        tokenizer["added_tokens"] = [token for token in added if not token["special"]]
        tokenizer["post_processor"] = tokenizer["padding"] = tokenizer["truncation"] = None
        if tokenizer["model"].get("dropout") is not None:
            tokenizer["model"]["dropout"] = None  # chance has no place in a count
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EncodingError(
            f"{encoding.name}: not a Hugging Face tokenizer.json; name the one that comes with a model"
        ) from error
    return json.dumps(tokenizer, ensure_ascii=False)


@functools.cache
def _compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)
