"""The best plan known: what is taken, what is not, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pmo_analytics.examples.generated import generate_portfolio
from pmo_analytics.optimization.model.compiling import compile_options
from pmo_analytics.optimization.model.incumbent import Incumbent, Offer


@pytest.fixture(scope="module")
def options():
    return compile_options(generate_portfolio(6, 2, 6, seed=1)).options


def firsts(options, projects):
    """The first options of some projects; rules are not an incumbent's business."""
    return options.first[np.array(projects, dtype=np.int64)]


def test_only_a_better_plan_is_taken(options):
    known = Incumbent(options, constant=5.0)
    assert (known.chosen, known.objective) == (None, -np.inf)
    order = np.argsort(options.worth[options.first[:-1]])[::-1].tolist()
    good, poor = firsts(options, order[:1]), firsts(options, order[1:2])
    assert known.offer(good) is Offer.TAKEN
    assert known.objective == options.worth[good[0]] + 5.0
    assert known.offer(good) is Offer.NO_BETTER
    assert known.offer(poor) is Offer.NO_BETTER
    both = np.concatenate([good, poor])
    assert known.offer(both) is Offer.TAKEN
    assert known.chosen.tolist() == sorted(both.tolist())


def test_a_plan_of_nothing_is_a_plan(options):
    known = Incumbent(options, np.zeros(0, dtype=np.int64))
    assert known.objective == 0.0
    assert len(known.chosen) == 0


def test_what_is_not_accepted_is_refused_and_only_asked_when_better(options):
    asked = []

    def accepts(chosen, objective):
        asked.append(objective)
        return len(chosen) < 2

    known = Incumbent(options, accepts=accepts)
    order = np.argsort(options.worth[options.first[:-1]])[::-1].tolist()
    assert known.offer(firsts(options, order[:2])) is Offer.REFUSED
    assert known.chosen is None
    assert known.offer(firsts(options, order[:1])) is Offer.TAKEN
    assert known.offer(firsts(options, order[1:2])) is Offer.NO_BETTER
    assert len(asked) == 2


def test_noise_is_no_gain_and_another_reason_is_one(options):
    plan = firsts(options, [0])
    known = Incumbent(options, plan, noise=lambda *_: 1e9)
    assert known.offer(firsts(options, range(6))) is Offer.NO_BETTER
    assert known.offer(firsts(options, [1]), least=known.objective) is Offer.TAKEN
    known.noise = None
    worse = firsts(options, [])
    assert known.offer(worse, least=known.objective) is Offer.NO_BETTER
    assert known.offer(worse, least=0.0) is Offer.TAKEN
