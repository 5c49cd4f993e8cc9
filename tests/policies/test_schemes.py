"""Published figures of real schemes that have no shipped policy, or more figures than its notes quote.

Each goes the way of a user: a policy as TOML text, a token table and a usage file, and `royaltycli.distribute`, which
is what `royalty payout --policy` calls. The figures of the shipped policies are in `test_named`, those of the worked
example, the rates of the Public Lending Right and Spotify's half a percent also in `tests/payout/test_published`.

"Stated" is what the scheme itself or a report of it says, "computed" what follows from that by arithmetic. What a
docstring calls "chosen" is not published, and is only there because a payout cannot be made without it.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations

import pyarrow as pa
import pytest

from royaltycli import api
from royaltycli.errors import CallError
from royaltycli.ledger.escrow import redistribute, unclaimed
from royaltycli.policies import text_of
from tests.ledger.corpora import CENT, DOLLAR, A, B, Ledger
from tests.payout.tables import table

BY_USAGE = '[basis]\nusage = "100%"\n'


@pytest.fixture
def pay(tmp_path):
    """Pays by a policy, given as text: {id: amount} of `column`, and of what goes elsewhere."""

    def paid(policy, sources, profit, usage=None, column="payout", **how):
        path = tmp_path / "policy.toml"
        path.write_text(policy, encoding="utf-8")
        if usage is not None:
            lines = ["source_id,credit", *(f"{name},{credit}" for name, credit in usage.items())]
            how["usage"] = tmp_path / "usage.csv"
            how["usage"].write_text("\n".join(lines) + "\n", encoding="utf-8")
        rows = api.distribute(sources, profit=profit, policy=path, **how).rows
        return {name: str(amount) for name, amount in zip(rows[0].to_pylist(), rows[column].to_pylist(), strict=True)}

    return paid


def works(*names):
    """A token table of sources of one token, each with a holder of the same name."""
    return table(*((name, 1, "1", {name: "1"}) for name in names))


# -- a part of revenue: Perplexity, ProRata, CRCAT, Norway ---------------------------------------
@pytest.mark.parametrize(("months", "expected"), [(1, "4.00"), (10_625_000, "42500000.00")])
def test_perplexity_gives_4_of_5_dollars_to_publishers(pay, months, expected):
    """Perplexity, Comet Plus, August 2025. Stated: 80 % of 5 dollars a subscriber a month; a first pool of 42.5 million.

    Computed: that pool is as much as 80 % of 10,625,000 months at 5 dollars. How it is shared among publishers has no figures.
    """
    assert pay('rate = "80%"', works("publisher"), 5 * months) == {"publisher": expected}


def test_prorata_gives_half_of_revenue_by_contribution_to_each_answer(pay):
    """ProRata (Gist). Stated: 50 % of revenue, by contribution to each answer.

    Chosen: two answers that earn 1.00 each, to which a and b contributed 0.7 and 0.3, and 0.2 and 0.8.
    """
    credit = {"a": Decimal("0.7") + Decimal("0.2"), "b": Decimal("0.3") + Decimal("0.8")}
    assert pay('rate = "50%"\n' + BY_USAGE, works("a", "b"), "2.00", credit) == {"a": "0.45", "b": "0.55"}


def test_crcat_has_no_rate_until_one_is_set(pay):
    """DPIIT (India), working paper of December 2025. Stated: a part of revenue, the rate not set; no holder can opt out."""
    with pytest.raises(CallError, match=r"the policy revenue-share has no rate of its own"):
        pay(text_of("revenue-share"), works("a"), "100")
    opted_out = table(("a", 1, "1", {"a": "1"}, None, "no AI training"), ("b", 3, "1", {"b": "1"}))
    assert pay(text_of("revenue-share"), opted_out, "100", rate="2%") == {"b": "1.50", "a": "0.50"}


def test_norway_shares_45_million_kroner_to_the_last_oere(pay):
    """Kopinor and the National Library of Norway, December 2025. Stated: NOK 45 million a year for newspaper content.

    Chosen: seven newspapers of one size. Seven parts rounded each on its own would make 45,000,000.01.
    """
    newspapers = [f"newspaper-{number}" for number in range(7)]
    amounts = pay(text_of("token-share"), works(*newspapers), "45e6", rate=1, currency="NOK")
    assert Counter(amounts.values()) == {"6428571.43": 6, "6428571.42": 1}
    assert sum(map(Decimal, amounts.values())) == Decimal("45000000.00")


# -- by use: Spotify, Kindle Select, Public Lending Right, METIS ---------------------------------
def test_spotify_moves_half_a_percent_of_the_pool(pay):
    """Spotify, from April 2024. Stated: tracks below 1,000 streams have 0.5 % of the royalties, which go to the others.

    Chosen: 200,000 streams and as many dollars; one of the small tracks has 999 streams, the other one.
    """
    streams, dollars = {"hit": 198_000, "edge": 1000, "near": 999, "once": 1}, "200_000"
    before = {"hit": "198000.00", "edge": "1000.00", "near": "999.00", "once": "1.00"}
    assert pay('rate = "100%"\n' + BY_USAGE, works(*streams), dollars, streams) == before
    after = pay(text_of("spotify-gate"), works(*streams), dollars, streams, rate=1)
    assert after == {"hit": "198994.97", "edge": "1005.03", "near": "0.00", "once": "0.00"}


@pytest.mark.parametrize(
    ("pages", "a_page", "most"), [(12_420_000_000, "0.005", "15.00"), (15_525_000_000, "0.004", "12.00")]
)
def test_kindle_select_pays_by_pages_read(pay, pages, a_page, most):
    """Amazon, KDP Select Global Fund, September 2025. Stated: 62.1 million dollars; 0.0040 to 0.0050 a page; at most 3,000
    pages of a title count for one reader.

    Computed: the fund at these rates is 15,525 to 12,420 million pages, and one reader brings a title 12.00 to 15.00.
    Not shown: the limit itself. A policy knows no readers, so it is kept where pages are counted, in the usage file.
    """
    read = {"page": 1, "longest": 3000, "others": pages - 3001}
    policy = 'rate = "100%"\n' + BY_USAGE
    earned = pay(policy, works(*read), "62.1e6", read, column="earned")
    assert {name: Decimal(earned[name]) for name in ("page", "longest")} == {
        "page": Decimal(a_page),
        "longest": Decimal(most),
    }
    assert pay(policy, works(*read), "62.1e6", read)["longest"] == most


def test_at_6_66_pence_a_loan_6_03_million_pounds_reach_22_053_authors_190_of_them_at_the_cap(pay):
    """UK Public Lending Right. Stated (The Bookseller): 6.66p a loan; 6.03 million pounds to 22,053 authors, 190 at the cap.

    Computed: the 190 have 1,254,000, so the others have 4,776,000, which is 71,711,711 loans at 6.66p; the cap of
    6,600 is reached from 99,100 loans, and 1 pound from 16. Chosen: the others have as equal numbers of loans as can be.
    """
    stars, others, few = 190, 22_053 - 190, 1000
    each, more = divmod(int((6_030_000 - stars * 6600) / Fraction("0.0666")), others)
    lent = {f"star-{number}": 99_100 for number in range(stars)}
    lent |= {f"other-{number}": each + (number < more) for number in range(others)}
    lent |= {f"few-{number}": 15 for number in range(few)}
    amounts = pay(text_of("uk-plr"), works(*lent), "6.03e6", lent, rate=1, currency="GBP", by="holder")
    assert Counter(amounts[name] for name in lent) == {
        "6600.00": stars,
        "218.51": more,  # 3,281 loans at 6.66p, less than a penny carried
        "218.44": others - more,  # 3,280 loans
        "0.00": few,
    }
    assert sum(map(Decimal, amounts.values())) == Decimal("6030000.00")


QUOTAS = {
    "25.05": ["501.00", "2505.00", "6262.50", "15656.25", "39153.15"],
    "33.34": ["666.80", "3334.00", "8335.00", "20837.50", "52110.42"],
}


@pytest.mark.parametrize(("tier", "authors"), list(enumerate([2, 10, 25, 62, 63])))
@pytest.mark.parametrize("quota", QUOTAS)
def test_the_caps_of_metis_in_2023_and_2024(pay, quota, tier, authors):
    """VG Wort, METIS. Stated: 33.34 euros a text and caps of 666.80 to 52,110.42 in 2023; 25.05 and 501.00 to 39,153.15.

    The policy is the shipped one, with the amounts of the year. A work of more texts than its cap has room for gets the
    cap; each of the other texts gets the quota.
    """
    policy = text_of("vg-wort-metis")
    for shipped, amount in zip(QUOTAS["25.05"], QUOTAS[quota], strict=True):
        assert policy.count(f'amount = "{shipped}"') == 1
        policy = policy.replace(f'amount = "{shipped}"', f'amount = "{amount}"')
    cap, texts = Decimal(QUOTAS[quota][tier]), [f"text-{number}" for number in range(10)]
    site = ("site", 1, "1", {f"a{number}": f"1/{authors}" for number in range(authors)})
    sources = table(site, *((text, 1, "1", {text: "1"}) for text in texts))
    sources = sources.append_column("documents", pa.array([2000] + [1] * 10))
    sources = sources.append_column("bytes", pa.array([10**7] + [1800] * 10))
    fund = cap + 10 * Decimal(quota)
    amounts = pay(policy, sources, str(fund), dict.fromkeys(["site", *texts], 1500), rate=1, currency="EUR")
    assert amounts == {"site": str(cap)} | dict.fromkeys(texts, quota)


# -- the least payment: SoundExchange, AdSense ---------------------------------------------------
def soundexchange(minimum):
    text = text_of("soundexchange")
    assert text.count('minimum = "10.00"') == 1
    return text.replace('minimum = "10.00"', f'minimum = "{minimum}"')


@pytest.mark.parametrize(
    ("policy", "pool", "carried", "least"),
    [
        pytest.param('[payment]\nminimum = "100.00"\nbelow = "carry"\n', "99.99", "99.99", "100.00", id="AdSense"),
        pytest.param(soundexchange("100.00"), "105.26", "99.997", "100.00", id="SoundExchange by the month"),
        pytest.param(soundexchange("10.00"), "10.52", "9.994", "10.00", id="SoundExchange by the quarter"),
    ],
)
def test_what_is_below_the_least_payment_is_carried_until_it_is_reached(tmp_path, policy, pool, carried, least):
    """Google AdSense: paid from 100 dollars, else rolled over. SoundExchange: monthly from 100, quarterly from 10 dollars.

    Stated: these amounts. Chosen: the largest pool that comes to less for a holder who has all of it (at SoundExchange
    95 %), and a cent in the next period. They are closed in a ledger, as `royalty close` does it.
    """
    ledger, usage = Ledger(tmp_path), "source_id,credit\nx,1\n" if "usage" in policy else None
    ledger.close("1", pool, ("x", 1, A), policy=policy, usage=usage)
    assert (ledger.paid("1"), ledger.balance("a")) == ({}, Decimal(carried) * DOLLAR)
    ledger.close("2", "0.01", ("x", 1, A), policy=policy, usage=usage)
    assert ledger.paid("2") == {"a": Decimal(least) * DOLLAR}


# -- what cannot be matched: The MLC -------------------------------------------------------------
def test_the_mlc_holds_what_is_unmatched_for_three_years_and_then_shares_it_by_market_share(tmp_path):
    """The MLC. Stated: unmatched money is held at least three years, with interest, then distributed by market share; over
    95 % of unmatched items hold less than a dollar.

    Chosen: 1,000 dollars of 2021, of which a and b have 600 and 300 for their works, and 21 unmatched works have 100:
    20 of them half a dollar each, and one the rest. Computed: a and b have 2/3 and 1/3 of the market, so of the 100.
    Not shown: interest, which the ledger does not reckon; and market share is of all that was earned in the period.
    """
    unmatched = [(f"unmatched-{number}", 1, {}) for number in range(20)] + [("unmatched-hit", 180, {})]
    ledger, policy = Ledger(tmp_path), text_of("revenue-share")
    ledger.close("2021", 1000, ("x", 1200, A), ("y", 600, B), *unmatched, policy=policy)
    held = [Decimal(amount) for amount in unclaimed(ledger.path)["amount"].to_pylist()]
    assert Counter(held) == {Decimal("0.5"): 20, Decimal(90): 1}
    for year in ("2022", "2023"):
        ledger.close(year, 10, ("x", 1, B), policy=policy)
    assert redistribute(ledger.path, 3, "holders")[1] == 0  # two years are over, and nothing moves
    ledger.close("2024", 10, ("x", 1, B), policy=policy)
    assert redistribute(ledger.path, 3, "holders")[1] == 100 * DOLLAR
    assert (ledger.balance("a"), ledger.balance("b")) == (6_666_666_667, 3_333_333_333)
    assert unclaimed(ledger.path).num_rows == 0
    ledger.close("2025", 0, ("x", 1, B), policy=policy)
    assert ledger.paid("2025") == {"a": 6666 * CENT, "b": 3333 * CENT}


# -- contributions to a coalition: Shapley -------------------------------------------------------
def shapley(values):
    """Shapley's share of each player, by all orders in which they can come, where a coalition is worth its greatest value."""
    shares = Counter()
    orders = list(permutations(values))
    for order in orders:
        worth = [max((values[name] for name in order[:size]), default=0) for size in range(len(order) + 1)]
        for name, (before, after) in zip(order, pairwise(worth), strict=True):
            shares[name] += Fraction(after - before, len(orders))
    return dict(shares)


