"""Files with exam types and groups that cannot be used: one sentence with field, value, what is allowed, and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from echo_env.lab import ConfigError, GeneralLabConfig, LabConfig, load_lab

GOOD = """\
name: mine
hours: {opening: 08:00, closing: 16:00, end: 17:00}
exam: {shape: 8, mean_min: 30, shortest_min: 10, longest_min: 90}
exam_types:
  head: {appointments: [08:00, 09:00]}
  knee: {appointments: [08:30]}
room_groups:
  magnets: {count: 2}
staff_groups:
  early: {count: 1}
  late: {count: 1, exam_types: [head]}
"""
EARLY = "staff_groups:\n  early:\n    "


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes ``lab.yaml`` beside the good file that it may have as its base."""
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(GOOD, encoding="utf8")

    def writer(text: str) -> str:
        Path("lab.yaml").write_text(text, encoding="utf8")
        return "lab.yaml"

    return writer


def refused(source: str, load: Callable[[str], Any] = load_lab) -> str:
    """The sentence with which a lab is refused."""
    with pytest.raises(ConfigError) as caught:
        load(source)
    said = str(caught.value)
    assert "\n" not in said
    assert "[key]" not in said
    return said


OVER_GOOD = {
    "no room can": (
        "room_groups: {magnets: {exam_types: [head]}}",
        "exam_types.knee could never be examined: no room group that has rooms has it in its exam_types",
    ),
    "no member can": (
        "staff_groups: {early: {exam_types: [head]}}",
        "exam_types.knee could never be examined: no staff group that has members has it in its exam_types",
    ),
    "the only group is taken out": (
        "staff_groups: {early: null}",
        "exam_types.knee could never be examined: no staff group that has members",
    ),
    "no rooms at all": ("room_groups: {magnets: {count: 0}}", "exam_types.head could never be examined: no room group"),
    "rooms closed all day": (
        "room_groups: {magnets: {closed: [{from: 08:00, until: 12:00}, {from: 11:00}]}}",
        "exam_types.head could never be examined: every room in which it could be done is closed all day",
    ),
    "shift shorter than the exam": (
        EARLY + "shift: {from: 08:00, until: 08:20}",
        "exam_types.knee could never be examined: an exam is expected to take 30 minutes, and no shift",
    ),
    "shift of no length": (
        EARLY + "shift: {from: 12:00, until: 12:00}",
        "staff_groups.early.shift is 12:00 to 12:00, but must end after it begins (line 4 of lab.yaml)",
    ),
    "shift backwards": (EARLY + "shift: {from: 12:00, until: 11:00}", "shift is 12:00 to 11:00, but must end after"),
    "shift before opening": (
        EARLY + "shift:\n      from: 07:00",
        "staff_groups.early.shift.from is '07:00', which is before the lab opens at 08:00 (line 5 of lab.yaml)",
    ),
    "shift after the end": (
        EARLY + "shift:\n      until: 18:00",
        "staff_groups.early.shift.until is 18:00, but must be inside the day, which is 08:00 to 17:00 (line 5",
    ),
    "shift from the end": (EARLY + "shift: {from: 17:00}", "shift.from is 17:00, but must be inside the day"),
    "lunch too long": (
        EARLY + "lunch: {from: 11:00, until: 12:00, minutes: 90}",
        "staff_groups.early.lunch.minutes is 90, but the window for lunch has 60 minutes (line 4 of lab.yaml)",
    ),
    "lunch window of no length": (
        EARLY + "lunch: {from: 11:00, until: 11:00, minutes: 5}",
        "staff_groups.early.lunch is 11:00 to 11:00, but must end after it begins",
    ),
    "lunch outside the shift": (
        EARLY + "lunch: {from: 11:00, until: 12:00, minutes: 30}\n    shift: {until: 11:30}",
        "staff_groups.early.lunch is 11:00 to 12:00, but must be inside the shift, which is 08:00 to 11:30",
    ),
    "lunch outside the day": (
        EARLY + "lunch: {from: 16:30, until: 18:00, minutes: 30}",
        "staff_groups.early.lunch is 16:30 to 18:00, but must be inside the day, which is 08:00 to 17:00",
    ),
    "lunch without a length": (EARLY + "lunch: {from: 11:00, until: 12:00}", "early.lunch.minutes is missing"),
    "planned break outside the shift": (
        EARLY + "breaks: {planned: [09:00, 14:00], minutes: 15}\n    shift: {until: 14:00}",
        "staff_groups.early.breaks.planned is at 14:00, but must be inside the shift, which is 08:00 to 14:00",
    ),
    "break of no length": (
        EARLY + "breaks: {planned: [09:00], minutes: 0}",
        "breaks.minutes is 0, but must be a whole",
    ),
    "breaks that are too probable": (
        EARLY + "breaks: {minutes: 5, both_probability: 0.8, one_probability: 0.3}",
        "staff_groups.early.breaks.one_probability is 0.3, but must be a number from 0 to 0.2",
    ),
    "too many types": (
        "exam_types: {" + ", ".join(f"t{k}: {{}}" for k in range(7)) + "}",
        "exam_types has 9 entries, but must have 1 to 8 (line 2 of lab.yaml)",
    ),
    "no type": ("exam_types: {head: null, knee: null}", "exam_types is {}, but must be a section with at least one"),
    "unknown type in a group": (
        "room_groups:\n  magnets:\n    exam_types:\n      - head\n      - kne",
        "room_groups.magnets.exam_types has 'kne', which is no exam type (did you mean knee?); exam_types has head, "
        "knee (line 6 of lab.yaml)",
    ),
    "group of no type": (
        "room_groups: {magnets: {exam_types: []}}",
        "exam_types is [], but must be a list of at least",
    ),
    "type in place of a list": (
        "room_groups: {magnets: {exam_types: head}}",
        "exam_types is 'head', but must be a list",
    ),
    "rooms of the other form": (
        "rooms: {fetal: 1}",
        "rooms is a field of labs with fetal and non-fetal exams, but this lab has exam_types: use room_groups (line 2",
    ),
    "breaks of the other form": ("breaks: {number: 1}", "use breaks of each of the staff_groups (line 2 of lab.yaml)"),
    "weight 0": (
        "exam_types: {head: {weight: 0}}",
        "exam_types.head.weight is 0, but must be a whole number from 1 to 100 (line 2 of lab.yaml)",
    ),
    "fractional weight": ("exam_types: {head: {weight: 1.5}}", "exam_types.head.weight is 1.5, but must be a whole"),
    "large weight": ("exam_types: {head: {weight: 101}}", "weight is 101, but must be a whole number from 1 to 100"),
    "on call for nobody": (
        "staff_groups: {late: {count: 0, on_call: {count: 1}}}",
        "staff_groups.late.on_call is given, but count is 0: nobody can be absent",
    ),
    "nobody on call": ("staff_groups: {late: {on_call: {count: 0}}}", "late.on_call.count is 0, but must be a whole"),
    "called after the end": (
        "staff_groups: {late: {on_call: {count: 1, from: 18:00}}}",
        "staff_groups.late.on_call.from is 18:00, but must be inside the day, which is 08:00 to 17:00",
    ),
    "more present than there are": ("staff_groups: {late: {always_present: 2}}", "always_present is 2, but must be"),
    "walk-ins before opening": (
        "exam_types: {head: {unscheduled: {07:00: 1}}}",
        "exam_types.head.unscheduled.07:00 is '07:00', which is before the lab opens at 08:00 (line 2 of lab.yaml)",
    ),
    "walk-ins after closing": (
        "exam_types: {head: {unscheduled: {16:00: 1}}}",
        "exam_types.head.unscheduled has the hour from 16:00, but the lab closes at 16:00 (line 2 of lab.yaml)",
    ),
    "hours that overlap": ("exam_types: {head: {unscheduled: {10:00: 1, 10:30: 1}}}", "begin 30 minutes apart, but"),
    "fewer than no walk-ins": (
        "exam_types: {head: {unscheduled: {10:00: -1}}}",
        "unscheduled.10:00 is -1, but must be",
    ),
    "no hour": ("exam_types: {head: {unscheduled: {10: 1}}}", "unscheduled.10 is '10', but must be a clock time"),
    "walk-ins without hours": ("exam_types: {head: {unscheduled: 3}}", "is 3, but must be hours with numbers, such as"),
    "days without a day": (
        "days: {monday: {}}",
        "config 'lab.yaml' has days, so that one must be named, as in 'lab.yaml#monday'; days: monday",
    ),
    "days that are a number": ("days: 3", "days is 3, but must be a section with a section for each day (line 2"),
    "appointment before opening": (
        "exam_types: {head: {appointments: [07:45]}}",
        "exam_types.head.appointments is '07:45', which is before the lab opens at 08:00 (line 2 of lab.yaml)",
    ),
    "appointment after closing": (
        "exam_types:\n  head:\n    appointments:\n      - 08:00\n      - 16:30",
        "exam_types.head.appointments has one at 16:30, but the lab closes at 16:00 (line 6 of lab.yaml)",
    ),
    "decimal time": ("exam_types: {head: {appointments: [8.15]}}", "appointments is 8.15, but must be a clock time"),
    "time in place of a list": ("exam_types: {head: {appointments: 08:00}}", "is '08:00', but must be a list of times"),
    "unknown field of a type": (
        "exam_types: {head: {appointment: []}}",
        "exam_types.head.appointment is no known field (did you mean exam_types.head.appointments?)",
    ),
    "exam of no length": ("exam_types: {head: {exam: {mean_min: 0}}}", "head.exam.mean_min is 0, but must be a number"),
    "longest below the shared shortest": (
        "exam_types: {head: {exam: {longest_min: 5}}}",
        "exam_types.head.exam.longest_min is 5, but must be above shortest_min, which is 10 (line 2 of lab.yaml)",
    ),
    "no exam law": ("exam: {mean_min: null}", "exam_types.head.exam.mean_min is missing; give it there, or in exam"),
    "half an arrival law": (
        "exam_types: {head: {arrival: {late_share: 0.5}}}",
        "exam_types.head.arrival.late_mean_min is missing; give all of late_share, late_mean_min, early_mean_min",
    ),
    "empirical law of nothing": (
        "exam_types: {head: {arrival: {model: empirical}}}",
        "exam_types.head.arrival.offsets_min is empty, but arrival.model 'empirical' draws from it",
    ),
    "no-shows beyond all": ("exam_types: {head: {arrival: {no_show_rate: 2}}}", "head.arrival.no_show_rate is 2, but"),
    "preparation said twice": (
        "exam_types: {head: {preparation: {minutes: 10, shape: 2}}}",
        "exam_types.head.preparation.shape is given beside minutes, but a preparation has a fixed length or a law",
    ),
    "half a preparation": ("exam_types: {head: {preparation: {shape: 2}}}", "preparation.mean_min is missing; give"),
    "preparation backwards": (
        "exam_types: {head: {preparation: {shape: 2, mean_min: 4, shortest_min: 4, longest_min: 3}}}",
        "exam_types.head.preparation.longest_min is 3, but must be above shortest_min, which is 4",
    ),
    "preparation that is a number": (
        "exam_types: {head: {preparation: 10}}",
        "preparation is 10, but must be a section",
    ),
    "name with a blank": ("exam_types: {my head: {}}", "exam_types.my head is no name: it must begin with a letter"),
    "name with the mark of paths": ("room_groups: {a__b: {count: 1}}", "room_groups.a__b is no name: it must begin"),
    "nobody comes": (
        "exam_types: {head: {appointments: [null]}, knee: {appointments: []}}",
        "exam_types has nobody who comes, but must have an appointment or an unscheduled patient (line 2 of lab.yaml)",
    ),
    "neither yes nor no": (
        "exam_types: {head: {may_begin_early: 1}}",
        "may_begin_early is 1, but must be true or false",
    ),
    "no closing": ("hours: {closing: null}", "hours.closing is missing; give it as a clock time"),
    "no hours": ("hours: null", "hours is missing; give it, or begin the file with a base that has it"),
    "unknown section": (
        "rom_groups: {}",
        "rom_groups is no known field (did you mean room_groups?); allowed here: name",
    ),
    "unknown field of a group": (
        "room_groups: {magnets: {turn_over: 3}}",
        "did you mean room_groups.magnets.turnover_min",
    ),
    "closed after the end": ("room_groups: {magnets: {closed: [{from: 18:00}]}}", "closed.from is 18:00, but must be"),
    "closed backwards": (
        "room_groups: {magnets: {closed: [{from: 12:00, until: 11:00}]}}",
        "room_groups.magnets.closed is 12:00 to 11:00, but must end after it begins",
    ),
    "closed at no time": (
        "room_groups: {magnets: {closed: [{from: noon}]}}",
        "closed.from is 'noon', but must be a clock",
    ),
    "group that is a number": ("room_groups: {magnets: 3}", "room_groups.magnets is 3, but must be a section"),
    "group without a size": ("room_groups: {other: {}}", "room_groups.other.count is missing; give it, or begin"),
    "negative points": ("penalty: {late: -1}", "penalty.late is -1, but must be a number from 0 to"),
    "unknown idle rule": (
        "penalty: {idle_rule: always}",
        "penalty.idle_rule is 'always', but must be one of every_pair",
    ),
}


