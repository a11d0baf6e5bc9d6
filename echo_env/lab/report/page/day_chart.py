"""One day as a Gantt chart that one can point at: rooms, members of staff, and who waits when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from echo_env.common.tables import Grid
from echo_env.common.words import in_words
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, sample_days
from echo_env.lab.plots.bars import ABSENT, BREAK, CLEANING, CLOSED, LUNCH, NOT_READY, OFF_DUTY, Rows, day_bars, rows_of
from echo_env.lab.plots.gantt_looks import room_names, staff_names
from echo_env.lab.plots.style import by_punctuality, class_labels, type_labels
from echo_env.lab.report.page.charts import WIDTH
from echo_env.lab.report.page.page import Chart, Section
from echo_env.lab.report.page.words import spoken
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, punctuality
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace

Floats = NDArray[np.float64]

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73")
"""On time, late, early."""
TYPE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#F0E442", "#D55E00", "#56B4E9", "#4d4d4d", "#CC79A7")
GROUND_COLOURS = {
    CLOSED: "#dcdcdc",
    OFF_DUTY: "#e4e4e4",
    ABSENT: "#c9c9c9",
    BREAK: "#a6a6a6",
    LUNCH: "#8f8f8f",
    CLEANING: "#bdbdbd",
    NOT_READY: "#b8b8b8",
}
SEARCHED = 31
"""Days among which the one that is shown is looked for."""
_ROW = 17
_LATEST_MIN = 30


def middling(points: Floats) -> int:
    """Number of the day with the median of some points, among the first :data:`SEARCHED`.

    :param points: of each day, (n,)
    """
    first = np.asarray(points)[:SEARCHED]
    return int(np.argsort(first, kind="stable")[len(first) // 2])


def typical_day(config: Lab, policy: Policy, seed: int) -> tuple[Day, int]:
    """A day with a middling amount of waiting, and its number.

    :param config: the lab
    :param policy: that plays the days among which it is looked for
    :param seed: of the days
    """
    days = sample_days(config, SEARCHED, seed)
    number = middling(np.array([simulate(config, day, policy).penalty.waiting for day in days]))
    return days[number], number


def day_section(named: Sequence[tuple[str, Trace]]) -> Section:
    """The same day, played in one way or several.

    :param named: (what it was played under, the day)
    """
    text = (
        "A simulated day with a middling amount of waiting. Every bar can be pointed at. Rooms and members of staff "
        "come first, then a line for each patient, where a bar is waiting. The dotted line is closing."
    )
    return Section("day", "One day replayed", (text,), charts=tuple(_chart(name, trace) for name, trace in named))


def _chart(name: str, trace: Trace) -> Chart:
    records = trace.patients
    waits = [record.waiting_min for record in records if record.waiting_min is not None]
    late = sum(wait > _LATEST_MIN for wait in waits)
    left = sum(record.outcome == "left_waiting" for record in records)
    mean = float(np.mean(waits)) if waits else 0.0
    told = (
        f"{len(waits)} patients are examined and wait {mean:.0f} minutes on average from their appointment, "
        f"{in_words(late)} of them more "
        f"than {_LATEST_MIN} minutes; {in_words(left) if left else 'nobody'} still {'wait' if left > 1 else 'waits'} "
        "at the end of the day"
    )
    return Chart(
        title=f"The day under {name}",
        alt=f"Timetable of one simulated day under {name}: {told}.",
        figure=gantt(trace),
        table=_table(trace),
        note=f"On this day {told}."
        + (f" Bars with a dark rim are {type_labels(trace.config)[0]} patients." if _rims(trace.config) else ""),
    )


def gantt(trace: Trace) -> alt.LayerChart:
    """The chart: a row for each room, each member of staff, and each patient.

    :param trace: the day
    """
    config, rows = trace.config, rows_of(trace.config)
    values, colours = _values(trace), _kinds(config)[1]
    shown = [kind for kind in colours if any(value["kind"] == kind for value in values)]
    x, y = _axes(config)
    colour = alt.Scale(domain=shown, range=[colours[kind] for kind in shown])
    bars = (
        alt.Chart(alt.InlineData(values), width=WIDTH, height=_height(rows))
        .mark_rect(strokeWidth=1, clip=True)
        .encode(
            x=x,
            x2="end:Q",
            y=y,
            y2="bottom:Q",
            color=alt.Color("kind:N", title=None, sort=shown, scale=colour),
            stroke=alt.Stroke("rim:N", scale=None),
            tooltip=[alt.Tooltip(f"{name}:N", title=" ") for name in ("row", "what", "time")],
        )
    )
    closing = alt.Chart(alt.InlineData([{"begin": config.hours.closing_min}]))
    edges = [rows.sonographer(0) - 0.8, rows.sonographer(rows.sonographers) - 0.3]
    between = alt.Chart(alt.InlineData([{"top": edge} for edge in edges]))
    return alt.layer(
        bars,
        closing.mark_rule(strokeDash=[3, 3], color="#444444").encode(x=x),
        between.mark_rule(color="#888888").encode(y=y),
    )


def _height(rows: Rows) -> int:
    return _ROW * (rows.rooms + rows.sonographers + 1) + max(7 * rows.patients, 60)


def _axes(config: Lab) -> tuple[alt.X, alt.Y]:
    """Clock times, and the names of rows."""
    hours, rows, names = config.hours, rows_of(config), _names(config)
    clocks = {minute: hours.clock(minute) for minute in range(-hours.opening_min % 60, hours.end_min + 1, 60)}
    x_axis = alt.Axis(values=list(clocks), labelExpr=_chosen(clocks), labelAngle=0)
    y_axis = alt.Axis(
        values=list(names), labelExpr=_chosen(names), domain=False, ticks=False, grid=False, labelLimit=190
    )
    across = alt.Scale(domain=[0, hours.end_min], nice=False)
    down = alt.Scale(domain=[-0.6, rows.bottom], reverse=True, nice=False)
    x = alt.X("begin:Q", title="Time of day", axis=x_axis, scale=across)
    return x, alt.Y("top:Q", title=None, axis=y_axis, scale=down)


def _values(trace: Trace) -> list[dict[str, Any]]:
    """A row of data for each bar."""
    config, names = trace.config, _names(trace.config)
    kinds = _kinds(config)[0]
    rimmed = class_labels(config)[:CLASSES_PER_TYPE] if _rims(config) else ()
    values = []
    for label, bars in day_bars(trace).items():
        for bar in bars:
            begin, end = (
                config.hours.clock(bar.begin),
                config.hours.clock(min(bar.end, 1439 - config.hours.opening_min)),
            )
            values.append(
                {
                    "row": names.get(round(bar.row, 3), _patient_name(bar.row, config)),
                    "what": label,
                    "kind": kinds[label],
                    "rim": "#000000" if label in rimmed else "#ffffff",
                    "begin": bar.begin,
                    "end": bar.end,
                    "top": round(bar.row - bar.height / 2, 3),
                    "bottom": round(bar.row + bar.height / 2, 3),
                    "time": f"{begin} to {end}, {bar.end - bar.begin} min",
                }
            )
    return values


def _kinds(config: Lab) -> tuple[dict[str, str], dict[str, str]]:
    """Label of a bar -> entry of the legend, and entry -> colour."""
    kinds: dict[str, str] = {}
    colours: dict[str, str] = {}
    whens = {Punctuality.ON_TIME: "came on time", Punctuality.LATE: "came late", Punctuality.EARLY: "came early"}
    types = type_labels(config)
    for kind, label in enumerate(class_labels(config)):
        if by_punctuality(config):
            when = punctuality(kind)
            entry, colour = whens[when], CLASS_COLOURS[when]
        else:
            number = kind // CLASSES_PER_TYPE
            entry, colour = types[number], TYPE_COLOURS[number]
        kinds[label], colours[entry] = entry, colour
    return kinds | {name: name for name in GROUND_COLOURS}, colours | GROUND_COLOURS


def _rims(config: Lab) -> bool:
    """Whether a dark rim tells the first of two types from the second."""
    return len(config.plan.types) == 2


def _names(config: Lab) -> dict[float, str]:
    """Row -> what it is called: rooms and members of staff, and the patients together."""
    rows = rows_of(config)
    # Groups of rooms and of staff can have the same names, which the paper's form tells apart by itself.
    room, staff = ("", "") if isinstance(config, LabConfig) else ("room: ", "staff: ")
    found = {float(n): room + spoken(name) for n, name in enumerate(room_names(config))}
    found |= {round(rows.sonographer(n), 3): staff + spoken(name) for n, name in enumerate(staff_names(config))}
    return found | {round(rows.patient(rows.patients // 2), 3): "patients waiting"}


def _patient_name(row: float, config: Lab) -> str:
    rows = rows_of(config)
    number = round((row - rows.patient(0)) / rows.patient_height)
    return f"simulated patient {number + 1}" if number < rows.booked else "simulated patient without an appointment"


def _chosen(labels: dict[Any, str]) -> str:
    """An expression that gives the label of a value of an axis."""
    values = ",".join(f"{value}" for value in labels)
    texts = ",".join(json.dumps(text) for text in labels.values())
    return f"[{texts}][indexof([{values}], datum.value)]"


def _table(trace: Trace) -> Grid:
    clock = trace.config.hours.clock

    def time(minute: int | None) -> str:
        return "-" if minute is None else clock(minute)

    rows = [
        (str(record.patient + 1), spoken(record.exam_type), time(record.scheduled_min), time(record.arrival_min),
         time(record.start_min), "-" if record.waiting_min is None else str(record.waiting_min), spoken(record.outcome))
        for record in trace.patients
    ]  # fmt: skip
    heads = ("simulated patient", "exam", "appointment", "came", "exam began", "minutes waited", "outcome")
    return Grid("simulated patients of the day", heads, rows)
