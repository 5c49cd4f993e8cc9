"""Random corpora, policies, lists of holders and usage, small enough for a slow oracle and full of ties."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
from hypothesis import strategies as st

from royaltycli.payout.earnings import LIST_OF_HOLDERS
from royaltycli.payout.policy import Cap, Deductions, Fixed, Floor, Gate, Payment, Policy, Top
from tests.payout.tables import HOLDERS, listed

COLUMNS = pa.schema(
    [
        ("source_id", pa.string()),
        ("title", pa.string()),
        ("holders", HOLDERS),
        ("license", pa.string()),
        ("documents", pa.int64()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("credited_tokens", pa.int64()),
        ("epochs", pa.string()),
    ]
)

LARGEST_POOL = 9_223_372_036_854
HOLDINGS = [
    {},
    {"w": "1"},
    {"x": "1"},
    {"y": "1"},
    {"x": "0.5", "y": "0.5"},
    {"y": "0.25", "z": "0.75"},
    {"x": "1/3", "y": "1/3", "z": "1/3"},
    {"w": "0.999", "x": "1/1000"},
    {"v": "1/4", "x": "1/4", "y": "1/4", "z": "1/4"},
]
MEASURES = ["seen_tokens", "tokens", "documents", "bytes", "works", "usage"]
LICENSES = [None, "CC0-1.0", "MIT", "proprietary"]
UNATTRIBUTED = "(unattributed)"


@dataclass(frozen=True)
class Case:
    """All that a distribution is made of, as plain values; `usage` and `parties` are None where not given."""

    rows: list[dict]
    policy: Policy
    pool: int
    whole: Decimal | None = None
    usage: dict[str, str] | None = None
    parties: list[dict] | None = None
    period: str = ""

    def table(self):
        return pa.Table.from_pylist(self.rows, COLUMNS)

    def usage_table(self):
        if self.usage is None:
            return None
        return pa.table(
            {
                "source_id": pa.array(list(self.usage), pa.string()),
                "credit": pa.array(list(self.usage.values()), pa.string()),
            }
        )

    def parties_table(self):
        return None if self.parties is None else pa.Table.from_pylist(self.parties, LIST_OF_HOLDERS)

    def shuffled(self, chance):
        """The same case with its lists in another order."""
        rows = [row | {"holders": chance.sample(row["holders"], len(row["holders"]))} for row in self.rows]
        usage = None if self.usage is None else dict(chance.sample(list(self.usage.items()), len(self.usage)))
        parties = None if self.parties is None else chance.sample(self.parties, len(self.parties))
        return replace(self, rows=chance.sample(rows, len(rows)), usage=usage, parties=parties)


def source(name, tokens, holders=None, **columns):
    """A row of the token table; what is not given is one document of five bytes a token, seen once."""
    row = {
        "source_id": name,
        "title": None,
        "holders": listed({name.upper(): "1"} if holders is None else holders),
        "license": None,
        "documents": 1,
        "bytes": 5 * tokens,
        "tokens": tokens,
        "credited_tokens": tokens,
        "epochs": "1",
    }
    return row | columns


# -- the corpus ---------------------------------------------------------------------------------
counts = st.one_of(st.sampled_from([0, 1, 1, 2, 3, 1000]), st.integers(0, 12), st.integers(0, 10**12))
credits_given = st.one_of(st.sampled_from(["0", "1", "1", "2.5", "0.001", "1000"]), st.integers(0, 30).map(str))


@st.composite
def row_of(draw, name):
    tokens = draw(counts)
    return source(
        name,
        tokens,
        draw(st.sampled_from(HOLDINGS)),
        license=draw(st.sampled_from(LICENSES)),
        documents=draw(st.integers(0, 4)),
        bytes=draw(counts),
        credited_tokens=draw(st.one_of(st.just(tokens), st.integers(0, tokens))),
        epochs=draw(st.sampled_from(["1", "1", "1", "1.5", "0.44", "0", "3.123456789"])),
    )


@st.composite
def corpora(draw):
    names = draw(st.lists(st.text("abcXYZ019._-", min_size=1, max_size=3), min_size=1, max_size=9, unique=True))
    return [draw(row_of(name)) for name in names]


@st.composite
def alike(draw):
    """Sources that differ in nothing but their tokens, with a holder each."""
    row = draw(row_of("s"))
    tokens = draw(st.lists(counts, min_size=2, max_size=8))
    return [
        row | {"source_id": f"s{place}", "holders": listed({f"h{place}": "1"}), "tokens": each, "credited_tokens": each}
        for place, each in enumerate(tokens)
    ]


@st.composite
def usages(draw, rows):
    """Credits for some of the sources, and perhaps for nobody's."""
    named = [row["source_id"] for row in rows if draw(st.integers(0, 4))]
    if draw(st.booleans()):
        named.append(UNATTRIBUTED)
    if not draw(st.integers(0, 29)):
        named.append("unknown")
    return {name: draw(credits_given) for name in named}


