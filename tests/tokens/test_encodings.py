"""Encodings: the three that are part of the package, and files of the user's own."""

from __future__ import annotations

import base64
import builtins
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import royaltycli
from royaltycli.api import check
from royaltycli.cli import app
from royaltycli.errors import CallError, EncodingError
from royaltycli.scanning import counts_folder, scan_opened
from royaltycli.tokens import encodings, engines
from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.engines import make_engine
from royaltycli.tokens.reference import load_reference
from royaltycli.tokens.table import metadata_of
from tests import oracle, strategies

ENCODINGS = list(PUBLIC)


def counted(encoding, documents, engine="gigatoken"):
    counter = make_engine(engine, encoding, load_reference(encoding))
    return counter.count(pa.array(documents, pa.large_string())).tolist()


# -- the public ones --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_vocabulary_is_the_published_one(name):
    found = find_encoding(name)
    assert found.digest == hashlib.sha256(found.path.read_bytes()).hexdigest() == PUBLIC[name].digest
    assert found.digest in tiktokens_own_source()


def tiktokens_own_source():
    """The file in which tiktoken pins the digests."""
    from tiktoken_ext import openai_public

    return Path(openai_public.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ENCODINGS)
def test_texts_are_split_as_tiktoken_splits_them(name):
    assert PUBLIC[name].pattern == oracle.encoding(name)._pat_str


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_token_is_tiktokens(name):
    """The oracle reads the same file, but the number of tokens is tiktoken's own to know."""
    ordinary = {"r50k_base": 50_256, "cl100k_base": 100_256, "o200k_base": 199_998}[name]
    assert len(find_encoding(name).data.splitlines()) == ordinary


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """A copy of the packaged vocabularies that may be damaged."""
    copy = tmp_path / "installation"
    shutil.copytree(oracle.VOCABULARIES, copy / "vocabularies")
    monkeypatch.setattr(encodings.resources, "files", lambda _name: copy)
    return copy / "vocabularies"


def test_a_damaged_vocabulary_is_refused(installation):
    path = installation / "r50k_base.tiktoken"
    data = bytearray(path.read_bytes())
    data[400_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(EncodingError) as caught:
        find_encoding("r50k_base")
    assert str(caught.value) == "the vocabulary r50k_base of this installation is damaged; install royaltycli again"
    assert find_encoding("cl100k_base").name == "cl100k_base"


def test_a_missing_vocabulary_is_refused(installation):
    (installation / "r50k_base.tiktoken").unlink()
    with pytest.raises(EncodingError) as caught:
        find_encoding("r50k_base")
    assert str(caught.value) == "the vocabulary r50k_base is missing from this installation; install royaltycli again"


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_public_vocabulary_by_its_path_is_the_same_encoding(name, tmp_path):
    """Whatever the file is called; it needs no pattern, as it is known by its digest."""
    path = tmp_path / "mine.tiktoken"
    shutil.copy(oracle.VOCABULARIES / f"{name}.tiktoken", path)
    by_path, by_name = find_encoding(str(path)), find_encoding(name)
    assert (by_path.name, by_path.digest, by_path.pattern) == (by_name.name, by_name.digest, by_name.pattern)


# -- another .tiktoken file -------------------------------------------------------------------------

SMALL_RANKS = 5000


def small_vocabulary(tmp_path, name="r50k_base"):
    """The first ranks of a public vocabulary, as a file of its own."""
    path = tmp_path / "small.tiktoken"
    lines = (oracle.VOCABULARIES / f"{name}.tiktoken").read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:SMALL_RANKS]))
    return path


