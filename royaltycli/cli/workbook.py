"""`royalty payout -o payout.xlsx`: one payout by source and by holder, in one workbook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from royaltycli.cli import results

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.payout.payout import Payout
    from royaltycli.payout.policy import Policy
    from royaltycli.report.workbook import Terms

ORIGINS = {
    "corpus": "Corpus",
    "manifest_sha256": "SHA-256 of the manifest",
    "lists_sha256": "SHA-256 of its lists",
    "encoding": "Encoding",
    "vocabulary_sha256": "SHA-256 of the vocabulary",
    "duplicates": "Who is credited with copies",
    "tool": "Counted with",
}
"""What a workbook says of the scan: names of the token table's metadata, and how they are called."""


def deliver_workbook(
    tokens: pa.Table, place: Path | None, *, by: str, quiet: bool, **how: Any
) -> Payout:  # of what was asked for, for the line that proves it
    """Write a payout as a workbook; `how` are the other arguments of `api.distribute`. Raises RoyaltyError."""
    from royaltycli import api
    from royaltycli.cli import console
    from royaltycli.report.workbook import SHEETS, write_workbook

    kinds: list[Any] = [kind for kind in SHEETS if kind != "split" or by == "split"]
    payouts = {kind: api.distribute(tokens, by=kind, **how) for kind in kinds}
    terms = _terms(tokens, payouts["holder"], how)
    total = sum(paid.rows.num_rows for paid in payouts.values())
    with console.going_through("rows", quiet=quiet, total=total) as tick:
        results.deliver_written(lambda file: write_workbook(file, payouts, terms, tick), "xlsx", place)
    return payouts[by]


def _terms(tokens: pa.Table, paid: Payout, how: dict[str, Any]) -> Terms:
    from royaltycli.arguments import amount, fraction
    from royaltycli.report.rules import rules_of
    from royaltycli.report.workbook import Terms

    given, policy = how["rate"], paid.policy
    rate = policy.rate if policy is not None and given is None else fraction(given, "rate")
    assert rate is not None, "without a rate nothing was distributed"
    rules = rules_of(policy, paid.currency.code, paid.basis)
    return Terms(amount(how["profit"], "profit"), rate, how["period"], rules, tuple(_origins(tokens, policy)))


def _origins(tokens: pa.Table, policy: Policy | None) -> Iterator[tuple[str, str]]:
    from royaltycli.storage import SEAL_KEY, SEAL_START
    from royaltycli.tokens.table import metadata_of

    seal: bytes = (tokens.schema.metadata or {}).get(SEAL_KEY, b"")
    if seal.startswith(SEAL_START):
        yield "Seal of the token table", seal.removeprefix(SEAL_START).decode("ascii")
    known = metadata_of(tokens)
    yield from ((words, known[name]) for name, words in ORIGINS.items() if name in known)
    if policy is not None and policy.digest:  # one that was read from a file
        yield "SHA-256 of the policy", policy.digest
