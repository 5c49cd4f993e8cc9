"""The size of one work in tokens: as it is given, or as its file is counted."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

from royaltycli.arguments import Number, amount, text
from royaltycli.errors import CallError
from royaltycli.scanning import check_pattern, counts_folder


def work_tokens(
    *,
    tokens: Number | None,
    words: Number | None,
    pages: Number | None,
    file: str | Path | None,
    corpus: Number,
    encoding: str | None,
    pattern: str | None,
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
    useless = next((name for name, value in (("encoding", encoding), ("pattern", pattern)) if value is not None), None)
    if useless is not None and file is None:
        raise CallError(f"an encoding is for a work that is counted; name it with `--file`, or leave out `--{useless}`")
    check_pattern(encoding, pattern)
    if tokens is not None:
        return amount(tokens, "tokens")
    if words is not None:
        return Decimal(tokens_from_words(amount(words, "words")))
    if pages is not None:
        return Decimal(tokens_from_pages(amount(pages, "pages")))
    assert file is not None
    return Decimal(_count_file(Path(file), text(corpus, "corpus"), encoding, pattern))


def _count_file(file: Path, corpus: str, encoding: str | None, pattern: str | None) -> int:
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
        plan = plan_scan(alone, found.files, find_encoding(encoding or usual, pattern), folder)
        return run(plan, folder / "tokens").totals.tokens
