"""Whether validation accepts labs that are right, and says of wrong ones what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import pandas as pd
from hospital_sheets import WEEK
from simulated_visits import clinic, visits_of

from echo_env.common.files import files_in
from echo_env.lab import GeneralLabConfig, load_lab
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.validation import Validation, validate
from echo_env.lab.calibration.validation.agreement import agreement, best_after_vitals, rule_fits
from echo_env.lab.calibration.validation.exams import (
    Exams,
    Sums,
    days_like,
    numbers_of,
    seen_exams,
    simulated_exams,
    under_way,
    weekday_of,
)
from echo_env.lab.calibration.validation.left_out import leave_one_day_out
from echo_env.lab.calibration.validation.levers import CAPACITY, FLOW, levers, without_flow
from echo_env.lab.calibration.validation.own_days import own_record
from echo_env.lab.calibration.validation.predictive import predictive_checks
from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.validation.results import (
    file_names,
    markdown,
    numbers,
    print_validation,
    write_validation,
)
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.evaluation.comparison import evaluate

LATE = {f"exam_types__{name}__preparation": {"minutes": 15} for name in ("scan", "stress_test")}
NONE: dict[str, Any] = {f"exam_types__{name}__preparation": None for name in ("scan", "stress_test")}


def at_once(config: GeneralLabConfig) -> GeneralLabConfig:
    """The lab without check-in lead, and with exams that begin when patients are ready."""
    fields: dict[str, Any] = {}
    for name in config.exam_types:
        fields |= {f"exam_types__{name}__may_begin_early": True, f"exam_types__{name}__check_in_lead_min": 0}
    return config.replace(**fields)


def by_hand(begin: list[int], end: list[int], day: list[int], **changes: Any) -> Exams:
    """Exams of one type that were due at 600, on as many days as are named."""
    n, days = len(begin), max(day) + 1
    fields: dict[str, Any] = {
        "day": np.array(day),
        "kind": np.zeros(n, dtype=np.int64),
        "waits_from": np.full(n, 590.0),
        "scheduled": np.full(n, 600.0),
        "begin": np.array(begin, dtype=np.float64),
        "end": np.array(end, dtype=np.float64),
        "examined": np.bincount(day, minlength=days).astype(np.float64),
        "complete": np.full(days, True),
    }
    return Exams(**{**fields, **changes})


@pytest.fixture(scope="module")
def found() -> Validation:
    """A right lab, with each day left out."""
    config = clinic()
    return validate(visits_of(config, 6, seed=2), config, days=200, seed=1, refit=lambda visits: config)


@pytest.mark.parametrize("days", [5, 15])
@pytest.mark.parametrize("seed", [21, 22])
def test_a_right_lab_is_accepted(days: int, seed: int) -> None:
    """Nothing in a record contradicts the lab that it is from, whatever the record leaves out."""
    config = clinic()
    found = validate(visits_of(config, days, seed), config, days=300, seed=5)
    assert found.accepted
    assert {answer.question: answer.good for answer in found.verdict}["waits"]
    assert found.unexplained.minutes <= 2
    assert not any("unexplained" in sentence for sentence in found.sentences)
    assert abs(found.fits[0].every.difference.mean) < 2


@pytest.mark.parametrize("change", [lambda config: config, at_once], ids=["appointments bind", "they do not"])
@pytest.mark.parametrize("vitals", [False, True])
def test_an_unmodelled_preparation_is_found(
    change: Callable[[GeneralLabConfig], GeneralLabConfig], vitals: bool
) -> None:
    """A lab without the 15 minutes that patients are prepared is rejected, and the verdict names the minutes."""
    right, wrong = change(clinic(**LATE)), change(clinic(**NONE))
    visits = visits_of(right, 10, seed=31, vitals=vitals)
    found = validate(visits, wrong, days=300, seed=5)
    assert not found.accepted
    assert found.unexplained.missing.preparation_min == 15
    answers = {answer.question: answer for answer in found.verdict}
    assert answers["waits"].good is False
    assert answers["flow"].good is False
    said = "bout 15 minutes between being ready, as the lab has it, and the exam are unexplained"
    assert said in answers["waits"].sentence
    assert said in answers["flow"].sentence
    assert sum(said in sentence for sentence in found.sentences) == 3
    if not vitals:
        assert validate(visits, right, days=300, seed=5).accepted


def test_exams_that_wait_for_their_appointment_are_found() -> None:
    """A lab in which exams begin early is rejected where in the record none does."""
    right = clinic()
    wrong = right.replace(**{f"exam_types__{name}__may_begin_early": True for name in right.exam_types})
    found = validate(visits_of(right, 10, seed=41), wrong, days=300, seed=5)
    assert not found.accepted
    assert found.unexplained.missing.appointment
    assert any("no exam begins before its appointment" in sentence for sentence in found.sentences)


def test_too_few_rooms_are_found() -> None:
    """Days played again in the rooms seen agree, but simulated days do not: the verdict names the rooms."""
    right = clinic(room_groups__large__count=2)
    busy = tuple(sorted((*right.exam_types["stress_test"].appointments, 50, 110, 170, 320)))
    right = right.replace(exam_types__stress_test__appointments=busy)
    found = validate(visits_of(right, 15, seed=51), right.replace(room_groups__large__count=1), days=300, seed=5)
    assert not found.accepted
    answer = next(answer for answer in found.verdict if answer.question == "waits_stress_test")
    assert answer.good is False
    assert "the record has such exams in 2 rooms, and the lab has 1 for them" in answer.sentence


def test_another_volume_is_found() -> None:
    """A lab with two thirds of the patients is not good enough for how many a day has."""
    right = clinic()
    few = right.replace(exam_types__scan__appointments=right.exam_types["scan"].appointments[::2])
    found = validate(visits_of(right, 10, seed=61), few, days=300, seed=5)
    assert {answer.question: answer.good for answer in found.verdict}["days"] is False


def test_a_wrong_length_of_recorded_preparations_is_named() -> None:
    """Where the record knows the preparation, days played again agree, and the verdict compares the lengths."""
    right, wrong = at_once(clinic(**LATE)), at_once(clinic(**{name: {"minutes": 4} for name in LATE}))
    found = validate(visits_of(right, 10, seed=71, vitals=True), wrong, days=300, seed=5)
    assert not found.accepted
    assert any("recorded preparations end 15 minutes after check-in, 4 in the lab" in said for said in found.sentences)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scarce", "walk_in_clinic", "mri_unit"])
def test_a_right_lab_is_accepted_where_rooms_are_short(name: str) -> None:
    """Breaks, shifts and what people can do are not in a record: the lab's own days tell how much that matters."""
    config = load_lab(name)
    found = validate(visits_of(config, 8, seed=11), config, days=300, seed=5)
    assert found.accepted
    assert found.own.every.n > 1000
    assert found.fits[0].every.queue > 2


