"""The Python API: one function per command, on Arrow tables.

Amounts, rates and numbers of tokens are given as text (`"500e6"`, `"20%"`), int, Decimal or Fraction;
a float is refused, because it is rarely the number that was meant.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from royaltycli.errors import CallError
from royaltycli.numerals import parse_amount, parse_fraction, plain, plain_fraction

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.corpus.opening import Opened
    from royaltycli.payout.estimate import Estimate
    from royaltycli.payout.payout import Payout
    from royaltycli.tokens.count import Tick
    from royaltycli.tokens.scan import Plan, Scan

Number = str | int | Decimal | Fraction
PayoutBy = Literal["source", "holder", "split"]
SharesBy = Literal["source", "holder", "license", "collection"]


def check(manifest: str | Path | None = None, *, outside: bool = False) -> Opened:
    """The corpus of a manifest and the files that a scan would read. Raises ManifestError with all problems."""
    from royaltycli.corpus.opening import open_corpus

    _check_types(manifest=manifest)
    return open_corpus(manifest, outside=outside)


def scan(
    manifest: str | Path | None = None,
    *,
    output: str | Path | None = None,
    encoding: str | None = None,
    pattern: str | None = None,
    engine: str | None = None,
    workers: int | None = None,
    verify: Number = "1%",
    duplicates: str | None = None,
    outside: bool = False,
    rehash: bool = False,
    fresh: bool = False,
    counts: str | Path | None = None,
) -> pa.Table:
    """Count the tokens of every source; write the table to `output` if it is given, and return it.

    With an `output`, what was counted is kept beside it, and the next scan counts only what has changed;
    `counts` names another folder for that.
    See `royalty scan --help` for the arguments. Raises RoyaltyError; no table is then written.
    """
    from royaltycli.storage import check_place

    _check_types(output=output, counts=counts)
    if output is not None:
        check_place(Path(output))
    opened = check(manifest, outside=outside)
    if output is not None:
        spare_corpus(opened, Path(output))
    with counts_folder(output, counts) as folder:
        table = folder / "tokens" if output is None else Path(output)
        scan_opened(
            opened,
            folder,
            table,
            workers=workers,
            encoding=encoding,
            pattern=pattern,
            engine=engine,
            verify=verify,
            duplicates=duplicates,
            rehash=rehash,
            fresh=fresh,
        )
        return read_tokens(table)


@contextlib.contextmanager
def counts_folder(output: str | Path | None, counts: str | Path | None = None) -> Iterator[Path]:
    """The folder in which a scan keeps what it has counted: the one given, hidden beside its output, or a passing one.

    For an output on another machine it is in the user's cache.
    """
    from royaltycli.tokens.partials import folder_of
    from royaltycli.workspace import working_folder

    if counts is not None or output is not None:
        with working_folder(folder_of(Path(output or "")) if counts is None else Path(counts)) as folder:
            yield folder
    else:
        # After an error a worker may still be at a shard that nobody waits for, and write into it.
        with tempfile.TemporaryDirectory(prefix="royalty-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)


def spare_corpus(opened: Opened, output: Path) -> None:
    """Raises OutputError if a result would take the place of the manifest, one of its lists, or a document."""
    from royaltycli.errors import OutputError
    from royaltycli.remote.locations import is_remote, written

    corpus = opened.corpus
    place = written(output) if is_remote(written(output)) else os.path.realpath(output)
    manifest = Path(corpus.file)
    own = {os.path.realpath(path) for path in (manifest, *(manifest.parent / name for name, _ in corpus.lists))}
    if place in own or any(file.path == place for file in opened.files):
        raise OutputError(
            f"{written(output)} belongs to the corpus, and would be lost; name another file for the table"
        )


def plan_opened(
    opened: Opened,
    folder: Path,
    *,
    encoding: str | None = None,
    pattern: str | None = None,
    engine: str | None = None,
    verify: Number = "1%",
    duplicates: str | None = None,
    rehash: bool = False,
    fresh: bool = False,
) -> Plan:
    """What a scan of a corpus that `check` has opened must count, given what is kept in `folder`.

    The encoding is the one given here, else the manifest's, else the default; so is the way with duplicates.
    """
    from royaltycli.tokens.encodings import DEFAULT_ENCODING, find_encoding
    from royaltycli.tokens.scan import plan_scan

    _check_types(encoding=encoding, pattern=pattern, engine=engine, duplicates=duplicates)
    corpus = opened.corpus
    if encoding is not None:
        vocabulary = find_encoding(encoding, pattern or corpus.pattern)
    else:
        vocabulary = find_encoding(corpus.encoding or DEFAULT_ENCODING, pattern or corpus.pattern, corpus.folder)
    rate = _fraction(verify, "verify")
    return plan_scan(
        corpus,
        opened.files,
        vocabulary,
        folder,
        engine=engine,
        verify=rate,
        duplicates=duplicates,
        rehash=rehash,
        fresh=fresh,
    )


def scan_opened(
    opened: Opened,
    folder: Path,
    output: Path,
    *,
    workers: int | None = None,
    tick: Tick | None = None,
    top: int = 0,
    **options: Any,
) -> Scan:
    """Scan a corpus that `check` has opened, into `output`; the options are those of `plan_opened`.

    The totals name the `top` largest sources.
    """
    from royaltycli.tokens.scan import run

    _check_types(workers=workers)
    plan = plan_opened(opened, folder, **options)
    watched = {} if tick is None else {"tick": tick}
    return run(plan, output, workers=workers, top=top, **watched)


def read_tokens(path: str | Path = "tokens.parquet") -> pa.Table:
    """The token table that a scan wrote. Raises TableError if it is missing, damaged, or of another version."""
    from royaltycli.tokens.table import read_tokens as read

    _check_types(path=path)
    return read(Path(path))


def shares(
    tokens: pa.Table, *, by: SharesBy = "source", total_tokens: Number | None = None, top: int | None = None
) -> pa.Table:
    """The table of shares; `total_tokens` is by default the manifest's `train_tokens`. Raises AmountError."""
    from royaltycli.payout.shares import shares as compute

    _check_types(by=by, top=top)
    table = _table(tokens)
    return compute(table, by=by, total_tokens=_total(table, total_tokens), top=_top(top))


