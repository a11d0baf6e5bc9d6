"""Charts and figures of labs with any exam types, shifts, lunches, closed rooms, handovers and walk-ins."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from general_days import day_of, general_lab
from random_labs import random_lab

from echo_env.lab import GeneralLabConfig, Simulator, load_lab, make_policy, sample_days, simulate
from echo_env.lab.day import NOBODY, appointment_book
from echo_env.lab.simulation.policy import SequentialPolicy
from echo_env.lab.simulation.trace import Trace

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

from echo_env.lab import plots  # noqa: E402
from echo_env.lab.plots import bars, style  # noqa: E402
from echo_env.lab.plots.bars import Bar, day_bars, rows_of  # noqa: E402
from echo_env.lab.plots.gantt_looks import class_fill, label_colour  # noqa: E402

PRESETS = ("mri_unit", "walk_in_clinic", "echo_week")


@pytest.fixture(scope="module")
def walked() -> Trace:
    """A day of three types walked by hand."""
    # Patient 0 (a, 30) begins at 30 in the big room with the early member, who goes home at 60: the late one goes on
    # until 80. The room is cleaned until 85. Patient 1 (b, 100) comes at 90, is prepared until 95 and begins then,
    # until 105; patient 2 (c, 100) comes at 96, waits for the room to be cleaned until 110, and is done at 120. The
    # late member has lunch from 130 to 150; the room is closed from 200 to 220.
    kinds = {"a": {"appointments": [30]}, "b": {"appointments": [100], "preparation": {"minutes": 5}}}
    kinds["c"] = {"appointments": [100]}
    rooms = {"big": {"count": 1, "turnover_min": 5, "closed": [{"from_min": 200, "until_min": 220}]}}
    staff = {
        "early": {"count": 1, "shift": {"from_min": 0, "until_min": 60, "hand_over": True}},
        "late": {"count": 1, "lunch": {"from_min": 130, "until_min": 200, "minutes": 20}},
    }
    config = general_lab(kinds, rooms, staff)
    day = day_of(config, [30, 90, 96], [50, 10, 10], prep_min=np.array([0, 5, 0]))
    return simulate(config, day, make_policy("policy_2", config))


def test_bars_of_a_day_of_three_types(walked: Trace) -> None:
    """Exams, handovers, cleaning, preparation, lunch, shifts and closed rooms of a day walked by hand."""
    rows = rows_of(walked.config)
    high, early, late = rows.patient_height, rows.sonographer(0), rows.sonographer(1)
    shown = {name: sorted(own) for name, own in day_bars(walked).items() if own}
    assert shown == {
        "a on time": [Bar(0, 30, 80, 0.84), Bar(early, 30, 60, 0.84), Bar(late, 60, 80, 0.84)],
        "b on time": [Bar(0, 95, 105, 0.84), Bar(late, 95, 105, 0.84)],
        "c on time": [Bar(0, 110, 120, 0.84), Bar(late, 110, 120, 0.84), Bar(rows.patient(2), 96, 110, 0.8 * high)],
        bars.CLEANING: [Bar(0, 80, 85, 0.5), Bar(0, 105, 110, 0.5), Bar(0, 120, 125, 0.5)],
        bars.CLOSED: [Bar(0, 200, 220, 0.84)],
        bars.OFF_DUTY: [Bar(early, 60, 300, 0.84)],
        bars.LUNCH: [Bar(late, 130, 150, 0.5)],
        bars.NOT_READY: [Bar(rows.patient(1), 90, 95, 0.3 * high)],
    }


def test_a_handover_is_marked_at_the_colleague(walked: Trace) -> None:
    """A line leads from who goes home to the colleague who goes on; the legend has it and all that the day has."""
    ax = plots.gantt(walked)
    (taker,) = (line for line in ax.lines if line.get_marker() == "D")
    rows = rows_of(walked.config)
    assert taker.get_xydata().tolist() == [[60, rows.sonographer(1)]]
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == ["a", "b", "c", "lunch", "off duty", "room closed", "room cleaned", "not ready yet", "appointment",
                     "handover"]  # fmt: skip
    assert [tick.get_text() for tick in ax.get_yticklabels()][:3] == ["big 0", "early 0", "late 1"]


def test_bars_of_exams_and_waits_are_those_of_the_trace() -> None:
    """In any lab, bars of rooms, of staff and of waiting patients add up to the minutes of the trace."""
    for seed in range(12):
        config = random_lab(np.random.default_rng(seed))
        trace = simulate(config, sample_days(config, 1, seed)[0], make_policy("policy_2", config))
        labels, rows = style.class_labels(config), rows_of(config)
        minutes: Counter[str] = Counter()
        for bar in itertools.chain.from_iterable(day_bars(trace)[label] for label in labels):
            part = "rooms" if bar.row < rows.rooms else "staff" if bar.row < rows.patient(0) - 0.5 else "waiting"
            minutes[part] += bar.end - bar.begin
        exams = sum(exam.end_min - exam.start_min for exam in trace.exams)
        waited = int(trace.minutes[:, : len(labels)].sum())
        assert (minutes["rooms"], minutes["staff"], minutes["waiting"]) == (exams, exams, waited), seed


def partly_played(config: Any, day: Any, minute: int) -> Trace:
    """What has happened by a minute."""
    lab, policy = Simulator(config, day), make_policy("policy_2", config)
    assert not isinstance(policy, SequentialPolicy)
    while lab.board.minute < minute:
        if lab.board.can_start():
            lab.start(policy.decide(lab.view))
        lab.advance(minute)
    return lab.trace()


@pytest.mark.parametrize("name", PRESETS)
def test_bars_up_to_a_minute_are_those_of_what_has_happened(name: str) -> None:
    """A chart up to a minute shows of a whole day what has happened by then, and no more."""
    config = load_lab(name)
    day = sample_days(config, 1, seed=4)[0]
    whole = simulate(config, day, make_policy("policy_2", config))
    for minute in (97, 250, 401):
        known = partly_played(config, day, minute)
        shown, expected = day_bars(whole, minute), day_bars(known, minute)
        for label in shown:
            # What begins in this very minute has not been decided in the one, and has no length in the other.
            longer = [[bar for bar in own[label] if bar.begin < bar.end] for own in (shown, expected)]
            assert sorted(longer[0]) == sorted(longer[1]), label


def test_walk_ins_take_rows_in_turn_by_arrival() -> None:
    """Patients without an appointment have rows below the others, in the order in which they come."""
    kinds = {"booked": {"appointments": [0]}, "walk_in": {"unscheduled": {0: 2.0}}}
    config = general_lab(kinds, {"rooms": {"count": 1}}, {"staff": {"count": 1}})
    people = len(appointment_book(config.plan))
    arrival = np.full(people, NOBODY)
    arrival[[0, 1, 3, 4]] = 0, 50, 20, 30
    trace = simulate(config, day_of(config, arrival, [5] * people), make_policy("policy_2", config))
    assert rows_of(config).walk_ins == 2
    assert bars.patient_rows(trace) == {0: 0, 3: 1, 4: 2, 1: 1}


def general(types: int) -> GeneralLabConfig:
    """A lab of so many exam types."""
    kinds = {f"t{k}": {"appointments": [10 * k]} for k in range(types)}
    return general_lab(kinds, {"rooms": {"count": 2}}, {"staff": {"count": 2}})


MACHADO = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
"""How colours look to those who are blind to red or green: Machado, Oliveira and Fernandes (2009), on linear RGB."""


def linear(colour: str) -> np.ndarray:
    """Linear RGB."""
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab_colour(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_eight_types_are_told_apart_in_grey_and_by_the_colour_blind() -> None:
    """Of two types with the same hatch, lightness differs by 15 or more of 100, and so does every colour-blind view."""
    looks = style.type_looks(general(8))
    assert len(looks) == len(set(looks)) == 8
    for one, other in itertools.combinations(looks, 2):
        if one.hatch == other.hatch:
            colours = [linear(look.colour) for look in (one, other)]
            light = [lab_colour(colour)[0] for colour in colours]
            assert abs(light[0] - light[1]) >= 15, (one, other)
            for matrix in MACHADO.values():
                seen = [lab_colour(np.array(matrix) @ colour) for colour in colours]
                assert np.linalg.norm(seen[0] - seen[1]) >= 15, (one, other)
        assert (one.dashes, one.marker) != (other.dashes, other.marker)


def test_labels_can_be_read_on_every_colour() -> None:
    """Patient numbers are white on dark colours and black on light ones: a contrast of at least 3 to 1."""
    for kind in range(24):
        face = class_fill(general(8), kind).face
        under = float(np.array([0.2126, 0.7152, 0.0722]) @ linear(face))
        over = 1.0 if label_colour(face) == "white" else 0.0
        bright, dark = max(under, over), min(under, over)
        assert (bright + 0.05) / (dark + 0.05) >= 3, face


def test_late_patients_have_a_rim_where_colours_say_the_type() -> None:
    """In labs of three types a black rim is lateness; in labs of two it is the first type."""
    three, two = general(3), general(2)
    assert [class_fill(three, kind).edge for kind in range(3)] == ["white", "black", "white"]
    assert [class_fill(two, kind).edge for kind in range(6)] == ["black"] * 3 + ["white"] * 3


@pytest.mark.parametrize("name", PRESETS)
def test_lines_by_type_and_by_group_are_means_over_days(name: str) -> None:
    """Lines of waiting patients are sums over a type's classes; lines of rooms and staff have a group each."""
    config = load_lab(name)
    policy = make_policy("policy_2", config)
    traces = [simulate(config, day, policy) for day in sample_days(config, 3, seed=2)]
    counts, plan = np.mean([trace.minutes for trace in traces], axis=0), config.plan
    lines = {line.get_label(): line.get_ydata() for line in plots.waiting_by_type(traces).lines}
    for k, label in enumerate(style.type_labels(config)):
        np.testing.assert_allclose(lines[label], counts[:, 3 * k : 3 * k + 3].sum(axis=1), atol=1e-12)
    first = 3 * len(plan.types)
    for draw, columns, labels in (
        (plots.free_rooms, plan.room_columns, style.group_labels(config, "room")),
        (plots.free_sonographers, plan.staff_columns, style.group_labels(config, "staff")),
    ):
        lines = {line.get_label(): line.get_ydata() for line in draw(traces).lines}
        for column, group in enumerate(columns):
            np.testing.assert_allclose(lines[labels[group]], counts[:, first + column], atol=1e-12)
        first += len(columns)


def test_figures_of_the_lab_hold_everybody() -> None:
    """Bars of appointments, of patients without one and of resources add up to those of the lab."""
    config = load_lab("walk_in_clinic")
    booked = [time for kind in config.plan.types for time in kind.scheduled if time is not None]
    assert sum(bar.get_height() for bar in plots.appointment_schedule(config).patches) == len(booked)
    expected = sum(number for kind in config.plan.types for _, number in kind.unscheduled)
    assert sum(bar.get_height() for bar in plots.unscheduled_by_hour(config).patches) == pytest.approx(expected)
    days = sample_days(config, 20, seed=1)
    values, edges, _ = plots.exam_durations(config, days).patches[0].get_data()
    assert (values * np.diff(edges)).sum() == pytest.approx(100)
    offsets = plots.arrival_offsets(config, days)
    booked_arrivals = days.arrival[:, : len(booked)]
    assert f"drawn: {(booked_arrivals >= 0).sum():,} patients" in [
        text.get_text() for text in offsets.get_legend().get_texts()
    ]
