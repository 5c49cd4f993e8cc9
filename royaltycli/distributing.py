"""A pool distributed by a policy, from what callers give: names, numbers as text, and files.

Between the command line with the Python API and the pure computation in `payout`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from royaltycli.arguments import Number, amount, check_types, fraction
from royaltycli.errors import CallError
from royaltycli.numerals import EXACT
from royaltycli.payout.policy import SEEN_TOKENS, Measure, Payment, Policy, Weighted, goes_by_tokens

if TYPE_CHECKING:
    import pyarrow as pa

    from royaltycli.payout.comparison import Outcome
    from royaltycli.payout.distribution import Distribution

PLAIN = "token-share"
"""The policy that stands for none: whole minor units by seen tokens."""

BASES: dict[str, Measure] = {name.replace("_", "-"): name for name in get_args(Measure)}
"""What shares can be proportional to, by the words that people type."""

STEPS, MOST_STEPS = 5, 1000
"""Values of a range, such as `5%..30%`, unless it is said how many; and at the most."""


def distribute_by(
    policy: str | Path | Policy,
    tokens: pa.Table,
    *,
    profit: Number,
    rate: Number | None = None,
    currency: str = "USD",
    total_tokens: Number | None = None,
    holders: str | Path | None = None,
    usage: str | Path | pa.Table | None = None,
    period: str = "",
) -> Distribution:
    """The distribution of a profit at a rate by a policy: the name of a shipped one, a file, or a Policy.

    `rate` is by default the policy's own. `holders` is a file with a list of holders, and `usage` a file or table with
    the credits of sources (docs/policies.md). Raises RoyaltyError.
    """
    from royaltycli.payout.currency import find_currency, pool
    from royaltycli.payout.distribute import distribute
    from royaltycli.policies.holders import read_holders
    from royaltycli.policies.usage import usage_of
    from royaltycli.tokens.table import as_tokens

    check_types("period", currency=currency, period=period, holders=holders, usage=usage)
    money = find_currency(currency)
    rules = _found(policy, currency)
    rules.check_usage(usage)
    share = rules.rate_or(None if rate is None else fraction(rate, "rate"))
    table = as_tokens(tokens)
    return distribute(
        table,
        rules,
        pool=pool(amount(profit, "profit"), share, money),
        currency=money,
        total_tokens=total_of(table, total_tokens),
        usage=None if usage is None else usage_of(usage),
        listed=None if holders is None else read_holders(Path(holders), money),
        period=period,
    )


def _found(policy: str | Path | Policy, currency: str) -> Policy:
    from royaltycli.payout.currency import find_currency
    from royaltycli.policies import find_policy

    if isinstance(policy, Policy):
        return policy
    check_types(policy=policy, currency=currency)
    return find_policy(os.fspath(policy), find_currency(currency))


def basis_of(
    basis: str | None,
    blend: Number | None,
    *,
    policy: str | Path | None,
    usage: str | Path | pa.Table | None,
    total_tokens: Number | None = None,
) -> Weighted:
    """What shares are proportional to without a policy: a basis by its name, or a blend of usage with seen tokens.

    Raises CallError for a name that is not known, and for what does not go together, such as any of these with a
    policy, usage that nothing is shared out by, or the tokens of the whole run with a measure that is not of tokens.
    """
    check_types(basis=basis, policy=policy, usage=usage)
    if policy is not None:
        if basis is not None or blend is not None:
            raise CallError(
                "the policy says what shares go by; leave out `--basis` and `--blend`, or write them under [basis] of "
                "a policy file"
            )
        return SEEN_TOKENS
    name = "seen_tokens" if basis is None else BASES.get(basis.replace("_", "-"))
    if name is None:
        raise CallError(f"basis is {basis!r}; it must be one of {', '.join(BASES)}")
    if blend is None:
        chosen: Weighted = ((name, Fraction(1)),)
    elif basis is not None and name != "usage":
        raise CallError(
            "a blend is of usage and seen tokens; leave out `--basis`, or write another under [basis] of a policy file"
        )
    else:
        part = fraction(blend, "blend")
        name, chosen = "usage", (("seen_tokens", 1 - part), ("usage", part))
    words = name.replace("_", " ")
    if total_tokens is not None and not goes_by_tokens(chosen):
        raise CallError(
            f"shares go by {words}, of which the whole run has an unknown number; leave out `--total-tokens`, or say "
            "`--basis tokens`"
        )
    if usage is not None and "usage" not in dict(chosen):
        raise CallError(
            f"shares go by {words}, but a usage table is given; say `--basis usage`, `--blend` or `--policy`, or leave "
            "out `--usage`"
        )
    return chosen


def plain_policy(basis: Weighted) -> str | Policy:
    """The policy that stands for none, by a basis: whole minor units, without further rules."""
    if basis == SEEN_TOKENS:
        return PLAIN
    from royaltycli.report.rules import basis_words

    title = f"{basis_words(basis)}, without further rules"
    return Policy("plain", title, basis=basis, payment=Payment(rests="round"))


def total_of(tokens: pa.Table, given: Number | None) -> Decimal | None:
    """The size of the whole run in seen tokens: what is given, else what the manifest said, if it did."""
    from royaltycli.tokens.table import run_of

    return run_of(tokens) if given is None else amount(given, "total tokens")


def outcomes_of(
    policies: Sequence[str | Path | Policy],
    tokens: pa.Table,
    *,
    currency: str = "USD",
    usage: str | Path | pa.Table | None = None,
    **how: Any,
) -> Iterator[Outcome]:
    """What each policy comes to on one corpus; `how` are the other arguments of `distribute_by`.

    A usage table is for those that go by usage. Raises CallError if none does, and if two have one name, as columns
    are named by it.
    """
    from royaltycli.payout.comparison import outcome

    names: set[str] = set()
    found = [_found(policy, currency) for policy in policies]
    for policy in found:
        if policy.goes_by_usage and usage is None:
            raise CallError(
                f"the policy {policy.name} goes by usage, but no usage table is given; name it with `--usage`, or "
                "leave the policy out"
            )
    used = any(policy.goes_by_usage for policy in found)
    for policy in found:
        own = usage if policy.goes_by_usage or not used else None
        result = outcome(distribute_by(policy, tokens, currency=currency, usage=own, **how))
        if result.policy in names:
            raise CallError(f"two policies are named {result.policy}; give one of them another `name`")
        names.add(result.policy)
        yield result


def swept_by(
    policy: str | Path | Policy, tokens: pa.Table, grid: Sequence[tuple[Decimal, Fraction]], **how: Any
) -> Iterator[tuple[Decimal, Fraction, Outcome]]:
    """What a policy comes to at each profit and rate; `how` are the other arguments of `distribute_by`."""
    from royaltycli.payout.comparison import outcome

    for profit, rate in grid:
        yield profit, rate, outcome(distribute_by(policy, tokens, profit=profit, rate=rate, **how))


def grid_of(profit: str, rate: str, steps: int = STEPS) -> list[tuple[Decimal, Fraction]]:
    """Every profit of a range with every rate of another. Raises CallError."""
    rates = values_of(rate, "rate", steps)
    return [(amount_of(profit), rate) for profit in values_of(profit, "profit", steps) for rate in rates]


def values_of(given: str, what: Literal["profit", "rate"], steps: int = STEPS) -> list[Fraction]:
    """The values of a range such as `5%..30%`, `steps` of them, equally far apart; or those listed: `5% 10%`.

    Raises CallError.
    """
    read = fraction if what == "rate" else lambda number, name: Fraction(amount(number, name))
    if ".." not in given:
        return [read(one, what) for one in given.split()] or [read(given, what)]
    first, _, last = given.partition("..")
    low, high = read(first.strip(), what), read(last.strip(), what)
    if low >= high or not 2 <= steps <= MOST_STEPS:  # noqa: PLR2004 -- the two ends
        example = "5%..30%" if what == "rate" else "100e6..1e9"
        raise CallError(f"{what} is {given!r}; a range goes up, such as {example}, in 2 to {MOST_STEPS} steps")
    return [low + (high - low) * step / (steps - 1) for step in range(steps)]


def amount_of(profit: Fraction) -> Decimal:
    """A profit as a decimal, rounded down to a millionth of the currency where it has no end."""
    return Decimal(profit.numerator * 10**6 // profit.denominator).scaleb(-6, EXACT)
