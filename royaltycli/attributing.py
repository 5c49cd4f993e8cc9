"""The commands of attribution, from what callers give: names, numbers as text, texts, and files.

Between the command line with the Python API, and attribution itself.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args

from royaltycli.arguments import Number, check_types, fraction
from royaltycli.errors import AttributionError, CallError, DocumentError, OutputError, reason_of
from royaltycli.limits import TRACE_BYTES
from royaltycli.progress import Tell, say_nothing

if TYPE_CHECKING:
    from royaltycli.attribution.building import Built
    from royaltycli.attribution.calibration import Calibration
    from royaltycli.attribution.drawing import Draw
    from royaltycli.attribution.index import Index
    from royaltycli.attribution.judging import Judge, Judgement
    from royaltycli.attribution.logs import Judges
    from royaltycli.attribution.stacking import Beside
    from royaltycli.attribution.tracing import Traced
    from royaltycli.attribution.usage import Copies, Usage
    from royaltycli.tokens.engines import Ids

Method = Literal["text", "verbatim", "network", "all"]

LEAST = 3
"""Tokens of the shortest passage that is traced, unless a command is told otherwise."""


def index(
    manifest: str | Path | None = None,
    output: str | Path = "index",
    *,
    encoding: str | None = None,
    pattern: str | None = None,
    outside: bool = False,
    workers: int | None = None,
    tell: Tell | None = None,
) -> Built:
    """Build the index of a corpus in a folder. The encoding is the one given here, else the manifest's, or the default.

    It is calibrated by as many `workers` as there are cores, or as are asked for.

    Raises CallError, ManifestError, DocumentError, EncodingError, AttributionError, WorkerError and OutputError.
    """
    from royaltycli.attribution import building
    from royaltycli.attribution.folder import check_place
    from royaltycli.corpus.opening import open_corpus
    from royaltycli.parallel.processes import how_many
    from royaltycli.scanning import vocabulary_of
    from royaltycli.workspace import working_folder

    check_types("output", manifest=manifest, output=output, encoding=encoding, pattern=pattern, workers=workers)
    processes = how_many(workers)
    place = Path(output)
    check_place(place)
    opened = open_corpus(manifest, outside=outside)
    vocabulary = vocabulary_of(opened.corpus, encoding, pattern)
    with working_folder(place):
        return building.build_index(opened.corpus, opened.files, vocabulary, place, tell or say_nothing, processes)


def attribute(
    outputs: str | Path,
    *,
    index: str | Path = "index",
    method: Method = "text",
    period: str | None = None,
    duplicates: Copies = "split",
    account_cap: Number = "10%",
    draw: Draw = "outputs",
    network: str | Path = "network",
    model: str | Path | None = None,
    workers: int | None = None,
    tell: Tell | None = None,
) -> Usage:
    """The usage of the sources of an index in a log of outputs.

    By the methods `network` and `all` it is judged by a `network` that was trained on the same corpus, which reads
    the activations of `model`, or of the one that it was trained with; by one process, where others have as many
    `workers` as there are cores, or as are asked for.

    Raises CallError, AttributionError, WorkerError, and ManifestError with all that is wrong in the log.
    """
    from royaltycli.attribution.drawing import Draw
    from royaltycli.attribution.index import encoding_of, open_index, reference_of
    from royaltycli.attribution.logs import judge_log
    from royaltycli.attribution.outputs import read_outputs
    from royaltycli.attribution.usage import Copies
    from royaltycli.attribution.usage import attribute as run
    from royaltycli.parallel.processes import how_many
    from royaltycli.tokens.engines import fastest_engine

    check_types(outputs=outputs, index=index, network=network, workers=workers, period=period, model=model)
    processes = how_many(workers)
    for name, value, known in (("method", method, Method), ("duplicates", duplicates, Copies), ("draw", draw, Draw)):
        if value not in get_args(known):
            first, last = get_args(known)[:-1], get_args(known)[-1]
            raise CallError(f"{name} is {value!r}; it must be {', '.join(first)} or {last}")
    cap = fraction(account_cap, "account cap")
    if not cap:
        raise CallError("account cap is 0; it is the part of all weight that one account may have, such as 10%")
    opened = open_index(Path(index))
    encoding, reference = encoding_of(opened), reference_of(opened)
    engine = fastest_engine(encoding, reference)
    tell = tell or say_nothing
    place = None if model is None else Path(model)
    judges, calibration, strangers = _judges(opened, method, Path(network), place, processes, tell)

    def tick(outputs: int, spans: int) -> None:
        tell(f"judging outputs: {outputs:,}, spans: {spans:,}", 0, 0)

    log = judge_log(opened, read_outputs(Path(outputs), period=period), engine, reference.decode, judges, tick)
    prior = None if calibration is None else calibration.prior
    usage = run(opened, log, prior, copies=duplicates, account_cap=cap, draw=draw)
    if calibration is None:
        return usage
    return replace(usage, calibrated=calibration.spans, of_one=calibration.of_one, strangers=strangers)


def _judges(
    opened: Index, method: Method, network: Path, model: Path | None, workers: int, tell: Tell
) -> tuple[Judges, Calibration | None, int]:
    """What judges spans by a method, how it was calibrated, and how many sources it does not know."""
    from royaltycli.attribution.logs import Judges
    from royaltycli.parallel.processes import WorkerProcess

    match method:
        case "text" | "verbatim":
            judge, calibration = _judge_of(opened, method)
            job = (opened.path, opened.about, method)
            return Judges(judge, lambda: WorkerProcess(judge_elsewhere, job), workers), calibration, 0
        case _:
            beside, calibration = _beside(opened, method, network, model, workers, tell)
            return Judges(beside.judge(calibration)), calibration, beside.strangers


def judge_elsewhere(job: tuple[Path, dict[str, Any], Method], _told: object) -> Callable[[list[Ids]], list[Judgement]]:
    """What judges spans in a worker process. Raises AttributionError if the index is not the same any more."""
    from royaltycli.attribution.index import reopened

    path, about, method = job
    opened = reopened(path, about)
    judge, _ = _judge_of(opened, method)
    return lambda spans: [judge(span) for span in spans]


def _judge_of(opened: Index, method: Method) -> tuple[Judge, Calibration | None]:
    """What judges spans by what is in an index alone."""
    from royaltycli.attribution.judging import by_matches, by_text

    if method == "verbatim":
        return by_matches(opened), None
    kept = _calibration_of(opened)
    return by_text(opened, kept), kept


def _calibration_of(opened: Index) -> Calibration:
    from royaltycli.attribution.calibration import read_calibration

    kept = read_calibration(opened)
    if kept is None:
        raise AttributionError(
            f"the index {opened.path} is not whole; run `royalty index` again, or wait for it if it is at work"
        )
    return kept


def _beside(
    opened: Index, method: Literal["network", "all"], network: Path, model: Path | None, workers: int, tell: Tell
) -> tuple[Beside, Calibration]:
    """A network, alone or beside the text, and how it is weighed, which is found out the first time."""
    from royaltycli.attribution.calibration import calibrate, remember, remembered
    from royaltycli.attribution.index import reference_of
    from royaltycli.attribution.stacking import Beside, check_documents
    from royaltycli.networks import check_installed

    kept = _calibration_of(opened)
    check_installed()
    from royaltycli.attribution.network.network import open_network

    trained = open_network(network, model)
    beside = Beside(opened, trained.sources, trained.scores, reference_of(opened).decode, method)
    check_documents(opened, trained.about.documents)
    calibration = remembered(opened, network, method, kept.machine)
    if calibration is None:
        tick = functools.partial(tell, "weighing the network")
        calibration = calibrate(opened, tick, extend=beside.extend, workers=workers)
        with contextlib.suppress(OutputError):  # a folder that cannot be written to has it anew each time
            remember(opened, network, method, calibration)
    return beside, calibration


def trace(text: str, *, index: str | Path = "index", least: int = LEAST) -> Traced:
    """The passages of one text that a corpus has, too, with their sources. Raises AttributionError and CallError.

    `index` is the folder that `royalty index` made; `least` is how many tokens a passage has at the least.
    """
    from royaltycli.attribution.index import open_index
    from royaltycli.attribution.tracing import check_text
    from royaltycli.attribution.tracing import trace as run

    check_types(text=text, index=index, least=least)
    check_text(text, least)  # before an index is looked through
    return run(open_index(Path(index)), text, least=least)


def text_of(given: str, standard_input: BinaryIO) -> str:
    """The text that is meant: of the file of that name if there is one, of standard input for `-`, else as given.

    Raises CallError, also for a text that is too long to be traced, and DocumentError for one that is not UTF-8.
    """
    if given == "-":
        return _decoded(standard_input.read(TRACE_BYTES + 1), "standard input")
    if os.path.isdir(given):
        raise CallError(f"{given} is a folder; name a file in it")
    if not os.path.exists(given):
        if _is_name(given):
            raise CallError(f"there is no file {given!r}; name the file of a text, or write the text itself")
        return given
    try:
        with Path(given).open("rb") as file:
            return _decoded(file.read(TRACE_BYTES + 1), given)
    except OSError as error:
        raise CallError(f"{given} cannot be read ({reason_of(error)}); name another file") from error


def _is_name(given: str) -> bool:
    """Whether what is given was surely meant to be a file: a word with the ending of a document."""
    from royaltycli.manifest.endings import kind_of

    return not any(letter.isspace() for letter in given) and kind_of(given)[0] is not None


def _decoded(data: bytes, name: str) -> str:
    from royaltycli.attribution.tracing import too_long

    if len(data) > TRACE_BYTES:
        raise too_long()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place, byte = error.start + 1, data[error.start]
        raise DocumentError(f"{name}: not valid UTF-8 at byte {place:,} (0x{byte:02x}); save it as UTF-8") from error
