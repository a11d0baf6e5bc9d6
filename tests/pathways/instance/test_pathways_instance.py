"""Instances and random draws: common to all policies, and distributed as the priors state."""

from __future__ import annotations

import numpy as np

from echo_env.pathways import PathwaysConfig, sample_draw, trial_luck
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import APPEARS, learning_luck

CONFIG = PathwaysConfig.load("baseline")


def test_draws_are_the_same_whenever_they_are_asked_for() -> None:
    """A draw and its trials depend on the seed and their numbers only."""
    one, other = sample_draw(CONFIG, 7, 3), sample_draw(CONFIG, 7, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one.model, other.model, strict=True))
    assert np.array_equal(one.initial_health, other.initial_health)
    for a, b in zip(trial_luck(one, 2), trial_luck(other, 2), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(trial_luck(one, 2).health_draw, trial_luck(one, 3).health_draw)
    assert not np.array_equal(one.model.move, sample_draw(CONFIG, 7, 4).model.move)


def test_fewer_patients_are_the_first_of_more() -> None:
    """An instance with fewer patients consists of the first patients of a larger one."""
    few, many = sample_draw(CONFIG.replace(patients=6), 7, 0), sample_draw(CONFIG, 7, 0)
    assert np.array_equal(few.condition, many.condition[:6])
    assert np.array_equal(few.initial_health, many.initial_health[:6])
    assert np.array_equal(few.model.move, many.model.move)
    assert np.array_equal(trial_luck(few, 0).health_draw, trial_luck(many, 0).health_draw[:, :6])


def test_learning_has_luck_of_its_own() -> None:
    """Learning uses random draws disjoint from those of all trials."""
    instance = sample_draw(CONFIG, 7, 0)
    learned = learning_luck(instance, 10).health_draw
    trials = np.stack([trial_luck(instance, trial).health_draw for trial in range(10)])
    assert len(np.intersect1d(learned, trials)) == 0


def test_the_priors_are_those_that_are_written_down() -> None:
    """Health dynamics have the means and variances of the config's priors."""
    rows = [condition for draw in range(300) for condition in sample_draw(CONFIG, 1, draw).conditions]
    waiting = np.stack([condition.waiting for condition in rows])
    holding = np.stack([condition.holding for condition in rows])
    assert np.allclose(holding.mean(axis=(0, 1, 2)), (0.05, 0.50, 0.45), atol=0.01)
    assert np.allclose(waiting.mean(axis=(0, 1)), (0.30, 0.65, 0.05), atol=0.02)
    # Dirichlet: var = m (1 - m) / (kappa + 1).
    assert np.isclose(holding[..., 2].var(), 0.45 * 0.55 / 5, rtol=0.05)
    # The levels of a condition share its severity, 0.6 Beta(1.5, 1.5) with variance 0.36 / 16.
    first, second = waiting[:, 0, 0], waiting[:, 1, 0]
    assert np.isclose(np.cov(first, second)[0, 1], 0.36 / 16, rtol=0.2)


def test_instances_are_as_the_paper_has_them() -> None:
    """Numbers of conditions, needs and initial healths are within the paper's ranges."""
    instances = [sample_draw(CONFIG.replace(resources=10), 2, draw) for draw in range(100)]
    assert {len(instance.conditions) for instance in instances} == {3, 4}
    conditions = [condition for instance in instances for condition in instance.conditions]
    assert all(len(set(condition.resources)) == 4 for condition in conditions)
    assert {resource for condition in conditions for resource in condition.resources} == set(range(10))
    assert {int(h) for instance in instances for h in instance.initial_health} == {1, 2, 3}
    assert {int(c) for instance in instances for c in instance.condition} == {0, 1, 2, 3}


def test_arrivals_and_changes_follow_their_rates() -> None:
    """Arrivals and changes of pathways have their configured distributions."""
    config = CONFIG.replace(last_arrival=10, changes__appear_rate=0.3, changes__disappear_rate=0.2)
    instance = sample_draw(config, 1, 0)
    assert (np.diff(instance.arrivals) >= 0).all()
    assert instance.arrivals.max() <= 10
    lucks = [trial_luck(instance, trial) for trial in range(500)]
    step = np.stack([luck.change_step for luck in lucks])
    kind = np.stack([luck.change_kind for luck in lucks])
    changed = step != NONE
    assert np.isclose(changed.mean(), 0.5, atol=0.02)
    assert np.isclose((changed & (kind == APPEARS)).mean(), 0.3, atol=0.02)
    assert (step > instance.arrivals)[changed].all()
    assert step.max() == config.horizon - 1
    # Changes leave the other random draws unchanged.
    assert np.array_equal(lucks[0].health_draw, trial_luck(sample_draw(CONFIG, 1, 0), 0).health_draw)
