"""Fields of a sweep: paths, values, and the derived fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from config_strategies import configs
from hypothesis import given, settings
from hypothesis import strategies as st

from echo_env.lab import ConfigError, LabConfig
from echo_env.lab.config import Appointments, ExamLaw
from echo_env.lab.sweep import DERIVED, book
from echo_env.lab.sweep.fields import changed, find_field

SCARCE = LabConfig.load("scarce")


def set_field(config: LabConfig, path: str, text: str) -> LabConfig:
    """The lab with one field set as typed."""
    return changed(config, {path: find_field(path, config).read(text)})


def test_every_field_of_the_config_can_be_swept_by_its_own_value() -> None:
    """Fields of every section are read by path, and their own values leave the lab unchanged."""
    for path in (
        "rooms.fetal", "rooms.non_fetal", "sonographers.absence_rate", "sonographers.always_present_fetal",
        "arrival.no_show_rate", "exam.mean_min", "breaks.minutes", "hours.closing_min", "penalty.idle_rule",
    ):  # fmt: skip
        field = find_field(path, SCARCE)
        part: Any = SCARCE
        for name in path.split("."):
            part = getattr(part, name)
        assert field.own(SCARCE) == part
        assert changed(SCARCE, {path: field.read(field.write(part))}) == SCARCE


@given(configs())
@settings(max_examples=50, deadline=None)
def test_own_values_change_nothing_in_any_lab(config: LabConfig) -> None:
    """In any lab, own values survive writing and reading and leave the lab unchanged."""
    for path in (*DERIVED, "rooms.fetal", "arrival.model", "appointments.non_fetal"):
        field = find_field(path, config)
        own = field.own(config)
        assert changed(config, {path: own}) == config
        assert field.read(f"[{field.write(own)}]" if isinstance(own, tuple) else field.write(own)) == own


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("rooms.non_fetal", "5", {"rooms__non_fetal": 5}),
        ("sonographers.absence_rate", "0.3", {"sonographers__absence_rate": 0.3}),
        ("penalty.idle_rule", "none", {"penalty__idle_rule": "none"}),
        ("hours.closing", "17:30", {"hours__closing_min": 570}),
        ("hours.end", "20:00", {"hours__end_min": 720}),
        ("appointments.fetal", "[08:15, 16:15]", {"appointments__fetal": (15, 495)}),
        ("appointments.fetal", "[]", {"appointments__fetal": ()}),
        ("appointments.template", "own", {}),
    ],
)
def test_values_are_read_as_typed(path: str, text: str, expected: dict[str, Any]) -> None:
    """A typed value sets exactly its config fields."""
    assert set_field(SCARCE, path, text) == SCARCE.replace(**expected)


def test_fields_of_a_law_of_its_own_are_swept_too() -> None:
    """Fields of a separate fetal duration distribution can be swept where the lab has one."""
    with pytest.raises(ConfigError, match="no field"):
        find_field("exam.fetal.mean_min", SCARCE)
    config = SCARCE.replace(exam__fetal=ExamLaw(9.0, 45.0, 20.0, 150.0))
    longer = set_field(config, "exam.fetal.mean_min", "60")
    assert longer == SCARCE.replace(exam__fetal=ExamLaw(9.0, 60.0, 20.0, 150.0))


def test_changes_apply_all_at_once() -> None:
    """Several values are set together, so that only the result must be a valid lab."""
    both = changed(SCARCE, {"exam.shortest_min": 200.0, "exam.longest_min": 300.0})
    assert (both.exam.shortest_min, both.exam.longest_min) == (200, 300)
    late = changed(SCARCE, {"hours.closing": 18 * 60, "appointments.fetal": (17 * 60 + 30,)})
    assert late.appointments.fetal == (570,)


def test_another_opening_keeps_the_clock() -> None:
    """Another opening time leaves the clock times of appointments, closing and end unchanged."""
    early = set_field(SCARCE, "hours.opening", "07:30")
    assert (early.hours.clock(early.hours.closing_min), early.hours.clock(early.hours.end_min)) == ("17:00", "19:00")
    assert early.appointments.fetal[0] == SCARCE.appointments.fetal[0] + 30
    with pytest.raises(ConfigError, match=r"one at 08:00, but the lab opens at 08:15"):
        set_field(SCARCE, "hours.opening", "08:15")


def test_a_template_comes_at_its_clock_times(tmp_path: Path) -> None:
    """A template's appointments keep their clock times in a lab with other hours."""
    path = tmp_path / "other.yaml"
    path.write_text(
        "base: baseline\nhours: {opening: '09:00', closing: '18:00', end: '20:00'}\n"
        "appointments: {fetal: ['09:30'], non_fetal: ['10:00', '10:00']}\n"
    )
    lab = set_field(SCARCE, "appointments.template", str(path))
    assert lab == SCARCE.replace(appointments=Appointments((90,), (120, 120)))


