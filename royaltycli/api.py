"""The Python API: one function per command, on Arrow tables.

Amounts, rates and numbers of tokens are given as text (`"500e6"`, `"20%"`), int, Decimal or Fraction;
a float is refused, because it is rarely the number that was meant.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from royaltycli.arguments import Number, amount, check_types, fraction, rate_of, rows_of, text
from royaltycli.distributing import (
    PLAIN,
    STEPS,
    basis_of,
    distribute_by,
    grid_of,
    outcomes_of,
    plain_policy,
    swept_by,
    total_of,
)
from royaltycli.errors import CallError
from royaltycli.estimating import work_tokens
from royaltycli.scanning import counts_folder, merge_opened, scan_opened, spare_corpus, spare_counts, token_table

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.corpus.opening import Opened
    from royaltycli.payout.estimate import Estimate
    from royaltycli.payout.explanation import Explanation
    from royaltycli.payout.payout import By as PayoutBy
    from royaltycli.payout.payout import Payout
    from royaltycli.payout.shares import By as SharesBy
    from royaltycli.tokens.totals import Scan


def check(manifest: str | Path | None = None, *, outside: bool = False) -> Opened:
    """The corpus of a manifest and the files that a scan would read. Raises ManifestError with all problems."""
    from royaltycli.corpus.opening import open_corpus

    check_types(manifest=manifest)
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
    on: str = "local",
) -> pa.Table:
    """Count the tokens of every source; write the table to `output` if it is given, and return it.

    With an `output`, what was counted is kept beside it, and the next scan counts only what has changed;
    `counts` names another folder for that.
    See `royalty scan --help` for the arguments. Raises RoyaltyError; no table is then written.
    """
    how = {"encoding": encoding, "pattern": pattern, "engine": engine, "verify": verify, "duplicates": duplicates}
    how |= {"workers": workers, "rehash": rehash, "fresh": fresh, "on": on}
    return _written(scan_opened, check(manifest, outside=outside), output, counts, how)


def merge(
    manifest: str | Path | None = None,
    *,
    output: str | Path | None = None,
    encoding: str | None = None,
    pattern: str | None = None,
    verify: Number = "1%",
    duplicates: str | None = None,
    outside: bool = False,
    counts: str | Path | None = None,
) -> pa.Table:
    """The token table of a corpus that `royalty scan --part` has counted part by part; written to `output`, if given.

    See `royalty merge --help` for the arguments. Raises RoyaltyError; no table is then written.
    """
    how = {"encoding": encoding, "pattern": pattern, "verify": verify, "duplicates": duplicates}
    return _written(merge_opened, check(manifest, outside=outside), output, counts, how)


def _written(
    make: Callable[..., Scan],
    opened: Opened,
    output: str | Path | None,
    counts: str | Path | None,
    how: dict[str, Any],
) -> pa.Table:
    """The token table that `make` writes, given where counts are kept and `how` it is made."""
    check_types(output=output, counts=counts, encoding=how["encoding"])
    if output is not None:
        output = token_table(output)
        spare_corpus(opened, output, how["encoding"])
    spare_counts(opened, counts)
    with counts_folder(output, counts) as folder, tempfile.TemporaryDirectory(prefix="royalty-") as passing:
        table = Path(passing, "tokens") if output is None else Path(output)
        make(opened, folder, table, **how)
        return read_tokens(table)


def read_tokens(path: str | Path = "tokens.parquet") -> pa.Table:
    """The token table that a scan wrote. Raises TableError if it is missing, damaged, or of another version."""
    from royaltycli.remote.names import named_path
    from royaltycli.tokens.table import read_tokens as read

    check_types(path=path)
    return read(named_path(path))


def shares(
    tokens: pa.Table, *, by: SharesBy = "source", total_tokens: Number | None = None, top: int | None = None
) -> pa.Table:
    """The table of shares; `total_tokens` is by default the manifest's `train_tokens`. Raises AmountError."""
    from royaltycli.payout.shares import shares as compute
    from royaltycli.tokens.table import as_tokens

    check_types(by=by, top=top)
    table = as_tokens(tokens)
    return compute(table, by=by, total_tokens=total_of(table, total_tokens), top=rows_of(top))


def payout(
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number | None = None,
    currency: str = "USD",
    by: PayoutBy = "source",
    total_tokens: Number | None = None,
    top: int | None = None,
    period: str = "",
    basis: str | None = None,
    blend: Number | None = None,
    policy: str | Path | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
) -> pa.Table:
    """The payout table of a profit at a rate, whose payout column sums to the pool. Raises AmountError, CallError.

    Shares are by seen tokens, by another `basis`, or by a `blend` of usage with seen tokens. With a `policy`, by its
    rules (docs/policies.md); these may need `holders`, a file, and `usage`, a file or what `attribute` gave as table.
    """
    how: dict[str, Any] = {"currency": currency, "total_tokens": total_tokens, "period": period, "policy": policy}
    how |= {"basis": basis, "blend": blend, "holders": holders, "usage": usage}
    return distribute(tokens, profit=profit, rate=rate, by=by, top=top, **how).rows


