"""What the tests share: a folder of corpus files from a dictionary, and the long forms of campaigns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest


def pytest_addoption(parser):
    parser.addoption("--campaign", action="store_true", help="run the long forms of the tests that kill and corrupt")


@pytest.fixture
def long_form(request):
    """Whether a campaign was asked for; without, each runs its short form."""
    return request.config.getoption("--campaign")


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