def test_the_own_record_is_what_a_hospital_would_have_kept() -> None:
    """Own days have the columns of the record, and none that the hospital lacks."""
    config = clinic(exam_types__scan__unscheduled={60: 1.0})
    visits = visits_of(config, 4, seed=9)
    own = own_record(config, "policy_2", 4, 9, visits)
    seen = visits.table[visits.table["begin"].notna()].sort_values(["day", "row"])
    for column in ("type", "expected", "actual", "scheduled", "begin", "end", "offset_min", "exam_min", "unscheduled"):
        assert own.table[column].equals(seen[column].reset_index(drop=True)), column
    bare = replace(visits, table=visits.table.assign(room=""))
    assert set(own_record(config, "policy_2", 2, 9, bare).table["room"]) == {""}
    assert (own_record(config, "policy_2", 2, 9, bare).table["staff"] != "").all()


def test_rooms_and_rules_need_a_record_in_which_they_were_short() -> None:
    """Where nobody waits for a room, the lab must not be used for rooms; where many do, it may."""
    quiet = validate(visits_of(clinic(), 6, seed=81), clinic(), days=100, seed=5)
    answers = {answer.question: answer for answer in quiet.verdict}
    assert answers["capacity"].good is False
    assert "how the hospital behaves when they are short is not in the record" in answers["capacity"].sentence
    assert quiet.accepted
    scarce = clinic(room_groups__small__count=1)
    short = validate(visits_of(scarce, 6, seed=81), scarce, days=100, seed=5)
    assert short.fits[0].every.queue > 2
    assert {answer.question: answer.good for answer in short.verdict}["capacity"]


