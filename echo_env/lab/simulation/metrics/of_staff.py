"""Metrics of rooms and members of staff: of all of them and by group, and what they cost."""

from __future__ import annotations

from operator import attrgetter

from echo_env.lab.simulation.metrics.metric import LabParts, Metric, Row

BY_GROUP = "by group"
"""Section of the metrics of single groups."""

STAFF_METRICS = (
    Metric(
        "workload",
        "exams",
        "mean exams per sonographer present",
        "exams a sonographer",
        "workload",
        attrgetter("exams_each"),
    ),
    Metric(
        "workload_spread",
        "exams",
        "most minus fewest exams of a sonographer present",
        "- most minus fewest",
        "workload",
        attrgetter("exams_spread"),
    ),
    Metric(
        "room_utilisation",
        "share",
        "share of the rooms' open minutes, opening to end of day, with an exam in them",
        "room utilisation",
        "workload",
        Row("room_utilisations"),
    ),
    Metric(
        "sonographer_utilisation",
        "share",
        "share of present sonographers' minutes on duty, breaks included, spent on exams",
        "sonographer utilisation",
        "workload",
        Row("staff_utilisations"),
    ),
    Metric(
        "overtime_min",
        "minutes",
        "minutes from closing until the last exam ends, 0 if it ends before",
        "overtime (min)",
        "workload",
        attrgetter("last_exam_overtime"),
    ),
    Metric(
        "staff_overtime_h",
        "hours",
        "hours of exams after shifts, or after closing, up to the end of the day",
        "staff overtime (h)",
        "staff",
        Row("overtime_hours"),
        told=False,
    ),
    Metric(
        "paid_h",
        "hours",
        "hours of shifts, or from opening to closing, of staff present, and of overtime",
        "paid hours",
        "staff",
        Row("paid_hours"),
        told=False,
    ),
    Metric("absent", "sonographers", "sonographers absent", "sonographers absent", "absence", attrgetter("absent")),
    Metric(
        "absence_rate",
        "probability",
        "absence rate of the day",
        "absence rate",
        "absence",
        attrgetter("results.absence_rate"),
    ),
)
"""Those of any lab."""


def group_metrics(parts: LabParts) -> list[Metric]:
    """Metrics of each group of rooms and of staff, and those of what only some labs have: lunches, handovers, prices.

    :param parts: of the lab
    """
    rooms = [
        Metric(
            f"room_utilisation_{name}",
            "share",
            f"share of the open minutes of {name} rooms, opening to end of day, with an exam",
            f"{name} rooms' utilisation",
            BY_GROUP,
            Row("room_utilisations", number),
        )
        for number, name in enumerate(parts.rooms, 1)
    ]
    staff = [
        metric
        for row, (name, lunch) in enumerate(zip(parts.staff, parts.lunches, strict=True), 1)
        for metric in _of_staff(name, row, lunch)
    ]
    return [metric._replace(told=False) for metric in (*rooms, *staff, *_of_some_labs(parts))]


def _of_staff(name: str, row: int, lunch: bool) -> list[Metric]:
    found = [
        Metric(
            f"staff_utilisation_{name}",
            "share",
            f"share of the minutes on duty of present {name} staff, breaks included, spent on exams",
            f"{name} staff's utilisation",
            BY_GROUP,
            Row("staff_utilisations", row),
        ),
        Metric(
            f"staff_overtime_{name}_h",
            "hours",
            f"hours of exams of {name} staff after the shift, or after closing, up to the end of the day",
            f"{name} staff's overtime (h)",
            BY_GROUP,
            Row("overtime_hours", row),
        ),
        Metric(
            f"paid_{name}_h",
            "hours",
            f"hours of shifts, or from opening to closing, of {name} staff present, and of overtime",
            f"{name} staff's paid hours",
            BY_GROUP,
            Row("paid_hours", row),
        ),
    ]
    if lunch:
        found.append(
            Metric(
                f"lunches_late_{name}",
                "lunches",
                f"lunches of {name} staff begun too late to fit into their window",
                f"{name} staff's late lunches",
                BY_GROUP,
                Row("lunches_late", row),
            )
        )
    return found


def _of_some_labs(parts: LabParts) -> list[Metric]:
    """Lunches, handovers and cost, where the lab has them."""
    found = []
    if any(parts.lunches):
        meaning = "lunches begun too late to fit into their window"
        found.append(Metric("lunches_late", "lunches", meaning, "late lunches", "staff", Row("lunches_late")))
        meaning = "lunches that staff present should have had, but did not begin"
        found.append(Metric("lunches_missed", "lunches", meaning, "missed lunches", "staff", Row("lunches_missed")))
    if parts.handovers:
        meaning = "exams handed over to a colleague at the end of a shift"
        found.append(Metric("handovers", "exams", meaning, "handovers", "staff", attrgetter("results.handovers")))
    if parts.prices:
        meaning = "paid hours of staff, overtime at its factor, and open hours of rooms until closing, at their prices"
        found.append(Metric("cost", "currency units", meaning, "cost", "cost", attrgetter("cost")))
    return found
