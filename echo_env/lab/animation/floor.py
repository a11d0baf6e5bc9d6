"""The floor plan of a lab: where its waiting room, its rooms and its staff stand, and how large things are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from echo_env.lab.config.plan import LabPlan

Place = tuple[float, float]
"""x and y in a floor plan that is :data:`WIDTH` wide and :data:`HEIGHT` high, from its lower left corner."""

WIDTH, HEIGHT = 100.0, 100.0
_MARGIN = 2.0
_WAITING = (62.0, 98.0)
"""Lower and upper end of the waiting room; below it are the rooms, and then the staff."""
_ROOMS = (25.0, 57.0)
_STAFF = (0.0, 20.0)
_SEAT = 8.6
"""Distance of seats where there is room enough."""


class Box(NamedTuple):
    """A rectangle of the floor plan."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def middle(self) -> Place:
        """Its middle."""
        return self.left + self.width / 2, self.bottom + self.height / 2


@dataclass(frozen=True)
class Floor:
    """Where things stand.

    :param waiting: the waiting room
    :param seats: in the order in which they are taken
    :param rooms: by number
    :param at_work: where members of staff who are free stand, by number
    :param away: where those on a break, at lunch, off duty or absent stand, by number
    :param size: of a person, the diameter, along x
    :param flat: height of a unit of y in units of x
    """

    waiting: Box
    seats: tuple[Place, ...]
    rooms: tuple[Box, ...]
    at_work: tuple[Place, ...]
    away: tuple[Place, ...]
    size: float
    flat: float

    @property
    def door(self) -> Place:
        """Where patients come in."""
        return self.waiting.left, self.waiting.middle[1]

    @property
    def way_out(self) -> Place:
        """Where patients leave."""
        return WIDTH, (_WAITING[0] + _ROOMS[1]) / 2

    def beside_patient(self, room: int) -> Place:
        """Where a member of staff stands in a room."""
        x, y = self.on_couch(room)
        return x + 1.24 * self.size, y

    def on_couch(self, room: int) -> Place:
        """Where a patient lies in a room."""
        box = self.rooms[room]
        return box.middle[0] - 0.62 * self.size, box.bottom + 0.38 * box.height


def floor_of(plan: LabPlan, seats: int, flat: float = 1.0) -> Floor:
    """The floor plan of a lab.

    :param plan: of the lab
    :param seats: most patients who wait at the same time
    :param flat: height of a unit of y in units of x, as the floor plan is drawn
    """
    low, high = _WAITING
    waiting = Box(_MARGIN, low, WIDTH - 2 * _MARGIN, high - low)
    rooms, staff = len(plan.room_group), len(plan.staff_group)
    columns = _columns(rooms, WIDTH - 2 * _MARGIN, flat * (_ROOMS[1] - _ROOMS[0]))
    lines = -(-rooms // columns)
    wide, tall = (WIDTH - 2 * _MARGIN) / columns, (_ROOMS[1] - _ROOMS[0]) / lines
    boxes = tuple(
        Box(_MARGIN + wide * (n % columns) + 0.6, _ROOMS[1] - tall * (n // columns + 1) + 0.6, wide - 1.2, tall - 1.2)
        for n in range(rooms)
    )
    first = 20.0
    step = min((WIDTH - first - _MARGIN) / max(staff, 1), 9.0)
    across = [first + step * (n + 0.5) for n in range(staff)]
    space, places = _seats(waiting, seats, flat)
    size = min(6.4, 0.8 * space, 0.42 * wide, 0.46 * flat * tall, 0.8 * step, 0.44 * flat * (_STAFF[1] - _STAFF[0]))
    upper, lower = (_STAFF[0] + share * (_STAFF[1] - _STAFF[0]) for share in (0.72, 0.26))
    return Floor(
        waiting, places, boxes, tuple((x, upper) for x in across), tuple((x, lower) for x in across), size, flat
    )


def _columns(number: int, width: float, height: float) -> int:
    """So many boxes side by side that they are about one and a half times as wide as high; few stand in one line."""
    if number <= 5:
        return number
    # As few columns as a number of lines needs, so that the last line is not almost empty.
    fitting = {-(-number // lines) for lines in range(1, number + 1)}
    return min(sorted(fitting), key=lambda c: abs(math.log((width / c) / (height / -(-number // c)) / 1.5)))


def _seats(room: Box, number: int, flat: float) -> tuple[float, tuple[Place, ...]]:
    """Distance of seats along x, and the seats: column by column from the door, so that a queue grows away from it."""
    space = _SEAT
    # The uppermost strip is for the room's name.
    high, wide = room.height - 6, room.width - 4
    while (lines := int(high * flat // space)) * int(wide // space) < number:
        space *= 0.95
    down = space / flat
    return space, tuple(
        (room.left + 2 + space * (n // lines + 0.5), room.bottom + high - down * (n % lines + 0.5))
        for n in range(max(number, 1))
    )
