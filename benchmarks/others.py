"""How fast other programs count the tokens of the same files, as ratios to `royalty scan`.

    python benchmarks/others.py [--megabytes 100] [--rounds 1]

All of them get the same JSON Lines, in files of 32 MB, on all cores, with the vocabulary of o200k_base, and
each adds up what it has counted, which must be the same number; none adds special tokens.

- royalty: `royalty scan`, which also verifies a sample, digests every document, and sums by source;
- datatrove: its JsonlReader and TokensCounter, run by its LocalPipelineExecutor with a worker a core;
- datasets: `load_dataset` and `map` over the tokenizers library's `encode_batch_fast`, with a process a core;
- tiktoken: `encode_ordinary_batch` on the texts in memory.

datatrove and datasets count with the tokenizers library, from a tokenizer.json that is made here. The time
is that of the whole process with its start; of tiktoken it is that of the one call, as reading files
is not its trade. Nothing is downloaded. datatrove and datasets come with `pip install -e '.[bench]'`.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import commands
import corpus
import pyarrow.parquet as pq
import results

CORES = os.cpu_count() or 1
BATCH = 1000
"""Documents that tokenizers is given at once; datatrove's own 10,000 would take gigabytes for long documents."""

QUIET = {
    "TOKENIZERS_PARALLELISM": "false",  # there is a process for each core already
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "DATATROVE_COLORIZE_LOGS": "0",
}


class Outcome(NamedTuple):
    """Seconds, and the tokens counted."""

    seconds: float
    tokens: int


def main() -> None:
    """Measure and print, or be one of the contestants."""
    parser = results.parser(__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--contestant", nargs=3, help="for this program itself: a name, its corpus and its folder")
    arguments = parser.parse_args()
    if arguments.contestant:
        name, folder, place = arguments.contestant
        print(json.dumps(PROGRAMS[name](Path(folder), Path(place))))
        return
    missing = [name for name in ("datatrove", "datasets", "tokenizers") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} cannot be found; get what is compared with: pip install -e '.[bench]'")
    folder = corpus.in_format("jsonl", arguments.megabytes * 1_000_000)
    table = compare(folder, arguments.rounds)
    results.show(table)
    versions = {name: importlib.metadata.version(name) for name in ("datatrove", "datasets", "tokenizers")}
    results.keep(arguments.json, "others", {"others": table}, megabytes=arguments.megabytes, **versions)


def compare(folder: Path, rounds: int) -> list[results.Row]:
    """A row for each contestant, in rounds of all of them."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in ("royalty", *PROGRAMS)}
    for _ in range(rounds):
        for name, runs in outcomes.items():
            runs.append(royalty(folder) if name == "royalty" else other(name, folder))
    tokens = {name: runs[0].tokens for name, runs in outcomes.items()}
    assert len(set(tokens.values())) == 1, f"the counts differ: {tokens}"
    megabytes = sum(pq.read_table(folder / "tokens.parquet")["bytes"].to_pylist()) / 1e6
    print(f"{megabytes:,.0f} MB of text, {tokens['royalty']:,} tokens by each of them, {CORES} cores")
    return [
        {
            "program": name,
            "seconds": statistics.median(run.seconds for run in runs),
            "MB/s": megabytes / statistics.median(run.seconds for run in runs),
            "times royalty's": statistics.median(
                run.seconds / mine.seconds for run, mine in zip(runs, outcomes["royalty"], strict=True)
            ),
        }
        for name, runs in outcomes.items()
    ]


def royalty(folder: Path) -> Outcome:
    ran = commands.scan(folder)
    tokens = sum(pq.read_table(folder / "tokens.parquet")["tokens"].to_pylist())
    return Outcome(ran.seconds, tokens)


def other(name: str, folder: Path) -> Outcome:
    """One of the others, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        if name != "tiktoken":
            from vocabulary import write_tokenizer

            write_tokenizer(Path(place, "tokenizer.json"))
        command = [sys.executable, __file__, "--contestant", name, str(folder), place]
        with Path(place, "log").open("wb+") as log, Path(place, "answer").open("wb+") as answer:
            try:
                ran = commands.run(command, environment=QUIET, output=answer, errors=log)
            except subprocess.CalledProcessError:
                sys.exit(Path(place, "log").read_text(encoding="utf-8"))
        said = json.loads(Path(place, "answer").read_text(encoding="utf-8").splitlines()[-1])
        return Outcome(said.get("seconds", ran.seconds), said["tokens"])


def by_datatrove(folder: Path, place: Path) -> dict[str, float]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import TokensCounter

    files = len(list((folder / "texts").iterdir()))
    pipeline = [
        JsonlReader(str(folder / "texts")),
        TokensCounter(str(place / "tokenizer.json"), batch_size=BATCH),
    ]
    executor = LocalPipelineExecutor(pipeline, tasks=files, workers=min(CORES, files), logging_dir=str(place / "logs"))
    stats = executor.run()
    return {"tokens": stats.stats[-1]["tokens"].total}


def by_datasets(folder: Path, place: Path) -> dict[str, float]:
    from datasets import load_dataset

    files = sorted(map(str, (folder / "texts").iterdir()))
    options = {"num_proc": min(CORES, len(files))}
    documents = load_dataset("json", data_files=files, split="train", cache_dir=str(place / "cache"), **options)
    count = functools.partial(count_batch, path=str(place / "tokenizer.json"))
    counted = documents.map(count, batched=True, batch_size=BATCH, remove_columns=documents.column_names, **options)
    return {"tokens": sum(counted["tokens"])}


def count_batch(batch: dict[str, list[str]], path: str) -> dict[str, list[int]]:
    encoded = load_tokenizer(path).encode_batch_fast(batch["text"], add_special_tokens=False)
    return {"tokens": [len(each.ids) for each in encoded]}


@functools.cache
def load_tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(path)


def by_tiktoken(folder: Path, _place: Path) -> dict[str, float]:
    from scan import tiktoken_alone

    outcome = tiktoken_alone(corpus.texts(folder), "o200k_base")
    return {"tokens": outcome.tokens, "seconds": outcome.seconds}


PROGRAMS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "datatrove": by_datatrove,
    "datasets": by_datasets,
    "tiktoken": by_tiktoken,
}


if __name__ == "__main__":
    main()
