"""Rule C10: a scan that was killed, or whose disk failed, goes on where it was, and its table is the same to the byte."""

from __future__ import annotations

import errno
import json
import random
import signal
import subprocess
import sys
import time

import pytest

import royaltycli
from royaltycli.corpus import shards
from royaltycli.errors import RoyaltyError
from royaltycli.storage import PARTIAL
from royaltycli.tokens import shardwork
from royaltycli.tokens.partials import folder_of
from tests.disk import Disk, failing

MANIFEST = '[[collection]]\nid = "posts"\npath = "posts"\nsource = "author"\n'
SMALL_SHARDS = """
import sys
from royaltycli.corpus import shards
from royaltycli.tokens import scan
shards.cut.__defaults__ = shards.together.__defaults__ = (int(sys.argv.pop(1)),)
scan.PROCESSES_FROM = 0
from royaltycli.__main__ import main
main()
"""


def make_corpus(place, files, documents):
    chance = random.Random(files)
    (place / "posts").mkdir(parents=True)
    (place / "corpus.toml").write_text(MANIFEST, encoding="utf-8")
    for number in range(files):
        rows = (
            {
                "author": f"author-{chance.randrange(40)}",
                "text": " ".join(chance.choices(["day", "naïve", "日本"], k=60)),
            }
            for _ in range(documents)
        )
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (place / "posts" / f"{number}.jsonl").write_text(lines, encoding="utf-8")
    return place


def partials(table):
    return set(folder_of(table).glob("*.parquet"))


def test_killed_again_and_again_it_comes_to_the_same_table(tmp_path, long_form):
    """What was finished stays: no kill loses a partial table, and none is counted twice."""
    place = make_corpus(tmp_path / "corpus", 12, 400)
    line = [sys.executable, "-c", SMALL_SHARDS, "50000", "scan", "--quiet", "--workers", "2", "--engine", "tiktoken"]
    subprocess.run([*line, "-o", "whole.parquet"], cwd=place, check=True)
    whole, table = (place / "whole.parquet").read_bytes(), place / "tokens.parquet"
    chance, kills = random.Random(11), 0
    while kills < (200 if long_form else 8):
        started = time.monotonic()
        with subprocess.Popen([*line, "-o", "tokens.parquet"], cwd=place, stderr=subprocess.DEVNULL) as process:
            time.sleep(chance.uniform(0, 1.2))
            before = partials(table)
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        took = time.monotonic() - started
        assert took < 60
        if process.returncode == 0:  # it was done before
            assert table.read_bytes() == whole
            table.unlink()
            for path in partials(table):
                path.unlink()
        else:
            assert before <= partials(table)
            kills += 1
    subprocess.run([*line, "-o", "tokens.parquet"], cwd=place, check=True)
    assert table.read_bytes() == whole
    assert not list(folder_of(table).glob(f".*{PARTIAL}"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_a_fault_at_any_call_to_the_disk_loses_nothing_that_is_kept(tmp_path, monkeypatch, long_form, number):
    place = make_corpus(tmp_path / "corpus", 3, 5)
    monkeypatch.setattr(shards.together, "__defaults__", (1,))  # a shard for each file
    whole = place / "whole.parquet"
    royaltycli.scan(place, output=whole)
    table = place / "tokens.parquet"

    counted = []
    count = shardwork.count_shard
    monkeypatch.setattr(shardwork, "count_shard", lambda shard, *rest: counted.append(shard) or count(shard, *rest))
    with Disk().in_use() as disk:
        royaltycli.scan(place, output=table)
    failures = 0
    # A close that fails has closed all the same; this one would not have.
    points = [at for at, name in enumerate(disk.calls, 1) if name != "close"][:: 1 if long_form else 40]
    for at in points:
        table.unlink(missing_ok=True)
        for path in partials(table):
            path.unlink()
        with Disk(at, failing(number)).in_use():
            try:
                royaltycli.scan(place, output=table)
            except (RoyaltyError, OSError):
                failures += 1
        kept = len(partials(table))
        counted.clear()
        royaltycli.scan(place, output=table)
        assert len(counted) == 3 - kept
        assert table.read_bytes() == whole.read_bytes()
    assert failures >= len(points) // 2
