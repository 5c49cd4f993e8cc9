"""Rules C1 to C9: a scan counts what a slow and independent one counts, and always writes the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import royaltycli
from royaltycli.api import check
from royaltycli.corpus import shards
from royaltycli.corpus.html import visible_text
from royaltycli.errors import DocumentError, VerificationError, WorkerError
from royaltycli.parallel import sidebyside
from royaltycli.scanning import counts_folder, scan_opened
from royaltycli.tokens import count, engines, local
from royaltycli.tokens.count import digest_documents, sampled
from royaltycli.tokens.encodings import PUBLIC
from royaltycli.tokens.table import metadata_of
from tests import oracle, strategies
from tests.workers import workers

SAMPLE = Path(__file__).parents[2] / "sample_corpora"

CORPUS = {
    "corpus.toml": """
        [corpus]
        name = "Test"
        train_tokens = "300e9"
        [[holder]]
        id = "ann"
        name = "Ann Author"
        [[source]]
        id = "book"
        title = "A Book"
        path = "book"
        holders = [{ id = "ann", share = "1/3" }, { id = "press", share = "2/3" }]
        license = "proprietary"
        epochs = 1.50
        [[source]]
        id = "nothing"
        path = "empty.txt"
        [[collection]]
        id = "posts"
        path = "posts/*.jsonl*"
        source = "author"
        holder = "author"
        license = "CC-BY-4.0"
    """,
    "book/one.txt": "One day, <|endoftext|>.\r\n",
    "book/two.md.gz": "# Two\n\n😀",
    "empty.txt": "",
    "posts/a.jsonl": [{"author": "ann", "text": "hello"}, {"author": "@böb c", "text": "you're"}],
    "posts/b.jsonl.zst": [{"author": "ann", "text": "hello again"}],
}


def rows_of(table):
    rows = {row["source_id"]: row for row in table.to_pylist()}
    return {key: (row["documents"], row["bytes"], row["tokens"], row["digest"]) for key, row in rows.items()}


@pytest.mark.parametrize("encoding", list(PUBLIC))
def test_the_sample_corpora_count_as_the_oracle_counts_them(encoding):
    table = royaltycli.scan(SAMPLE, encoding=encoding, verify=0)
    essays = [line.split(",")[0] for line in (SAMPLE / "essays.csv").read_text(encoding="utf-8").splitlines()[1:]]
    expected = oracle.scan(SAMPLE, encoding, visible_text)
    counted = {key: value for key, value in rows_of(table).items() if key not in essays}
    assert {unescaped(key): value for key, value in counted.items()} == {
        unescaped(key): value for key, value in expected.items()
    }
    assert len(table) == len(expected) + len(essays)


def unescaped(identifier):
    """Ids without their percent-encoding, which the oracle does by another rule."""
    from urllib.parse import unquote

    return unquote(identifier)


def test_what_a_row_says(folder):
    table = royaltycli.scan(folder(CORPUS))
    expected = [
        ("book", "A Book", [("ann", "Ann Author", "1/3"), ("press", "press", "2/3")], "proprietary", 2, "1.5"),
        ("nothing", None, [], None, 1, "1"),
        ("posts/@b\u00f6b%20c", None, [("%40b\u00f6b%20c", "@b\u00f6b c", "1")], "CC-BY-4.0", 1, "1"),
        ("posts/ann", None, [("ann", "Ann Author", "1")], "CC-BY-4.0", 2, "1"),
    ]
    columns = ("source_id", "title", "holders", "license", "documents", "epochs")
    rows = [tuple(row[column] for column in columns) for row in table.to_pylist()]
    assert [(row[0], row[1], [tuple(holder.values()) for holder in row[2]], *row[3:]) for row in rows] == expected


def test_the_digest_is_that_of_the_documents_digests_in_order(folder):
    """Rule C5, spelled out: files in the order of their names, documents in the order of the file."""
    documents = ["hello", "hello again"]
    expected = hashlib.sha256(b"".join(hashlib.sha256(text.encode()).digest() for text in documents)).digest()
    assert rows_of(royaltycli.scan(folder(CORPUS)))["posts/ann"][3] == expected


def test_the_metadata_says_what_is_needed_to_check(folder):
    place = folder(CORPUS)
    about = metadata_of(royaltycli.scan(place, output=place / "tokens.parquet"))
    assert about == {
        "schema": "2",
        "tool": f"royaltycli {royaltycli_version()}",
        "corpus": "Test",
        "manifest_sha256": hashlib.sha256((place / "corpus.toml").read_bytes()).hexdigest(),
        "encoding": "o200k_base",
        "vocabulary_sha256": PUBLIC["o200k_base"].digest,
        "pattern": "o200k_base",
        "train_tokens": "300000000000",
        "duplicates": "all",
    }
    assert metadata_of(royaltycli.read_tokens(place / "tokens.parquet")) == about


def royaltycli_version():
    from importlib.metadata import version

    return version("royaltycli")


@strategies.examples(8, 200)
@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", "ä b", "=1"]), strategies.texts), min_size=1, max_size=40),
    cut=st.integers(20, 500),
)
def test_any_corpus_counts_as_the_oracle_counts_it(tmp_path_factory, rows, cut):
    """The same corpus as JSONL cut into shards, and as Parquet, against the slow scan."""
    place = tmp_path_factory.mktemp("corpus")
    rows = [{"author": author, "text": text.encode("utf-8", "replace").decode()} for author, text in rows]
    (place / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), place / "b.parquet", row_group_size=3)
    manifest = "".join(
        f'[[collection]]\nid = "{name[0]}"\npath = "{name}"\nsource = "author"\n' for name in ("a.jsonl", "b.parquet")
    )
    (place / "corpus.toml").write_text(manifest, encoding="utf-8")
    expected = {unescaped(key): value for key, value in oracle.scan(place, "o200k_base").items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards.cut, "__defaults__", (cut,))
        patch.setattr(shards.together, "__defaults__", (cut,))
        counted = rows_of(royaltycli.scan(place, workers=3, verify="50%"))
    assert {unescaped(key): value for key, value in counted.items()} == expected


def scan_here(place, **options):
    with counts_folder(None) as folder:
        return scan_opened(check(place), folder, folder / "tokens", **options)


# -- the same bytes ------------------------------------------------------------------------------


def scanned(folder, output, *arguments, **environment):
    command = [sys.executable, "-m", "royaltycli", "scan", str(folder), "-o", str(output), "--quiet", *arguments]
    subprocess.run(command, check=True, env={**os.environ, **environment}, timeout=120)
    return output.read_bytes()


def test_the_bytes_do_not_depend_on_workers_engine_time_zone_locale_or_hash_seed(tmp_path):
    first = scanned(SAMPLE, tmp_path / "1", "--workers", "1")
    assert scanned(SAMPLE, tmp_path / "2", "--workers", "2", PYTHONHASHSEED="1", TZ="Asia/Kolkata") == first
    assert scanned(SAMPLE, tmp_path / "8", "--workers", "8", PYTHONHASHSEED="2", LC_ALL="C", LANG="C") == first
    assert scanned(SAMPLE, tmp_path / "t", "--engine", "tiktoken", "--verify", "0", LC_ALL="tr_TR.UTF-8") == first


def test_the_bytes_do_not_depend_on_shards_batches_or_the_order_on_the_disk(tmp_path, monkeypatch):
    first = tmp_path / "first"
    royaltycli.scan(SAMPLE, output=first)
    copy = tmp_path / "copy"
    for file in sorted(SAMPLE.rglob("*"), reverse=True):  # made in another order
        if file.is_file():
            place = copy / file.relative_to(SAMPLE)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    monkeypatch.setattr(shards.cut, "__defaults__", (2000,))
    monkeypatch.setattr(shards.together, "__defaults__", (2000,))
    monkeypatch.setattr(count, "BATCH_BYTES", 700)
    royaltycli.scan(copy, output=tmp_path / "second", workers=5)
    assert (tmp_path / "second").read_bytes() == first.read_bytes()


def test_packing_changes_no_row(folder):
    plain = folder(CORPUS)
    before = royaltycli.scan(plain)
    (plain / "posts" / "a.jsonl").unlink()
    folder({"posts/a.jsonl.gz": CORPUS["posts/a.jsonl"], "book/one.txt.zst": CORPUS["book/one.txt"]})
    (plain / "book" / "one.txt").unlink()
    assert royaltycli.scan(plain).equals(before)


# -- worker processes ----------------------------------------------------------------------------


@pytest.fixture
def processes(monkeypatch):
    """However small the corpus, workers are processes."""
    monkeypatch.setattr("royaltycli.tokens.scan.PROCESSES_FROM", 0)


@pytest.mark.parametrize("number", [2, 8])
@pytest.mark.usefixtures("processes")
def test_the_bytes_do_not_depend_on_worker_processes(tmp_path, monkeypatch, number):
    royaltycli.scan(SAMPLE, output=tmp_path / "alone", workers=1)
    monkeypatch.setattr(shards.cut, "__defaults__", (20_000,))
    monkeypatch.setattr(shards.together, "__defaults__", (20_000,))
    royaltycli.scan(SAMPLE, output=tmp_path / "together", workers=number)
    assert (tmp_path / "together").read_bytes() == (tmp_path / "alone").read_bytes()
    assert workers() == []


IN_PROCESSES = """
import sys
from royaltycli.corpus import shards
from royaltycli.tokens import scan
import royaltycli
if __name__ == "__main__":
    scan.PROCESSES_FROM = 0
    shards.cut.__defaults__ = shards.together.__defaults__ = (20_000,)
    royaltycli.scan(sys.argv[1], output=sys.argv[2], workers=2)
