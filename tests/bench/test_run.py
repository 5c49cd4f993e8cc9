"""The whole benchmark on a tiny corpus, and what the command shows of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info
from typer.testing import CliRunner

from royaltycli.attribution import calibration
from royaltycli.bench import attacks, growth, method, prompting
from royaltycli.bench import run as running
from royaltycli.bench.corpus import prepare
from royaltycli.bench.measures import Estimate
from royaltycli.bench.results import Goal, Report, Row
from royaltycli.bench.setting import SHORT, TEXT, Budget, Form, LeftOut
from royaltycli.cli import app
from royaltycli.cli.bench import Part
from royaltycli.errors import CallError, WorkerError
from tests.bench import wheels
from tests.bench.reports import rows

NO_MODEL = Budget(0, 0, 0)
TINY = Form(
    "tiny",
    parts=(),
    spans=30,
    documents=8,
    attackers=1,
    attacks=5,
    logs=1,
    one_in=(4, 1),
    everything=False,
    models=0,
    stacked=True,
    budget=NO_MODEL,
    left_out=LeftOut(0, 0, 0, 0, NO_MODEL),
    seeds=(0, 1),
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The report, and what there was of it as JSON from one heading to the next."""
    folder = tmp_path_factory.mktemp("bench")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(calibration, "SPANS", dict.fromkeys(calibration.SPANS, 100))
    known = [wheels.make(folder / "wheels", name, 10) for name in ("ants", "bees", "cats", "dogs")]
    unknown = [wheels.make(folder / "wheels", name) for name in ("emus", "fish")]
    prepared = prepare(folder, lambda _words: None, packages=(known, unknown))
    parts, kept = ("text", "attacks", "cost"), []
    report = running.run(
        folder,
        TINY,
        2,
        lambda *_said: None,
        parts,
        prepared=prepared,
        keep=lambda so_far: kept.append(so_far.as_json()),
    )
    monkeypatch.undo()
    return report, kept


@pytest.fixture
def report(measured):
    return measured[0]


def test_plain_sources_are_told_apart(report):
    for size in ("32 tokens", "128 tokens", "a whole document"):
        by_method = rows(report, f"Top-1 source of {size}")
        assert len([name for name in by_method if not name.startswith("fewer")]) == 7
        assert by_method[TEXT].estimate.value > 0.9
        assert by_method[TEXT].goal.value is not None


def test_money_goes_where_it_should_and_attacks_gain_little(report):
    money = rows(report, "Payouts")
    assert money["corrected by expectation and maximisation"].estimate.value < 0.15
    assert money["by token share instead of usage"].estimate.value > 0.25
    gains = rows(report, "Attacks")
    assert gains["copying a source ten times"].estimate.value < 0.05
    assert [name for name in gains if not name.startswith("error")] == list(attacks.ATTACKS)
    gains_of_quotes = rows(report, "Self-prompting")
    assert [name for name in gains_of_quotes if not name.startswith("error")] == list(prompting.WAYS)
    assert gains_of_quotes["prompts that hold the quote"].estimate.value < 0
    assert gains_of_quotes["prompts that hold the quote, and no account cap"].goal.value is None
    assert gains["error of all payouts without an attack"].estimate.value < 0.15


def test_costs_are_those_of_two_sizes(report):
    costs = rows(report, "Cost")
    assert len(costs) == 10
    assert all(row.estimate.value > 0 for row in costs.values())


def test_the_memory_of_a_process_is_not_that_of_its_parent():
    code = "from royaltycli.bench.growth import _peak; print(_peak())"
    parent = f"import subprocess, sys; held = b'1' * 300_000_000; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, timeout=120, check=True)
    assert 1_000_000 < int(done.stdout) < 200_000_000


def test_the_report_is_json_with_all_that_it_was_made_from(report):
    said = json.loads(report.as_json())
    assert said["form"]["seeds"] == [0, 1]
    assert said["measured"] == ["text", "attacks", "cost"]
    assert {"royaltycli", "torch"} <= set(said["versions"])
    assert [package["id"] for package in said["corpus"]["made from"]["known"]] == ["ants", "bees", "cats", "dogs"]
    assert set(said["parts"]) == set(report.parts)
    calibration = next(rows for name, rows in said["parts"].items() if name.startswith("Calibration"))
    assert [len(row["seeds"]) for row in calibration] == [2, 2, 2, 0, 0, 0]  # the last are what is chance
    assert all(row["estimate"]["low"] <= row["estimate"]["high"] for row in calibration)


def test_what_there_is_of_a_report_is_kept_from_heading_to_heading(measured):
    report, kept = measured
    said = [json.loads(one) for one in kept]
    assert [list(one["parts"]) for one in said[:-1]] == [
        list(report.parts)[: at + 1] for at in range(len(report.parts))
    ]
    assert [one["finished"] for one in said] == [False] * len(report.parts) + [True]
    assert kept[-1] == report.as_json()


def test_a_goal_is_met_by_what_is_shown():
    up = Row("accuracy", Goal("", 0.78), Estimate(0.7796, 0.7, 0.8))
    down = Row("error", Goal(".021", 0.02, most=True), Estimate(0.0206, 0.01, 0.03))
    assert (up.met, down.met) == (True, False)
    assert up.cells() == ("accuracy", "", "0.78", "0.780 (0.700 to 0.800)")
    assert down.cells() == ("error", ".021", "≤ 0.02", "0.021 (0.010 to 0.030), not met")
    assert Row("gain", Goal(), Estimate(-1e-9, -0.1, 0.1)).cells()[3] == "0.000 (-0.100 to 0.100)"
    assert Row("seconds", Goal(), Estimate(2, 2, 2), places=1).cells() == ("seconds", "", "", "2.0")


