"""Datasets of Hugging Face, from a small hub on this machine, which HF_ENDPOINT names: in processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import huggingface_hub
import pytest

import royaltycli
from royaltycli.errors import RemoteError
from royaltycli.remote import hub as hubs
from royaltycli.remote import web
from royaltycli.remote.locations import Location
from tests.remote.hub import COMMIT, TOKEN, Hub
from tests.remote.servers import Web

PLACE = Location("hf", "datasets/o/n", "a.txt")
MANIFEST = '[corpus]\nremote = true\n[[source]]\nid = "a"\npath = "hf://datasets/o/n{}"\n'


@pytest.fixture
def hub():
    server = Hub(
        {"data/train.jsonl": b'{"text": "One day."}\n' * 9, "data/x.txt": b"Another.", "README.md": b"# Read me"}
    )
    yield server
    server.stop()


def run(hub, place, *arguments):
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_TOKEN": TOKEN,
        "COLUMNS": "80",
    }
    environment |= {"HF_HOME": str(place / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "royaltycli", *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("path", "documents"),
    [("/data", 10), ("/data/*.jsonl", 9), ("@main/data/x.txt", 1), ("", 11), ("@refs/convert/parquet/data", 10)],
)
def test_a_dataset_is_read_at_the_commit_that_it_was_found_at(hub, folder, path, documents):
    place = folder({"corpus.toml": MANIFEST.format(path)})
    hub.faults.append(503)
    done = run(hub, place, "scan", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert royaltycli.read_tokens(place / "tokens.parquet")["documents"].to_pylist() == [documents]
    read = [path for _, path, asked in hub.log if asked]
    assert read
    assert all(path.startswith(f"/datasets/o/n/resolve/{COMMIT}/") for path in read)
    assert set(hub.tokens) == {f"Bearer {TOKEN}"}
    hub.log.clear()
    assert run(hub, place, "scan", "--quiet").returncode == 0
    assert not [path for _, path, asked in hub.log if asked]


@pytest.mark.parametrize("refusals", [[503], [429, 500], [None], [None, None, 502]])
def test_a_list_that_fails_for_a_while_is_asked_for_again(hub, folder, refusals):
    place = folder({"corpus.toml": MANIFEST.format("/data")})
    hub.refusals.extend(refusals)
    done = run(hub, place, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert not hub.refusals


def test_a_hub_that_cannot_prove_who_it_is_is_not_asked_again(monkeypatch):
    server = Web({})  # of an authority that is not known
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr(web, "pause", lambda *_: pytest.fail("it is asked again"))
    with pytest.raises(RemoteError, match=r"cannot be listed .*certificate verify failed"):
        hubs.at_commit(PLACE)
    server.stop()


def test_a_hub_that_is_not_there_is_not_asked_again(monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr(web, "pause", lambda *_: pytest.fail("it is asked again"))
        with pytest.raises(RemoteError, match=r"cannot be listed at http://127.0.0.1:\d+ \(.*refused"):
            hubs.at_commit(PLACE)


@pytest.mark.parametrize(("number", "asked"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 9)])
def test_a_hub_whose_name_is_not_known_is_not_asked_again(monkeypatch, number, asked):
    pauses = []

    def resolve(*_given, **_options):
        raise socket.gaierror(number, "name or service not known")

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(web, "pause", lambda *_: pauses.append(1))
    with pytest.raises(RemoteError, match=r"cannot be listed at http://hub.invalid \(.*not known"):
        hubs.at_commit(PLACE)
    assert len(pauses) == asked - 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_taken(hub, folder, status):
    place = folder({"corpus.toml": MANIFEST.format("/data")})
    hub.refusals.append(status)
    done = run(hub, place, "check")
    assert done.returncode == 2
    assert done.stderr == (
        "error: corpus.toml:3: source 'a': path 'hf://datasets/o/n/data': hf://datasets/o/n/data cannot be listed, "
        "as the hub does not take your token; log in again with `hf auth login`, or set HF_TOKEN anew\n"
    )


def test_a_dataset_that_is_not_there(hub, folder):
    place = folder({"corpus.toml": MANIFEST.format("").replace("o/n", "o/m")})
    done = run(hub, place, "check")
    assert done.returncode == 2
    assert done.stderr == (
        "error: corpus.toml:3: source 'a': path 'hf://datasets/o/m': hf://datasets/o/m does not exist, "
        "or may not be read by you; check its spelling, or log in with `hf auth login`\n"
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("GatedRepoError", "is open only to those whom its owner lets in; ask for access on its page"),
        (
            "HfHubHTTPError",
            "cannot be listed at https://huggingface.co (502 Bad Gateway); check the network and try again",
        ),
    ],
)
def test_what_the_hub_refuses(monkeypatch, kind, said):
    def refuse(*_given, **_options):
        raise type(kind, (Exception,), {})("502 Bad Gateway")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises(RemoteError) as caught:
        hubs.at_commit(PLACE)
    assert str(caught.value) == f"hf://datasets/o/n/a.txt {said}"


def test_without_huggingface_hub_the_way_to_get_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(
        RemoteError, match=r"is found with huggingface_hub, which is not installed; pip install 'royaltycli\[hf\]'$"
    ):
        hubs.at_commit(PLACE)
