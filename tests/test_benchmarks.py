"""The benchmarks follow the code that they look into; how fast anything is, no test says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiktoken

from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.reference import mergeable_ranks

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TEXTS = [
    "",
    "It's  a day.\r\n\n  Don't!",
    "x = [1234567, 'a\tb']\n",
    "Überraschung, ÉCOLE 東京 🙂",
    "<|endoftext|>",
    " \n \n",
]


@pytest.fixture
def vocabulary(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import vocabulary

    return vocabulary


def test_the_profile_has_a_time_for_each_part(folder):
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "a"\n', "a/a.txt": "One day."})
    line = [sys.executable, BENCHMARKS / "parts.py", place]
    parts = json.loads(subprocess.run(line, check=True, capture_output=True, timeout=120).stdout)
    assert parts.pop("bytes") == 8
    assert min(parts.values()) > 0
    assert set(parts) == {
        "start", "finding files", "reading", "counting", "Unicode guard", "SHA-256", "verification",
        "content digest", "rows", "tables", "the rest",
    }  # fmt: skip


def test_the_tokenizer_of_the_others_counts_as_tiktoken_does(vocabulary, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary.write_tokenizer(tmp_path / "tokenizer.json")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    name = vocabulary.ENCODING
    ranks = mergeable_ranks(find_encoding(name))
    ours = tiktoken.Encoding(name, pat_str=PUBLIC[name].pattern, mergeable_ranks=ranks, special_tokens={})
    for text in TEXTS:
        assert theirs.encode(text).ids == ours.encode_ordinary(text), text
