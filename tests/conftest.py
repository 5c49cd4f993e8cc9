"""What the tests share: a folder of corpus files from a dictionary, and the long forms of campaigns."""

from __future__ import annotations

import gzip
import json
import os
import signal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings

from tests import strategies, vocabularies


def pytest_addoption(parser):
    parser.addoption("--campaign", action="store_true", help="run the long forms of the tests")


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell; commands would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("no deadline", deadline=None)  # the machine may be at other things, too
    settings.load_profile("no deadline")
    strategies.CAMPAIGN = config.getoption("--campaign")


@pytest.fixture
def long_form(request):
    """Whether a campaign was asked for; without, each runs its short form."""
    return request.config.getoption("--campaign")


@pytest.fixture(scope="session", autouse=True)
def _no_waiting(request):
    """No scan in this process waits for a vocabulary or for the disk; in a campaign each does, as the program does.

    Nothing that a test could see depends on the disk being waited for: only a loss of power would show it.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not request.config.getoption("--campaign"):
            vocabularies.load_once(patch)
            patch.setattr(os, "fsync", lambda file: os.fstat(file) and None)  # a closed file stays an error
        yield


@pytest.fixture
def folder(tmp_path):
    """Writes files below a temporary folder: text as UTF-8, bytes as they are, lists as JSON Lines."""

    def write(files):
        for name, content in files.items():
            path = Path(tmp_path, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed(content, path.suffix))
        return tmp_path

    return write


def packed(content, suffix):
    if isinstance(content, list):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
    data = content.encode() if isinstance(content, str) else content
    if suffix == ".gz" and not data.startswith(b"\x1f\x8b"):
        return gzip.compress(data, mtime=0)
    if suffix == ".zst" and not data.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.compress(data, codec="zstd", asbytes=True)
    return data
