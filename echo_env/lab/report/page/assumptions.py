"""What was assumed: the STRESS-DES checklist, filled in from a lab and from what was done.

The checklist: Monks, Currie, Onggo, Robinson, Kunc and Taylor, *Strengthening the reporting of empirical simulation
studies*, Journal of Simulation 13 (2019).
"""

from __future__ import annotations

import platform

import echo_env
from echo_env.common.tables import Grid
from echo_env.common.words import in_words
from echo_env.lab.config.chance import Arrival, ExamLaw
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import LabPlan, RoomGroup, StaffGroup, TypePlan
from echo_env.lab.report.page.page import Experiment, Section
from echo_env.lab.report.page.words import listed, spoken

Row = tuple[str, str, str]


def assumptions(config: Lab, experiment: Experiment) -> Section:
    """The section: the main points as a list, the whole checklist folded.

    :param config: the lab
    :param experiment: what was done
    """
    plan, clock = config.plan, config.hours.clock
    booked = sum(minute is not None for kind in plan.types for minute in kind.scheduled)
    walk_ins = sum(number for kind in plan.types for _, number in kind.unscheduled)
    without = f", and about {walk_ins:g} patients without one" if walk_ins else ""
    points = [
        f"{booked} appointments a day ({_by_type(plan)}){without}; open from {clock(0)} to {clock(plan.closing_min)}, "
        f"and exams are begun until {clock(plan.end_min)}.",
        f"Rooms: {listed([_room(group, plan) for group in plan.room_groups])}.",
        f"Staff: {listed([_staff(group, plan) for group in plan.staff_groups])}.",
        *_of_types("Who comes, and when", plan, lambda kind: _arrival(kind.arrival)),
        *_of_types("How long exams take", plan, lambda kind: _law(kind.exam)),
        "Not in the simulation: emergencies beyond patients without an appointment, breakdowns of machines, exams "
        "that are repeated, patients who leave before their exam, and anything that staff decide beyond the rule.",
    ]
    rows = [
        *_objectives(experiment),
        *_logic(config),
        *_data(plan, experiment),
        *_runs(experiment),
        *_software(experiment),
    ]
    checklist = Grid("The whole checklist (STRESS-DES)", ("item", "what it asks", "answer"), rows)
    text = (
        "The simulated lab, in short. The checklist below it is the one by which simulation studies report what they "
        "did."
    )
    return Section("assumptions", "What was assumed", (text,), tuple(points), folded=(checklist,))


def _objectives(experiment: Experiment) -> list[Row]:
    return [
        ("1.1", "Purpose of the model", experiment.purpose),
        ("1.2", "Model outputs", experiment.outputs),
        ("1.3", "Aims of the experiment", f"Compared: {listed(list(experiment.scenarios))}."),
    ]


def _logic(config: Lab) -> list[Row]:
    plan = config.plan
    roster = [words for words, has in _roster(plan) if has]
    penalty = config.penalty
    return [
        (
            "2.1",
            "Overview of the model",
            "Patients come, are prepared where the lab says so, wait, are examined by one member of staff in one "
            "room, and leave.",
        ),
        (
            "2.2",
            "Base model",
            "In each minute: exams and breaks end; patients arrive; early patients become on time; the rule decides "
            "who begins. An exam takes one room and one member of staff who can do its type: those who can do the "
            "fewest types first, then whoever has done the fewest exams.",
        ),
        ("2.3", "Scenarios", "See 1.3; all else is equal in what is compared."),
        (
            "2.4",
            "Rules and weights",
            f"Points a minute: {penalty.on_time:g} for each patient on time who waits, {penalty.late:g} for each late "
            f"one, {penalty.overtime:g} more for each after closing. Idle rooms and staff are left out of what this "
            "page compares.",
        ),
        ("2.5.1", "Entities", f"Patients for {listed([spoken(kind.name) for kind in plan.types])} exams."),
        (
            "2.5.2",
            "Activities",
            "Preparation, exam, cleaning of rooms, breaks, lunch: " + "; ".join(_lengths(plan)) + ".",
        ),
        (
            "2.5.3",
            "Resources",
            f"Rooms: {listed([_room(own, plan) for own in plan.room_groups])}. Staff: "
            f"{listed([_staff(own, plan) for own in plan.staff_groups])}. "
            + (f"With {listed(roster)}." if roster else "No shifts or lunches of their own."),
        ),
        ("2.5.4", "Queues", "One waiting room; the rule says in which order. Nobody gives up waiting."),
        (
            "2.5.5",
            "Entry and exit",
            "Patients come by appointment, or without one where the lab says so. After "
            f"{config.hours.clock(plan.closing_min)} they are sent home; who waits at "
            f"{config.hours.clock(plan.end_min)} is counted as still waiting.",
        ),
    ]