def test_the_rule_of_the_record_fits_best() -> None:
    """Where rooms are short, the replay tells by which rule exams were begun."""
    config = clinic(room_groups__small__count=0, room_groups__large__count=2, exam_types__scan__weight=3)
    visits = visits_of(config, 15, seed=91, rule="urgent_first")
    assert rule_fits(Replayer(visits, config), 0)[0].rule == "urgent_first"


def test_minutes_after_recorded_preparations_are_estimated() -> None:
    """What lies between the recorded end of the preparation and being ready is found by least squares."""
    config = at_once(clinic(**LATE))
    visits = visits_of(config, 5, seed=101, vitals=True)
    earlier = replace(visits, table=visits.table.assign(vitals_out=visits.table["vitals_out"] - 6))
    assert best_after_vitals(Replayer(earlier, config)) == 6


def test_agreement_of_a_replay() -> None:
    """Mean waits, differences, errors, correlation and queue of three exams, by hand."""
    rows = pd.DataFrame(
        {
            "day": ["a", "a", "b"],
            "waits_from": [100, 200, 300],
            "ready": [105, 210, 310],
            "seen_begin": [110, 220, 330],
            "simulated_begin": [108, 226, 318],
        }
    )
    found = agreement(rows)
    assert (found.n, found.seen_wait, found.error) == (3, 20, pytest.approx(20 / 3))
    assert found.simulated_wait == pytest.approx((8 + 26 + 18) / 3)
    assert found.difference.mean == pytest.approx(-8 / 3)
    assert found.queue == pytest.approx((3 + 16 + 8) / 3)
    assert found.correlation == pytest.approx(np.corrcoef([10, 20, 30], [8, 26, 18])[0, 1])
    assert np.isnan(agreement(rows.head(1)).correlation)


def test_means_over_days_count_every_exam() -> None:
    """The mean is the ratio of sums, and days are what is sampled; days without a value do not count."""
    sums = Sums(np.array([10.0, 60.0, 0.0]), np.array([1.0, 3.0, 0.0]))
    mean = sums.mean()
    assert (mean.mean, mean.n) == (17.5, 2)
    equal = Sums(np.array([3.0, 5.0, 7.0]), np.ones(3)).mean()
    assert equal.half_width == pytest.approx(4.302653 * 2 / np.sqrt(3))
    assert np.isnan(Sums(np.zeros(2), np.zeros(2)).mean().mean)


def test_numbers_of_days_by_hand() -> None:
    """Waits, delays, ends, exams at once and use of rooms of two days."""
    config = clinic()
    exams = by_hand([600, 620, 640], [630, 650, 700], [0, 0, 1], complete=np.array([True, False]))
    values = {number.name: number.of(exams).mean().mean for number in numbers_of(config)}
    assert values["wait_min"] == pytest.approx((10 + 30 + 50) / 3)
    assert values["delay_min"] == 20
    assert values["late_share"] == pytest.approx(2 / 3)
    assert values["exams"] == 1.5
    # Only the first day is complete.
    assert (values["last_end_min"], values["at_once"]) == (650, 2)
    assert values["utilisation"] == pytest.approx(60 / (3 * 540))
    assert np.isnan(values["wait_stress_test_min"])
    assert under_way(exams)[0, [599, 600, 619, 620, 630, 649, 650]].tolist() == [0, 1, 1, 2, 1, 1, 0]


def test_recorded_and_simulated_days_have_the_same_numbers() -> None:
    """The record of simulated days gives the numbers of these days, which are those of an evaluation."""
    config = clinic()
    seen, simulated = seen_exams(visits_of(config, 7, seed=3), config), simulated_exams(config, "policy_2", 7, seed=3)
    for number in numbers_of(config):
        assert np.allclose(number.of(seen).mean(), number.of(simulated).mean(), equal_nan=True), number.name
    values = evaluate(config, ["policy_2"], 7, 3).values["policy_2"]
    assert np.allclose(simulated.examined, values["served"])