def brute_force_spread(times: tuple[int, ...], count: int) -> tuple[int, ...]:
    """For each new appointment, the time in whose share of the list the middle of its own share lies."""
    chosen = []
    for i in range(count):
        middle = (i + 0.5) / count
        chosen.append(next(t for k, t in enumerate(times) if k <= middle * len(times) + 1e-12 < k + 1))
    return tuple(chosen)


@given(st.lists(st.integers(0, 540), min_size=1, max_size=12).map(sorted), st.integers(0, 30))
def test_spread_is_even(times: list[int], count: int) -> None:
    """Thinning and repeating are even: no time is used two times more often than another."""
    got = book.spread(times, count)
    assert got == brute_force_spread(tuple(times), count)
    assert list(got) == sorted(got)
    numbered = book.spread(range(len(times)), count)
    copies = [numbered.count(k) for k in range(len(times))]
    assert max(copies) - min(copies) <= 1
    assert book.spread(times, len(times)) == tuple(times)
    assert book.spread(times, 2 * len(times)) == tuple(time for time in times for _ in range(2))


@pytest.mark.parametrize(
    ("factor", "fetal", "non_fetal"), [(1.0, 9, 29), (0.5, 5, 14), (2.0, 18, 58), (1.1, 10, 32), (0.01, 0, 0)]
)
def test_scale_keeps_the_share_of_each_kind(factor: float, fetal: int, non_fetal: int) -> None:
    """Scaling keeps the proportions of kinds by the largest remainder."""
    if not fetal + non_fetal:
        with pytest.raises(ConfigError, match="must have at least one"):
            book.scaled(SCARCE.appointments, factor)
        return
    got = book.scaled(SCARCE.appointments, factor)
    assert (len(got.times("fetal")), len(got.times("non_fetal"))) == (fetal, non_fetal)


def test_per_day_counts_exactly() -> None:
    """The numbers of appointments are exactly those requested."""
    for total in range(1, 120):
        got = book.with_total(SCARCE.appointments, total)
        assert len(got) == total
        assert abs(len(got.times("fetal")) - total * 9 / 38) <= 0.5
    fuller = changed(SCARCE, {"appointments.fetal_per_day": 12, "appointments.non_fetal_per_day": 20})
    assert [len(fuller.appointments.times(kind)) for kind in ("fetal", "non_fetal")] == [12, 20]
    assert len(changed(SCARCE, {"appointments.fetal_per_day": 12, "appointments.scale": 0.5}).appointments) == 21


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("rooms.fetl", "1", "rooms.fetl is no field of the lab that can be swept: did you mean rooms.fetal?"),
        ("absence_rate", "1", "did you mean sonographers.absence_rate?"),
        ("rooms", "1", "rooms is a section of the lab, not a field; it has rooms.fetal, rooms.non_fetal"),
        ("name", "x", "name is no field of the lab"),
        ("zzz", "1", "there are appointments.fetal, appointments.non_fetal, hours.opening_min"),
        ("rooms.fetal", "one", "rooms.fetal has 'one', but must be a whole number"),
        ("rooms.fetal", "1.5", "rooms.fetal has '1.5', but must be a whole number"),
        ("exam.mean_min", "inf", "exam.mean_min has 'inf', but must be a number"),
        ("hours.closing", "25:00", "hours.closing has '25:00', but must be a clock time"),
        ("appointments.fetal", "08:15", "appointments.fetal has '08:15', but must be a list of clock times"),
        ("rooms.fetal", "0", "no fetal patient could ever be examined"),
        ("rooms.non_fetal", "-1", "rooms.non_fetal is -1, but must be a whole number from 0 to 999"),
        ("appointments.per_day", "1000", "appointments.per_day is 1000, but must be a whole number from 0 to 999"),
        ("appointments.scale", "-1", "appointments.scale is -1.0, but must be a number of at least 0"),
        ("appointments.template", "nowhere.yaml", "config 'nowhere.yaml' is neither a file nor a preset"),
        ("hours.end", "16:00", "hours.end_min is 480, but must be a whole number from 540"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(path: str, text: str, message: str) -> None:
    """Unknown fields and invalid values are refused in one sentence."""
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        set_field(SCARCE, path, text)
    assert "\n" not in str(caught.value)


def test_nothing_to_repeat_is_refused() -> None:
    """Appointments of a kind that the template lacks are refused."""
    config = SCARCE.replace(appointments=Appointments((), (0, 30)))
    with pytest.raises(ConfigError, match="has no fetal appointment to repeat"):
        set_field(config, "appointments.fetal_per_day", "2")
