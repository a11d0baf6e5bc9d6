"""Many labs stepped at once of which each is another one: their arrays, padded, around the kernels of one lab."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import (
    AT_ROWS,
    CLASSES_PER_TYPE,
    KINDS,
    RESERVATIONS,
    Floats,
    Ints,
    Labs,
    Rules,
    Wide,
)
from echo_env.lab.compiled.observations import Shown
from echo_env.lab.compiled.observed.kept import fill_kept
from echo_env.lab.compiled.observed.wide import fill_wide_rows
from echo_env.lab.compiled.steps import begin_labs, step_labs
from echo_env.lab.config.plan import MOST_TYPES
from echo_env.lab.decisions.padding import STARTS
from echo_env.lab.decisions.wide_rows import COLUMNS, NARROW


class Places(NamedTuple):
    """Labs of B places, each of its own kind; what a lab does not fill is 0.

    :param lab: (B, cells) int32, as in :class:`~echo_env.lab.compiled.layout.Labs`
    :param break_draw: (B, S, n) float64, likewise
    :param numbers: (B, n) int64, as in :class:`~echo_env.lab.compiled.layout.Rules`
    :param odds: (B, groups, n, 2) float64, likewise
    :param booked: (B,) int64, as in :class:`~echo_env.lab.compiled.observations.Shown`, as those that follow
    :param points: (B, 8, 3) float64
    :param rate: (B, 8, minutes + 1) float64
    :param rooms_for: (B, 8) int64
    :param constants: (B, 8, 3) float64
    :param rest: (B, 8, n) float64
    :param of_lab: (B, 7) float64
    :param mask: (B, actions) bool, action masks: see :mod:`~echo_env.lab.decisions.padding`
    :param size: (B,) int64, how many actions are feasible
    :param first: (B,) int64, the lowest of them
    :param observation: (B, 25, columns) float32, the rows of ``rows_wide``
    :param kept: (B, 8, 2) float32, the further columns of ``rows_kept``
    """

    lab: Ints
    break_draw: Floats
    numbers: Wide
    odds: Floats
    booked: Wide
    points: Floats
    rate: Floats
    rooms_for: Wide
    constants: Floats
    rest: Floats
    of_lab: Floats
    mask: NDArray[np.bool_]
    size: Wide
    first: Wide
    observation: NDArray[np.float32]
    kept: NDArray[np.float32]


def no_places(count: int, actions: int) -> Places:
    """Places without a lab.

    :param count: how many
    :param actions: how many actions there are, with padding
    """
    floats, whole = np.zeros, np.int64
    return Places(
        lab=np.zeros((count, 0), np.int32),
        break_draw=floats((count, 0, 0)),
        numbers=np.zeros((count, 0), whole),
        odds=floats((count, 0, 0, 2)),
        booked=np.zeros(count, whole),
        points=floats((count, MOST_TYPES, CLASSES_PER_TYPE)),
        rate=floats((count, MOST_TYPES, 0)),
        rooms_for=np.zeros((count, MOST_TYPES), whole),
        constants=floats((count, MOST_TYPES, 3)),
        rest=floats((count, MOST_TYPES, 0)),
        of_lab=floats((count, 7)),
        mask=np.zeros((count, actions), np.bool_),
        size=np.zeros(count, whole),
        first=np.zeros(count, whole),
        observation=np.zeros((count, STARTS + 1, COLUMNS), np.float32),
        kept=np.zeros((count, MOST_TYPES, 2), np.float32),
    )


def move_in(places: Places, b: int, rules: Rules, shown: Shown) -> Places:
    """Put a lab into a place.

    :param places: the places; written into
    :param b: the place
    :param rules: of the lab
    :param shown: what observations need of it
    :return: the places, with larger arrays where the lab needs them
    """
    kinds = int(rules.numbers[KINDS])
    # Beyond its longest, an exam is expected to last what it is at the longest.
    rest = shown.rest
    if places.rest.shape[2] > rest.shape[1]:
        rest = np.pad(rest, ((0, 0), (0, places.rest.shape[2] - rest.shape[1])), mode="edge")
    new = {"numbers": rules.numbers, "odds": rules.odds, "rate": shown.rate, "rest": rest}
    same = {"points": shown.points, "rooms_for": shown.rooms_for, "constants": shown.constants, "of_lab": shown.of_lab}
    places = grown(places, **{name: array.shape for name, array in new.items()})
    places.booked[b] = shown.booked
    for name, array in {**new, **same}.items():
        own = getattr(places, name)[b]
        own[...] = 0
        own[tuple(slice(size) for size in array.shape)] = array
    places.observation[b, CLASSES_PER_TYPE * kinds : -1] = 0
    places.kept[b] = 0
    places.mask[b] = False
    return places


def grown(places: Places, **shapes: tuple[int, ...]) -> Places:
    """The same places with arrays of at least these shapes.

    :param places: the places
    :param shapes: name of an array -> shape of one place's part, without what all labs share in front
    """
    changed = {}
    for name, shape in shapes.items():
        array = getattr(places, name)
        wanted = tuple(max(own, size) for own, size in zip(array.shape[1:], shape, strict=True))
        if wanted != array.shape[1:]:
            mode = "edge" if name == "rest" and array.shape[2] else "constant"
            pads = [(0, 0), *((0, size - own) for own, size in zip(array.shape[1:], wanted, strict=True))]
            changed[name] = np.ascontiguousarray(np.pad(array, pads, mode=mode))  # type: ignore[call-overload]
    return places._replace(**changed) if changed else places


@njit
def begin_places(which, places, idling, event_clock):
    """Go to the first choice of days that have just begun, and observe.

    :param which: (n,) int64, the places
    :param places: their arrays
    :param idling: whether masks include idling actions
    :param event_clock: whether to stop only where there is a choice
    """
    scratch = _scratch()
    zero = np.zeros(1, np.int64)
    for b in which:
        labs, rules, mask = _one(places, b)
        begin_labs(
            zero,
            labs,
            rules,
            False,
            idling,
            event_clock,
            mask,
            places.size[b : b + 1],
            places.first[b : b + 1],
        )
        _show(places, b, scratch)


@njit
def step_places(actions, places, idling, event_clock):
    """Carry out an action in every place, go on to its next choice, and observe.

    Parameters as in :func:`begin_places`.

    :param actions: (B,) int64, each feasible in its place
    """
    scratch = _scratch()
    own = np.zeros(1, np.int64)
    for b in range(len(actions)):
        labs, rules, mask = _one(places, b)
        own[0] = own_action(actions[b], rules.numbers)
        step_labs(
            own,
            labs,
            rules,
            False,
            idling,
            event_clock,
            mask,
            places.size[b : b + 1],
            places.first[b : b + 1],
        )
        _show(places, b, scratch)


@njit
def own_action(action, rule):
    """A place's action as the lab names it: counterpart of ``Padding.own``.

    :param action: with padding
    :param rule: the numbers of the lab's rules
    """
    stop = CLASSES_PER_TYPE * rule[KINDS]
    if action < STARTS:
        return action
    return stop if action == STARTS + MOST_TYPES * rule[RESERVATIONS] else stop + 1 + action - STARTS


@njit
def _one(places, b):
    """The lab of a place as an array of one lab, its rules, and its mask."""
    numbers = places.numbers[b]
    cells, actions = numbers[AT_ROWS], numbers[KINDS] * (CLASSES_PER_TYPE + numbers[RESERVATIONS]) + 1
    draw = places.break_draw[b]
    labs = Labs(places.lab[b, :cells].reshape(1, cells), draw.reshape(1, draw.shape[0], draw.shape[1]))
    return labs, Rules(numbers, places.odds[b]), places.mask[b, :actions].reshape(1, actions)


@njit
def _scratch():
    """See :func:`~echo_env.lab.compiled.observed.wide.fill_wide_rows`."""
    return np.empty((STARTS + 1) * NARROW), np.empty((MOST_TYPES, MOST_TYPES)), np.empty(COLUMNS)


@njit
def _show(places, b, scratch):
    """Observe, and pad the mask."""
    rule, mask = places.numbers[b], places.mask[b]
    stop, last = CLASSES_PER_TYPE * rule[KINDS], len(mask) - 1
    own = mask[: stop + 1 + rule[KINDS] * rule[RESERVATIONS]].copy()
    mask[stop:] = False
    mask[STARTS : STARTS + len(own) - stop - 1] = own[stop + 1 :]
    mask[last] = own[stop]
    if places.first[b] == stop:
        places.first[b] = last
    if rule[RESERVATIONS]:
        fill_kept(places.lab[b], rule, places.kept[b])
    narrow, shared, row = scratch
    fill_wide_rows(
        places.lab[b],
        rule,
        places.booked[b],
        places.points[b],
        places.rate[b],
        places.rooms_for[b],
        places.constants[b],
        places.rest[b],
        places.of_lab[b],
        narrow,
        shared,
        row,
        places.observation[b],
    )
