"""The rules of a policy in words, as a statement and a workbook have them."""

from __future__ import annotations

from royaltycli.payout.currency import find_currency
from royaltycli.policies.reading import read_policy
from royaltycli.report.rules import rules_of

POLICY = """
name = "p"
[[gate]]
minimum = { tokens = 1500 }
to = "pool"
[fixed]
each = "work"
amount = "1000.00"
[[cap]]
per = "source"
tiers = [{ holders = 1, amount = "20000.00" }, { holders = 2000, amount = "30000.50" }]
excess = "pool"
[[floor]]
per = "holder"
amount = "1250.00"
below = "leave"
[payment]
minimum = "1234567.89"
"""


def test_numbers_of_a_rule_have_their_thousands_set_apart_like_all_others():
    rules = dict(rules_of(read_policy(POLICY.encode(), "p.toml", find_currency("USD")), "USD"))
    assert rules["Who takes part"].startswith("sources below 1,500 tokens take no part")
    assert rules["Fixed part"] == "1,000.00 USD for each work first"
    assert "at most 20,000.00 USD from 1 on, 30,000.50 USD from 2,000 on;" in rules["Cap"]
    assert rules["Floor"].startswith("at least 1,250.00 USD for each holder;")
    assert rules["Minimum payment"].startswith("1,234,567.89 USD;")


def test_a_withholding_is_of_what_is_left_only_where_something_was_taken_before():
    found = []
    for fee in ("", 'fee = "10%"\n'):
        policy = read_policy(
            f'name = "p"\n[deductions]\n{fee}withholding = "15%"\n'.encode(), "p", find_currency("USD")
        )
        found.append(dict(rules_of(policy, "USD"))["Withholding"])
    assert found == ["15 % of what a holder earned", "15 % of what is then left"]
