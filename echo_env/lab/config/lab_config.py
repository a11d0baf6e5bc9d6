"""The description of a lab: hours, appointments, staff, rooms, penalties.

Every number that a day depends on is here, under a name that carries its unit. The dataclasses are frozen
and check themselves; :meth:`LabConfig.load` reads a preset or a YAML file into them.

Times are minutes since opening: 0 is 08:00 in the paper's lab. Sections and equations are those of Sun et
al., *Optimal patient allocation for echocardiographic assessments*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from echo_env.common.config_file import ConfigError, build, check_number, replaced
from echo_env.lab.config.chance import ARRIVAL_MODELS, Arrival, Exam, ExamLaw
from echo_env.lab.config.file import preset_names, read_config

__all__ = [
    "ARRIVAL_MODELS",
    "IDLE_RULES",
    "Appointments",
    "Arrival",
    "Breaks",
    "ConfigError",
    "Exam",
    "ExamLaw",
    "Hours",
    "LabConfig",
    "Penalty",
    "Rooms",
    "Sonographers",
    "preset_names",
]

IDLE_RULES = ("every_pair", "while_waiting", "none")
"""How idle resources are charged: see :func:`echo_env.lab.simulation.penalty.penalty_units`."""


@dataclass(frozen=True)
class Hours:
    """When the lab is open (section 3.1).

    :param opening_min: opening, minutes after midnight
    :param closing_min: nobody is let in after this minute, minutes since opening
    :param end_min: the last exam may be decided one minute before this one, minutes since opening
    """

    opening_min: int = 480
    closing_min: int = 540
    end_min: int = 660

    def __post_init__(self) -> None:
        check_number("hours.opening_min", self.opening_min, 0, 1439, whole=True)
        check_number("hours.closing_min", self.closing_min, 1, 1440 - self.opening_min, whole=True)
        check_number("hours.end_min", self.end_min, self.closing_min, 1440 - self.opening_min, whole=True)

    def clock(self, minute: int) -> str:
        """``15`` -> ``"08:15"`` in a lab that opens at 8."""
        hour, rest = divmod(self.opening_min + int(minute), 60)
        return f"{hour:02d}:{rest:02d}"


@dataclass(frozen=True)
class Appointments:
    """The day's template (figure 1).

    :param fetal: appointment times of fetal patients, minutes since opening, in any order
    :param non_fetal: those of non-fetal patients; two at the same time are two entries
    """

    fetal: tuple[int, ...]
    non_fetal: tuple[int, ...]

    def __post_init__(self) -> None:
        for kind in ("fetal", "non_fetal"):
            times = getattr(self, kind)
            if not isinstance(times, (tuple, list)):
                raise ConfigError(f"appointments.{kind} is {times!r}, but must be a list of times")
            for time in times:
                check_number(f"appointments.{kind}", time, 0, whole=True)
            object.__setattr__(self, kind, tuple(sorted(times)))
        if not self.fetal and not self.non_fetal:
            raise ConfigError("appointments has no entry, but must have at least one in fetal or non_fetal")

    def __len__(self) -> int:
        return len(self.fetal) + len(self.non_fetal)


@dataclass(frozen=True)
class Rooms:
    """How many rooms of each kind there are.

    :param fetal: rooms for both fetal and non-fetal exams (R_b in the paper)
    :param non_fetal: rooms for non-fetal exams only (R_n)
    """

    fetal: int = 1
    non_fetal: int = 6

    def __post_init__(self) -> None:
        check_number("rooms.fetal", self.fetal, 0, 999, whole=True)
        check_number("rooms.non_fetal", self.non_fetal, 0, 999, whole=True)

    @property
    def total(self) -> int:
        """Rooms of both kinds; numbers below :attr:`fetal` are the fetal-capable ones."""
        return self.fetal + self.non_fetal


@dataclass(frozen=True)
class Sonographers:
    """Who works here (section 3.4).

    :param fetal: sonographers who do both fetal and non-fetal exams (S_b in the paper)
    :param non_fetal: those who do non-fetal exams only (S_n)
    :param always_present_fetal: so many of the first are never absent
    :param always_present_non_fetal: so many of the second are never absent
    :param absence_rate: probability that any other one is absent for the whole day
    """

    fetal: int = 4
    non_fetal: int = 2
    always_present_fetal: int = 1
    always_present_non_fetal: int = 1
    absence_rate: float = 0.10

    def __post_init__(self) -> None:
        for kind in ("fetal", "non_fetal"):
            check_number(f"sonographers.{kind}", getattr(self, kind), 0, 999, whole=True)
            name = f"always_present_{kind}"
            check_number(f"sonographers.{name}", getattr(self, name), 0, getattr(self, kind), whole=True)
        check_number("sonographers.absence_rate", self.absence_rate, 0, 1)

    @property
    def total(self) -> int:
        """Sonographers of both kinds; numbers below :attr:`fetal` are the fetal-capable ones."""
        return self.fetal + self.non_fetal

    @property
    def never_absent(self) -> tuple[int, ...]:
        """Numbers of those who are always there: the first of each kind."""
        others = range(self.fetal, self.fetal + self.always_present_non_fetal)
        return (*range(self.always_present_fetal), *others)


@dataclass(frozen=True)
class Breaks:
    """Breaks, decided by chance after each exam (section 3.4).

    :param number: breaks each sonographer has in a day: 0, 1 or 2
    :param minutes: length of one break, minutes
    :param both_probability: with two left, probability to take both at once
    :param one_probability: with two left, probability to take one
    :param last_probability: with one left, probability to take it
    """

    number: int = 2
    minutes: int = 15
    both_probability: float = 0.2
    one_probability: float = 0.3
    last_probability: float = 0.3

    def __post_init__(self) -> None:
        check_number("breaks.number", self.number, 0, 2, whole=True)
        check_number("breaks.minutes", self.minutes, 1, whole=True)
        check_number("breaks.both_probability", self.both_probability, 0, 1)
        check_number("breaks.one_probability", self.one_probability, 0, 1 - self.both_probability)
        check_number("breaks.last_probability", self.last_probability, 0, 1)


@dataclass(frozen=True)
class Penalty:
    """What a minute costs, in penalty points (section 5.3).

    :param on_time: per on-time patient waiting
    :param late: per late patient waiting
    :param overtime: per patient of any class waiting at or after closing, on top
    :param idle: per idle unit, as ``idle_rule`` counts them
    :param idle_rule: ``every_pair`` (the paper's text), ``while_waiting`` (its published code) or ``none``
    """

    on_time: float = 4.0
    late: float = 2.0
    overtime: float = 10.0
    idle: float = 1.0
    idle_rule: str = "every_pair"

    def __post_init__(self) -> None:
        for name in ("on_time", "late", "overtime", "idle"):
            check_number(f"penalty.{name}", getattr(self, name), 0)
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.idle_rule not in IDLE_RULES:
            raise ConfigError(f"penalty.idle_rule is {self.idle_rule!r}, but must be one of {', '.join(IDLE_RULES)}")


@dataclass(frozen=True)
class LabConfig:
    """One lab. The defaults are the paper's; only the appointments have none.

    >>> LabConfig.load("scarce").rooms
    Rooms(fetal=1, non_fetal=3)
    """

    appointments: Appointments
    name: str = "lab"
    hours: Hours = field(default_factory=Hours)
    arrival: Arrival = field(default_factory=Arrival)
    exam: Exam = field(default_factory=Exam)
    rooms: Rooms = field(default_factory=Rooms)
    sonographers: Sonographers = field(default_factory=Sonographers)
    breaks: Breaks = field(default_factory=Breaks)
    penalty: Penalty = field(default_factory=Penalty)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigError(f"name is {self.name!r}, but must be a word or two")
        latest = max(self.appointments.fetal + self.appointments.non_fetal)
        if latest > self.hours.closing_min:
            raise ConfigError(
                f"appointments has one at {self.hours.clock(latest)}, but the lab closes at "
                f"{self.hours.clock(self.hours.closing_min)}"
            )
        if self.appointments.fetal and not (self.rooms.fetal and self.sonographers.fetal):
            raise ConfigError(
                "appointments.fetal is not empty, but rooms.fetal or sonographers.fetal is 0: "
                "no fetal patient could ever be examined"
            )
        if not (self.rooms.total and self.sonographers.total):
            raise ConfigError("rooms and sonographers are 0, but there must be at least one of each")

    @classmethod
    def load(cls, source: LabConfig | str | Path) -> LabConfig:
        """Read a lab.

        :param source: a preset's name (``baseline``, ``scarce``, ``abundant``, ``authors_code``), the path
            of a YAML file, or a config, which is returned as it is
        :raises ConfigError: names the field, its value and what is allowed
        """
        if isinstance(source, LabConfig):
            return source
        return build(cls, read_config(source))

    def replace(self, **changes: Any) -> LabConfig:
        """A copy with fields changed by their path, a double underscore for the dot.

        >>> LabConfig.load("scarce").replace(rooms__non_fetal=4).rooms.non_fetal
        4
        """
        return replaced(self, "lab", changes)
