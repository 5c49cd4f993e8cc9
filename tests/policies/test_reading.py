"""A policy file as values, and everything that can be wrong with one, all at once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from royaltycli.errors import CallError, ManifestError
from royaltycli.payout.currency import find_currency
from royaltycli.payout.policy import Cap, Deductions, Fixed, Floor, Gate, Payment, Policy, Top
from royaltycli.policies import find_policy, names, shipped, text_of
from royaltycli.policies.reading import read_policy
from tests.docs.pages import ROOT

USD = find_currency("USD")


def read(text, code="USD"):
    return read_policy(text.encode(), "p.toml", find_currency(code))


def example():
    """The example of the specification, which has everything in it."""
    page = (ROOT / "docs" / "spec-policy.md").read_text(encoding="utf-8")
    return page.split("```toml\n")[1].split("```")[0]


def test_the_example_of_the_specification_is_read_as_it_says():
    policy = read(example())
    assert policy.basis == (("seen_tokens", Fraction(7, 10)), ("works", Fraction(3, 10)))
    assert policy.top == (Top(Fraction(1, 20), "fund:musicians"),)
    assert policy.gates == (
        Gate("pool", minimum={"tokens": Decimal(1000)}),
        Gate("payer", licenses=frozenset(["CC0-1.0"])),
        Gate("escrow", unknown=True),
    )
    assert policy.fixed == Fixed("work", amount=Decimal("0.05"))
    assert policy.caps == (Cap("source", ((0, Decimal("501.00")),), "pool"),)
    assert policy.floors == (Floor("holder", Decimal("1.00"), "leave"),)
    assert policy.deductions == Deductions(Fraction(1, 10), Fraction(15, 100), Fraction(1, 20))
    assert policy.payment == Payment(Decimal("10.00"), "carry", "carry")
    assert policy.rate == Fraction(1, 5)
    assert (policy.name, policy.date, len(policy.digest)) == ("example", "2026-01-01", 64)


def test_what_a_file_leaves_out_is_as_without_a_policy():
    for text in ('name = "p"', 'name = "p"\n[usage]\n[deductions]\n[payment]'):
        policy = read(text)
        assert policy == Policy("p", digest=policy.digest)


def test_tiers_are_read_in_their_order():
    text = '[[cap]]\nper = "source"\ntiers = [{ holders = 1, amount = 5 }, { holders = 3, amount = "25.50" }]\nexcess = "payer"'
    assert read(text).caps == (Cap("source", ((1, Decimal(5)), (3, Decimal("25.50"))), "payer"),)


def test_no_tier_is_left_out_however_many_there_are():
    tiers = ", ".join(f"{{ holders = {number}, amount = {number} }}" for number in range(1, 251))
    (cap,) = read(f'[[cap]]\nper = "source"\ntiers = [{tiers}]').caps
    assert cap.tiers == tuple((number, Decimal(number)) for number in range(1, 251))


WRONG = [
    ("[basis]\nseen_tokens = 0.7", "p.toml:1: [basis]: the weights of the basis make 70 %; make them 100 % in all"),
    ("[basis]\ntoken = 1", "p.toml:2: [basis]: unknown key 'token'; did you mean 'tokens'?"),
    ("[basis]\nworks = 2", "p.toml:2: [basis]: works is '2', which is no part from 0 to 100 %; write it such as works = \"15%\""),
    ("basis = 3", "p.toml:1: basis must be one table, but is a number; write [basis] in single brackets"),
    ("[gate]\nto = 'pool'", "p.toml:1: gate must be tables, but is a table; write [[gate]] in double brackets"),
    ("[gates]", "p.toml:1: [policy]: unknown key 'gates'; did you mean 'gate'?"),
    ("[[gate]]\nholders = 'unknown'", "p.toml:1: [[gate]]: it does not say where the money goes (to); write one of pool, escrow, payer, fund:NAME"),
    ("[[gate]]\nholders = 'unknown'\nto = 'us'", "p.toml:3: [[gate]]: unknown destination 'us'; the destinations are pool, escrow, payer, fund:NAME"),
    ("[[gate]]\nto = 'pool'", 'p.toml:2: [[gate]]: it has no condition; add one, such as minimum = { tokens = 1000 } or holders = "unknown"'),
    ("[[gate]]\nminimum = 5\nto = 'pool'", "p.toml:2: [[gate]]: minimum is a number; write it such as minimum = { tokens = 1000 }"),
    ("[[gate]]\nminimum = { works = 1 }\nto = 'pool'", "p.toml:2: [[gate]]: unknown key 'works'; the keys are seen_tokens, tokens, documents, bytes, usage"),
    ("[[top]]\npart = '5%'\nto = 'pool'", "p.toml:3: [[top]]: unknown destination 'pool'; write one of escrow, payer, fund:NAME"),
    ("[[top]]\npart = '5%'\nto = 'payers'", "p.toml:3: [[top]]: unknown destination 'payers'; did you mean 'payer'?"),
    ("[[top]]\npart = '5%'\nto = 'fund:a b'", "p.toml:3: [[top]]: the name of the fund 'fund:a b' holds ' ' (U+0020 SPACE); write it such as fund:musicians"),
    ("[[top]]\npart = '60%'\nto = 'payer'\n[[top]]\npart = '60%'\nto = 'payer'", "p.toml:1: the parts that go elsewhere first make more than 100 %; lower them"),
    ("[[top]]\nto = 'payer'", 'p.toml:1: [[top]]: it has no part; add it, such as part = "5%"'),
    ("[fixed]\neach = 'work'", 'p.toml:1: [fixed]: it needs an amount or a part, and not both; write amount = "0.05", or part = "40%"'),
    ("[fixed]\neach = 'page'\npart = 1", "p.toml:2: [fixed]: unknown each 'page'; the choices are work, holder"),
    ("[fixed]\neach = 'work'\namount = 0.005", "p.toml:3: [fixed]: amount is 0.005, but USD has 2 decimals; round it to what can be paid"),
    ("[[cap]]\nper = 'source'\namount = '1e20'", "p.toml:3: [[cap]]: amount is 1E+20, more than any pool; write a smaller amount"),
    ("[[cap]]\nper = 'source'", 'p.toml:1: [[cap]]: it needs an amount or tiers, and not both; write amount = "501.00"'),
    ("[[cap]]\nper = 'holder'\ntiers = [{ holders = 1, amount = 1 }]", "p.toml:3: [[cap]]: tiers go by the number of holders of a source, so they are for sources; write an amount"),
    ("[[cap]]\nper = 'source'\ntiers = [{ holders = 3, amount = 1 }, { holders = 2, amount = 2 }]", "p.toml:3: [[cap]]: the numbers of holders do not rise; list the tiers from the smallest number on"),
    ("[[cap]]\nper = 'source'\ntiers = [{ holders = 2, amount = 1 }, { holders = 2, amount = 2 }]", "p.toml:3: [[cap]]: the numbers of holders do not rise; list the tiers from the smallest number on"),
    ("[[cap]]\nper = 'source'\ntiers = [{ holders = 2, amount = 1, to = 'us' }]", "p.toml:3: [[cap]]: unknown key 'to'; the keys are holders, amount"),
    ("[[cap]]\nper = 'source'\ntiers = [{ holders = 3 }]", 'p.toml:3: [[cap]]: a tier needs a whole number of holders and an amount; write tiers = [{ holders = 1, amount = "501.00" }, { holders = 3, amount = "2505.00" }]'),
    ("[[cap]]\nper = 'source'\ntiers = 3", 'p.toml:3: [[cap]]: tiers must be a list of tables; write tiers = [{ holders = 1, amount = "501.00" }, { holders = 3, amount = "2505.00" }]'),
    ("[[cap]]\nper = 'source'\namount = 1\n[[cap]]\nper = 'source'\namount = 2", "p.toml:5: [[cap]]: there is one per source already; keep one of them"),
    ("[[floor]]\nper = 'holder'\namount = 1", 'p.toml:1: [[floor]]: it has no below; add it, such as below = "leave"'),
    ("[[floor]]\nper = 'holder'\namount = 1\nbelow = 'raise'\n[[floor]]\nbelow = 'raise'\namount = 1\nper = 'holder'", "p.toml:8: [[floor]]: there is one per holder already; keep one of them"),
    ("[payment]\nbelow = 'pool'", "p.toml:2: [payment]: unknown destination 'pool'; write one of escrow, payer, fund:NAME"),
    ("[deductions]\nfee = true", 'p.toml:2: [deductions]: fee is true or false, which is no part from 0 to 100 %; write it such as fee = "15%"'),
    ("rate = '120%'", "p.toml:1: [policy]: rate is '120%', which is no part from 0 to 100 %; write it such as rate = \"15%\""),
    ("notes = [1]", "p.toml:1: [policy]: notes must be a text or a list of texts, but holds a number; put each in quotation marks"),
    ("currency = 'EURO'", "p.toml:1: [policy]: currency 'EURO' is not an ISO 4217 code; did you mean EUR?"),
    ("currency = 978", "p.toml:1: [policy]: currency must be a text, but is a number; put it in quotation marks"),
    ("name =", "p.toml:1: not valid TOML at the end of the file: Invalid value; mend it; texts stand in quotation marks, tables in brackets"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message[:60] for _, message in WRONG])
def test_each_mistake_is_named_with_its_line_and_its_mend(text, message):
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert str(caught.value) == message


def test_all_mistakes_are_named_at_once():
    with pytest.raises(ManifestError) as caught:
        read("[basis]\nworks = 2\n[deductions]\nfee = 3\n[payment]\nrests = 'x'")
    assert [problem.place.line for problem in caught.value.problems] == [2, 4, 6]


def test_a_policy_in_another_currency_is_refused():
    with pytest.raises(CallError, match=r"the policy p\.toml is in EUR, but the payout in USD; say `--currency EUR`"):
        read('currency = "EUR"')
    assert read('currency = "EUR"', "EUR").name == "p.toml"


def test_amounts_without_decimals_where_the_currency_has_none():
    with pytest.raises(ManifestError, match="JPY has no decimals"):
        read("[payment]\nminimum = 0.5", "JPY")


def test_a_policy_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(CallError, match="there is no policy 'token-shares'; did you mean token-share"):
        find_policy("token-shares", USD)
    with pytest.raises(CallError, match=r"there is no policy mine\.toml; name a file"):
        find_policy("mine.toml", USD)
    folder = tmp_path / "f.toml"
    folder.mkdir()
    with pytest.raises(ManifestError, match=r"f\.toml"):
        find_policy(str(folder), USD)


@pytest.mark.parametrize("name", names())
def test_every_shipped_policy_says_what_it_is_and_where_it_is_from(name):
    policy = next(policy for policy in shipped() if policy.name == name)
    assert policy.title
    assert policy.source
    assert policy.date
    assert text_of(name).startswith("# ")


def test_a_shipped_policy_is_named_as_its_file_is():
    assert [policy.name for policy in shipped()] == names()


JUNK = [
    '"x"',
    "1",
    "-1",
    "1.5",
    "true",
    "[]",
    "{}",
    "[1]",
    "[{}]",
    "{ a = 1 }",
    "2026-01-01",
    "nan",
    '"pool"',
    '"50%"',
    "1e400",
    '""',
]


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(["example", *names()]), data=st.data())
def test_whatever_is_written_there_is_a_policy_or_an_error_that_says_where(name, data):
    lines = (example() if name == "example" else text_of(name)).split("\n")
    for number in data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4)):
        if "=" in lines[number]:
            lines[number] = f"{lines[number].partition('=')[0]}= {data.draw(st.sampled_from(JUNK))}"
        elif lines[number].startswith("["):
            lines[number] = data.draw(st.sampled_from(["[x]", f"[{lines[number]}]", lines[number].strip("[]"), ""]))
    places, words = [], ""
    try:
        read("\n".join(lines), data.draw(st.sampled_from(["USD", "EUR", "GBP"])))
    except ManifestError as error:
        places = [problem.place.line for problem in error.problems]
    except CallError as error:
        words = str(error)
    assert all(places)
    assert not words or "but the payout in" in words


def test_a_shipped_name_goes_before_a_file_and_a_file_needs_no_ending(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("gema", "mine"):
        (tmp_path / name).write_text('title = "of my own"', encoding="utf-8")
    assert find_policy("gema", USD).rate == Fraction(3, 10)
    assert find_policy("mine", USD).title == find_policy("./gema", USD).title == "of my own"
