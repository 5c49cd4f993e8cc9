"""A traced text: its passages, as a slow and simple search finds them; what stands where; and its page."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import random
import shutil

import pytest
from hypothesis import given

import royaltycli
from royaltycli.attribution.building import build_index
from royaltycli.attribution.index import encoding_of, open_index
from royaltycli.attribution.tracing import SCHEMA, Passage, Place, Traced, TracedSource, pieces, rows, trace
from royaltycli.corpus.opening import open_corpus
from royaltycli.errors import AttributionError, CallError, EncodingError
from royaltycli.limits import TRACE_BYTES
from royaltycli.report.traces.rendering import as_html
from royaltycli.tokens.encodings import PUBLIC, find_encoding
from royaltycli.tokens.reference import TiktokenReference, load_reference
from tests import strategies
from tests.report.hostile import TITLES
from tests.report.pages import read as read_page

ENCODINGS = list(PUBLIC)
WORDS = ["the", "river", "was", "old", "नीम", "🙂", "👩‍🔧", "巷口", "and", "it", "Ångström", "zebra", "\n\n", "—"]
MANIFEST = '[[collection]]\nid = "c"\npath = "rows.jsonl"\ntext = "text"\nsource = "who"\n'


@functools.cache
def reference(name):
    return load_reference(find_encoding(name))


def built(place, encoding="o200k_base"):
    """The index of the corpus in a folder."""
    opened = open_corpus(place)
    build_index(opened.corpus, opened.files, find_encoding(encoding), place / "index", lambda *_: None)
    return open_index(place / "index")


# -- against a slow and simple search ----------------------------------------------------------------


def runs(tokens, size):
    return [tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1)]


class Oracle:
    """The documents of a corpus as lists of tokens, the first of each text with the sources of all its copies."""

    def __init__(self, documents, encode):
        self.documents = []
        for line, (who, text) in enumerate(documents, 1):
            tokens = encode(text)
            first = next((found for found in self.documents if found[0] == tokens), None)
            if first is None:
                self.documents.append((tokens, f"rows.jsonl:{line}", [f"c/{who}"]))
            elif f"c/{who}" not in first[2]:
                first[2].append(f"c/{who}")
        self.size = sum(len(tokens) for tokens, _, _ in self.documents)
        self.counts = [
            collections.Counter(run for tokens, _, _ in self.documents for run in runs(tokens, size)) for size in (1, 2)
        ]

    def surprisal(self, tokens, at):
        """Of a token, by how often the corpus has it, and has it after the one before."""
        single, pair = self.counts
        alone = (single[(tokens[at],)] + 0.5) / (self.size + 1000)
        if at == 0:
            return -math.log(alone)
        after = pair[(tokens[at - 1], tokens[at])]
        return -math.log((after + 20 * alone) / (max(single[(tokens[at - 1],)], after) + 20))

    def matches(self, tokens):
        """Start, size, excess and sources of each passage."""
        found, before = [], 0
        for start in range(len(tokens)):
            size = 0
            while start + size < len(tokens) and self.holding(tokens[start : start + size + 1]):
                size += 1
            excess = sum(self.surprisal(tokens, at) for at in range(start, start + size))
            excess -= math.log(self.size) + math.log(len(tokens))
            if size >= 3 and size > before - 1 and excess > 0:
                found.append((start, size, excess, self.sources(tokens[start : start + size])))
            before = size
        return found

    def holding(self, run):
        return [found for found in self.documents if tuple(run) in runs(found[0], len(run))]

    def sources(self, run):
        """By source, in how many documents a run is, and the places of the first three: its own, and of copies."""
        places = collections.defaultdict(list)
        for _, place, sources in self.holding(run):
            for source in sources:
                places[source].append((source != sources[0], place))
        own_first = {source: sorted(found, key=lambda entry: entry[0]) for source, found in places.items()}
        return {source: (len(found), found[:3]) for source, found in own_first.items()}


def corpus(chance):
    """Documents of a few words, some of them copies, each with its source; and a text made of parts of them."""
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(20, 80))) for _ in range(chance.randint(3, 12))]
    texts += chance.choices(texts, k=2)
    documents = [(chance.choice(["ann", "bob", "cy", "Дарья"]), text) for text in texts]
    parts = []
    for _ in range(6):
        words = chance.choice(texts).split(" ")
        start = chance.randrange(len(words))
        parts += words[start : start + chance.randint(1, 25)] + chance.choices(WORDS, k=chance.randint(0, 3))
    return documents, " ".join(parts)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("seed", range(4))
def test_passages_are_those_of_a_simple_search(folder, encoding, seed):
    documents, text = corpus(random.Random(seed))
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": who, "text": words} for who, words in documents]})
    index = built(place, encoding)
    tokens = reference(encoding).encode(text)
    expected = Oracle(documents, reference(encoding).encode).matches(tokens)
    traced = trace(index, text)
    assert expected
    spans = reference(encoding).spans(text)
    assert [(passage.start, passage.end, passage.tokens) for passage in traced.passages] == [
        (spans[start][0], spans[start + size - 1][1], size) for start, size, _, _ in expected
    ]
    assert [passage.excess for passage in traced.passages] == pytest.approx([excess for _, _, excess, _ in expected])
    found = [
        {
            source.id: (source.documents, [(each.copy, each.document) for each in source.places])
            for source in passage.sources
        }
        for passage in traced.passages
    ]
    assert found == [sources for _, _, _, sources in expected]
    weights = collections.Counter()
    for _, _, excess, sources in expected:
        weights.update(dict.fromkeys(sources, excess))
    assert list(traced.sources) == sorted(weights, key=lambda source: (-weights[source], source))
    inside = {at for start, size, _, _ in expected for at in range(start, start + size)}
    assert (traced.tokens, traced.covered) == (len(tokens), len(inside))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("seed", range(4, 7))
def test_a_passage_is_a_slice_of_the_text_and_stands_in_its_documents(folder, encoding, seed):
    documents, text = corpus(random.Random(seed))
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": who, "text": words} for who, words in documents]})
    traced = trace(built(place, encoding), text)
    assert traced.passages
    for passage in traced.passages:
        assert text[passage.start : passage.end] == passage.text
        for source in passage.sources:
            for each in source.places:
                line = int(each.document.removeprefix("rows.jsonl:"))
                assert each.before + each.match.split(" … ")[0] in documents[line - 1][1]
                assert each.match.split(" … ")[-1] + each.after in documents[line - 1][1]
                # The same tokens, but for a character that begins or ends within one of them.
                assert each.match[1:-1] in passage.text or " … " in each.match
    shown = pieces(traced)
    assert "".join(piece for piece, _ in shown) == text
    assert all(piece.strip() in traced.passages[number].text for piece, number in shown if number is not None)


# -- what tokens are of --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ENCODINGS)
@strategies.examples(100, 2000)
@given(text=strategies.texts)
def test_the_characters_of_a_token_are_those_that_its_bytes_are_of(encoding, text):
    """From the character in which its first byte is, to that in which its last is, by the bytes alone."""
    known = reference(encoding)
    tokens, spans = known.encode(text), known.spans(text)
    assert len(spans) == len(tokens)
    begins = [0, *itertools.accumulate(len(letter.encode()) for letter in text)]
    at = 0
    for token, (start, end) in zip(tokens, spans, strict=True):
        size = len(known._engine.decode_single_token_bytes(token))
        assert begins[start] <= at < begins[start + 1]
        assert begins[end - 1] < at + size <= begins[end]
        at += size
    assert at == begins[-1]


@pytest.mark.parametrize(
    ("text", "inside", "said", "match"),
    [
        # In r50k_base each of these letters is three tokens, a byte each: 鸛 ends as 驛 does, and begins as 鸜 does.
        ("so鸛 it was a grand old river", "so驛 it was a grand old river", "鸛 it was a grand old river", "驛 it was a grand old river"),
        ("a grand old river it was鸛", "a grand old river it was鸜", "a grand old river it was鸛", "a grand old river it was鸜"),
    ],
)  # fmt: skip
def test_a_character_in_parts_is_shown_whole(folder, text, inside, said, match):
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": inside}]})
    (passage,) = [each for each in trace(built(place, "r50k_base"), text).passages if "grand" in each.text]
    assert passage.text == said
    (found,) = passage.sources[0].places
    assert (found.match, found.excerpt) == (match, inside)


def test_decoded_tokens_are_the_text():
    for encoding in ENCODINGS:
        text = " ".join(WORDS)
        assert reference(encoding).decode(reference(encoding).encode(text)) == text


# -- sources, copies, and places -----------------------------------------------------------------------

SENTENCE = "The clockmaker of Ystad wound every seventh zebra twice, and said nothing of it to his sister."


def test_a_source_that_has_a_copy_is_told_from_the_one_that_had_it_first(folder):
    lines = [{"who": "ann", "text": SENTENCE}, {"who": "bob", "text": SENTENCE}, {"who": "cy", "text": "No zebra."}]
    traced = trace(built(folder({"corpus.toml": MANIFEST, "rows.jsonl": lines})), SENTENCE)
    (passage,) = traced.passages
    assert (passage.start, passage.end, traced.covered) == (0, len(SENTENCE), traced.tokens)
    assert [(source.id, source.places[0].copy, source.places[0].document) for source in passage.sources] == [
        ("c/ann", False, "rows.jsonl:1"),
        ("c/bob", True, "rows.jsonl:1"),
    ]
    assert traced.sources == ("c/ann", "c/bob")


def test_documents_are_counted_and_the_first_of_them_shown(folder):
    lines = [
        {"who": "ann", "text": " ".join([*random.Random(at).choices(WORDS, k=40), SENTENCE])} for at in range(1, 6)
    ]
    (passage,) = trace(built(folder({"corpus.toml": MANIFEST, "rows.jsonl": lines})), f" {SENTENCE} Zut").passages
    (source,) = passage.sources
    assert (source.documents, [place.document for place in source.places]) == (
        5,
        ["rows.jsonl:1", "rows.jsonl:2", "rows.jsonl:3"],
    )


def test_of_a_long_passage_the_middle_is_left_out_where_it_is_shown_in_its_document(folder):
    chance = random.Random(1)
    text = " ".join(chance.choices(WORDS, k=300))
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": f"Before. {text} After."}]})
    (passage,) = trace(built(place), text + " zut").passages
    (found,) = passage.sources[0].places
    head, _, tail = found.match.partition(" … ")
    assert len(passage.text) > 1000 > 3 * len(head)
    assert (passage.text.strip() in text, found.before + head in f"Before. {text}") == (True, True)
    assert f"{text} After.".endswith(tail + found.after)


def test_only_passages_of_so_many_tokens_are_given(folder):
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    index = built(place)
    text = "The clockmaker of Ystad sang. Nobody said nothing of it to his sister."
    sizes = [passage.tokens for passage in trace(index, text).passages]
    assert len(sizes) > 1
    assert [passage.tokens for passage in trace(index, text, least=max(sizes)).passages] == [max(sizes)]
    assert trace(index, text, least=max(sizes) + 1).passages == ()
    assert rows(trace(index, "Quite another thing.")).to_pylist() == []


# -- the vocabulary of an index --------------------------------------------------------------------


def test_a_vocabulary_file_is_kept_in_the_index(folder, tmp_path):
    """So that it need not be there any more, and may be another by now."""
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    lines = find_encoding("cl100k_base").data.splitlines(keepends=True)[:50_000]
    mine = tmp_path / "mine.tiktoken"
    mine.write_bytes(b"".join(lines))
    opened = open_corpus(place)
    encoding = find_encoding(str(mine), "cl100k_base")
    build_index(opened.corpus, opened.files, encoding, place / "index", lambda *_: None)
    mine.unlink()
    found = encoding_of(open_index(place / "index"))
    assert (found.name, found.kind, found.digest, found.pattern, found.data) == (
        "mine.tiktoken", "tiktoken", encoding.digest, "cl100k_base", encoding.data,
    )  # fmt: skip
    assert [passage.text for passage in trace(open_index(place / "index"), SENTENCE).passages] == [SENTENCE]
    with (place / "index" / "vocabulary.tiktoken").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(
        AttributionError, match=r"vocabulary\.tiktoken is missing or damaged; run `royalty index` again"
    ):
        open_index(place / "index")
    with pytest.raises(AttributionError, match=r"vocabulary\.tiktoken is missing or damaged"):
        encoding_of(open_index(place / "index", check=False))
    (place / "index" / "vocabulary.tiktoken").unlink()
    with pytest.raises(EncodingError, match="is not there"):
        encoding_of(open_index(place / "index", check=False))


def test_the_vocabulary_of_an_earlier_build_goes(folder, tmp_path):
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    (tmp_path / "mine.json").write_bytes(tokenizer_json())
    assert encoding_of(built(place, str(tmp_path / "mine.json"))).name == "mine.json"
    assert (place / "index" / "vocabulary.json").read_bytes() == tokenizer_json()
    assert encoding_of(built(place)) == find_encoding("o200k_base")
    assert not (place / "index" / "vocabulary.json").exists()


@functools.cache
def tokenizer_json():
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = tokenizers.normalizers.NFC()
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([SENTENCE, " ".join(WORDS)], trainer)
    return made.to_str().encode()


def test_a_tokenizer_json_says_where_its_tokens_are(folder, tmp_path):
    """Also where it changes a text before it splits it, as NFC does with Å in two characters."""
    (tmp_path / "mine.json").write_bytes(tokenizer_json())
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": f"🙂 {SENTENCE} Ångström 🙂"}]})
    text = f"A\u030angström! {SENTENCE} A\u030angström?"
    (passage,) = [each for each in trace(built(place, str(tmp_path / "mine.json")), text).passages if each.tokens > 9]
    assert passage.text == f" {SENTENCE} A\u030angström"
    (found,) = passage.sources[0].places
    assert (found.before, found.match, found.after) == ("🙂", f" {SENTENCE} Ångström", " 🙂")


def test_a_tokenizer_json_without_its_library(folder, tmp_path, monkeypatch):
    (tmp_path / "mine.json").write_bytes(tokenizer_json())
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    index = built(place, str(tmp_path / "mine.json"))
    monkeypatch.setattr("royaltycli.attribution.index.load_reference", lambda _: None)
    said = "index was made with a tokenizer.json, which tokenizers is needed for; install royaltycli\\[hf]"
    with pytest.raises(AttributionError, match=said):
        trace(index, SENTENCE)


# -- the Python API --------------------------------------------------------------------------------


def test_the_function_traces_in_the_index_of_a_folder(folder):
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    index = built(place)
    assert royaltycli.trace(SENTENCE, index=place / "index") == trace(index, SENTENCE)
    assert rows(trace(index, SENTENCE)).schema == SCHEMA
    text = "x " * (TRACE_BYTES // 2)
    with pytest.raises(CallError, match="the text is longer than 1 MiB; trace it in parts"):
        royaltycli.trace(text + "y", index=place / "index")
    shutil.rmtree(place / "index")
    with pytest.raises(AttributionError, match="there is no index in"):
        royaltycli.trace(SENTENCE, index=str(place / "index"))


# -- the page ----------------------------------------------------------------------------------------


def page(traced):
    return read_page(as_html(traced))


def made(texts, excess=lambda number: 5.0 - number):
    """A traced text whose passages say these texts, by sources with titles, ids and documents that do."""
    text = "".join(f"{each}|" for each in texts)
    passages, start = [], 0
    for number, each in enumerate(texts):
        place = Place(each, bool(number % 2), each, each, each)
        sources = tuple(TracedSource(f"s{one}", each, 4, (place,)) for one in range(number, number + 7))
        passages.append(Passage(start, start + len(each), each, 3, excess(number), sources))
        start += len(each) + 1
    ids = tuple(dict.fromkeys(source.id for passage in passages for source in passage.sources))
    return Traced(text, 100, 3 * len(texts), tuple(passages), ids)


def test_the_page_needs_nothing_else_and_can_be_read_aloud():
    read = page(made(["One passage", "another one"]))
    assert read.tags.isdisjoint({"script", "link", "img", "iframe", "b"})
    assert {"main", "h1", "h2", "th", "thead", "details", "summary"} <= read.tags
    assert ("lang", "en") in read.attributes
    text = as_html(made(["One"])).decode()
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_page_escapes_whatever_comes_from_a_text_or_a_corpus():
    hostile = [title for title in TITLES if title and title.strip()]
    hostile += [
        '<script>alert("x")</script>',
        "</style><img src=x onerror=alert(1)>",
        '"><a href="javascript:1">',
        "{{ 7 * 7 }}",
        "\u2066turned around",
    ]
    read = page(made(hostile))
    assert read.tags.isdisjoint({"script", "img"})
    shown = "".join(read.words)
    for said in (
        '<script>alert("x")</script>',
        "</style><img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}",
        "=cmd|' /C calc'!A0",
    ):
        assert said in shown
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")
    assert not set(shown) & set("\x00\x1b\x85\u202e\u2066")
    assert not any(name.startswith("on") for name, _ in read.attributes)


def test_every_link_of_the_page_leads_to_one_place():
    """Also where a passage has no piece of the text left for it, as better ones take all of it."""
    between = Passage(4, 12, "de|fg hi", 3, 0.5, made(["x"]).passages[0].sources)
    traced = made(["abcdef", "g hi jk"])
    traced = Traced("abc def|fg hi jk", 9, 9, (traced.passages[0], between, traced.passages[1]), traced.sources)
    traced = Traced(
        "abcdef|g hi jk", 9, 9,
        (Passage(0, 7, "abcdef|", 3, 5.0, traced.passages[0].sources), Passage(3, 9, "def|g ", 3, 0.5, between.sources),
         Passage(7, 14, "g hi jk", 3, 4.0, traced.passages[2].sources)), traced.sources,
    )  # fmt: skip
    read = page(traced)
    names = [value for name, value in read.attributes if name == "id"]
    links = [value.removeprefix("#") for name, value in read.attributes if name == "href"]
    assert len(names) == len(set(names))
    assert set(links) <= set(names)
    assert {"p1", "p2", "p3", "t1", "t3"} <= set(names)
    assert "t2" not in names


def test_the_pieces_of_what_overlaps_are_of_the_more_surprising():
    sources = made(["x"]).passages[0].sources
    both = (Passage(0, 6, "ab cd ", 3, 1.0, sources), Passage(3, 9, "cd efg", 3, 2.0, sources))
    assert pieces(Traced("ab cd efg", 4, 4, both, ("s0",))) == [("ab", 0), (" ", None), ("cd efg", 1)]
    assert pieces(Traced("ab cd efg", 4, 0, (), ())) == [("ab cd efg", None)]


def test_a_page_of_a_text_without_a_passage_says_so():
    read = page(Traced("Nothing <b>here</b>.", 4, 0, (), ()))
    assert "No passage of the text is in the corpus, but for what could be there by chance." in read.words
    assert "Nothing <b>here</b>." in "".join(read.words)


def test_the_reference_is_that_of_the_index(monkeypatch, folder):
    """The planted violation: in another encoding the text is not split as the corpus was, and little is found."""
    place = folder({"corpus.toml": MANIFEST, "rows.jsonl": [{"who": "ann", "text": SENTENCE}]})
    index = built(place, "r50k_base")
    assert len(trace(index, SENTENCE).passages) == 1
    other = TiktokenReference(find_encoding("o200k_base"))
    monkeypatch.setattr("royaltycli.attribution.index.load_reference", lambda _: other)
    assert [passage.text for passage in trace(index, SENTENCE).passages] != [SENTENCE]