def test_the_command_shows_every_row_and_writes_json(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    report = Report({"form": "none"})
    report.add("Accuracy", [Row("top-1", Goal(".7", 0.8), Estimate(0.75, 0.7, 0.8), (0.7, 0.8))])
    asked = []

    def run(*arguments, keep):
        asked.append(arguments)
        keep(report)
        return report

    monkeypatch.setattr(running, "run", run)
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        app, ["bench", "attribution", "--json", "a.json", "--workers", "1", "--part", "text", "--part", "cost"]
    )
    assert result.exit_code == 0, result.stderr
    assert "top-1" in result.stdout
    assert "0.750 (0.700 to 0.800), not met" in result.stdout
    assert result.stderr == "Of 1 goal 1 is not met.\n"
    assert json.loads((tmp_path / "a.json").read_text())["parts"]["Accuracy"][0]["seeds"] == [0.7, 0.8]
    assert (asked[0][1:3], asked[0][4]) == ((SHORT, 1), ["text", "cost"])
    assert str(asked[0][0]) == ".benchmark-corpus/attribution"


def test_the_command_names_every_part():
    assert [part.value for part in Part] == list(running.PARTS)


def test_what_needs_no_language_model_imports_nothing_that_trains_one():
    parts = [module for part, module in running.PARTS.items() if part not in running.LEARNING]
    code = f"import royaltycli.bench.run, {', '.join(f'royaltycli.bench.{part}' for part in parts)}, sys"
    code += "; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("part", running.LEARNING)
def test_a_part_that_needs_what_is_not_installed_is_refused_before_anything_is_done(part, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CallError, match=r"^the network needs torch, which is not installed; pip install"):
        running.run(tmp_path, TINY, 1, lambda *_said: None, ("text", part))
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_there_is_not_is_refused():
    result = CliRunner().invoke(app, ["bench", "attribution", "--part", "texts"])
    assert result.exit_code == 2
    assert "'texts' is none of text" in result.stderr


def test_more_workers_than_there_may_be_are_refused():
    result = CliRunner().invoke(app, ["bench", "attribution", "--workers", "0"])
    assert (result.exit_code, result.stderr) == (2, "error: workers is 0; it must be from 1 to 1024\n")


def most_threads(_number):
    return max(pool["num_threads"] for pool in threadpool_info())


def test_a_worker_computes_in_one_thread():
    with method.processes(2) as pool:
        assert set(method.each(pool, most_threads, range(4))) == {1}


def end_in_mid_work():
    with method.processes(2) as pool:
        assert list(method.each(pool, abs, [-1, 2])) == [1, 2]
        list(method.each(pool, os._exit, [1]))


def test_a_worker_that_is_lost_is_an_error_that_says_what_to_do():
    with pytest.raises(
        WorkerError, match=r"^a worker of the benchmark was lost \(it was killed, or the memory ran out\)"
    ):
        end_in_mid_work()


def test_a_folder_in_a_store_is_none_for_a_benchmark(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CallError, match="but the folder of a benchmark must be on this one; name one here"):
        running.run(Path("s3://bucket/folder"), SHORT, 1, print)
    assert list(tmp_path.iterdir()) == []


def test_so_is_one_that_measures_costs(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(growth.sys, "executable", str(program))
    with pytest.raises(WorkerError, match=r"^a worker of the benchmark was lost"):
        growth.cost_of(tmp_path, tmp_path, tmp_path)


FOR_EVER = """
from tests.bench.test_run import at_work
from royaltycli.bench import method
import os, signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with method.processes(2) as pool:
            list(method.each(pool, at_work, [1, 2]))
    except KeyboardInterrupt:
        os._exit(130)  # as the command line ends
"""


def at_work(_task):
    """A task that says which process has it, and takes long."""
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(600)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_workers_end_at_once_with_the_process_that_started_them(how, tmp_path):
    """However that ends: nobody would wait for them any more, nor give them another task."""
    (tmp_path / "started.py").write_text(FOR_EVER, encoding="utf-8")
    path = os.pathsep.join((str(Path.cwd()), os.environ.get("PYTHONPATH", "")))
    with subprocess.Popen(
        [sys.executable, tmp_path / "started.py"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    ) as started:
        workers = [int(started.stdout.readline()) for _ in range(2)]
        started.send_signal(how)
        try:
            started.communicate(timeout=30)  # ends when nobody is left who could write
        finally:
            for worker in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


def test_an_index_that_stands_where_another_stood_is_the_one_that_is_asked(tmp_path):
    """Attacks are made one after the other, and what a process has opened is not to be of the one before."""
    index = tmp_path / "index"
    for count in (2, 3):
        packages = [wheels.make(tmp_path / str(count) / "wheels", name) for name in ("ants", "bees", "cats")[:count]]
        prepared = prepare(tmp_path / str(count), print, packages=(packages, []))
        method.build(prepared.manifest, index)
        span = method.Gatherer(index, None).index.models[0].tokens(0, 40)
        (found,) = method.Gatherer(index, None).gather([span], lambda *_said: None)
        assert found.units.tolist() == list(range(count))
