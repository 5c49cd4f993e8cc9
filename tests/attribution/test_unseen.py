"""Rule U9 in several processes: the calibration of an index does not depend on how many there are."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution import unseen
from royaltycli.attribution.calibration import calibrate, sample
from royaltycli.attribution.evidence import evidence
from royaltycli.errors import AttributionError, WorkerError
from royaltycli.parallel.processes import WorkerProcess
from tests.workers import killing, workers


@pytest.mark.parametrize("several", [2, 3])
def test_the_calibration_does_not_depend_on_workers(index, several, monkeypatch):
    said = []
    alone = calibrate(index, lambda *steps: said.append(steps))
    monkeypatch.setattr(unseen, "SMALL", 0)
    started, start = [], WorkerProcess.__init__
    monkeypatch.setattr(WorkerProcess, "__init__", lambda *given: started.append(1) or start(*given))
    told = []
    found = calibrate(index, lambda *steps: told.append(steps), workers=several)
    assert len(started) == several - 1
    assert told == said
    assert told[-1][0] == told[-1][1] == len(told)
    for part in ("alone", "which", "whether", "none", "own"):
        assert getattr(found.choice, part).tobytes() == getattr(alone.choice, part).tobytes()
    assert found.machine.weights.tobytes() == alone.machine.weights.tobytes()
    assert found.prior.tobytes() == alone.prior.tobytes()
    assert workers() == []


def test_a_span_that_is_quoted_is_judged_as_any_text_is_and_the_others_are_not(index):
    spans = list(sample(index, 0))
    found, machine = unseen.judged_unseen(index, spans, 1, lambda *_said: None)
    alike = [
        np.array_equal(one.measures, evidence(index, span.tokens, machine).measures)
        for span, one in zip(spans, found, strict=True)
    ]
    assert alike == [span.quoted for span in spans]
    assert 0 < sum(alike) < len(alike)


def test_a_lost_worker_fails_the_calibration(index, monkeypatch):
    monkeypatch.setattr(unseen, "SMALL", 0)

    with killing(), pytest.raises(WorkerError, match=r"^a worker was lost while it calibrated the index"):
        calibrate(index, lambda *_steps: None, workers=2)
    assert workers() == []


def test_a_worker_that_finds_another_index_says_so(index):
    with pytest.raises(AttributionError, match="was made anew meanwhile"):
        unseen.judge_elsewhere((index.path, {**index.about, "manifest": "another"}), lambda: None)
