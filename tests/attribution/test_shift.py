"""Rule U10: the correction of shares."""

from __future__ import annotations

import numpy as np
import pytest

from royaltycli.attribution import shift
from royaltycli.attribution.shift import BEFORE, FAINT, Judged, folded, leaning


def judged(rows):
    """Entries of a whole matrix of probabilities, the last column none."""
    odds = np.array(rows, float)
    spans, units = np.nonzero(odds)
    return Judged(spans, units, odds[spans, units], odds.shape[1])


def shares(judged, prior, weights):
    """Of each unit, and of none; `prior` is that, too, with none leaning to all units as they are."""
    units = prior[:-1] / prior[:-1].sum()
    return folded(shift.shares(judged, np.concatenate([prior[:-1], prior[-1] * units]), weights))


def test_what_is_of_none_leans_as_the_units_are_likely():
    found = leaning(judged([[0.6, 0.2, 0.2], [0.0, 0.0, 1.0]]))
    table = np.zeros((2, found.size))
    table[found.spans, found.units] = found.odds
    assert table.tolist() == [pytest.approx([0.6, 0.2, 0.15, 0.05]), [0, 0, 0, 0]]


def test_foreign_text_that_is_like_one_unit_is_found_to_be_of_none():
    """Each span is twice as likely to be foreign as foreign text of that kind is in the calibration."""
    rows = judged([[0.6, 0.0, 0.4]] * 1000)
    found = shares(rows, np.array([0.4, 0.4, 0.2]), np.ones(1000))
    assert found[-1] > 0.9


def test_a_few_spans_that_say_nothing_leave_the_mixture_of_the_calibration():
    prior = np.array([0.4, 0.4, 0.2])
    found = shares(judged([prior] * 3), prior, np.ones(3))
    assert found.tolist() == pytest.approx(prior, abs=2 * FAINT)


def test_one_span_that_says_nothing_has_the_share_of_none_that_can_be_worked_out_on_paper():
    """Of n, that it had, and BEFORE 0.2, and EACH 0.4 for both units, 3 / 7 remain; FAINT is taken of what all have."""
    prior = np.array([0.4, 0.4, 0.2])
    found = shares(judged([prior]), prior, np.ones(1))
    of_none = found[-1]
    assert ((of_none + 0.1 + 0.4) * 3 / 7 / 1.5 - FAINT) / (1 - FAINT) == pytest.approx(of_none, abs=1e-9)
    assert of_none == pytest.approx(0.152542, abs=1e-6)


def test_one_span_that_is_rather_of_none_is_not_found_to_be_so_altogether():
    prior = np.array([0.04] * 20 + [0.01] * 20)
    rows = np.zeros((1, 21))
    rows[0, [0, 20]] = 0.6, 0.4
    found = shift.shares(judged(rows), prior, np.ones(1))
    assert 0.3 < folded(found)[-1] < 0.7


@pytest.mark.parametrize(("foreign", "least", "most"), [(2, 0, 0), (20, 16, 20)])
def test_a_little_that_is_of_none_is_not_told_from_what_is_hard_to_tell(foreign, least, most):
    rows = [[1, 0, 0]] * (100 - foreign) + [[0.01, 0, 0.99]] * foreign
    found = shares(judged(rows), np.array([0.4, 0.4, 0.2]), np.ones(100))
    assert least / 100 <= found[-1] <= most / 100


def test_sure_spans_are_counted():
    found = shares(judged([[1, 0, 0]] * 300 + [[0, 1, 0]] * 100), np.array([0.4, 0.4, 0.2]), np.ones(400))
    assert found.tolist() == pytest.approx([0.75, 0.25, 0], abs=BEFORE / 400)