"""


def test_the_bytes_of_worker_processes_do_not_depend_on_the_environment(tmp_path):
    alone = scanned(SAMPLE, tmp_path / "alone", "--workers", "1")
    for number, other in enumerate(
        [{"PYTHONHASHSEED": "3", "TZ": "America/Lima"}, {"PYTHONHASHSEED": "4", "LC_ALL": "C", "LANG": "C"}]
    ):
        output = tmp_path / str(number)
        command = [sys.executable, "-c", IN_PROCESSES, str(SAMPLE), str(output)]
        subprocess.run(command, check=True, env={**os.environ, **other}, timeout=120)
        assert output.read_bytes() == alone


@pytest.mark.usefixtures("processes")
def test_a_lost_worker_fails_the_scan(folder):
    place = folder(
        {"corpus.toml": '[[source]]\nid = "s"\npath = "a.jsonl"', "a.jsonl": [{"text": "word " * 50_000}] * 200}
    )

    over = threading.Event()

    def kill_the_workers(*_done):
        """Those of this scan: its thread here goes on for a while when the scan has failed."""
        for child in [] if over.is_set() else workers():
            child.kill()

    with pytest.raises(
        WorkerError, match=r"a worker was lost while it counted a.jsonl .it was killed, or the memory ran out"
    ):
        scan_here(place, workers=2, tick=kill_the_workers)
    over.set()
    assert workers() == []


def test_a_worker_that_is_started_when_the_scan_has_failed_is_ended_at_once(monkeypatch):
    starts = []
    monkeypatch.setattr(sidebyside, "InOrder", lambda _tasks, given: starts.extend(given) or [])
    assert list(local.done_here([], None, {}, None, 2, lambda *_done: None)) == []
    starts[1]()
    assert workers() == []


@pytest.mark.usefixtures("processes")
def test_a_worker_imports_nothing_from_the_folder_it_is_started_in(folder, monkeypatch):
    place = folder({**CORPUS, "json.py": "raise SystemExit('planted')", "pyarrow.py": "raise SystemExit('planted')"})
    monkeypatch.chdir(place)
    assert len(royaltycli.scan(workers=2)) == 4


# -- verification --------------------------------------------------------------------------------


class OffByOne:
    """A counting engine that is wrong about one text: the planted violation."""

    def __init__(self, engine):
        self.engine = engine

    def count(self, texts):
        counts = self.engine.count(texts)
        return counts + [text.as_py() == "hello again" for text in texts]


class Panic(BaseException):
    """What an engine that is written in Rust raises."""


class Panicking:
    def count(self, _texts):
        raise Panic("out of its depth")


def test_an_engine_that_panics_is_an_error_that_names_the_place(folder, monkeypatch):
    place = folder(CORPUS)
    monkeypatch.setattr("royaltycli.tokens.local.make_engine", lambda *_given: Panicking())
    with pytest.raises(
        DocumentError, match=r"^book/one.txt: the counting engine failed here or soon after .Panic: out of its depth"
    ):
        royaltycli.scan(place)


def test_a_wrong_count_in_a_text_file_names_it(folder, monkeypatch):
    texts = {f"{name}.txt": name for name in ("before", "hello again", "behind")}
    place = folder({**texts, "corpus.toml": '[[source]]\nid = "s"\npath = "*.txt"'})
    make = engines.make_engine
    monkeypatch.setattr("royaltycli.tokens.local.make_engine", lambda *given: OffByOne(make(*given)))
    with pytest.raises(VerificationError, match=r"^hello again.txt: counted 3 tokens"):
        royaltycli.scan(place, verify="100%")


@pytest.mark.parametrize("workers", [1, 4])
def test_a_wrong_count_stops_the_scan_and_writes_nothing(folder, monkeypatch, workers):
    place = folder(CORPUS)
    make = engines.make_engine
    monkeypatch.setattr("royaltycli.tokens.local.make_engine", lambda *given: OffByOne(make(*given)))
    with pytest.raises(VerificationError) as raised:
        royaltycli.scan(place, output=place / "tokens.parquet", verify="100%", workers=workers)
    assert str(raised.value) == (
        "posts/b.jsonl.zst:1: counted 3 tokens, but tiktoken counts 2; nothing was written; "
        "scan with `--engine tiktoken` and report this document"
    )
    assert raised.value.exit_status == 1
    assert not (place / "tokens.parquet").exists()
    royaltycli.scan(place, output=place / "tokens.parquet", verify=0)  # unverified it would have passed


def test_no_scan_goes_unchecked(folder):
    """Of a corpus too small for its sample, one document is recounted all the same."""
    place = folder({"a.txt": "one", "b.txt": "two", "corpus.toml": '[[source]]\nid = "s"\npath = "*.txt"'})
    assert scan_here(place).verified == 1
    assert scan_here(place, verify=0).verified == 0
    reference = scan_here(place, engine="tiktoken", verify="100%")
    assert reference.verified == 0
    assert reference.notes[0] == "nothing was recounted, as tiktoken is itself what counts are checked against"


def test_of_a_corpus_too_small_for_its_sample_the_smallest_digest_is_recounted(folder, monkeypatch):
    place = folder({"corpus.toml": '[[source]]\nid = "s"\npath = "*.txt"', "1.txt": "hello", "2.txt": "hello again"})
    make = engines.make_engine
    monkeypatch.setattr("royaltycli.tokens.local.make_engine", lambda *given: OffByOne(make(*given)))
    assert hashlib.sha256(b"hello").hexdigest() < hashlib.sha256(b"hello again").hexdigest()
    assert scan_here(place, verify="0.001%").verified == 1
    (place / "1.txt").write_text("two", encoding="utf-8")
    assert hashlib.sha256(b"hello again").hexdigest() < hashlib.sha256(b"two").hexdigest()
    with pytest.raises(VerificationError, match=r"^2.txt: counted 3 tokens"):
        scan_here(place, verify="0.001%")


def test_the_sample_is_the_same_in_every_scan_and_of_the_size_asked_for():
    digests = digest_documents(pa.array([str(number) for number in range(20_000)], pa.large_string()))
    assert 150 < len(sampled(digests, Fraction(1, 100))) < 250
    assert len(sampled(digests, Fraction(0))) == 0
    assert len(sampled(digests, Fraction(1))) == 20_000
    few, more = set(sampled(digests, Fraction(1, 100))), set(sampled(digests, Fraction(1, 10)))
    assert few < more
    assert [index - 100 for index in sampled(digests, Fraction(1, 10)) if index >= 100] == list(
        sampled(digests[100:], Fraction(1, 10))
    )


def test_rule_c6_the_first_eight_bytes_of_a_digest_say_whether_it_is_recounted():
    texts = [str(number) for number in range(2000)]
    numbers = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    digests = digest_documents(pa.array(["before", *texts], pa.large_string())[1:])
    for rate in (Fraction(1, 100), Fraction(1, 3), Fraction(999, 1000)):
        bound = 2**64 * rate.numerator // rate.denominator
        expected = [place for place, number in enumerate(numbers) if number < bound]
        assert sampled(digests, rate).tolist() == expected != []
    near = b"".join(number.to_bytes(8, "big") + bytes(24) for number in (bound - 1, bound, bound + 1))
    assert sampled(np.frombuffer(near, np.uint8).reshape(3, 32), rate).tolist() == [0]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("shard", "batch"), [(1 << 20, 1 << 20), (1 << 20, 100), (300, 100)])
def test_as_many_are_recounted_whatever_the_workers_the_shards_and_the_batches(
    folder, monkeypatch, workers, shard, batch
):
    monkeypatch.setattr(shards.cut, "__defaults__", (shard,))
    monkeypatch.setattr(shards.together, "__defaults__", (shard,))
    monkeypatch.setattr(count, "BATCH_BYTES", batch)
    texts = sorted((f"text {number}" for number in range(200)), key=lambda text: hashlib.sha256(text.encode()).digest())
    files = {f"{number:03}.txt": text for number, text in enumerate(texts[::2])}
    place = folder({**files, "corpus.toml": '[[source]]\nid = "s"\npath = ["*.txt", "a.parquet"]'})
    pq.write_table(pa.table({"text": texts[1::2]}), place / "a.parquet", row_group_size=5)
    small = [text for text in texts if hashlib.sha256(text.encode()).digest()[0] < 32]
    assert scan_here(place, verify="12.5%", workers=workers).verified == len(small) > 0


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.usefixtures("processes")
def test_the_first_error_of_the_corpus_is_the_one_reported(folder, workers):
    files = {f"{number:03}.txt": "fine" for number in range(300)}
    files |= {"150.txt": b"\xff", "290.txt": b"\xfe"}
    place = folder({**files, "corpus.toml": '[[source]]\nid = "s"\npath = "*.txt"'})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_FILES", 1)
        with pytest.raises(DocumentError, match=r"^150\.txt: not valid UTF-8 at byte 1 \(0xff\)"):
            royaltycli.scan(place, workers=workers)


TWO = "mend the documents, or give the collection fixed `holders`"
POSTS = '[[collection]]\nid = "p"\npath = "*.jsonl"\nsource = "author"\nholder = "by"\n'


def test_a_source_whose_documents_name_two_holders(folder):
    rows = [
        {"author": "x", "text": "1", "by": "x"},
        {"author": "a", "text": "1", "by": "b"},
        {"author": "a", "text": "2", "by": "c"},
    ]
    with pytest.raises(DocumentError) as raised:
        royaltycli.scan(folder({"a.jsonl": rows, "corpus.toml": POSTS}))
    assert str(raised.value) == f"a.jsonl:3: the source 'a' has the holder 'c' here, but 'b' in a.jsonl:2; {TWO}"


def test_a_source_whose_files_name_two_holders(folder):
    files = {f"{by}.jsonl": [{"author": "a", "text": "1", "by": by}] for by in "bc"}
    with pytest.raises(DocumentError) as raised:
        royaltycli.scan(folder({**files, "corpus.toml": POSTS}))
    assert str(raised.value) == f"c.jsonl: the source 'a' has the holder 'c' here, but 'b' in b.jsonl; {TWO}"


@pytest.mark.parametrize("row", [{"author": "a", "by": ""}, {"author": "a", "by": None}, {"author": "a"}])
def test_a_document_that_names_a_source_but_no_holder(folder, row):
    with pytest.raises(DocumentError) as raised:
        royaltycli.scan(folder({"a.jsonl": [{"text": "x", **row}], "corpus.toml": POSTS}))
    assert str(raised.value) == (
        "a.jsonl:1: the document names no holder, as p wants it to; mend the document, "
        "or give the collection fixed `holders`"
    )


@pytest.mark.parametrize("size", [50, 300, 100_000])
def test_progress_ends_at_the_bytes_of_the_files(folder, monkeypatch, size):
    """However they are cut: also where a range holds no line, and with what stands between documents."""
    monkeypatch.setattr(shards.cut, "__defaults__", (size,))
    place = folder({**CORPUS, "posts/long.jsonl": [{"author": "a", "text": "x" * length} for length in (900, 1, 70)]})
    pq.write_table(pa.table({"text": ["one", "two"] * 50}), place / "book" / "rows.parquet", row_group_size=10)
    opened = check(place)
    ticked = []
    with counts_folder(place / "tokens.parquet") as kept:
        output = place / "tokens.parquet"
        scan_opened(opened, kept, output, workers=1, tick=lambda packed, _tokens, _documents: ticked.append(packed))
    assert sum(ticked) == sum(file.size for file in opened.files)
    assert min(ticked) >= 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_scan_that_is_given_up_leaves_no_thread_behind(folder, monkeypatch, workers):
    """Python would wait for it at its end; `raised` holds on to all frames meanwhile, as a notebook does."""
    monkeypatch.setattr("royaltycli.tokens.scan.PROCESSES_FROM", 0)
    monkeypatch.setattr(shards.together, "__defaults__", (1,))

    def give_up(_said):
        raise KeyboardInterrupt

    monkeypatch.setattr("royaltycli.tokens.scan.note", give_up)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt) as raised:
        royaltycli.scan(folder(CORPUS), workers=workers)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert set(threading.enumerate()) <= before
    assert raised.tb is not None
