"""A ledger for a test, which is verified when the test is over."""

from __future__ import annotations

import pytest

from royaltycli.ledger.journal import FILE
from royaltycli.ledger.verification import verify
from tests.ledger.corpora import Ledger


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    yield made
    if (made.path / FILE).exists():
        verify(made.path)
        assert made.total() == 0
