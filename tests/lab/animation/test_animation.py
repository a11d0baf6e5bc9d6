"""A day as a moving floor plan: where everybody is, and what the frames say."""

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.transforms import Bbox
from PIL import Image, ImageSequence

from echo_env.commands.showing import animate as animate_command
from echo_env.lab import load_lab, make_policy
from echo_env.lab.animation import Film, write_animation
from echo_env.lab.animation.floor import HEIGHT, WIDTH, floor_of
from echo_env.lab.animation.moving import GLIDE_MIN, Walks, most_waiting
from echo_env.lab.day import sample_days
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace

LABS = ("scarce", "baseline", "abundant", "mri_unit", "walk_in_clinic")


def traces_of(lab: str, *names: str, seed: int = 1) -> dict[str, Trace]:
    """The same day under some rules."""
    config = load_lab(lab)
    day = sample_days(config, 1, seed)[0]
    return {name: simulate(config, day, make_policy(name, config)) for name in names}


@pytest.fixture(scope="module")
def film() -> Film:
    """Two rules in the scarce lab."""
    return Film(traces_of("scarce", "policy_2", "fetal_first"), every_min=60)


@pytest.mark.parametrize("lab", LABS)
def test_floor_plans_have_room_for_all(lab: str) -> None:
    """Seats and rooms lie inside the plan and apart, and nobody is larger than the distance to the next seat."""
    floor = floor_of(load_lab(lab).plan, 40)
    boxes = [Bbox.from_bounds(*box) for box in (*floor.rooms, floor.waiting)]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    seats = np.array(floor.seats)
    assert floor.waiting.left < seats[:, 0].min()
    assert seats[:, 0].max() < WIDTH
    assert floor.waiting.bottom < seats[:, 1].min()
    assert seats[:, 1].max() < HEIGHT
    apart = np.abs(seats[:, None] - seats[None]).max(axis=2)[~np.eye(len(seats), dtype=bool)]
    assert floor.size <= apart.min()


@pytest.mark.parametrize("lab", LABS)
def test_everybody_is_where_the_trace_says(lab: str) -> None:
    """Once walks are over, patients and staff stand in the rooms of exams under way, and seats hold who waits."""
    (trace,) = traces_of(lab, "policy_2", seed=3).values()
    floor = floor_of(trace.config.plan, most_waiting(trace))
    walks, checked = Walks(trace, floor), 0
    changes = np.array([m for own in (*trace.work, *trace.exams) for m in (own.start_min, own.end_min)]
                       + trace.day.arrival[trace.day.arrival >= 0].tolist())  # fmt: skip
    for minute in range(trace.config.hours.end_min):
        if ((changes > minute - GLIDE_MIN) & (changes <= minute)).any():
            continue
        moment = walks.at(minute)
        places = [own.place for own in moment.patients]
        running = [exam for exam in trace.exams if exam.start_min <= minute < exam.end_min]
        assert sorted(floor.on_couch(exam.room) for exam in running) == sorted(set(places) - set(floor.seats))
        assert {floor.beside_patient(exam.room) for exam in running} <= {own.place for own in moment.staff}
        ready = [own for own in moment.patients if own.place in floor.seats and not own.pale]
        assert len(ready) == moment.waiting
        assert len(set(places)) == len(places)
        checked += 1
    assert checked > 30


def test_numbers_are_those_of_the_trace(film: Film) -> None:
    """Every frame says how many wait and what has been paid at its minute; the last one the whole day's penalty."""
    for minute in film.minutes:
        film.frame(minute)
        for plan in film.plans:
            trace = plan.walks.trace
            assert plan._waiting.get_text() == f"waiting now: {trace.minutes[minute, :6].sum()}"
            assert f" {trace.cumulated_penalty[minute + 1]:,.0f} points" in plan._penalty.get_text()
    assert all(plan.shown.penalty == pytest.approx(plan.walks.trace.penalty.total) for plan in film.plans)


def test_both_policies_are_at_the_same_minute_at_equal_speed(film: Film) -> None:
    """Frames begin at opening, lie equally far apart, and each shows both plans at the minute of its clock."""
    assert film.minutes[0] == 0
    assert set(np.diff(film.minutes[:-1])) == {60}
    for minute in film.minutes:
        film.frame(minute)
        assert {plan.shown.minute for plan in film.plans} == {minute}
        assert film.clock.get_text() == film.config.hours.clock(minute)
    film.frame(0)
    assert film.clock.get_text() == "08:00"
    assert [plan.ax.get_title() for plan in film.plans] == ["policy_2", "fetal_first"]