def test_incomplete_days_say_nothing_about_rooms() -> None:
    """Where exams lack their end, or nobody knows who came, numbers of the whole day are left out."""
    config = clinic()
    visits = visits_of(config, 2, seed=4)
    first = visits.table["day"] == visits.days[0]
    table = visits.table.copy()
    table.loc[first, ["end", "exam_min"]] = pd.NA
    assert seen_exams(replace(visits, table=table), config).complete.tolist() == [False, True]
    table = visits.table.copy()
    table.loc[first, ["begin", "end", "exam_min"]] = table.loc[first, ["begin", "end", "exam_min"]].head(5)
    table.loc[first & table["begin"].isna(), "came"] = "unknown"
    examined = seen_exams(replace(visits, table=table), config).examined
    assert np.isnan(examined[0])
    assert examined[1] > 10


def test_days_of_the_lab_are_no_surprise_and_others_are() -> None:
    """P-values of a lab's own days are spread over (0, 1); those of other days are small."""
    config = clinic()
    simulated = simulated_exams(config, "policy_2", 400, seed=1)
    own = [predictive_checks(numbers_of(config), simulated_exams(config, "policy_2", 5, seed), [simulated], 0)
           for seed in range(100, 130)]  # fmt: skip
    p = np.array([check.p for checks in own for check in checks if check.number.name in ("wait_min", "utilisation")])
    assert 0.35 < p.mean() < 0.65
    assert (p < 0.05).mean() < 0.15
    late = replace(simulated_exams(config, "policy_2", 5, seed=1))
    late = replace(late, begin=late.begin + 10, end=late.end + 10)
    checks = {own.number.name: own for own in predictive_checks(numbers_of(config), late, [simulated], 0)}
    assert checks["wait_min"].p < 0.01
    assert checks["wait_min"].matters
    assert checks["wait_min"].low < checks["wait_min"].simulated.mean < checks["wait_min"].high
    assert not checks["utilisation"].matters


def test_labs_of_a_bootstrap_widen_what_is_expected() -> None:
    """Not knowing the lab makes intervals wider."""
    config = clinic()
    labs = [config.replace(exam_types__stress_test__exam__mean_min=mean) for mean in (35.0, 50.0, 65.0)]
    visits = visits_of(config, 6, seed=5)
    alone = validate(visits, config, days=200, seed=1).checks
    several = validate(visits, config, days=200, seed=1, labs=labs).checks
    use = (
        {own.number.name: own for own in alone}["utilisation"],
        {own.number.name: own for own in several}["utilisation"],
    )
    assert use[1].high - use[1].low > 1.3 * (use[0].high - use[0].low)


def test_weekdays_have_books_of_their_own() -> None:
    """Each weekday is simulated with its lab, as often as it was recorded."""
    config = clinic()
    short = config.replace(exam_types__scan__appointments=(30, 60), exam_types__stress_test__appointments=(45,))
    visits = visits_of(config, 5, seed=6)
    assert [weekday_of(day) for day in visits.days] == ["monday", "tuesday", "wednesday", "thursday", "friday"]
    assert weekday_of("Sheet 1") == ""
    exams = days_like(visits, config, {"monday": short}, "policy_2", 100, 1)
    assert exams.days == 100
    assert exams.examined[:20].max() <= 3
    assert exams.examined[20:].min() > 5


def test_each_day_is_left_out_once(found: Validation) -> None:
    """The lab is fitted without the day, and the day played again in it."""
    visits, config, seen = visits_of(clinic(), 4, seed=7), clinic(), []

    def refit(others: Visits) -> GeneralLabConfig:
        seen.append(others.days)
        if len(seen) == 2:
            raise ValueError("nothing to fit")
        return config

    days = leave_one_day_out(visits, refit, "policy_2", 0, 50, 1)
    assert [len(others) for others in seen] == [3] * 4
    assert [day.day for day in days] == [visits.days[0], *visits.days[2:]]
    assert [set(visits.days) - set(others) for others in seen] == [{day} for day in visits.days]
    assert len(found.left_out) == 6
    assert sum(day.inside for day in found.left_out) >= 5
    assert any("Fitted without a day" in sentence for sentence in found.sentences)


