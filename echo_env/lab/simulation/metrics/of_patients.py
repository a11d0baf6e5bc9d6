"""Metrics of patients: penalty, waiting times, and who was served; of all patients and by exam type."""

from __future__ import annotations

from operator import attrgetter

from echo_env.lab.simulation.metrics.metric import LabParts, Metric, Row
from echo_env.lab.simulation.patient import Punctuality

BY_TYPE = "by exam type"
"""Section of the metrics of single exam types."""

PATIENT_METRICS = (
    Metric("penalty", "points", "penalty of the day", "penalty a day", "penalty", attrgetter("points.total")),
    Metric(
        "waiting_penalty",
        "points",
        "penalty for patients waiting",
        "waiting part",
        "penalty",
        attrgetter("points.waiting"),
    ),
    Metric(
        "penalty_on_time",
        "points",
        "part for on-time patients waiting",
        "- on-time patients",
        "penalty",
        attrgetter("points.on_time"),
    ),
    Metric(
        "penalty_late",
        "points",
        "part for late patients waiting",
        "- late patients",
        "penalty",
        attrgetter("points.late"),
    ),
    Metric(
        "penalty_overtime",
        "points",
        "part for patients waiting after closing",
        "- all after closing",
        "penalty",
        attrgetter("points.overtime"),
    ),
    Metric(
        "penalty_idle",
        "points",
        "part for idle rooms and sonographers",
        "idle part",
        "penalty",
        attrgetter("points.idle"),
    ),
    Metric(
        "penalty_turned_away",
        "points",
        "part for patients turned away",
        "part for turned away",
        "penalty",
        attrgetter("points.turned_away"),
    ),
    Metric(
        "penalty_left_waiting",
        "points",
        "part for patients left waiting",
        "part for left waiting",
        "penalty",
        attrgetter("points.left_waiting"),
    ),
    Metric(
        "penalty_staff_overtime",
        "points",
        "part for staff overtime",
        "part for staff overtime",
        "penalty",
        attrgetter("points.staff_overtime"),
    ),
    Metric("wait_min", "minutes", "mean waiting time of patients served", "wait (min)", "waiting", Row("waits")),
    Metric(
        "wait_on_time_min",
        "minutes",
        "mean waiting time of patients who were on time when served",
        "on time when served (min)",
        "waiting",
        Row("waits_by_punctuality", Punctuality.ON_TIME),
    ),
    Metric(
        "wait_late_min",
        "minutes",
        "mean waiting time of patients who were late when served",
        "late when served (min)",
        "waiting",
        Row("waits_by_punctuality", Punctuality.LATE),
    ),
    Metric(
        "wait_early_min",
        "minutes",
        "mean waiting time of patients who were early when served, which is 0",
        "early when served (min)",
        "waiting",
        Row("waits_by_punctuality", Punctuality.EARLY),
    ),
    Metric(
        "longest_wait_min",
        "minutes",
        "longest waiting time of a patient served",
        "longest wait (min)",
        "waiting",
        attrgetter("longest_wait"),
    ),
    Metric(
        "overall_wait_min",
        "minutes",
        "mean waiting time of everybody who came, those left waiting included, who wait until the end of the day",
        "wait, with those left (min)",
        "waiting",
        Row("overall_waits"),
        told=False,
    ),
    Metric(
        "p90_wait_min",
        "minutes",
        "90th percentile over the patients of one day, which is noisy, of the waiting times "
        "of everybody who came, those left waiting included",
        "90th percentile (min)",
        "waiting",
        Row("p90_waits"),
        told=False,
    ),
    Metric(
        "within_15_min",
        "share",
        "share of those who came whose exam began at most 15 minutes after the appointment, "
        "or after the arrival of those without one",
        "begun within 15 min",
        "waiting",
        Row("within_15"),
        told=False,
    ),
    Metric(
        "within_30_min",
        "share",
        "share of those who came whose exam began at most 30 minutes after the appointment, "
        "or after the arrival of those without one",
        "begun within 30 min",
        "waiting",
        Row("within_30"),
        told=False,
    ),
    Metric(
        "start_minus_schedule_min",
        "minutes",
        "start of the exam minus appointment, mean of patients served who have one",
        "start - appointment (min)",
        "waiting",
        Row("starts_minus_schedule"),
        told=False,
    ),
    Metric(
        "check_in_wait_min",
        "minutes",
        "mean time from arrival to start of the exam of everybody who came, those left waiting "
        "included, who wait until the end of the day",
        "arrival to start (min)",
        "waiting",
        Row("check_in_waits"),
        told=False,
    ),
    Metric(
        "served", "patients", "patients whose exam began", "patients served", "patients", attrgetter("number_served")
    ),
    Metric(
        "left_waiting",
        "patients",
        "patients still waiting at the end of the day",
        "left at {end}",
        "patients",
        Row("left_waiting"),
    ),
    Metric("no_show", "patients", "patients who did not come", "no-shows", "patients", attrgetter("no_shows")),
    Metric(
        "turned_away",
        "patients",
        "patients who came after closing",
        "turned away",
        "patients",
        attrgetter("turned_away"),
    ),
)
"""Those of any lab."""


def type_metrics(parts: LabParts) -> list[Metric]:
    """Metrics of the patients of each exam type, and of the absence plan, where the lab has one.

    :param parts: of the lab
    """
    found = [metric for row, name in enumerate(parts.types, 1) for metric in _of_type(name, row)]
    if parts.rebooks:
        meaning = "patients rebooked to another day in the morning, since staff are absent"
        found.append(Metric("rebooked", "patients", meaning, "rebooked", "patients", attrgetter("rebooked")))
    return found


def _of_type(name: str, row: int) -> list[Metric]:
    words = name.replace("_", "-")
    came = f"{words} patients who came, those left waiting included"
    records = (
        (f"wait_{name}_min", "minutes", f"mean waiting time of {words} patients served", "wait (min)", "waits"),
        (
            f"overall_wait_{name}_min",
            "minutes",
            f"mean waiting time of {came}, who wait until the end of the day",
            "wait, with those left (min)",
            "overall_waits",
        ),
        (
            f"p90_wait_{name}_min",
            "minutes",
            f"90th percentile over the patients of one day, which are few, of the waiting times of {came}",
            "90th percentile (min)",
            "p90_waits",
        ),
        *(
            (
                f"within_{minutes}_min_{name}",
                "share",
                f"share of {words} patients who came whose exam began at most {minutes} minutes after the appointment, "
                "or after the arrival of those without one",
                f"within {minutes} min",
                f"within_{minutes}",
            )
            for minutes in (15, 30)
        ),
        (
            f"start_minus_schedule_{name}_min",
            "minutes",
            f"start of the exam minus appointment, mean of {words} patients served who have one",
            "start - appointment (min)",
            "starts_minus_schedule",
        ),
        (
            f"left_waiting_{name}",
            "patients",
            f"{words} patients still waiting at the end of the day",
            "left at {end}",
            "left_waiting",
        ),
    )
    return [
        Metric(own, unit, meaning, f"{words} {label}", BY_TYPE, Row(of, row), told=of == "waits")
        for own, unit, meaning, label, of in records
    ]
