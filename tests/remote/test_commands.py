"""The commands on files of other machines, as they are typed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from royaltycli.remote.locations import written
from royaltycli.remote.names import remote_place

MANIFEST = '[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "{}"\n'


def run(place, *arguments):
    command = [sys.executable, "-m", "royaltycli", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_from_a_store_into_a_store(store, folder):
    store.put("corpus", {"a.txt": b"One day."})
    place = folder({"corpus.toml": MANIFEST.format("s3://corpus/a.txt")})
    status, _, said = run(place, "scan", "-o", "s3://corpus/out/tokens.parquet")
    assert (status, said.splitlines()[-1]) == (0, "Wrote s3://corpus/out/tokens.parquet.")
    assert run(place, "scan", "-o", "s3://corpus/out/tokens.parquet", "--explain")[1].endswith(
        "0 of 1 file, 0 bytes.\n"
    )
    pay = ["payout", "s3://corpus/out/tokens.parquet", "--profit", "100", "--rate", "1", "--quiet"]
    assert run(place, *pay, "-o", "s3://corpus/out/payout.csv") == (0, "", "")
    assert store.get("corpus", "out/payout.csv").decode().splitlines()[1].startswith("a,")
    assert run(place, "payout", "s3://corpus/none.parquet", "--profit", "1", "--rate", "1") == (
        2, "", "error: s3://corpus/none.parquet does not exist; run `royalty scan` first, or name another\n",
    )  # fmt: skip
    store.put("corpus", {"bad.parquet": b"PAR1"})
    assert run(place, "payout", "s3://corpus/bad.parquet", "--profit", "1", "--rate", "1")[2] == (
        "error: s3://corpus/bad.parquet is damaged, or was not written by royalty; run `royalty scan` again\n"
    )
    assert run(place, *pay, "-o", "s3://corpus/out/tokens.parquet")[2] == (
        "error: s3://corpus/out/tokens.parquet is the token table itself, and would be lost; name another file\n"
    )


def test_the_counts_are_kept_where_the_call_says(store, folder):
    store.put("corpus", {"a.txt": b"One day."})
    place = folder({"corpus.toml": MANIFEST.format("s3://corpus/a.txt")})
    assert run(place, "scan", "-o", "s3://corpus/t.parquet", "--counts", "kept/here", "--quiet") == (0, "", "")
    assert list((place / "kept" / "here").glob("*.parquet"))
    assert not (place / "cache").exists()


UNKNOWN = "is of no known kind; use s3://, gs://, az://, hf://, https://, or a file on this machine"
EMPTY = "has an empty part, between two slashes; write the name with one of them"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "s4://b/c"], f"s4://b/c {UNKNOWN}"),
        (["-o", "s3://b/c//t.parquet"], f"s3://b/c//t.parquet {EMPTY}"),
        (["-o", "s3://b//t.parquet"], f"s3://b//t.parquet {EMPTY}"),
        (["--counts", "s3://b//c"], f"s3://b//c {EMPTY}"),
        (["--counts", "s3://b//c", "--explain"], f"s3://b//c {EMPTY}"),
        (["-o", "FTP://b/c"], f"FTP://b/c {UNKNOWN}"),
        (["--counts", "s4://b/c"], f"s4://b/c {UNKNOWN}"),
        (["--counts", "s3://"], "s3:// names no bucket; write s3://BUCKET/PATH"),
        (["--counts", "HTTP://b/c"], "HTTP://b/c is sent in the clear, where anyone on the way could change it; use https://"),
        (["--counts", "https://x/c"], "https://x/c cannot be written to; name a folder here, or in a store (s3://, gs://, az://)"),
        (["--counts", "hf://datasets/a/b", "--explain"], "hf://datasets/a/b cannot be written to; name a folder here, or in a store (s3://, gs://, az://)"),
    ],
)  # fmt: skip
def test_a_store_misspelt_is_no_folder_here(folder, arguments, message):
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "a.txt"\n', "a.txt": "One day."})
    assert run(place, "scan", *arguments) == (2, "", f"error: {message}\n")
    assert sorted(path.name for path in place.iterdir()) == ["a.txt", "corpus.toml"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["shares", "s3://b/c//t.parquet"],
        ["payout", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
        ["compare", "flat", "-t", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
        ["sweep", "-t", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
        ["explain", "a", "-t", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
        ["close", "2026", "-t", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
        ["restate", "2026", "-t", "s3://b/c//t.parquet", "-p", "1", "-r", "1"],
    ],
)
def test_a_table_with_an_empty_part_in_its_name_is_no_other_table(folder, arguments):
    place = folder({"a.txt": "One day."})
    assert run(place, *arguments) == (2, "", f"error: s3://b/c//t.parquet {EMPTY}\n")
    assert [path.name for path in place.iterdir()] == ["a.txt"]


def test_a_store_is_known_in_any_capitals(store, folder):
    store.put("corpus", {"a.txt": b"One day."})
    place = folder({"corpus.toml": MANIFEST.format("S3://corpus/a.txt")})
    assert run(place, "scan", "-o", "S3://corpus/t.parquet", "--counts", "S3://corpus/kept", "--quiet") == (0, "", "")
    assert "t.parquet" in store.names("corpus")
    assert [name for name in store.names("corpus") if name.startswith("kept/")]
    assert not list(place.glob("[sS]*"))
    said = run(place, "payout", "s3://corpus/t.parquet", "--profit", "1", "--rate", "1", "-o", "S3://corpus/t.parquet")
    assert said[2] == "error: S3://corpus/t.parquet is the token table itself, and would be lost; name another file\n"
    assert run(place, "scan", "-o", "S3://corpus/a.txt")[2] == (
        "error: S3://corpus/a.txt belongs to the corpus, and would be lost; name another file for the table\n"
    )
    assert store.get("corpus", "a.txt") == b"One day."


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("s3://shadow/runs", "s3://shadow/runs is a folder; name a file in it"),
        ("s3://shadow/runs/", "s3://shadow/runs is a folder; name a file in it"),
        ("S3://shadow/new/", "s3://shadow/new is a folder; name a file in it"),
        ("s3://shadow/", "s3://shadow names no file; write s3://shadow/FILE"),
        ("https://x/c.csv", "https://x/c.csv cannot be written to; name a file here, or in a store (s3://, gs://, az://)"),
    ],
)  # fmt: skip
def test_a_result_takes_the_place_of_no_folder(store, folder, output, message):
    store.put("shadow", {"runs/a/b.txt": b"One day."})
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "a.txt"\n', "a.txt": "One day."})
    assert run(place, "scan", "-o", "t.parquet", "--quiet") == (0, "", "")
    said = (2, "", f"error: {message}\n")
    assert run(place, "scan", "-o", output) == said
    assert run(place, "merge", "-o", output) == said
    assert run(place, "payout", "t.parquet", "--profit", "1", "--rate", "1", "-f", "csv", "-o", output) == said
    assert not output.endswith("/") or run(place, "payout", "t.parquet", "-p", "1", "-r", "1", "-o", output) == said
    assert run(place, "shares", "t.parquet", "-f", "csv", "-o", output) == said
    assert store.names("shadow") == ["runs/a/b.txt"]


@pytest.mark.parametrize("path", ["c:/x", "c:x", "a/s3:/b", "./s3", "/s3:/b", "notes: one/x", "a b:/c", "s3", "x:"])
def test_other_names_with_a_colon_are_files_here(path):
    assert written(Path(path)) == str(Path(path))
    assert remote_place(Path(path)) is None


@pytest.mark.parametrize("command", ["check", "scan"])
def test_an_interrupt_waits_for_no_server(web, folder, command):
    """One that takes a request, and does not answer."""
    asked, over = threading.Event(), threading.Event()

    def stall():
        asked.set()
        over.wait(60)

    web.files["/a.txt"] = b"One day."
    web.faults.extend([stall] if command == "check" else [None, stall])
    place = folder({"corpus.toml": MANIFEST.format(f"{web.url}/a.txt")})
    process = subprocess.Popen(
        [sys.executable, "-m", "royaltycli", command], cwd=place, stderr=subprocess.PIPE, text=True
    )
    assert asked.wait(60)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, said = process.communicate(timeout=60)
    over.set()
    assert (process.returncode, said) == (130, "error: interrupted; nothing was written\n")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("request_", "said"), [("PUT", "may have been written"), ("HEAD", "was written")])
def test_an_interrupt_while_a_result_is_sent_says_what_may_be_there(store, folder, request_, said):
    store.put("results", {"out.csv": b"before"})
    place = folder({"corpus.toml": '[[source]]\nid = "a"\npath = "a.txt"\n', "a.txt": "One day."})
    assert run(place, "scan", "-o", "t.parquet", "--quiet") == (0, "", "")
    asked, over = threading.Event(), threading.Event()

    def stall():
        asked.set()
        over.wait(60)

    store.others[request_].append(stall)
    pay = ["payout", "t.parquet", "--profit", "1", "--rate", "1", "-o", "s3://results/out.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "royaltycli", *pay], cwd=place, stderr=subprocess.PIPE, text=True
    ) as process:
        assert asked.wait(60)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate(timeout=60)
    stored = store.get("results", "out.csv")
    over.set()
    assert (process.returncode, shown) == (130, f"error: interrupted; s3://results/out.csv {said}\n")
    assert (stored == b"before") == (request_ == "PUT")
