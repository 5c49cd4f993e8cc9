"""The shipped policies, against figures that were published (their sources stand in the files)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from royaltycli.arrays import exact_sum
from royaltycli.distributing import distribute_by
from royaltycli.payout.currency import find_currency
from royaltycli.payout.distribute import distribute
from royaltycli.payout.policy_payout import pay_out
from royaltycli.policies import find_policy, shipped
from tests.docs.pages import ROOT
from tests.docs.tables import code, rows_under
from tests.payout.tables import table

CENT = 1_000_000


def used(**credit):
    return pa.table({"source_id": list(credit), "credit": [str(value) for value in credit.values()]})


def apply(name, sources, pool, code="USD", **more):
    money = find_currency(code)
    return distribute(sources, find_policy(name, money), pool=pool, currency=money, **more)


@pytest.mark.parametrize(("pool", "expected"), [(50_000_000_000, "216.67"), (10_000_000_000, "43.33")])
def test_the_textbook_of_the_worked_example_earns_216_67_and_43_33(pool, expected):
    book = table(("book", 130_000, "1", {"author": "1"}))
    earned = int(apply("token-share", book, pool, total_tokens=Decimal(300_000_000_000)).sources[0])
    assert str(round(Decimal(earned) / CENT / 100, 2)) == expected


@pytest.mark.parametrize(
    ("rate", "most", "least"),
    [
        ("6.66", 99_100, 16),
        ("8.52", 77_465, 12),
        ("9.03", 73_090, 12),
        ("9.55", 69_110, 11),
        ("11.26", 58_615, 9),
        ("30.53", 21_619, 4),
        ("13.69", 48_211, 8),
        ("11.76", 56_123, 9),
        ("12.40", 53_226, 9),  # 53,225 x 12.4p is 6,599.90 pounds, and 8 x 12.4p is 99.2p
    ],
)
def test_a_rate_a_loan_spends_the_public_lending_fund_exactly(rate, most, least):
    """Stated: the rates, in pence. Computed: the loans from which on an author has 6,600 pounds, and one pound."""
    pence = Fraction(rate)
    loans = {"star": most, "near": most - 1, "some": 1000, "least": least, "less": least - 1}
    expected = {"star": 660_000, "near": pence * (most - 1), "some": pence * 1000, "least": pence * least, "less": 0}
    copies = pence.denominator  # so that the fund is whole pence
    lent = {f"{name}{copy}": count for name, count in loans.items() for copy in range(copies)}
    authors = table(*((name, 1, "1", {f"h-{name}": "1"}) for name in lent))
    fund = int(copies * sum(expected.values()))
    distribution = apply("uk-plr", authors, fund, "GBP", usage=used(**lent))
    net = dict(zip(distribution.parts.ids.to_pylist(), distribution.earnings.net.tolist(), strict=True))
    for name, amount in expected.items():
        # Holders are capped by what they earned before, in millionths: so the last one may differ.
        assert abs(net[f"h-{name}0"] - amount * CENT) <= (1 if 0 < amount < 660_000 else 0)
    assert exact_sum(distribution.earnings.net) == fund * CENT


@pytest.mark.parametrize(
    ("holders", "cap"), [(1, 50_100), (2, 50_100), (3, 250_500), (11, 626_250), (26, 1_565_625), (63, 3_915_315)]
)
def test_the_caps_of_metis_go_by_the_number_of_authors(holders, cap):
    sites = table(
        ("capped", 1, "1", {f"a{number:02}": f"1/{holders}" for number in range(holders)}),
        ("other", 1, "1", {"b": "1"}),
        ("seldom", 1, "1", {"c": "1"}),
    )
    sites = sites.append_column("documents", pa.array([100_000, 1, 10]))
    sites = sites.append_column("bytes", pa.array([10**9, 1800, 10**6]))
    usage = used(capped=10**6, other=1500, seldom=1499)
    distribution = apply("vg-wort-metis", sites, cap + 50_000, "EUR", usage=usage)
    assert distribution.sources.tolist() == [cap * CENT, 50_000 * CENT, 0]


def test_the_caps_of_metis_are_multiples_of_the_quota_of_a_text():
    policy = find_policy("vg-wort-metis", find_currency("EUR"))
    tiers = [amount / Decimal("25.05") for _, amount in policy.caps[0].tiers]
    assert tiers == [20, 100, 250, 625, 1563]


def test_what_a_text_earns_goes_to_its_author_by_seventy_percent():
    text = table(("text", 1, "1", {"author": "0.7", "publisher": "0.3"}))
    text = text.append_column("documents", pa.array([1])).append_column("bytes", pa.array([1800]))
    for quota, published in ((2505, "17.54"), (1973, "13.81")):
        parts = apply("vg-wort-metis", text, quota, "EUR", usage=used(text=1500)).part_amounts
        assert parts[0] == quota * CENT * 7 // 10
        assert str(round(Decimal(int(parts[0])) / CENT / 100 + Decimal("1e-9"), 2)) == published


def test_below_a_thousand_streams_a_track_leaves_the_denominator():
    tracks = table(("hit", 1, "1", {"a": "1"}), ("edge", 1, "1", {"b": "1"}), ("rare", 1, "1", {"c": "1"}))
    distribution = apply("spotify-gate", tracks, 400_000, usage=used(hit=3000, edge=1000, rare=999))
    assert distribution.sources.tolist() == [100_000 * CENT, 300_000 * CENT, 0]  # edge, hit, rare


def test_five_percent_go_to_other_musicians_and_the_rest_by_45_to_50():
    song = table(("song", 1, "1", {"performer": "9/19", "owner": "10/19"}), ("demo", 1, "1", {"unknown": "1"}))
    distribution = apply("soundexchange", song, 100_000, usage=used(song=999, demo=1))
    assert distribution.elsewhere == {"(fund:other-musicians)": 5_000 * CENT}
    parts = dict(zip(distribution.parts.ids.to_pylist(), distribution.earnings.net.tolist(), strict=True))
    assert (parts["performer"] * 1000 // 999, parts["owner"] * 1000 // 999) == (45_000 * CENT, 50_000 * CENT)
    payout = pay_out(distribution, "holder")
    assert dict(payout.exact)["(carried)"] == 95 * CENT + 955_000_000 % CENT  # demo's 0.95 is below ten dollars


def test_the_settlement_pays_2447_56_a_work():
    # As asked for: 1.5 thousand million less fees, costs and a reserve (318,999,421.75) and awards (150,000).
    works, asked = 482_460, Decimal("318999421.75")
    assert asked == 300_000_000 + Decimal("1969421.75") + 17_030_000
    pool = int((1_500_000_000 - asked - 3 * 50_000) * 100)
    assert pool == 118_085_057_825
    one = table(("work", 1, "1", {"author": "1/2", "publisher": "1/2"}))
    ids = pc.cast(pa.array(range(works)), pa.string())
    sources = one.take(pa.array([0] * works)).set_column(0, "source_id", ids)
    distribution = apply("per-work", sources, pool)
    assert set((distribution.sources // CENT).tolist()) == {244_756}
    payout = pay_out(distribution, "holder")
    assert payout.rows["payout"].to_pylist() == [Decimal("590425289.13"), Decimal("590425289.12")]


def test_gema_takes_thirty_percent_of_net_income_unless_the_call_says_otherwise():
    works = table(("work", 1, "1", {"a": "1"}))
    assert distribute_by("gema", works, profit="1234567.89", currency="EUR").pool == 37_037_036
    assert distribute_by("gema", works, profit="1234567.89", rate="10%", currency="EUR").pool == 12_345_678


def test_equal_parts_come_first_and_the_rest_by_tokens():
    works = table(("big", 900, "1", {"a": "1"}), ("small", 100, "1", {"b": "1"}))
    assert apply("flat-plus-percentage", works, 1000).sources.tolist() == [820 * CENT, 180 * CENT]


def test_what_nobody_is_known_for_is_kept():
    works = table(("known", 1, "1", {"a": "1"}), ("lost", 1, "1"))
    assert apply("revenue-share", works, 1000).elsewhere == {"(escrow)": 500 * CENT}


def test_the_page_on_policies_has_each_with_its_date():
    rows = rows_under((ROOT / "docs" / "policies.md").read_text(encoding="utf-8"), "## The shipped ones")
    assert {code(row[0])[0]: row[1] for row in rows} == {policy.name: policy.date for policy in shipped()}