@pytest.mark.parametrize(("text", "message"), OVER_GOOD.values(), ids=OVER_GOOD)
def test_what_a_file_says_wrongly_is_named(write: Callable[[str], str], text: str, message: str) -> None:
    """Each wrong field over a good base is refused by its name, with its value and with what is allowed."""
    said = refused(write(f"base: good.yaml\n{text}"))
    assert message in said
    assert message.startswith("config ") or re.search(r"\(line \d+ of (lab|good)\.yaml\)$", said)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "base: baseline\nroom_groups: {a: {count: 1}}",
            "room_groups is a field of labs with exam_types, but this lab has appointments, as labs with fetal and "
            "non-fetal exams have: give exam_types, room_groups and staff_groups, and no base of the other form (line",
        ),
        ("base: baseline\nexam_types: {a: {}}", "exam_types is a field of labs with exam_types, but this lab has appo"),
        (GOOD + "sonographers: {fetal: 1}", "sonographers is a field of labs with fetal and non-fetal exams, but this"),
        ("base: mri_unit\nappointments: {fetal: []}", "this lab has exam_types: use exam_types (line 2 of lab.yaml)"),
        (
            "name: x\nrooms: {fetal: 1}\nstaff_groups: {a: {count: 1}}",
            "staff_groups is a field of labs with exam_types",
        ),
        ("base: lab.yaml", "base is 'lab.yaml', but that inherits from this config itself"),
    ],
)
def test_fields_of_both_forms_are_refused(write: Callable[[str], str], text: str, message: str) -> None:
    """A file of one form with a field of the other is told which field does not belong."""
    assert message in refused(write(text))
    assert message in refused("lab.yaml", LabConfig.load)