def payout(
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number,
    currency: str = "USD",
    by: PayoutBy = "source",
    total_tokens: Number | None = None,
    top: int | None = None,
    period: str = "",
) -> pa.Table:
    """The payout table of a profit at a rate, whose payout column sums to the pool. Raises AmountError, CallError."""
    options = {"currency": currency, "by": by, "total_tokens": total_tokens, "top": top, "period": period}
    return distribute(tokens, profit=profit, rate=rate, **options).rows  # type: ignore[arg-type]


def distribute(
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number,
    currency: str = "USD",
    by: PayoutBy = "source",
    total_tokens: Number | None = None,
    top: int | None = None,
    period: str = "",
) -> Payout:
    """The payout with its rows and where every unit of the pool went. Raises AmountError, CallError."""
    from royaltycli.payout.currency import currency as find_currency
    from royaltycli.payout.currency import pool
    from royaltycli.payout.payout import pay

    _check_types(currency=currency, by=by, top=top, period=period)
    share_out = pool(_amount(profit, "profit"), _fraction(rate, "rate"), find_currency(currency))
    table = _table(tokens)
    total = _total(table, total_tokens)
    return pay(
        table,
        pool=share_out.units,
        currency=share_out.currency,
        by=by,
        total_tokens=total,
        top=_top(top),
        period=period,
    )


def estimate(
    tokens: Number | None = None,
    *,
    words: Number | None = None,
    pages: Number | None = None,
    file: str | Path | None = None,
    corpus: Number = "gpt-3",
    part: str | None = None,
    profit: Number,
    rate: Number = "100%",
    currency: str = "USD",
    encoding: str | None = None,
) -> Estimate:
    """What one work would earn in a published mixture, or in a corpus of so many tokens.

    Its size is given in exactly one of four ways; a file is counted. Raises CallError for an unknown
    corpus or part, or figures that cannot be, and DocumentError if the file cannot be read.
    """
    from royaltycli.mixtures import corpus_total, find_part
    from royaltycli.payout.currency import currency as find_currency
    from royaltycli.payout.estimate import estimate as compute

    _check_types(file=file, part=part, currency=currency, encoding=encoding)
    total, mixture = corpus_total(_text(corpus, "corpus"))
    if part is not None and mixture is None:
        raise CallError(f"part is {part!r}, but only a published corpus has parts; see `royalty estimate --list`")
    size = work_tokens(tokens=tokens, words=words, pages=pages, file=file, corpus=corpus, encoding=encoding)
    return compute(
        size,
        total=total,
        part=None if part is None or mixture is None else find_part(mixture, part),
        profit=_amount(profit, "profit"),
        rate=_fraction(rate, "rate"),
        currency=find_currency(currency),
    )