def test_walkers_are_between_two_places_and_arrive() -> None:
    """Somebody who comes is on the way to the seat at first, and there when the walk's minutes have passed."""
    (trace,) = traces_of("scarce", "policy_2").values()
    floor = floor_of(trace.config.plan, most_waiting(trace))
    walks = Walks(trace, floor)
    waits = {exam.patient: exam.start_min - trace.day.arrival[exam.patient] for exam in trace.exams}
    patient = max(waits, key=waits.__getitem__)
    arrival = int(trace.day.arrival[patient])
    seats = [{own.place for own in walks.at(minute).patients} & set(floor.seats) for minute in (arrival, arrival + 9)]
    assert len(walks.at(arrival).patients) > len(seats[0])
    assert seats[1] - seats[0]


@pytest.mark.parametrize("lab", ["scarce", "mri_unit"])
def test_legend_names_the_exam_types_that_come(lab: str) -> None:
    """Each exam type that has patients that day is named once, no other, and no entry lies outside the picture."""
    traces = traces_of(lab, "policy_2", "scarce_first")
    shown = Film(traces)
    day, types = next(iter(traces.values())).day, load_lab(lab).plan.types
    came = {types[k].name.replace("_", "-") for k in day.exam_type[day.arrival >= 0]}
    texts = [text.get_text() for text in shown.legend.get_texts()]
    assert {text.removesuffix(" patient") for text in texts if text.endswith(" patient")} == came
    assert len(set(texts)) == len(texts)
    outside, inside = shown.legend.figure.bbox, shown.legend.get_window_extent()
    assert outside.x0 <= inside.x0
    assert inside.x1 <= outside.x1


def test_gif_has_every_frame_and_its_time(tmp_path: Path) -> None:
    """A GIF's frames look as drawn but for edges a few pixels wide, although only changes are in the file."""
    film = Film(traces_of("scarce", "policy_2"), every_min=30, width=400)
    write_animation(film, tmp_path / "day.gif", fps=10)
    with Image.open(tmp_path / "day.gif") as image:
        found = [np.asarray(frame.convert("RGB"), dtype=np.int64) for frame in ImageSequence.Iterator(image)]
        assert image.info["duration"] == 2000
    assert len(found) == len(film)
    for drawn, read in zip(film, found, strict=True):
        assert np.abs(drawn - read).max(axis=2).mean() < 0.2
        assert (np.abs(drawn - read).max(axis=2) > 40).mean() < 0.002


def test_mp4_opens(tmp_path: Path) -> None:
    """An MP4 holds as many frames as the film, of its size."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    film = Film(traces_of("scarce", "policy_2"), every_min=60, width=400)
    write_animation(film, tmp_path / "day.mp4", fps=5)
    height, width = film.frame(0).shape[:2]
    assert ffmpeg.read_frames(str(tmp_path / "day.mp4")).__next__()["size"] == (width, height)
    assert ffmpeg.count_frames_and_secs(str(tmp_path / "day.mp4"))[0] == len(film)


def test_days_of_different_luck_are_refused() -> None:
    """Two days cannot stand side by side, nor three policies."""
    one, other = traces_of("scarce", "policy_2"), traces_of("scarce", "policy_2", seed=2)
    with pytest.raises(ValueError, match="on the same day only"):
        Film({"a": one["policy_2"], "b": other["policy_2"]})
    with pytest.raises(ValueError, match="but 3 were given"):
        Film(dict.fromkeys("abc", one["policy_2"]))


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["--output", "day.avi"], "--output is 'day.avi', but must be a file that ends in .gif or .mp4"),
        (["--output", "-"], "--output is '-', but must be a file"),
        (["--output", "d.gif", "--every", "0"], "--every is 0, but must be from 1 to 60"),
        (["--output", "d.gif", "--seed", "-1"], "--seed is -1, but must be at least 0"),
        (["--output", "d.gif", "--policies", "policy_1", "policy_2", "random"], "--policies has 3 names"),
    ],
)
def test_what_cannot_be_animated_is_said_in_one_sentence(
    tokens: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, one line that names the option, its value and what is allowed."""
    assert animate_command.main(["scarce", *tokens]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err


def test_the_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By default two rules stand side by side in a GIF, and the command says how large it is."""
    path = tmp_path / "day.gif"
    assert animate_command.main(["scarce", "--output", str(path), "--every", "60", "--width", "400"]) == 0
    assert f"animation: {path}, 12 frames" in capsys.readouterr().out
    with Image.open(path) as image:
        assert image.n_frames == 12