@pytest.mark.parametrize(
    ("text", "source", "message"),
    [
        ("", "lab.yaml#monday", "config 'lab.yaml#monday' asks for a day, but 'lab.yaml' has no days"),
        ("", "mri_unit#monday", "config 'mri_unit#monday' asks for a day, but 'mri_unit' has no days"),
        ("", "nowhere.yaml#monday", "config 'nowhere.yaml' is neither a file nor a preset"),
        (
            "days: {monday: , tuesday: }",
            "lab.yaml#mondy",
            "config 'lab.yaml' has no day 'mondy' (did you mean monday?); days: monday, tuesday",
        ),
        (
            "days: {monday: 3}",
            "lab.yaml#monday",
            "days is {'monday': 3}, but must be a section with a section for each",
        ),
        ("days: {monday: {base: scarce}}", "lab.yaml#monday", "days has a day with a base or days of its own"),
        (
            "days:\n  monday:\n    exam_types:\n      head:\n        weight: 0",
            "lab.yaml#monday",
            "exam_types.head.weight is 0, but must be a whole number from 1 to 100 (line 6 of lab.yaml)",
        ),
        ("days: {monday: {rooms: {}}}", "lab.yaml#monday", "rooms is a field of labs with fetal and non-fetal exams"),
    ],
)
def test_days_that_cannot_be_had_are_named(write: Callable[[str], str], text: str, source: str, message: str) -> None:
    """A day that a file does not have, or says wrongly, is refused by its name."""
    write(f"base: good.yaml\n{text}")
    assert message in refused(source)