def test_changes_that_shorten_waits() -> None:
    """A shorter preparation does; so does a room where rooms are short, and only there."""
    quiet = levers(clinic(), "policy_2", ("policy_2", "policy_1"), 200, 1)
    words = {lever.words: lever.difference for lever in quiet.changes}
    assert words["preparation 5 minutes shorter"].high < 0
    assert words["exams begin as soon as patients are ready"].high < words["preparation 5 minutes shorter"].low
    assert quiet.helpful(FLOW)[0].difference.mean == min(
        own.difference.mean for own in quiet.changes if own.kind == FLOW
    )
    assert "policy_1 in place of policy_2" in words
    scarce = levers(clinic(room_groups__small__count=1), "policy_2", ("policy_2",), 200, 1)
    best = scarce.best(CAPACITY)
    assert best is not None
    assert "room" in best.words
    assert best.difference.mean < -5


def test_the_lab_without_flow() -> None:
    """It has neither check-in lead nor preparation, and a lab of the short form has none to lose."""
    plain = without_flow(clinic())
    assert plain is not None
    assert [(own.check_in_lead_min, own.preparation, own.may_begin_early) for own in plain.plan.types] == [
        (0, None, True)
    ] * 2
    assert without_flow(plain) is None
    assert without_flow(load_lab("baseline")) is None


def test_a_lab_of_the_short_form() -> None:
    """Fetal and non-fetal exams are matched by name; there is nothing to change but rooms, staff and rules."""
    config = load_lab("baseline")
    found = validate(visits_of(config, 3, seed=8), config, days=100, seed=1)
    assert found.accepted
    assert found.plain_levers is None
    assert not found.levers.helpful(FLOW)


def test_files_of_a_report(found: Validation, tmp_path: Path) -> None:
    """All files are there, with the sentences, the numbers as JSON, and a row for each exam."""
    write_validation(tmp_path, found, ["sheet: simulated.xlsx"])
    assert files_in(tmp_path) == set(file_names())
    text = (tmp_path / "validation.md").read_text()
    assert all(sentence in text for sentence in found.sentences)
    assert text.splitlines() == markdown(found, ["sheet: simulated.xlsx"])
    content = json.loads((tmp_path / "validation.json").read_text())
    assert content["accepted"] is True
    assert content["replay"]["policy_2"]["all"]["n"] == len(pd.read_csv(tmp_path / "replay.csv"))
    assert [answer["question"] for answer in content["verdict"]] == [
        "waits", "waits_scan", "waits_stress_test", "delays", "days", "load", "flow", "capacity",
    ]  # fmt: skip
    assert content == json.loads(json.dumps({"provenance": ["sheet: simulated.xlsx"], **numbers(found)}))


def test_tables_on_a_terminal(found: Validation, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed are the replay, the checks, the days left out, the levers, and the verdict."""
    print_validation(found)
    printed = capsys.readouterr().out
    for part in ("clinic against simulated.xlsx", "wait from check-in", "day left out", "as it is", "Good enough for"):
        assert part in printed


@pytest.mark.skipif(not WEEK.exists(), reason="the week's sheet is not here")
def test_the_papers_week_under_the_lab_made_for_it() -> None:
    """Waits are explained, those for fetal exams are not: they took place in more rooms than the notes name."""
    found = validate(read_visits(WEEK), load_lab("echo_week"), days=400, seed=1)
    every = found.fits[0].every
    assert every.correlation >= 0.6
    assert every.simulated_wait == pytest.approx(18.0, abs=3)
    answers = {answer.question: answer for answer in found.verdict}
    assert answers["waits"].good is not False
    assert answers["capacity"].good is False
    assert "the record has such exams in 4 rooms, and the lab has 1" in answers["waits_fetal"].sentence
    assert found.plain_levers is not None
    assert found.levers.helpful(FLOW)[0].difference.mean < found.levers.best(CAPACITY).difference.mean < 0  # type: ignore[union-attr]
    assert not found.plain_levers.helpful(FLOW)
