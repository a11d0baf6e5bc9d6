"""Exploration schedules."""

import pickle

import pytest

from sb3_ext.common.schedules import (
    ExplorationClock,
    LinearExploration,
    MultiplicativeExploration,
    exploration_schedule,
)


def test_linear_is_sb3s() -> None:
    """Epsilon falls linearly from initial to final over the fraction, as in SB3."""
    schedule = LinearExploration(1.0, 0.1, 0.5)
    assert [schedule(steps, 100) for steps in (0, 25, 50, 99, 1000)] == pytest.approx([1.0, 0.55, 0.1, 0.1, 0.1])


def test_linear_without_decay() -> None:
    """With fraction 0 epsilon is final from the first step."""
    assert LinearExploration(1.0, 0.2, 0.0)(0, 100) == 0.2


def test_multiplicative_and_its_floor() -> None:
    """Epsilon is the paper's 0.99999 every 4 steps, down to 0.1."""
    schedule = MultiplicativeExploration()
    assert schedule(3) == 1.0
    assert schedule(4) == 0.99999
    assert schedule(4 * 1000 + 3) == pytest.approx(0.99999**1000)
    # 0.99999^230257 is the last power above 0.1.
    assert schedule(4 * 230_257) > 0.1
    assert schedule(4 * 230_258) == schedule(10**9) == 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial": 1.5}, "initial must be in"),
        ({"final": -0.1}, "final must be in"),
        ({"initial": 0.1, "final": 0.2}, "final must be at most initial"),
        ({"factor": 0.0}, "factor must be in"),
        ({"factor": 1.1}, "factor must be in"),
        ({"every": 0}, "every must be at least 1"),
    ],
)
def test_bad_multiplicative_settings(arguments: dict[str, float], message: str) -> None:
    """Settings out of range raise an error."""
    with pytest.raises(ValueError, match=message):
        MultiplicativeExploration(**arguments)  # type: ignore[arg-type]


def test_bad_linear_setting() -> None:
    """A probability above 1 raises an error."""
    with pytest.raises(ValueError, match="fraction must be in"):
        LinearExploration(fraction=10)


def test_clock_restarts() -> None:
    """A restart counts steps from where it happened, and survives pickling."""
    clock = ExplorationClock()
    clock.schedule = exploration_schedule(1.0, 0.0, 0.5)
    assert clock.rate(12) == 1.0
    clock.restart(0, 100)
    assert clock.rate(25) == 0.5
    clock.restart(60, 100)
    clock = pickle.loads(pickle.dumps(clock))
    assert [clock.rate(now) for now in (60, 70, 80)] == [1.0, 0.5, 0.0]


def test_clock_restarted_after_the_end() -> None:
    """A restart between two trainings takes effect in the next one."""
    clock = ExplorationClock()
    clock.schedule = exploration_schedule(1.0, 0.0, 0.5)
    clock.restart(100, 100)
    assert clock.start is None
    assert clock.rate(100) == 1.0


def test_scalars_choose_the_schedule() -> None:
    """With a decay the schedule is multiplicative, without one it is linear."""
    assert exploration_schedule(0.9, 0.2, 0.3) == LinearExploration(0.9, 0.2, 0.3)
    assert exploration_schedule(0.9, 0.2, 0.3, 0.99, 2) == MultiplicativeExploration(0.9, 0.2, 0.99, 2)