def test_the_short_forms_loader_names_the_one_that_reads_all_labs(write: Callable[[str], str]) -> None:
    """Where only fetal and non-fetal exams are known, a lab with exam types is refused, and load_lab is named."""
    write("base: good.yaml")
    assert "config 'lab.yaml' is a lab with exam types of its own, which load_lab reads" in refused(
        "lab.yaml", LabConfig.load
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exam_types__hed__weight": 2}, "exam_types.hed is no field of a lab config (did you mean exam_types.head?)"),
        ({"exam_types__head__weight": 0}, "exam_types.head.weight is 0, but must be a whole number from 1 to 100"),
        ({"exam_types__head__weight__x": 0}, "exam_types.head.weight.x is no field of a lab config"),
        ({"room_group__a": 3}, "room_group is no field of a lab config (did you mean room_groups?)"),
        ({"room_groups__magnets__count": 1.5}, "room_groups.magnets.count is 1.5, but must be a whole number"),
        ({"staff_groups__early__shift__until_min": 10}, "exam_types.knee could never be examined"),
        ({"staff_groups__early__shift__until_min": "12:00"}, "is '12:00', but must be a whole number from 0 to 1440"),
        ({"staff_groups__early__lunch__minutes": 10}, "staff_groups.early.lunch.from is missing; give it as well"),
        ({"hours__closing_min": 2000}, "hours.closing_min is 2000, but must be a whole number from 1 to"),
    ],
)
def test_changes_that_cannot_be_made_are_named(
    write: Callable[[str], str], changes: dict[str, Any], message: str
) -> None:
    """Replacing a field that does not exist, or by a value that is not allowed, is refused by its path."""
    write("")
    lab = load_lab("good.yaml")
    assert isinstance(lab, GeneralLabConfig)
    with pytest.raises(ConfigError, match=re.escape(message)):
        lab.replace(**changes)