def some(values):
    return st.one_of(st.none(), values)


@st.composite
def lists_of_holders(draw, rows):
    names = sorted({holder["id"] for row in rows for holder in row["holders"]})
    return [
        {
            "holder_id": name,
            "reachable": draw(st.sampled_from([None, True, True, False])),
            "withholding": draw(some(st.sampled_from(["0", "0.15", "1/3", "1"]))),
            "advance": draw(some(st.sampled_from([0, 1, 999_999, 5_000_000, 10**12]))),
            "minimum": draw(some(st.sampled_from([0, 1_000_000, 50_000_000]))),
        }
        for name in [*names, *(["unknown"] if not draw(st.integers(0, 29)) else [])]
        if draw(st.integers(0, 3))
    ]


# -- policies -----------------------------------------------------------------------------------
places_for_money = st.sampled_from(["escrow", "payer", "fund:musicians", "fund:a"])
destinations = st.one_of(st.just("pool"), places_for_money)
rates = st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1, 10), Fraction(1, 3), Fraction(19, 100), Fraction(1)])
small_rates = st.sampled_from([Fraction(0), Fraction(1, 20), Fraction(1, 10), Fraction(1, 3)])


def amounts(pool):
    """Amounts in a currency of two decimals, from nothing to some more than an even part of the pool."""
    usual = ["0", "0.01", "0.02", "0.07", "1", "5.5", "100"]
    return st.one_of(
        st.sampled_from(usual).map(Decimal),
        st.integers(0, pool // 2 + 2).map(lambda minor: Decimal(minor).scaleb(-2)),
        st.integers(0, pool // 12 + 1).map(lambda minor: Decimal(minor).scaleb(-2)),
    )


@st.composite
def bases(draw):
    names = draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=4, unique=True))
    weights = [draw(st.integers(1, 7)) for _ in names]
    return tuple((name, Fraction(weight, sum(weights))) for name, weight in zip(names, weights, strict=True))


@st.composite
def gates(draw):
    least = st.sampled_from([Decimal(0), Decimal(1), Decimal(2), Decimal("2.5"), Decimal(1000)])
    minimum = draw(some(st.dictionaries(st.sampled_from(MEASURES), least, min_size=1, max_size=2)))
    licenses = draw(some(st.sets(st.sampled_from(["", "CC0-1.0", "MIT"]), min_size=1).map(frozenset)))
    others = draw(some(st.sets(st.sampled_from(["", "CC0-1.0", "proprietary"]), min_size=1).map(frozenset)))
    unknown = draw(st.booleans())
    unknown = unknown or (minimum is None and licenses is None and others is None)
    return Gate(draw(destinations), minimum, licenses, others, unknown)


@st.composite
def fixed_parts(draw, pool):
    each = draw(st.sampled_from(["work", "holder"]))
    if draw(st.booleans()):
        return Fixed(each, part=draw(rates))
    return Fixed(each, amount=draw(amounts(pool)))


