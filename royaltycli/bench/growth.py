"""What an index and attribution cost, and how that grows: each measured in a process of its own.

`python -m royaltycli.bench.growth MANIFEST INDEX HELD-OUT` measures one corpus, and says it as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SPANS = 300
"""Spans of 128 tokens that are attributed for their time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one corpus: its tokens; seconds and peak bytes to build the index, its bytes, and seconds a span."""

    tokens: int
    build_seconds: float
    build_memory: int
    index_bytes: int
    span_seconds: float
    span_memory: int


def cost_of(manifest: Path, index: Path, held_out: Path) -> Cost:
    """What a corpus costs: the index is built anew. Raises WorkerError if that was killed, and CalledProcessError."""
    said = []
    for step in ("build", "ask"):
        command = [sys.executable, "-m", "royaltycli.bench.growth", step, str(manifest), str(index), str(held_out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- this module
        if done.returncode < 0:
            from royaltycli.bench.method import lost

            raise lost()
        done.check_returncode()
        said.append(json.loads(done.stdout))
    built, asked = said
    size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
    return Cost(built["tokens"], built["seconds"], built["memory"], size, asked["seconds"], asked["memory"])


def _build(manifest: Path, index: Path, _held_out: Path) -> dict[str, float]:
    from royaltycli.bench.method import build

    start = time.perf_counter()
    built = build(manifest, index)
    return {"tokens": built.tokens, "seconds": time.perf_counter() - start}


def _ask(manifest: Path, index: Path, held_out: Path) -> dict[str, float]:
    import pyarrow as pa

    from royaltycli.attribution.calibration import read_calibration
    from royaltycli.attribution.evidence import evidence
    from royaltycli.attribution.index import open_index
    from royaltycli.tokens.encodings import find_encoding
    from royaltycli.tokens.engines import fastest_engine
    from royaltycli.tokens.reference import load_reference

    encoding = find_encoding("tokenizer.json", folder=manifest.parent)
    reference = load_reference(encoding)
    engine = fastest_engine(encoding, reference)
    texts = [json.loads(line)["text"] for line in held_out.read_text(encoding="utf-8").split("\n") if line]
    tokens, _ = engine.encode(pa.array(texts, pa.large_string()))
    step = max(128, len(tokens) // SPANS)
    spans = [tokens[start : start + 128] for start in range(0, len(tokens) - 127, step)][:SPANS]
    opened = open_index(index, check=False)
    calibration = read_calibration(opened)
    machine = None if calibration is None else calibration.machine
    evidence(opened, spans[0], machine)
    start = time.perf_counter()
    for span in spans:
        evidence(opened, span, machine)
    return {"seconds": (time.perf_counter() - start) / len(spans)}


def _peak() -> int:
    """The most memory that this process has held, in bytes.

    On Linux, getrusage includes what the process held before it became this program, which is its parent's memory.
    """
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    _step, *_paths = sys.argv[1:]
    _said = {"build": _build, "ask": _ask}[_step](*map(Path, _paths))
    sys.stdout.write(json.dumps(_said | {"memory": _peak()}))
