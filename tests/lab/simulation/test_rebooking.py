"""Mornings on which staff are absent, and the lab rebooks some of the day's patients to another day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from general_days import day_of, general_lab

from echo_env.lab import GeneralLabConfig, Lab, load_lab, make_policy, metrics_of, sample_days, simulate
from echo_env.lab.config import ConfigError
from echo_env.lab.config.plan import NEVER
from echo_env.lab.day import NO_SHOW, REBOOKED, Day, stack_days
from echo_env.lab.day.day import with_rebooking
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.simulation.metrics import day_metrics, metrics_table
from echo_env.lab.simulation.simulator import Simulator

PLAN = {1: [100, 20], 2: [20, 60]}


def lab_with(plan: dict[int, list[int]], **staff: Any) -> GeneralLabConfig:
    """One room; three members of staff; appointments at 0, 20, 20, 60 and 100."""
    kinds = {"scan": {"appointments": [0, 20, 20, 60, None, 100], "rebook_when_absent": plan}}
    return general_lab(kinds, {"rooms": {"count": 1}}, {"staff": {"count": 3, **staff}})


def day_with(config: GeneralLabConfig, absent: int, arrival: list[int]) -> Day:
    """A day on which the first so many are absent; exams take 30 minutes."""
    draws = np.where(np.arange(len(config.plan.staff_group)) < absent, 0.0, 1.0)
    thresholds = np.array([own for own in config.plan.types[0].rebook_from if own is not None])[[0, 1, 2, 3, 5]]
    came = np.array(arrival)
    day = day_of(config, arrival, [30] * 5, absence_draw=draws)
    return with_rebooking(replace(day, rebook_from=thresholds, unplanned_arrival=came))


def test_times_of_the_plan_are_the_first_places_with_them() -> None:
    """Entries for more absent members are rebooked besides those for fewer."""
    assert lab_with(PLAN).plan.types[0].rebook_from == (NEVER, 1, 2, 2, NEVER, 1)
    assert lab_with({}).plan.types[0].rebook_from == ()
    assert not lab_with({}).plan.rebooks


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({1: [30]}, "rebook_when_absent.1 has 08:30, but there is no appointment at that time; the "
                    "appointments are at 08:00, 08:20, 09:00, 09:40"),
        ({1: [20], 2: [20, 20]}, "rebook_when_absent.2 has 08:20 once more, but there are 2 at that time; the"),
        ({1: [60, 60]}, "rebook_when_absent.1 has 09:00 once more, but there is one appointment at"),
        ({0: [20]}, "rebook_when_absent.0 is no number of absent members of staff: it must be a whole number of at "
                    "least 1"),
        ({1: 20}, "rebook_when_absent.1 is 20, but must be a list of times"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be(plan: dict[int, Any], said: str) -> None:
    """One sentence names field, value and what is allowed."""
    with pytest.raises(ConfigError, match=r"exam_types\.scan\.") as found:
        lab_with(plan)
    assert said in str(found.value)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_morning_with_one_absent(engine: str) -> None:
    """Who is on the list does not come, waits for nothing, and is neither a no-show nor turned away."""
    config = lab_with(PLAN)
    # One absent: those of 09:40 and the first of 08:20 are rebooked, who would not have come. At 0 the first is
    # examined, until 30; the other of 08:20 waits 10 minutes, until 60, when the next comes.
    day = day_with(config, 1, [0, NO_SHOW, 20, 60, 100])
    assert day.arrival.tolist() == [0, REBOOKED, 20, 60, REBOOKED]
    found = metrics(engine, config, day)
    assert {name: found[name] for name in ("rebooked", "no_show", "turned_away", "left_waiting", "served")} == {
        "rebooked": 2, "no_show": 0, "turned_away": 0, "left_waiting": 0, "served": 3,
    }  # fmt: skip
    assert found["overall_wait_min"] == pytest.approx(10 / 3)
    assert metrics(engine, config, day_with(config, 2, [0, NO_SHOW, 20, 60, 100]))["rebooked"] == 4
    nobody = metrics(engine, config, day_with(config, 0, [0, NO_SHOW, 20, 60, 100]))
    assert (nobody["rebooked"], nobody["no_show"], nobody["served"]) == (0, 1, 4)


def metrics(engine: str, config: Lab, day: Day) -> dict[str, float]:
    """The day's metrics."""
    policy = make_policy("policy_2", config)
    if engine == "simpy":
        return day_metrics(simulate(config, day, policy))
    pytest.importorskip("numba")
    from echo_env.lab.evaluation.engines import play_days

    return {name: v.item() for name, v in metrics_table(config, play_days(config, policy, stack_days([day]))).items()}


