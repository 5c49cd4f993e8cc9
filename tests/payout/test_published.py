"""Published figures of real schemes, found again by the rules of docs/spec-policy.md.

The policies that are shipped have their own tests in tests/policies; here the engine is given the rules directly.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import numpy as np
import pyarrow as pa
import pytest

from royaltycli.payout.distribute import distribute
from royaltycli.payout.policy import Cap, Floor, Gate, Policy
from tests.payout.policy_checks import DOLLAR, MILLION, engine
from tests.payout.policy_strategies import COLUMNS, Case, source
from tests.payout.tables import HOLDERS

BY_USAGE = (("usage", Fraction(1)),)


# -- the worked example -------------------------------------------------------------------------
@pytest.mark.parametrize(("pool", "dollars"), [(50_000_000_000, "216.67"), (10_000_000_000, "43.33")])
def test_130_000_of_300_thousand_million_tokens(pool, dollars):
    book = source("book", 130_000, {"author": "1"})
    made = engine(Case([book], Policy("token-share"), pool, whole=Decimal("300e9")))
    assert made.sources["book"] == round(Fraction(pool * MILLION * 130_000, 300_000_000_000))
    assert f"{Decimal(made.sources['book']) / MILLION / 100:.2f}" == dollars


# -- UK Public Lending Right: the rate per loan is solved ------------------------------------------
@pytest.mark.parametrize("per", ["holder", "source"])
@pytest.mark.parametrize("rate", ["6.66", "8.52", "9.03", "9.55", "11.26", "13.69", "11.76", "12.40"])
def test_a_fund_that_was_spent_at_a_rate_per_loan_gives_that_rate(rate, per):
    """At 12.40p the greatest payment is reached from 53,226 loans and the least from 9."""
    pence = Fraction(rate)
    most, least = ceil(660_000 / pence), ceil(100 / pence)
    if rate == "12.40":
        assert (most, least) == (53_226, 9)
    loans = {"star": most, "more": 10 * most, "near": most - 1, "some": 1000, "least": least, "under": least - 1}
    expected = {
        name: 660_000 if count >= most else pence * count if count >= least else 0 for name, count in loans.items()
    }
    copies = pence.denominator  # so that the fund is whole pence
    authors = {f"{name}{copy}": name for copy in range(copies) for name in loans}
    policy = Policy(
        "plr",
        basis=BY_USAGE,
        caps=(Cap(per, ((1, Decimal(6600)),)),),
        floors=(Floor(per, Decimal(1), "leave"),),
    )
    fund = copies * sum(expected.values())
    assert fund.denominator == 1
    case = Case(
        [source(author, 1, {author: "1"}) for author in authors],
        policy,
        int(fund),
        usage={author: str(loans[name]) for author, name in authors.items()},
    )
    made = engine(case)
    assert made.elsewhere == {}
    net = {author: line["net"] for author, line in made.holders.items()}
    assert sum(net.values()) == fund * MILLION
    # Weights are rounded to millionths of a penny, and what caps leave to the others enlarges that.
    enlarged = ceil(pence * copies * sum(loans.values()) / fund)
    for author, name in authors.items():
        loose = 0 if expected[name] in (0, 660_000) else enlarged
        assert abs(net[author] - expected[name] * MILLION) <= loose


# -- VG Wort METIS: caps by the number of authors ---------------------------------------------------
METIS = {
    "25.05": ["501.00", "2505.00", "6262.50", "15656.25", "39153.15"],
    "33.34": ["666.80", "3334.00", "8335.00", "20837.50", "52110.42"],
}


@pytest.mark.parametrize("quota", METIS)
def test_caps_by_the_number_of_authors(quota):
    times, authors = (20, 100, 250, 625, 1563), (1, 3, 11, 26, 63)
    amounts = [Decimal(quota) * each for each in times]
    assert [str(amount) for amount in amounts] == METIS[quota]
    tiers = tuple(zip(authors, amounts, strict=True))
    counts = (1, 2, 3, 10, 11, 25, 26, 62, 63, 64)
    rows = [
        source(f"by{count:02}", 1, {f"a{number:02}": f"1/{count}" for number in range(count)}, bytes=1800)
        for count in counts
    ]
    rows += [source("short", 1, {"b": "1"}, bytes=1799), source("seldom", 1, {"b": "1"}, bytes=1800)]
    usage = {row["source_id"]: "1500" for row in rows} | {"seldom": "1499"}
    gate = Gate("pool", minimum={"usage": Decimal(1500), "bytes": Decimal(1800)})
    policy = Policy("metis", basis=BY_USAGE, gates=(gate,), caps=(Cap("source", tiers, "fund:next"),))
    made = engine(Case(rows, policy, 10**8, usage=usage))
    at = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    expected = {f"by{count:02}": int(amounts[tier] * 100) * MILLION for count, tier in zip(counts, at, strict=True)}
    assert made.sources == expected | {"short": 0, "seldom": 0}
    assert made.elsewhere == {"(fund:next)": 10**8 * MILLION - sum(expected.values())}


# -- Spotify: a track under 1,000 streams leaves the denominator ------------------------------------
def test_half_a_percent_of_the_pool_moves_to_the_tracks_with_a_thousand_streams():
    streams = {f"hit{number}": 1980 for number in range(100)} | {"edge": 1000, "under": 999, "once": 1}
    rows = [source(name, 1) for name in streams]
    usage = {name: str(count) for name, count in streams.items()}
    gate = Gate("pool", minimum={"usage": Decimal(1000)})
    pool = 200_000_00
    before = engine(Case(rows, Policy("plain", basis=BY_USAGE), pool, usage=usage)).sources
    after = engine(Case(rows, Policy("gate", basis=BY_USAGE, gates=(gate,)), pool, usage=usage)).sources
    assert before["under"] + before["once"] == pool * MILLION // 200  # 0.5 %
    assert (after["under"], after["once"]) == (0, 0)
    assert before["edge"] == 1000_00 * MILLION
    assert after["edge"] == pytest.approx(Fraction(1000_00 * MILLION * 200, 199), abs=1)
    assert sum(after.values()) == sum(before.values()) == pool * MILLION


# -- Bartz v. Anthropic: per work, equal ------------------------------------------------------------
def test_482_460_works_get_2447_56_dollars_each_halved_by_author_and_publisher():
    works, pool = 482_460, 150_000_000_000 - 31_899_942_175 - 15_000_000
    assert pool == 118_085_057_825
    numbers = pa.array(np.arange(works).astype(str))
    halves = pa.array(np.full(2 * works, "0.5"))
    ids = pa.array([each for name in numbers.to_pylist() for each in (f"a{name}", f"p{int(name) % 100}")])
    parts = pa.StructArray.from_arrays([ids, ids, halves], fields=list(HOLDERS.value_type))
    ones, texts = pa.array(np.ones(works, np.int64)), pa.array(np.full(works, "1"))
    columns = {
        "source_id": numbers,
        "title": pa.nulls(works, pa.string()),
        "holders": pa.ListArray.from_arrays(np.arange(0, 2 * works + 1, 2, np.int32), parts),
        "license": pa.nulls(works, pa.string()),
        "documents": ones,
        "bytes": ones,
        "tokens": ones,
        "credited_tokens": ones,
        "epochs": texts,
    }
    table = pa.table([columns[name] for name in COLUMNS.names], COLUMNS)
    made = distribute(table, Policy("per-work", basis=(("works", Fraction(1)),)), pool=pool, currency=DOLLAR)
    quota = pool * MILLION // works
    assert set(made.sources.tolist()) == {quota, quota + 1}
    assert f"{Decimal(quota) / MILLION / 100:.2f}" == "2447.56"
    net = dict(zip(made.parts.ids.to_pylist(), made.earnings.net.tolist(), strict=True))
    assert abs(net["a7"] - Fraction(quota, 2)) <= 1
    assert sum(net.values()) == pool * MILLION