def work_tokens(
    *,
    tokens: Number | None = None,
    words: Number | None = None,
    pages: Number | None = None,
    file: str | Path | None = None,
    corpus: Number = "gpt-3",
    encoding: str | None = None,
) -> Decimal:
    """The tokens of one work, given in exactly one of four ways; a file is counted in the corpus's encoding.

    Raises CallError if it is given in none or several, DocumentError if the file cannot be read.
    """
    from royaltycli.payout.estimate import tokens_from_pages, tokens_from_words

    given = [
        name
        for name, value in (("tokens", tokens), ("words", words), ("pages", pages), ("file", file))
        if value is not None
    ]
    if len(given) != 1:
        found = "none of them was" if not given else " and ".join(f"--{name}" for name in given) + " were"
        raise CallError(f"the size of the work is one of --tokens, --words, --pages and --file, but {found} given")
    if tokens is not None:
        return _amount(tokens, "tokens")
    if words is not None:
        return Decimal(tokens_from_words(_amount(words, "words")))
    if pages is not None:
        return Decimal(tokens_from_pages(_amount(pages, "pages")))
    assert file is not None
    return Decimal(_count_file(Path(file), _text(corpus, "corpus"), encoding))


def _count_file(file: Path, corpus: str, encoding: str | None) -> int:
    """The tokens of all documents in a file, as a scan of a corpus of this one source counts them."""
    from royaltycli.corpus.files import find_files
    from royaltycli.errors import ManifestError, Place
    from royaltycli.manifest.endings import ENDINGS_WORDS, kind_of
    from royaltycli.manifest.model import Corpus, Source
    from royaltycli.mixtures import corpus_total
    from royaltycli.tokens.encodings import DEFAULT_ENCODING, PUBLIC, find_encoding
    from royaltycli.tokens.scan import plan_scan, run

    if not os.path.isfile(file):
        raise CallError(f"there is no file {os.fspath(file)!r}; name the text of the work")
    if kind_of(file.name)[0] is None:
        raise CallError(f"{file} is not known by its ending to hold text; documents end in {ENDINGS_WORDS}")
    _, mixture = corpus_total(corpus)
    usual = mixture.tokenizer if mixture is not None and mixture.tokenizer in PUBLIC else DEFAULT_ENCODING
    work = Source("work", Place(str(file)), (file.name,))
    alone = Corpus(str(file), file.parent, "", sources=(work,))
    found = find_files(alone, outside=True)
    if found.problems:
        raise ManifestError(found.problems)
    with counts_folder(None) as folder:
        plan = plan_scan(alone, found.files, find_encoding(encoding or usual), folder)
        return run(plan, folder / "tokens").totals.tokens


def _check_types(**given: object) -> None:
    """Raises CallError for an argument that is not even of the kind that its name says; numbers are read elsewhere."""
    for name, value in given.items():
        needed = name in ("path", "currency", "by", "period")
        kinds: tuple[type, ...] = (str,)
        words = "text"
        if name in ("manifest", "output", "counts", "path", "file", "encoding"):
            kinds, words = (str, os.PathLike), "text or a Path"
        elif name in ("workers", "top"):
            kinds, words = (SupportsIndex,), "a whole number"
        if not isinstance(value, kinds) and (needed or value is not None):
            raise CallError(f"{name} is {value!r:.80}, but must be {words}")


def _table(tokens: pa.Table) -> pa.Table:
    import pyarrow as pa

    from royaltycli.tokens.table import as_tokens

    if not isinstance(tokens, pa.Table):
        raise CallError(f"tokens is {tokens!r:.80}, but must be a table; `royaltycli.read_tokens(path)` reads one")
    return as_tokens(tokens)


def _total(tokens: pa.Table, given: Number | None) -> Decimal | None:
    from royaltycli.tokens.table import metadata_of

    written = metadata_of(tokens).get("train_tokens") if given is None else given
    return None if written is None else _amount(written, "total tokens")


def _top(top: int | None) -> int | None:
    if top is not None and top < 0:
        raise CallError(f"top is {top}; it must be 1 or more, or 0 for all")
    return top or None


def _amount(number: Number, what: str) -> Decimal:
    return parse_amount(_text(number, what), what)


def _fraction(number: Number, what: str) -> Fraction:
    return parse_fraction(_text(number, what), what)


def _text(number: Number, what: str) -> str:
    if isinstance(number, str):
        return number
    if isinstance(number, bool) or not isinstance(number, (int, Decimal, Fraction)):
        raise CallError(f"{what} is {number!r}; give it as text, int, Decimal or Fraction, which are exact")
    return plain(number) if isinstance(number, Decimal) and number.is_finite() else _plain(number)


def _plain(number: int | Decimal | Fraction) -> str:
    return plain_fraction(number) if isinstance(number, Fraction) else str(number)
