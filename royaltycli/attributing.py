"""The commands of attribution, from what callers give: names, numbers as text, and files.

Between the command line with the Python API, and attribution itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from royaltycli.arguments import Number, check_types, fraction
from royaltycli.errors import AttributionError, CallError

if TYPE_CHECKING:
    from royaltycli.attribution.building import Built, Tell
    from royaltycli.attribution.usage import Usage

Method = Literal["text", "verbatim"]
Copies = Literal["split", "first"]

FOLDER = Path("index")
"""The index that a command uses unless it is told of another."""


def build(
    manifest: str | Path | None = None,
    folder: str | Path = FOLDER,
    *,
    encoding: str | None = None,
    pattern: str | None = None,
    outside: bool = False,
    tell: Tell | None = None,
) -> Built:
    """Build the index of a corpus in a folder. The encoding is the one given here, else the manifest's, or the default.

    Raises ManifestError, DocumentError, EncodingError, AttributionError and OutputError.
    """
    from royaltycli.attribution import building
    from royaltycli.attribution.folder import check_place
    from royaltycli.corpus.opening import open_corpus
    from royaltycli.scanning import vocabulary_of
    from royaltycli.workspace import working_folder

    check_types(encoding=encoding, pattern=pattern)
    place = Path(folder)
    check_place(place)
    opened = open_corpus(manifest, outside=outside)
    vocabulary = vocabulary_of(opened.corpus, encoding, pattern)
    with working_folder(place):
        return building.build_index(opened.corpus, opened.files, vocabulary, place, tell or (lambda *_: None))


def attribute(
    outputs: str | Path,
    *,
    index: str | Path = FOLDER,
    method: Method = "text",
    period: str | None = None,
    duplicates: Copies = "split",
    account_cap: Number = "10%",
    tick: Callable[[int], None] = lambda _outputs: None,
) -> Usage:
    """The usage of the sources of an index in a log of outputs.

    Raises CallError, AttributionError, and ManifestError with all that is wrong in the log.
    """
    from royaltycli.attribution.calibration import read_calibration
    from royaltycli.attribution.index import encoding_of, open_index
    from royaltycli.attribution.judging import by_matches, by_text
    from royaltycli.attribution.outputs import read_outputs
    from royaltycli.attribution.usage import attribute as run
    from royaltycli.tokens.engines import choose_engine, make_engine
    from royaltycli.tokens.reference import load_reference

    if period is not None:
        check_types(period=period)
    for name, value, known in (("method", method, Method), ("duplicates", duplicates, Copies)):
        if value not in get_args(known):
            raise CallError(f"{name} is {value!r}; it must be {' or '.join(get_args(known))}")
    cap = fraction(account_cap, "account cap")
    if not cap:
        raise CallError("account cap is 0; it is the part of all weight that one account may have, such as 10%")
    opened = open_index(Path(index))
    encoding = encoding_of(opened)
    reference = load_reference(encoding)
    engine = make_engine(choose_engine(None, encoding, reference), encoding, reference)
    log = read_outputs(Path(outputs), period=period)
    if method == "verbatim":
        return run(opened, log, engine, by_matches(opened), None, copies=duplicates, account_cap=cap, tick=tick)
    calibration = read_calibration(opened)
    if calibration is None:
        raise AttributionError(f"the index {index} is not whole; run `royalty index` again")
    judge = by_text(opened, calibration.choice)
    return run(opened, log, engine, judge, calibration.prior, copies=duplicates, account_cap=cap, tick=tick)