SIXTHS = {"one": 2, "two": 5, "three": 11}


def test_shapley_shares_are_paid_as_credits_and_as_a_ratio(pay, folder):
    """Brute-forced: values of 1, 2 and 3, the worth of several being the greatest, give 1/3, 5/6 and 11/6, together 3.

    Not shown: these shares being computed, as no policy does that. Shown: an attribution that gives them as credits, or
    co-holders that agree on their ratio of 2:5:11, are paid them to the cent; on 3.00 to a millionth of a cent.
    """
    expected = {"one": Fraction(1, 3), "two": Fraction(5, 6), "three": Fraction(11, 6)}
    assert shapley({"one": 1, "two": 2, "three": 3}) == expected
    assert {name: share * 6 for name, share in expected.items()} == SIXTHS
    policy, dollars = 'rate = "100%"\n' + BY_USAGE, {"one": "2.00", "two": "5.00", "three": "11.00"}
    assert pay(policy, works(*SIXTHS), "18", SIXTHS) == dollars
    earned = pay(policy, works(*SIXTHS), "3", SIXTHS, column="earned")
    assert all(abs(Fraction(earned[name]) - share) < Fraction(1, 10**8) for name, share in expected.items())
    assert sum(map(Decimal, earned.values())) == 3
    ratio = ", ".join(f'{{ id = "{name}", ratio = {part} }}' for name, part in SIXTHS.items())
    manifest = f'[[source]]\nid = "joint"\npath = "joint.txt"\nholders = [{ratio}]\n'
    tokens = api.scan(folder({"corpus.toml": manifest, "joint.txt": "One work."}) / "corpus.toml")
    assert pay('rate = "100%"', tokens, "18", by="holder") == dollars
