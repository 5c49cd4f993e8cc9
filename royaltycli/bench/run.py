"""`royalty bench attribution`: the parts that are asked for, from the packages to the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from royaltycli.bench import method
from royaltycli.bench.baselines import check_installed
from royaltycli.bench.corpus import Prepared, prepare
from royaltycli.bench.packages import Kind
from royaltycli.bench.results import Report
from royaltycli.bench.setting import Form, Headed, Setting
from royaltycli.bench.spans import Data, encode
from royaltycli.progress import Tell
from royaltycli.remote.names import check_here

PARTS = {"text": "text", "network": "network", "left-out": "leftout", "attacks": "attacks", "cost": "costs"}
"""The module of each part; those of the network import torch, so none is imported before it is asked for."""

LEARNING = ("network", "left-out")
"""The parts that train language models."""


def run(
    folder: Path,
    form: Form,
    workers: int,
    tell: Tell,
    parts: Sequence[str] = (),
    kind: Kind = "code",
    prepared: Prepared | None = None,
    keep: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure some parts, or those of the form, in a folder that keeps the corpus and the index for the next time.

    The corpus is of a kind, or the one that is `prepared`. `keep` is given what there is of the report whenever
    the rows under a heading are done, and at the end all of it.
    Raises RemoteError, CallError, AttributionError, OutputError.
    """
    check_here(folder, "the folder of a benchmark")
    check_installed()
    chosen = [part for part in PARTS if part in (parts or form.parts)]
    if any(part in LEARNING for part in chosen):
        from royaltycli import networks

        networks.check_installed()
    prepared = prepared or prepare(folder, lambda words: tell(words, 0, 0), kind)
    data = encode(prepared.parts, prepared.manifest.parent)
    about = {"form": asdict(form), "measured": chosen, "corpus": _described(prepared, data)}
    report = Report(about)
    with method.processes(workers) as pool:
        setting = Setting(form, prepared, data, pool, tell)
        if "network" in chosen:
            from royaltycli.bench import learning

            learning.begin(setting)
        for part in chosen:
            measure: Callable[[Setting], Headed] = import_module(f"royaltycli.bench.{PARTS[part]}").measure
            for heading, rows in measure(setting):
                report.add(heading, rows)
                keep(report)
    report.finished = True
    keep(report)
    return report


def _described(prepared: Prepared, data: Data) -> dict[str, Any]:
    sizes = {
        name: {"documents": len(part.tokens), "tokens": sum(map(len, part.tokens))}
        for name, part in (("known", data.known), ("held out", data.held_out), ("unknown", data.unknown))
    }
    return {"sources": list(data.sources), **sizes, **prepared.about}