def test_weights_count_as_repetition():
    prior = np.array([0.4, 0.4, 0.2])
    rows = judged([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    assert shares(rows, prior, np.array([0.75, 0.25])).tolist() == shares(rows, prior, np.array([3.0, 1.0])).tolist()


def test_the_mixture_behind_noisy_judgements_is_found_where_their_mean_is_far_off():
    """Two units told apart with 80 % by calibrated odds on even terms; the log is nine to one."""
    random = np.random.default_rng(0)
    truth = random.random(20_000) < 0.9
    seen = np.where(random.random(20_000) < 0.8, truth, ~truth)
    rows = np.where(seen[:, None], [[0.8, 0.2, 0.0]], [[0.2, 0.8, 0.0]])
    found = shares(judged(rows), np.array([0.5, 0.5, 1e-9]), np.ones(20_000))
    assert found[0] == pytest.approx(0.9, abs=0.02)
    assert rows[:, 0].mean() < 0.7


def test_the_mean_of_very_many_spans_is_no_more_than_all():
    """A hundred thousand tenths, added one by one, are a little more than ten thousand."""
    many = 100_000
    found = shift.mean(Judged(np.arange(many), np.zeros(many, np.int64), np.ones(many), 2), np.full(many, 0.1))
    assert found.tolist() == [1, 0]


def test_without_any_span_all_is_unattributed():
    assert shares(judged(np.zeros((0, 3))), np.array([0.4, 0.4, 0.2]), np.zeros(0)).tolist() == [0, 0, 1]


def test_spans_that_are_surely_of_none_change_nothing_of_the_others():
    """They are added as they are, and make the priors count for no less."""
    random = np.random.default_rng(3)
    odds, prior = random.dirichlet(np.full(4, 0.5), 5), random.dirichlet(np.full(6, 5.0))
    rows = np.vstack([odds, np.tile([0.0, 0, 0, 1], (15, 1))])
    found = shift.shares(judged(rows), prior, np.ones(20))
    alone = shift.shares(judged(odds), prior, np.ones(5))
    assert found.tolist() == pytest.approx([*(alone[:-1] / 4).tolist(), 0.75], abs=1e-9)


def test_shares_make_one():
    random = np.random.default_rng(2)
    rows = random.dirichlet(np.full(6, 0.5), size=50)
    assert shares(judged(rows), np.full(6, 1 / 6), random.random(50)).sum() == pytest.approx(1)


@pytest.mark.parametrize("units", [4, 40])
def test_many_draws_at_a_time_have_the_shares_of_each_alone(units):
    """Of spans with four candidates each: a table where there are no more units, entries where there are."""
    random = np.random.default_rng(units)
    rows = np.zeros((60, units + 1))
    for row in rows[:50]:  # ten are surely of none
        row[[*random.permutation(units)[:4], units]] = random.dirichlet(np.full(5, 0.5))
    rows[50:, -1] = 1
    prior = random.dirichlet(np.full(2 * units, 5.0))
    draws = random.integers(0, 3, (5, 60)) * random.random(60)
    draws[0, 1:] = 0  # whose shares are soon found
    draws[3, :50] = 0
    of_log = random.random(60)
    found = shift.shares_of_draws(judged(rows), prior, of_log, draws, shift.ROUNDS)
    assert found[3].tolist() == [0] * (2 * units) + [1]
    alone = shift._Entries(shift.leaning(judged(rows)), prior, 60)
    for row, weights in zip(found, draws, strict=True):
        expected = shift._shares(alone, judged(rows), prior, of_log, weights[None, :], shift.ROUNDS)[0]
        assert row.tolist() == pytest.approx(expected.tolist(), abs=1e-7)


def test_a_draw_of_every_span_once_has_the_shares_of_the_log():
    random = np.random.default_rng(0)
    rows, prior, weights = (
        judged(random.dirichlet(np.full(4, 0.5), 30)),
        random.dirichlet(np.full(6, 5.0)),
        random.random(30),
    )
    found = shift.shares_of_draws(rows, prior, weights, weights[None, :], shift.ROUNDS)
    assert found[0].tolist() == pytest.approx(shift.shares(rows, prior, weights).tolist(), abs=1e-7)


def test_spans_of_next_to_no_weight_change_nothing():
    random = np.random.default_rng(0)
    odds, prior = random.dirichlet(np.full(4, 0.5), 50), random.dirichlet(np.full(6, 5.0))
    few, trifles = np.ones(5), np.full(45, 1e-30)
    found = shift.shares(judged(odds), prior, np.concatenate([few, trifles]))
    assert found.tolist() == pytest.approx(shift.shares(judged(odds[:5]), prior, few).tolist(), abs=1e-9)
    assert shift.as_many(np.array([3.0, 3.0, 0.0, 3.0])) == pytest.approx(3)
    assert shift.as_many(np.array([1e300, 1e300])) == pytest.approx(2)
