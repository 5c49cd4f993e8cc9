"""Scans on a real Ray cluster of several nodes on this machine: the tables are those of a local scan."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import pytest

import royaltycli
from royaltycli import scanning
from royaltycli.api import check
from royaltycli.corpus import shards
from royaltycli.errors import CallError, DocumentError, WorkerError
from royaltycli.tokens import cluster as clusters
from royaltycli.tokens.partials import folder_of
from royaltycli.tokens.recall import tables_in

pytest.importorskip("ray", reason="Ray has no wheel for this Python")
ray_exceptions = pytest.importorskip("ray.exceptions")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
"""Ray leaves logs of its own open."""

MANIFEST = """
[[source]]
id = "book"
path = "book"
[[collection]]
id = "posts"
path = "posts"
source = "author"
"""
CORPUS = {
    "corpus.toml": MANIFEST,
    **{f"book/{number}.txt": f"Day {number}. " * number for number in range(1, 20)},
    **{
        f"posts/{name}.jsonl": [{"author": f"a{n % 7}", "text": f"hello {name} {n}"} for n in range(60)]
        for name in "xyz"
    },
}


@pytest.fixture(scope="module")
def ray_cluster(_no_warnings_for_others):
    """A cluster of two nodes with one processor each, the first of which also speaks to clients of Ray."""
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "ray_client_server_port": port})
    cluster.add_node(num_cpus=1)
    cluster.client = f"ray://127.0.0.1:{port}"
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module", autouse=True)
def _no_warnings_for_others():
    """Set up before the cluster, and so done after its end, while the warnings are still ignored."""
    yield
    gc.collect()


@pytest.fixture
def place(folder, ray_cluster, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    monkeypatch.setattr(shards.cut, "__defaults__", (700,))
    monkeypatch.setattr(shards.together, "__defaults__", (700,))
    return folder(CORPUS)


def scan(place, name, on="ray", **options):
    royaltycli.scan(place, output=place / name, on=on, **options)
    return (place / name).read_bytes()


def test_the_table_is_that_of_a_local_scan(place):
    assert scan(place, "r.parquet") == scan(place, "l.parquet", on="local")
    assert len(list(folder_of(place / "r.parquet").iterdir())) > 10  # as many tasks were done


CLIENT = """
import sys
import royaltycli
from royaltycli.corpus import shards
shards.cut.__defaults__ = shards.together.__defaults__ = (700,)
royaltycli.scan(sys.argv[1], output=sys.argv[2], on=sys.argv[3])
"""

ATTEMPTS = 4
"""Ray gives the server of each of its clients 30 seconds to start, which on a busy machine may be too few."""


def test_a_client_of_a_cluster_elsewhere(place, ray_cluster, monkeypatch):
    """In a program of its own, as Ray is of no use any more in one that it has failed in."""
    monkeypatch.delenv("RAY_ADDRESS")
    command = [sys.executable, "-c", CLIENT, str(place), str(place / "r.parquet"), ray_cluster.client]
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "Initialization failure" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    assert (place / "r.parquet").read_bytes() == scan(place, "l.parquet", on="local")


def test_a_vocabulary_of_the_users(place):
    """Its file need not be there on other machines."""
    shutil.copy(
        Path(royaltycli.__file__).parent / "tokens" / "vocabularies" / "cl100k_base.tiktoken", place / "own.tiktoken"
    )
    own = place / "own.tiktoken"
    assert scan(place, "r.parquet", encoding=own) == scan(place, "l.parquet", on="local", encoding=own)


def times(place):
    """When each partial table was written."""
    return {path: path.stat().st_mtime_ns for path in tables_in(folder_of(place / "tokens.parquet"))}


def test_what_was_counted_on_a_cluster_is_not_counted_again(place):
    scan(place, "tokens.parquet")
    kept = times(place)
    (place / "book" / "new.txt").write_text("a new day", encoding="utf-8")
    again = scan(place, "tokens.parquet")
    assert again == scan(place, "l.parquet", on="local")
    now = times(place)
    assert kept.items() < now.items()
    assert len(now) == len(kept) + 1


def test_a_node_that_is_lost_in_mid_scan(place, ray_cluster):
    """Its tasks are done elsewhere; what its workers had written already is there."""
    node = ray_cluster.add_node(num_cpus=2)
    ticks = []

    def tick(*_sums):
        ticks.append(_sums)
        if len(ticks) == 4:
            ray_cluster.remove_node(node, allow_graceful=False)

    with scanning.counts_folder(place / "r.parquet") as folder:
        scanning.scan_opened(check(place), folder, place / "r.parquet", on="ray", tick=tick)
    assert len(ticks) > 10
    assert (place / "r.parquet").read_bytes() == scan(place, "l.parquet", on="local")


def test_a_worker_that_dies_is_followed_by_another(place, monkeypatch):
    """The first time that it is given a shard of the book."""
    mark, answer = str(place / "mark"), clusters._answer

    def dies_once(tool, job, task, owners):
        if task.shard.pieces[0].file.name == "book/7.txt":
            with contextlib.suppress(FileExistsError):
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
                os._exit(1)
        return answer(tool, job, task, owners)

    monkeypatch.setattr(clusters, "_answer", dies_once)
    assert scan(place, "r.parquet") == scan(place, "l.parquet", on="local")
    assert Path(mark).exists()


def test_a_shard_that_is_lost_each_time_fails_the_scan_by_name(place, monkeypatch):
    answer = clusters._answer

    def dies(tool, job, task, owners):
        if task.shard.pieces[0].file.name == "book/7.txt":
            os._exit(1)
        return answer(tool, job, task, owners)

    monkeypatch.setattr(clusters, "_answer", dies)
    monkeypatch.setattr(clusters, "TASK_RETRIES", 1)
    with pytest.raises(WorkerError, match=r"^a worker was lost while it counted book/7\.txt, in each of 2 attempts"):
        scan(place, "r.parquet")
    assert not (place / "r.parquet").exists()
    monkeypatch.setattr(clusters, "_answer", answer)
    assert scan(place, "r.parquet") == scan(place, "l.parquet", on="local")


@pytest.mark.parametrize("error", [ConnectionError("connection refused"), ray_exceptions.RaySystemError("gone")])
def test_a_cluster_that_is_lost_in_mid_scan(place, ray_cluster, monkeypatch, error):
    """As far as a test can: its head is gone, so that what Ray is asked for fails, or would end this program."""

    def fail(_head):
        raise error

    monkeypatch.setattr(clusters._Head, "wait", fail)
    reason = str(error).partition("\n")[0]
    with pytest.raises(WorkerError) as caught:
        royaltycli.scan(place, on="ray")
    assert str(caught.value) == (
        f"the Ray cluster at {ray_cluster.address} (RAY_ADDRESS) was lost ({reason}); what was counted is kept; "
        "see that it is up, and scan again"
    )


def test_a_drive_that_fails_is_no_cluster_that_is_lost(monkeypatch):
    file = types.SimpleNamespace(name="a.txt")
    task = types.SimpleNamespace(shard=types.SimpleNamespace(pieces=[types.SimpleNamespace(file=file)]))
    done = types.SimpleNamespace(kept=[types.SimpleNamespace(path="counts/1.parquet")])

    def fail(*_given, **_options):
        raise ConnectionAbortedError("software caused connection abort")

    with monkeypatch.context() as broken:
        broken.setattr(os, "stat", fail)
        with pytest.raises(WorkerError) as caught:
            clusters._there(done, task)
    assert str(caught.value).startswith("what a worker counted of a.txt is not to be found in counts from here;")


def test_a_head_that_cannot_be_reached_is_given_up_after_a_while(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
        context = types.SimpleNamespace(gcs_address=address)
        client = types.SimpleNamespace(ray=types.SimpleNamespace(is_connected=lambda: False))
        ray = types.SimpleNamespace(util=types.SimpleNamespace(client=client), get_runtime_context=lambda: context)
        clusters._Head(ray).wait()
    monkeypatch.setattr(clusters, "HEAD_GONE_SECONDS", 0.3)
    with pytest.raises(ConnectionError, match="connection refused"):
        clusters._Head(ray).wait()


def test_the_first_error_in_the_order_of_the_corpus_is_told(place):
    for name in ("a", "m", "z"):
        (place / "posts" / f"{name}.jsonl").write_text('{"author": "a", "text": 3}\n', encoding="utf-8")
    with pytest.raises(DocumentError, match=r"^posts/a\.jsonl:1: "):
        scan(place, "r.parquet")


def test_counts_that_cannot_be_seen_from_here(place, monkeypatch):
    """As where each machine has a folder of that name of its own."""
    answer = clusters._answer

    def elsewhere(tool, job, task, owners):
        given = answer(tool, job, task, owners)
        Path(given.done.kept[0].path).unlink()
        return given

    monkeypatch.setattr(clusters, "_answer", elsewhere)
    with pytest.raises(
        WorkerError, match="name a folder with `--counts` that all machines share, or one in an object store"
    ):
        scan(place, "r.parquet")


def test_workers_of_another_version(place, monkeypatch):
    answer = clusters._answer

    def older(_tool, job, task, owners):
        return answer("0.0.1", job, task, owners)

    monkeypatch.setattr(clusters, "_answer", older)
    with pytest.raises(WorkerError, match=r"^the workers have royaltycli .*, and this is 0\.0\.1; install the same"):
        scan(place, "r.parquet")


def test_workers_that_lack_a_library(place, monkeypatch):
    def lacks(*_given):
        raise ModuleNotFoundError("No module named 'royaltycli'")

    monkeypatch.setattr(clusters, "_answer", lacks)
    with pytest.raises(
        WorkerError, match=r"^a worker cannot count \(.*No module named 'royaltycli'\); install the same"
    ):
        scan(place, "r.parquet")


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("mars", "on is 'mars'; it must be local, ray, or the address of a cluster such as ray://HEAD:10001"),
        (
            "ray://127.0.0.1:1",
            "no Ray cluster can be reached at ray://127.0.0.1:1 (connection refused); check that it is up",
        ),
    ],
)
def test_no_cluster(place, on, said):
    with pytest.raises(CallError) as raised:
        scan(place, "r.parquet", on=on)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "address", ["ray://", "ray://x", "ray://:1", "ray:///", "ray://x/y:1", "ray://x:y", "ray://x y:1"]
)
def test_an_address_without_host_or_port_is_refused_at_once(monkeypatch, address):
    """Without Ray, which would wait for it, and write warnings of its own."""
    with pytest.raises(
        CallError, match=r"^on is '.*'; it must be local, ray, or the address of a cluster such as ray:"
    ):
        clusters.is_cluster(address)
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr("ray.init", lambda *_given, **_options: pytest.fail("Ray was asked"))
    said = f"RAY_ADDRESS is {address!r}; it must be the address of a cluster such as ray://HEAD:10001"
    with pytest.raises(CallError, match=f"^{re.escape(said)}$"), clusters._connected("ray"):
        pass


@pytest.mark.parametrize("on", ["ray://head:10001", "ray://10.0.0.1:1", "ray://[::1]:10001", "ray"])
def test_an_address_of_a_cluster(on):
    assert clusters.is_cluster(on)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "connection refused); check that it is up"),
        ("a..b:1", ""),
        ("nonsense", "Invalid address format: nonsense); check that it is up, and of this version"),
    ],
)
def test_an_address_of_the_environment_is_named_as_such(monkeypatch, address, reason):
    monkeypatch.setenv("RAY_ADDRESS", address)
    said = f"no Ray cluster can be reached at {address} (RAY_ADDRESS) ({reason}"
    with pytest.raises(CallError, match=f"^{re.escape(said)}"), clusters._connected("ray"):
        pass


def test_ray_is_not_installed(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CallError, match=r"^ray is not installed; pip install 'royaltycli\[ray\]'$"):
        scan(place, "r.parquet")


def test_a_cluster_of_its_own_as_a_command(folder):
    place = folder(CORPUS)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    command = [sys.executable, "-m", "royaltycli", "scan", "--on", "ray", "--workers", "1"]
    # A short name, as those of sockets must be, where no cluster of others is found.
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as environment["RAY_TMPDIR"]:
        done = subprocess.run(
            command, check=False, cwd=place, env=environment, capture_output=True, text=True, timeout=120
        )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "Wrote tokens.parquet.")
    assert (place / "tokens.parquet").read_bytes() == scan(place, "l.parquet", on="local")
