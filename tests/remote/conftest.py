"""A store and a web server on this machine, and an environment that names them."""

from __future__ import annotations

import pytest

from royaltycli.remote import objects
from tests.remote.servers import Store, Web

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def one_store():
    store = Store()
    yield store
    store.stop()


@pytest.fixture
def store(one_store, monkeypatch, tmp_path):
    """An S3 server with an empty log, which the environment names."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{one_store.server_port}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one_store.log.clear()
    one_store.faults.clear()
    one_store.others.clear()
    objects._store.cache_clear()
    yield one_store
    objects._store.cache_clear()


@pytest.fixture
def web(monkeypatch, tmp_path):
    """A web server, which the user trusts, although it is at a private address, and whose authority is known."""
    server = Web({})
    server.authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.setenv("ROYALTY_TRUSTED_HOSTS", f"localhost:{server.server_port}")
    yield server
    server.stop()
