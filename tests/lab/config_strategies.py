"""Labs of all kinds, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from echo_env.lab import LabConfig
from echo_env.lab.config import (
    IDLE_RULES,
    Appointments,
    Arrival,
    Breaks,
    Exam,
    ExamLaw,
    Hours,
    Penalty,
    Rooms,
    Sonographers,
)

shares = st.floats(0, 1)
points = st.floats(0, 100)


@st.composite
def configs(draw: st.DrawFn) -> LabConfig:
    """Any lab that is small enough to be played quickly."""
    opening = draw(st.integers(0, 600))
    closing = draw(st.integers(1, 260))
    times = st.lists(st.none() | st.integers(0, closing), max_size=8)
    fetal, non_fetal = draw(times), draw(times)
    if all(time is None for time in fetal + non_fetal):
        fetal = [0]
    # Fetal patients need a room and a sonographer of their kind; without them either may be missing.
    least = 0 if all(time is None for time in fetal) else 1
    return LabConfig(
        name="any",
        appointments=Appointments(tuple(fetal), tuple(non_fetal)),
        hours=Hours(opening, closing, closing + draw(st.integers(0, 120))),
        arrival=draw(arrivals()),
        exam=draw(exams()),
        rooms=draw(st.builds(Rooms, st.integers(least, 3), st.integers(0 if least else 1, 3))),
        sonographers=draw(staffs(least)),
        breaks=draw(breaks()),
        penalty=draw(st.builds(Penalty, points, points, points, points, st.sampled_from(IDLE_RULES))),
    )


@st.composite
def arrivals(draw: st.DrawFn) -> Arrival:
    """Any law of arrival: no-shows only, delays of hours, or an empirical law."""
    law = (draw(shares), draw(shares), draw(st.floats(0, 200)), draw(st.floats(0.1, 60)), draw(st.floats(0, 200)))
    offsets = tuple(draw(st.lists(st.integers(-300, 300), max_size=5)))
    return Arrival(*law, draw(st.integers(0, 60)), "empirical" if offsets else "exponential", offsets)


@st.composite
def exams(draw: st.DrawFn) -> Exam:
    """One law or two; exams of no length at all, and some that outlast the day."""
    laws = [
        (draw(st.floats(0.2, 40)), draw(st.floats(1, 90)), shortest, shortest + draw(st.floats(1, 300)))
        for shortest in draw(st.lists(st.floats(0, 60), min_size=1, max_size=2))
    ]
    return Exam(*laws[0], *(ExamLaw(*law) for law in laws[1:]))


@st.composite
def staffs(draw: st.DrawFn, least_fetal: int) -> Sonographers:
    """At least one sonographer, perhaps nobody present."""
    fetal = draw(st.integers(least_fetal, 3))
    non_fetal = draw(st.integers(0 if fetal else 1, 3))
    present = draw(st.integers(0, fetal)), draw(st.integers(0, non_fetal))
    return Sonographers(fetal, non_fetal, *present, draw(shares))


@st.composite
def breaks(draw: st.DrawFn) -> Breaks:
    """None to two breaks, of up to an hour."""
    both = draw(shares)
    return Breaks(draw(st.integers(0, 2)), draw(st.integers(1, 60)), both, (1 - both) * draw(shares), draw(shares))
