"""What a period is closed with, read from the files that were given or from their copies (rule L2)."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa

from royaltycli.ledger.chain import About
from royaltycli.ledger.inputs import POLICY, TOKENS, path_of
from royaltycli.payout.currency import Currency, find_currency, pool
from royaltycli.payout.distribute import distribute
from royaltycli.payout.distribution import Distribution
from royaltycli.payout.policy import Policy

INPUTS = {
    "tokens": TOKENS,
    "policy": POLICY,
    "holders": "the list of holders",
    "usage": "the usage",
}
"""The inputs of a period by their names in the journal, in words."""

PLAIN = Policy("plain", "Seen tokens, without further rules")
"""What a period is closed by without a policy."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a period, as the engine takes them."""

    table: pa.Table
    policy: Policy
    listed: pa.Table | None
    usage: pa.Table | None


def read_inputs(files: Mapping[str, Path | bytes | None], currency: Currency) -> Inputs:
    """Read the inputs of a period from files. Raises TableError, ManifestError and their kin."""
    from royaltycli.policies import find_policy
    from royaltycli.policies.holders import read_holders
    from royaltycli.policies.reading import read_policy
    from royaltycli.policies.usage import read_usage
    from royaltycli.tokens.table import read_tokens

    tokens, policy, holders, usage = (files[name] for name in INPUTS)
    assert isinstance(tokens, Path)
    assert not isinstance(holders, bytes)
    assert not isinstance(usage, bytes)
    rules = PLAIN
    if isinstance(policy, bytes):
        rules = read_policy(policy, POLICY, currency)
    elif policy is not None:
        rules = find_policy(os.fspath(policy), currency)
    rules = dataclasses.replace(rules, payment=dataclasses.replace(rules.payment, rests="carry"))
    listed = None if holders is None else read_holders(holders, currency)
    return Inputs(read_tokens(tokens), rules, listed, None if usage is None else read_usage(usage))


def read_kept(ledger: Path, about: About) -> Inputs:
    """The inputs of a transaction, from their copies. Raises LedgerError if one is missing or has changed."""
    files = {name: None if kept is None else path_of(ledger, kept) for name, kept in about["inputs"].items()}
    inputs = read_inputs(files, find_currency(about["currency"]))
    policy, copy = inputs.policy, files["policy"]
    if copy is None or policy.name != os.fspath(copy):
        return inputs
    # It has no name of its own, and where the ledger lies is not for statements.
    return dataclasses.replace(inputs, policy=dataclasses.replace(policy, name=f"policy {copy.name[:8]}"))


def distributed(inputs: Inputs, about: About, present: pa.Table | None) -> Distribution:
    """The distribution of a period by what its transaction is about."""
    currency = find_currency(about["currency"])
    total = about["total_tokens"]
    return distribute(
        inputs.table,
        inputs.policy,
        pool=pool(Decimal(about["profit"]), Fraction(about["rate"]), currency),
        currency=currency,
        total_tokens=None if total is None else Decimal(total),
        usage=inputs.usage,
        listed=present,
        period=about["period"],
    )