def distribute(
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number | None = None,
    currency: str = "USD",
    by: PayoutBy = "source",
    total_tokens: Number | None = None,
    top: int | None = None,
    period: str = "",
    basis: str | None = None,
    blend: Number | None = None,
    policy: str | Path | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
) -> Payout:
    """The payout with its rows and where every unit of the pool went. Raises AmountError, CallError."""
    from royaltycli.payout.currency import find_currency, pool
    from royaltycli.payout.payout import pay
    from royaltycli.payout.policy import goes_by_tokens
    from royaltycli.payout.policy_payout import pay_out
    from royaltycli.policies.usage import usage_of
    from royaltycli.tokens.table import as_tokens

    check_types("period", currency=currency, by=by, top=top, period=period)
    table = as_tokens(tokens)
    shared_by = basis_of(basis, blend, policy=policy, usage=usage, total_tokens=total_tokens)
    run = total_of(table, total_tokens)
    if policy is not None or holders is not None:
        rules = plain_policy(shared_by) if policy is None else policy
        how: dict[str, Any] = {"currency": currency, "total_tokens": total_tokens, "period": period}
        by_policy = distribute_by(rules, table, profit=profit, rate=rate, holders=holders, usage=usage, **how)
        paid = pay_out(by_policy, by, rows_of(top))
    else:
        money = find_currency(currency)
        paid = pay(
            table,
            pool=pool(amount(profit, "profit"), rate_of(rate), money),
            currency=money,
            by=by,
            total_tokens=run,
            top=rows_of(top),
            period=period,
            basis=shared_by,
            usage=None if usage is None else usage_of(usage),
        )
    return replace(paid, run_is_ignored=run is not None and not goes_by_tokens(paid.basis))


def explain(
    identifier: str,
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number | None = None,
    basis: str | None = None,
    blend: Number | None = None,
    policy: str | Path | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
    kind: Literal["source", "holder"] | None = None,
    currency: str = "USD",
    total_tokens: Number | None = None,
    period: str = "",
) -> Explanation:
    """The steps to what a source or a holder gets. Raises CallError if there is none of that id.

    Of a holder without a policy and a list of holders they end with what `payout` pays (rule H3).
    """
    from royaltycli.payout.explanation import explain as compute
    from royaltycli.payout.explanation import paid_by_source

    how: dict[str, Any] = {"currency": currency, "total_tokens": total_tokens, "period": period}
    share = rate if policy is not None else rate_of(rate)
    plain = plain_policy(basis_of(basis, blend, policy=policy, usage=usage, total_tokens=total_tokens))
    rules = plain if policy is None else policy
    by_policy = distribute_by(rules, tokens, profit=profit, rate=share, holders=holders, usage=usage, **how)
    explained = compute(by_policy, identifier, kind)
    if policy is not None or holders is not None or explained.kind != "holder":
        return explained
    how |= {"basis": basis, "blend": blend, "usage": usage}
    return paid_by_source(explained, payout(tokens, profit=profit, rate=rate, by="holder", **how))


def compare(
    policies: Sequence[str | Path],
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
    details: bool = False,
    currency: str = "USD",
    total_tokens: Number | None = None,
    period: str = "",
    top: int | None = None,
) -> pa.Table:
    """Policies side by side: a row each, or with `details` a row for each holder. Raises CallError, AmountError.

    Of the holders, with `top`, those whom the first policy pays most, and a row for all others.
    """
    from royaltycli.payout.comparison import compared, side_by_side

    if isinstance(policies, (str, Path)):  # of a text each letter would be one
        raise CallError(f"policies is {policies!r:.80}, but must be a list of names and files")
    how: dict[str, Any] = {"currency": currency, "total_tokens": total_tokens, "period": period, "usage": usage}
    outcomes = list(outcomes_of(policies, tokens, profit=profit, rate=rate, holders=holders, **how))
    if not outcomes:
        raise CallError("no policy is given; name one or more, such as token-share")
    return side_by_side(outcomes, rows_of(top)) if details else compared(outcomes)


def sweep(
    tokens: pa.Table,
    *,
    profit: str,
    rate: str,
    steps: int = STEPS,
    policy: str | Path | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
    currency: str = "USD",
    total_tokens: Number | None = None,
    period: str = "",
) -> pa.Table:
    """What a policy pays over a grid of profits and rates, each a range such as `5%..30%`. Raises CallError."""
    from royaltycli.payout.comparison import swept

    how: dict[str, Any] = {"currency": currency, "total_tokens": total_tokens, "period": period}
    how |= {"holders": holders, "usage": usage}
    return swept(list(swept_by(policy or PLAIN, tokens, grid_of(profit, rate, steps), **how)))


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
    pattern: str | None = None,
) -> Estimate:
    """What one work would earn in a published mixture, or in a corpus of so many tokens.

    Its size is given in exactly one of four ways; a file is counted. Raises CallError for an unknown
    corpus or part, or figures that cannot be, and DocumentError if the file cannot be read.
    """
    from royaltycli.mixtures import corpus_total, find_part
    from royaltycli.payout.currency import find_currency
    from royaltycli.payout.estimate import estimate as compute

    check_types(file=file, part=part, currency=currency, encoding=encoding, pattern=pattern)
    total, mixture = corpus_total(text(corpus, "corpus"))
    if part is not None and mixture is None:
        raise CallError(f"part is {part!r}, but only a published corpus has parts; see `royalty estimate --list`")
    counted_by: dict[str, Any] = {"corpus": corpus, "encoding": encoding, "pattern": pattern}
    size = work_tokens(tokens=tokens, words=words, pages=pages, file=file, **counted_by)
    return compute(
        size,
        total=total,
        part=None if part is None or mixture is None else find_part(mixture, part),
        profit=amount(profit, "profit"),
        rate=fraction(rate, "rate"),
        currency=find_currency(currency),
    )