def test_an_unknown_vocabulary_needs_a_pattern(tmp_path):
    path = small_vocabulary(tmp_path)
    with pytest.raises(EncodingError) as caught:
        find_encoding(str(path))
    assert str(caught.value) == (
        f"{path} is none of the public vocabularies, and such a file does not say how it splits text; "
        "name the one whose splitting it uses with `--pattern`, or as `pattern` in [corpus]: "
        "r50k_base, cl100k_base, o200k_base"
    )
    with pytest.raises(
        EncodingError, match="pattern is 'p50k_base'; it must be one of r50k_base, cl100k_base, o200k_base"
    ):
        find_encoding(str(path), "p50k_base")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """For each pattern: the small vocabulary with it, its counter, and tiktoken's own encoding."""
    path = small_vocabulary(tmp_path_factory.mktemp("small"))
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, path.read_bytes().splitlines())}
    made = {}
    for pattern in ENCODINGS:
        encoding = find_encoding(str(path), pattern)
        theirs = tiktoken.Encoding("x", pat_str=PUBLIC[pattern].pattern, mergeable_ranks=ranks, special_tokens={})
        made[pattern] = encoding, make_engine("gigatoken", encoding, load_reference(encoding)), theirs
    return made


@pytest.mark.parametrize("pattern", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(documents=st.lists(strategies.texts, min_size=1, max_size=5))
def test_it_counts_as_tiktoken_does_with_that_pattern(small, pattern, documents):
    _, counter, theirs = small[pattern]
    expected = [len(theirs.encode_ordinary(document)) for document in documents]
    assert counter.count(pa.array(documents, pa.large_string())).tolist() == expected


def test_its_name_and_digest_are_the_files(small):
    encoding = small["o200k_base"][0]
    expected = ("small.tiktoken", hashlib.sha256(encoding.path.read_bytes()).hexdigest(), "o200k_base")
    assert (encoding.name, encoding.digest, encoding.pattern) == expected


WITHOUT_ZERO = b"".join(
    base64.b64encode(token) + b" %d\n" % rank
    for rank, token in enumerate([*(bytes([byte]) for byte in range(1, 256)), b"ab"])
)
NO_TOKEN = "small.tiktoken:1: not a token in base64 and its rank; get the file again"
NO_WHOLE = "small.tiktoken: not a whole vocabulary; each byte must be a token, and the ranks run from 0 without gaps; get the file again"
BROKEN = {
    "no base64": (b"!!!! 0\n", NO_TOKEN),
    "no rank": (b"IQ==\n", NO_TOKEN),
    "a rank in words": (b"IQ== one\n", NO_TOKEN),
    "too few": (b"IQ== 0\n", NO_WHOLE),
    "no zero byte": (WITHOUT_ZERO, NO_WHOLE),
    "nothing": (b"", NO_WHOLE),
}


@pytest.mark.parametrize(("data", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_vocabulary_is_refused(tmp_path, data, message):
    (tmp_path / "small.tiktoken").write_bytes(data)
    with pytest.raises(EncodingError) as caught:
        load_reference(find_encoding("small.tiktoken", "r50k_base", tmp_path))
    assert str(caught.value).startswith(message)


def test_a_gap_in_the_ranks_is_refused(tmp_path):
    lines = small_vocabulary(tmp_path).read_bytes().splitlines(keepends=True)
    (tmp_path / "small.tiktoken").write_bytes(b"".join(lines[:1000] + lines[1001:]))
    with pytest.raises(EncodingError, match="the ranks run from 0 without gaps"):
        load_reference(find_encoding("small.tiktoken", "r50k_base", tmp_path))


# -- a Hugging Face tokenizer.json ------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A byte-level BPE of 2,000 tokens, trained here, with special tokens and a post-processor that adds them."""
    tokenizers = pytest.importorskip("tokenizers")
    special = ["<|endoftext|>", "<pad>", "[CLS]"]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = oracle.VOCABULARIES.parents[2] / "sample_corpora"
    texts = [
        (corpus / name).read_text(encoding="utf-8") for name in ("books/quantum.txt", "web/hindi.html", "web/zh.html")
    ]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A <|endoftext|>", special_tokens=[("[CLS]", 2), ("<|endoftext|>", 0)]
    )
    tokenizer.enable_truncation(8)
    path = tmp_path_factory.mktemp("trained") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def plain_text_tokenizer(path):
    """The library's own tokenizer with no special tokens in it: what the counts must equal."""
    import tokenizers

    said = json.loads(path.read_text(encoding="utf-8"))
    said |= {"added_tokens": [], "post_processor": None, "truncation": None}
    return tokenizers.Tokenizer.from_str(json.dumps(said))


@pytest.fixture(scope="module")
def counters(trained):
    """Both engines for the trained tokenizer, and the library's own."""
    encoding = find_encoding(str(trained))
    reference = load_reference(encoding)
    return (
        make_engine("gigatoken", encoding, reference),
        make_engine("tokenizers", encoding, reference),
        plain_text_tokenizer(trained),
    )


@settings(max_examples=80, deadline=None)
@given(documents=st.lists(strategies.texts, min_size=1, max_size=5))
def test_a_tokenizer_json_counts_as_tokenizers_does(counters, documents):
    fast, slow, theirs = counters
    expected = [len(theirs.encode(document).ids) for document in documents]
    texts = pa.array(documents, pa.large_string())
    assert slow.count(texts).tolist() == expected
    assert fast.count(texts).tolist() == expected


def test_its_special_tokens_are_plain_text_and_nothing_is_added_or_cut(counters):
    """As special tokens they would count 1; whole, `<|endoftext|>` is what its letters come to."""
    fast, slow, theirs = counters
    texts = pa.array(["", "<|endoftext|>", "[CLS]<pad>", "many words " * 50], pa.large_string())
    expected = [len(theirs.encode(text).ids) for text in texts.to_pylist()]
    assert expected[0] == 0
    assert min(expected[1:]) > 3
    assert fast.count(texts).tolist() == slow.count(texts).tolist() == expected


@pytest.fixture
def corpus(folder, trained):
    """A corpus that is counted with the trained tokenizer beside its manifest."""
    place = folder(
        {
            "books/corpus.toml": """
                [corpus]
                encoding = "vocabulary/tokenizer.json"
                [[source]]
                id = "book"
                path = "book.txt"
            """,
            "books/book.txt": "One day, <|endoftext|> was a word like any other.",
        }
    )
    (place / "books/vocabulary").mkdir()
    shutil.copy(trained, place / "books/vocabulary/tokenizer.json")
    return place


@pytest.fixture
def without_tokenizers(monkeypatch):
    """As if the tokenizers library were not installed."""
    real = builtins.__import__

    def refuse(name, *args, **options):
        if name.partition(".")[0] == "tokenizers":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "tokenizers", raising=False)


def scanned(*args):
    result = CliRunner().invoke(app, ["scan", *args], prog_name="royalty")
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()[0], result.stderr


def test_with_tokenizers_a_scan_is_verified(corpus, trained, monkeypatch):
    monkeypatch.chdir(corpus / "books")
    first, said = scanned("--verify", "100%")
    tokens = royaltycli.read_tokens()
    assert first.endswith("tokenizer.json, by gigatoken")
    assert said == (
        "No document is a copy of another.\n"
        "1 of 1 documents recounted with tokenizers: all equal.\n"
        "Wrote tokens.parquet.\n"
    )
    assert tokens["tokens"].to_pylist() == [
        len(plain_text_tokenizer(trained).encode((corpus / "books/book.txt").read_text()).ids)
    ]
    digest = hashlib.sha256(trained.read_bytes()).hexdigest()
    about = metadata_of(tokens)
    assert (about["encoding"], about["vocabulary_sha256"], about.get("pattern")) == ("tokenizer.json", digest, None)


def test_without_tokenizers_it_counts_the_same_and_says_that_it_is_not_verified(corpus, monkeypatch, request):
    monkeypatch.chdir(corpus / "books")
    scanned("-o", "verified.parquet")
    request.getfixturevalue("without_tokenizers")
    _, said = scanned("--verify", "100%")
    assert said == (
        "No document is a copy of another.\n"
        "No document was recounted; see `--verify`.\n"
        "Note: not verified: tokenizers, which would recount a tokenizer.json, is not installed (royaltycli[hf]).\n"
        "Wrote tokens.parquet.\n"
    )
    assert Path("tokens.parquet").read_bytes() == Path("verified.parquet").read_bytes()


def test_without_gigatoken_the_library_itself_counts(corpus, monkeypatch):
    expected = royaltycli.scan(corpus / "books")
    monkeypatch.setattr(engines, "gigatoken_version", lambda: "")
    assert royaltycli.scan(corpus / "books").equals(expected)
    with pytest.raises(
        CallError, match=r"tiktoken cannot count this encoding; use `--engine tokenizers`, or leave it out"
    ):
        royaltycli.scan(corpus / "books", engine="tiktoken")


@pytest.mark.usefixtures("without_tokenizers")
def test_without_both_nothing_can_count_it(corpus, monkeypatch):
    monkeypatch.setattr(engines, "gigatoken_version", lambda: "")
    with pytest.raises(CallError, match=r"a tokenizer\.json is counted by gigatoken or by tokenizers"):
        royaltycli.scan(corpus / "books")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"added_tokens": [], "model": {"type": "BPE"}}', '{"model": 1}']
)
def test_a_json_file_that_is_no_tokenizer_is_refused(corpus, text):
    (corpus / "books/vocabulary/tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(EncodingError, match=r"^tokenizer\.json: not a (Hugging Face|usable) tokenizer\.json"):
        royaltycli.scan(corpus / "books")


@pytest.fixture
def unknown_to_gigatoken(corpus):
    """A corpus whose tokenizer splits at white space, which gigatoken cannot do."""
    path = corpus / "books/vocabulary/tokenizer.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(said | {"pre_tokenizer": {"type": "Whitespace"}}), encoding="utf-8")
    return corpus / "books"


def test_a_tokenizer_that_gigatoken_does_not_know_is_counted_by_tokenizers(unknown_to_gigatoken):
    with counts_folder(None) as folder:
        scanned = scan_opened(check(unknown_to_gigatoken), folder, folder / "tokens")
    assert scanned.engine == "tokenizers"
    assert scanned.notes == (
        "nothing was recounted, as tokenizers is itself what counts are checked against",
        "counted with tokenizers, as gigatoken is not there or does not know this tokenizer",
    )


def test_without_tokenizers_it_is_an_error_of_one_line(unknown_to_gigatoken, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(EncodingError) as caught:
        royaltycli.scan(unknown_to_gigatoken)
    assert re.fullmatch(r"tokenizer\.json: gigatoken cannot load it \(Unsupported pre_tokenizer.*\)", str(caught.value))


# -- where a path starts ----------------------------------------------------------------------------


def test_a_path_in_the_manifest_starts_at_the_manifests_folder(corpus, monkeypatch):
    monkeypatch.chdir(corpus)
    assert metadata_of(royaltycli.scan("books"))["encoding"] == "tokenizer.json"


def test_a_path_on_the_command_line_starts_here(corpus, monkeypatch):
    monkeypatch.chdir(corpus)
    with pytest.raises(EncodingError, match=r"^vocabulary/tokenizer\.json is not there"):
        royaltycli.scan("books", encoding="vocabulary/tokenizer.json")
    assert royaltycli.scan("books", encoding="books/vocabulary/tokenizer.json").equals(royaltycli.scan("books"))


NO_NAME = "is no encoding; use r50k_base, cl100k_base, o200k_base, or the path of a tokenizer.json or .tiktoken file"
NO_FILE = "is not there, or is not a file; give the path of a tokenizer.json or .tiktoken file"
WRONG = {
    "gpt4": f"'gpt4' {NO_NAME}",
    "": f"'' {NO_NAME}",
    "O200K_BASE": f"'O200K_BASE' {NO_NAME}",
    "no.json": f"no.json {NO_FILE}",
    "folder.json": f"folder.json {NO_FILE}",
}


@pytest.mark.parametrize(("given_", "message"), WRONG.items())
def test_what_is_no_encoding(tmp_path, given_, message):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(EncodingError) as caught:
        find_encoding(given_, None, tmp_path)
    assert str(caught.value) == message
