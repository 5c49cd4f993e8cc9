"""Rules U9 and U11: sums are made in one thread, as they would else be others on a machine with more cores."""

from __future__ import annotations

import json

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from royaltycli import attributing
from royaltycli.attribution import calibration, drawing, usage
from tests.attribution.conftest import prose


def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def noted(monkeypatch):
    """The threads that there are while a function of a module runs, where there are two before and after."""
    found = []

    def note(module, name):
        does = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *arguments: found.append(threads()) or does(*arguments))
        return found

    with threadpool_limits(2, "blas"):
        yield note
        assert threads() == {2}


def test_weights_are_fitted_in_one_thread(index, noted):
    found = noted(calibration, "fit")
    calibration.calibrate(index, lambda *_said: None)
    assert found == [{1}] * (1 + calibration.FITS)


@pytest.mark.parametrize(("module", "name"), [(usage, "shares"), (drawing, "shares_of_draws")])
def test_shares_and_their_intervals_are_computed_in_one_thread(index, noted, tmp_path, module, name):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"id": "1", "text": prose(3, 150)}), encoding="utf-8")
    found = noted(module, name)
    attributing.attribute(log, index=index.path)
    assert found == [{1}]