def test_from_opening_on_they_are_not_in_the_book() -> None:
    """Policies and observations see the appointments that are left, and records say who was rebooked."""
    config = lab_with(PLAN)
    lab = Simulator(config, day_with(config, 1, [0, 20, 20, 60, 100]))
    assert [line.patient for line in lab.view.appointments] == [0, 2, 3]
    fewer = general_lab({"scan": {"appointments": [0, 20, 60]}}, {"rooms": {"count": 1}}, {"staff": {"count": 3}})
    other = Simulator(fewer, day_of(fewer, [0, 20, 60], [30] * 3, absence_draw=np.array([0.0, 1, 1])))
    observe, observe_fewer = make_observation("rows", config)[1], make_observation("rows", fewer)[1]
    assert np.array_equal(observe(lab.view), observe_fewer(other.view))
    trace = simulate(config, lab.day, make_policy("policy_2", config))
    assert [record.outcome for record in trace.patients] == ["served", "rebooked", "served", "served", "rebooked"]


def test_members_on_call_are_not_counted() -> None:
    """It is regular members who must be absent, whoever comes in their place."""
    config = lab_with({1: [100]}, on_call={"count": 1})
    assert day_with(config, 0, [0] * 5).arrival.tolist() == [0] * 5
    assert day_with(config, 1, [0] * 5).arrival.tolist() == [0, 0, 0, 0, REBOOKED]


def test_another_absence_rate_decides_anew() -> None:
    """Days keep the luck of those who would have been rebooked."""
    config = lab_with(PLAN, absence_rate=0.3)
    days, without = sample_days(config, 50, 1), sample_days(lab_with({}, absence_rate=0.3), 50, 1)
    absent = (~days.present).sum(axis=1)
    thresholds = np.array([NEVER, 1, 2, 2, 1])
    assert np.array_equal(days.arrival, np.where(absent[:, None] >= thresholds, REBOOKED, without.arrival))
    assert 0 < (days.arrival == REBOOKED).sum() < days.arrival.size
    assert np.array_equal(days.with_absence_rate(0.0).arrival, without.arrival)
    assert ((days.with_absence_rate(1.0).arrival == REBOOKED) == (thresholds < NEVER)).all()
    assert days[7].with_absence_rate(1.0) == days.with_absence_rate(1.0)[7]


def test_only_labs_with_an_absence_plan_know_who_is_rebooked() -> None:
    """Tables of other labs stay as they are; an empty plan is a plan."""
    assert "rebooked" not in metrics_of(load_lab("scarce")) | metrics_of(lab_with({}))
    assert metrics_of(lab_with({1: []}))["rebooked"].unit == "patients"


def test_redraws_leave_them_rebooked() -> None:
    """What may still happen on a day has nobody who was rebooked."""
    pytest.importorskip("numba")
    from echo_env.lab.compiled import layout
    from echo_env.lab.compiled.redraw import FutureSampler
    from echo_env.lab.compiled.rules import rules_of

    config = lab_with(PLAN)
    lab = Simulator(config, day_with(config, 1, [0, 20, 20, 60, 100]))
    sampler = FutureSampler(config)
    labs = sampler.labs_of(lab.view, 50)
    sampler.redraw(labs, np.random.default_rng(0))
    arrival = layout.parts_of(labs.lab, rules_of(config)).patients[..., layout.ARRIVAL]
    assert ((arrival == REBOOKED) == [False, True, False, False, True]).all()