def _data(plan: LabPlan, experiment: Experiment) -> list[Row]:
    arrivals = "; ".join(f"{spoken(kind.name)}: {_arrival(kind.arrival)}" for kind in plan.types)
    exams = "; ".join(f"{spoken(kind.name)}: {_law(kind.exam)}" for kind in plan.types)
    return [
        ("3.1", "Data sources", experiment.data),
        (
            "3.2",
            "Processing of data",
            "Does not apply to a lab that is written down as a file; for a lab fitted to a sheet, see the report of "
            "echo-lab "
            "calibrate.",
        ),
        ("3.3", "Input parameters", f"Arrivals: {arrivals}. Exams: {exams}. All numbers are in the lab file below."),
        (
            "3.4",
            "Assumptions",
            "Patients are independent of each other, and so are days; how long an exam takes depends on its type "
            "only; nobody knows it, or who will come, in advance.",
        ),
    ]


def _runs(experiment: Experiment) -> list[Row]:
    return [
        (
            "4.1",
            "Initialisation",
            "Each day begins with an empty lab at opening, as real days do: there is no warm-up.",
        ),
        ("4.2", "Run length", f"{experiment.days:,} days, each from opening until its end."),
        ("4.3", "Estimation", experiment.estimation),
    ]


def _software(experiment: Experiment) -> list[Row]:
    version, python = echo_env.__version__, platform.python_version()
    return [
        ("5.1", "Software", f"echo-lab-rl {version}, Python {python}; engine: {experiment.engine}."),
        (
            "5.2",
            "Random sampling",
            f"NumPy's PCG64 generator with seed {experiment.seed}. Each patient and member of staff has random numbers "
            "of their own, so that what is compared meets the same luck.",
        ),
        ("5.3", "Model execution", "Minute by minute; next-event jumps where nothing can change."),
        ("5.4", "System", f"{platform.system()} on {platform.machine()}."),
        (
            "6.1",
            "Code and lab",
            "The code is open (MIT licence); the lab file and the command are at the end of this page.",
        ),
    ]


def _roster(plan: LabPlan) -> list[tuple[str, bool]]:
    groups = plan.staff_groups
    return [
        ("shifts", any(own.shift for own in groups)),
        ("lunch", any(own.lunch for own in groups)),
        ("planned breaks", any(own.breaks.planned for own in groups)),
        ("breaks by chance", any(own.breaks.number for own in groups)),
        ("staff on call", any(own.on_call for own in groups)),
        ("hours in which rooms are closed", any(own.closed for own in plan.room_groups)),
    ]


def _lengths(plan: LabPlan) -> list[str]:
    found = [f"{spoken(kind.name)} exam {_law(kind.exam)}" for kind in plan.types]
    found += [
        f"preparation for {spoken(kind.name)} {_law(kind.preparation)}" for kind in plan.types if kind.preparation
    ]
    found += [f"cleaning {own.turnover_min} min ({spoken(own.name)})" for own in plan.room_groups if own.turnover_min]
    found += [
        f"breaks of {own.breaks.minutes} min ({spoken(own.name)})"
        for own in plan.staff_groups
        if own.breaks.number or own.breaks.planned
    ]
    return [*found, *(f"lunch {own.lunch.minutes} min ({spoken(own.name)})" for own in plan.staff_groups if own.lunch)]


def _of_types(what: str, plan: LabPlan, words: object) -> list[str]:
    """One sentence for all types if they are alike, else one for each."""
    told = {kind.name: words(kind) for kind in plan.types}  # type: ignore[operator]
    if len(set(told.values())) == 1:
        return [f"{what}: {next(iter(told.values()))}."]
    return [f"{what}, {spoken(name)}: {text}." for name, text in told.items()]


def _by_type(plan: LabPlan) -> str:
    def number(kind: TypePlan) -> int:
        return sum(minute is not None for minute in kind.scheduled)

    return ", ".join(f"{number(kind)} {spoken(kind.name)}" for kind in plan.types)


def _can(can: int, plan: LabPlan) -> str:
    if can == (1 << len(plan.types)) - 1:
        return "all exams"
    return f"{listed([spoken(kind.name) for k, kind in enumerate(plan.types) if can >> k & 1])} only"


def _room(group: RoomGroup, plan: LabPlan) -> str:
    return f"{in_words(group.count)} for {_can(group.can, plan)}"


def _staff(group: StaffGroup, plan: LabPlan) -> str:
    told = f"{in_words(group.count)} for {_can(group.can, plan)}"
    if group.absence_rate:
        told += f" (each absent on {100 * group.absence_rate:.0f} % of days"
        told += f", {in_words(group.always_present)} always there)" if group.always_present else ")"
    if group.on_call:
        told += f", {in_words(group.on_call)} on call"
    return told


def _arrival(law: Arrival) -> str:
    told = f"{100 * law.no_show_rate:.0f} % do not come; "
    if law.model == "empirical":
        return f"{told}the others are early or late as was recorded ({len(law.offsets_min)} arrivals)"
    if not law.late_mean_min and law.late_share == 1:
        return f"{told}the others come exactly when they are asked to"
    return (
        f"{told}of the others {100 * law.late_share:.0f} % come later than asked, by {law.late_mean_min:.3g} min on "
        f"average, and the rest up to {law.early_max_min:g} min earlier"
    )


def _law(law: ExamLaw) -> str:
    if law.longest_min - law.shortest_min < 1:
        return f"{law.longest_min:g} min"
    return f"{law.mean_min:.3g} min on average, from {law.shortest_min:.3g} to {law.longest_min:.3g}"