@st.composite
def caps(draw, per, pool):
    first = draw(st.integers(0, 2))
    more = draw(st.sets(st.integers(first + 1, 4), max_size=2)) if per == "source" else ()
    tiers = tuple((holders, draw(amounts(pool))) for holders in (first, *sorted(more)))
    return Cap(per, tiers, draw(destinations))


@st.composite
def bounds(draw, pool):
    """Caps and floors; in most cases the floors are small enough for the caps."""
    chosen, floors = [], []
    for per in ("source", "holder"):
        cap = draw(some(caps(per, pool)))
        if cap is not None:
            chosen.append(cap)
        if draw(st.booleans()):
            amount = draw(amounts(pool // 8))
            if cap is not None and draw(st.integers(0, 4)):
                amount = min(amount, *(each for _, each in cap.tiers))
            floors.append(Floor(per, amount, draw(st.sampled_from(["leave", "raise"]))))
    return tuple(chosen), tuple(floors)


@st.composite
def bounded_policies(draw, pool):
    """Little but caps and floors, where most of the rules are."""
    chosen, floors = draw(bounds(pool))
    return Policy(
        name="bounded",
        basis=draw(st.sampled_from([(("tokens", Fraction(1)),), (("works", Fraction(1)),)])),
        gates=tuple(draw(st.lists(gates(), max_size=1))),
        fixed=draw(some(fixed_parts(pool))),
        caps=chosen,
        floors=floors,
        payment=draw(payments),
    )


@st.composite
def leaving_policies(draw, pool):
    """A floor near an even part of the pool, below which sources leave."""
    amount = Decimal(draw(st.integers(pool // 8, pool // 2 + 1))).scaleb(-2)
    return Policy(name="leaving", basis=(("tokens", Fraction(1)),), floors=(Floor("source", amount, "leave"),))


@st.composite
def policies(draw, pool):
    top = [Top(draw(small_rates), draw(places_for_money)) for _ in range(draw(st.integers(0, 2)))]
    chosen, floors = draw(st.one_of(st.just(((), ())), bounds(pool)))
    return Policy(
        name="random",
        basis=draw(st.one_of(st.just((("seen_tokens", Fraction(1)),)), bases())),
        top=tuple(top),
        gates=tuple(draw(st.lists(gates(), max_size=3))),
        fixed=draw(some(fixed_parts(pool))),
        caps=chosen,
        floors=floors,
        unattributed=draw(destinations),
        deductions=Deductions(draw(rates), draw(rates), draw(rates)),
        payment=draw(payments),
    )


payments = st.builds(
    Payment,
    minimum=st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("0.10"), Decimal(10)]),
    below=st.one_of(st.just("carry"), places_for_money),
    rests=st.sampled_from(["carry", "round"]),
)

pools = st.one_of(
    st.sampled_from([0, 1, 2, 100, LARGEST_POOL]), st.integers(1, 50), st.integers(1, 10**5), st.integers(1, 10**12)
)


@st.composite
def cases(draw, made=policies, rows=None):
    """A whole case; `made` gives the strategy of its policy from the pool."""
    rows, pool = draw(corpora() if rows is None else rows), draw(pools)
    policy = draw(made(pool))
    usage = draw(usages(rows)) if draw(st.integers(0, 19 if needs_usage(policy) else 1)) else None
    return Case(
        rows=rows,
        policy=policy,
        pool=pool,
        whole=draw(some(st.sampled_from([Decimal(10**14), Decimal("40000000000000.5"), Decimal(60)]))),
        usage=usage,
        parties=draw(some(lists_of_holders(rows))),
        period=draw(st.sampled_from(["", "2026", "2026-Q3"])),
    )


def needs_usage(policy):
    named = {name for name, _ in policy.basis}
    return "usage" in named.union(*(gate.minimum or () for gate in policy.gates))
