"""docs/spec-policy.md, rules Y1 to Y23: the engine against a slow oracle, and wrong engines that must be found out."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.payout import policy_strategies as made
from tests.payout.policy_checks import broken_rules, engine

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def test_the_engine_breaks_no_rule(long_form):
    """Y1 to Y16 and Y20 to Y23: every figure is that of the oracle, whatever the policy."""

    @settings(max_examples=50_000 if long_form else 500, deadline=None, suppress_health_check=CALM)
    @given(made.cases())
    def holds(case):
        assert broken_rules(engine, case) == set()

    holds()
