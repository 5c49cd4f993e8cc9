"""A public encoding as a Hugging Face tokenizer.json, for the programs that count with the tokenizers library."""

from __future__ import annotations

from pathlib import Path

from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.reference import mergeable_ranks

ENCODING = "o200k_base"
"""The one whose pattern means the same to the regular expressions of tiktoken and of tokenizers."""


def write_tokenizer(path: Path) -> None:
    """Write the tokenizer.json. It has no special tokens, so that such texts count as plain ones."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    ranks = mergeable_ranks(find_encoding(ENCODING))
    letters = byte_letters()
    words = {token: "".join(map(letters.__getitem__, token)) for token in ranks}
    vocabulary = {words[token]: rank for token, rank in ranks.items()}
    # tiktoken merges any two neighbours that make a token, the lowest rank first; here each such pair is named.
    merges = [
        (words[token[:cut]], words[token[cut:]])
        for token in sorted(ranks, key=ranks.__getitem__)
        for cut in sorted(cuts(token, ranks), key=lambda cut: (ranks[token[:cut]], ranks[token[cut:]]))
    ]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PUBLIC[ENCODING].pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.save(str(path), pretty=False)


def cuts(token: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Where a token can be cut into two tokens."""
    return [cut for cut in range(1, len(token)) if token[:cut] in ranks and token[cut:] in ranks]


def byte_letters() -> list[str]:
    """The letter that stands for each byte in such files: itself if it can be seen, else one from U+0100 on."""
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    unseen = [byte for byte in range(256) if byte not in seen]
    return [chr(byte if byte in seen else 0x100 + unseen.index(byte)) for byte in range(256)]
