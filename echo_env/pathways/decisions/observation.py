"""The observation of an agent that allocates a unit: one row for each patient, and one for the hospital.

There are ``max_patients + 1`` rows, the hospital's last: row a describes the recipient of action a, and nobody is the
last action, so that a network can score all patients with shared weights. All rows have the columns of the longer
kind. All entries are between 0 and 1; health dynamics are given as the condition's probabilities, and no value, regret
or bid is included.
"""

from __future__ import annotations

from typing import NamedTuple

import gymnasium as gym
import numpy as np

from echo_env.common.config_file import ConfigError, check_number
from echo_env.common.jit import njit
from echo_env.pathways.config import PathwaysConfig

MAX_RESOURCES = 10
"""Default largest number of resources of an observation: the paper's largest."""

_OWN = ("here", "asks_for_this", "has_won", "finished", "holds", "steps_left")
"""First columns of a patient's row."""
_OF_NEED = ("left", "can_ask", "is_this", "duration", "asked_for", "still_needed", "free")
"""First columns of a need that is left."""
_HOSPITAL = ("time_left", "ask_for_this", "units_of_this", "here")
"""First columns of the hospital's row."""
_OF_RESOURCE = ("is_this", "asked_for", "still_needed", "free")
"""Columns of each resource in the hospital's row."""

OWN, OF_NEED, HOSPITAL, OF_RESOURCE = (len(part) for part in (_OWN, _OF_NEED, _HOSPITAL, _OF_RESOURCE))


class Layout(NamedTuple):
    """Sizes of an observation.

    :param patients: largest number of patients
    :param resources: largest number of resources
    :param needs: largest number of needs of a patient
    :param levels: H, number of levels of health
    """

    patients: int
    resources: int
    needs: int
    levels: int

    @classmethod
    def of(cls, config: PathwaysConfig, max_resources: int) -> Layout:
        """The layout for a hospital.

        :param config: the hospital; its ``max_patients`` is the number of patients
        :param max_resources: largest number of resources
        :raises ConfigError: the hospital has more resources
        """
        check_number("max_resources", max_resources, 1, whole=True)
        if config.resources > max_resources:
            raise ConfigError(
                f"resources is {config.resources}, but must be at most {max_resources}, which is max_resources"
            )
        grows = config.changes.appear_rate > 0
        return cls(config.max_patients, max_resources, config.needs + grows, config.health_levels)

    def patient_columns(self) -> list[str]:
        """Names of the columns of a patient's row."""
        levels = range(self.levels)
        move = [f"{way}_at_{h}" for h in levels for way in ("down", "up")]
        needs = [f"need_{k}_{name}" for k in range(self.needs) for name in (*_OF_NEED, *move)]
        return [
            *_OWN,
            *(f"health_is_{h}" for h in levels),
            *("down_now", "up_now"),
            *(f"waiting_{name}" for name in move),
            *(f"resource_{r}_due" for r in range(self.resources)),
            *needs,
        ]

    def hospital_columns(self) -> list[str]:
        """Names of the columns of the hospital's row; the remaining columns are 0."""
        of_resources = [f"resource_{r}_{name}" for r in range(self.resources) for name in _OF_RESOURCE]
        return [*_HOSPITAL, *of_resources]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an observation."""
        return self.patients + 1, max(len(self.patient_columns()), len(self.hospital_columns()))

    def space(self) -> gym.spaces.Box:
        """The observation space."""
        return gym.spaces.Box(0.0, 1.0, self.shape, np.float32)


@njit
def _bits(mask):
    """Number of set bits."""
    count = 0
    while mask:
        count += mask & 1
        mask >>= 1
    return count


@njit
def _is_left(model, c, s, k):
    """Whether a patient still has to win need k: neither had nor held."""
    return model.resource[c, k] >= 0 and not model.had[c, s] >> k & 1 and model.held[c, s] != k


@njit
def _count(model, step, arrival, condition, state, health, wanted, won, counts):
    """Fill (2, R) requests for each resource and patients who still have to win it; returns the patients present."""
    counts[:] = 0
    here = 0
    for n in range(len(condition)):
        if arrival[n] > step or (model.lethal and health[n] == 0):
            continue
        here += 1
        for k in range(wanted.shape[1]):
            if wanted[n, k] >= 0 and won[n] < 0:
                counts[0, wanted[n, k]] += 1
            if _is_left(model, condition[n], state[n], k):
                counts[1, model.resource[condition[n], k]] += 1
    return here


@njit
def _put_moves(moves, row, place):
    """Write the probabilities of moving down and up at each level; returns the next column."""
    for h in range(len(moves)):
        row[place], row[place + 1] = moves[h, 0], moves[h, 2]
        place += 2
    return place


@njit
def _next_need(model, c, s, done, wanted_row, this):
    """Next remaining need: the one that this unit serves, else the one with the fewest predecessors; -1 if none."""
    best, fewest = -1, 99
    for k in range(wanted_row.shape[0]):
        if done >> k & 1 or not _is_left(model, c, s, k):
            continue
        before = -1 if wanted_row[k] == this else _bits(model.before[c, k])
        if before < fewest:
            best, fewest = k, before
    return best


@njit
def _put_patient(model, layout, horizon, this, c, s, h, wanted_row, won, free, counts, row):
    """Fill the row of a patient who is present."""
    most, levels = layout.patients, layout.levels
    task = model.held[c, s] + 1
    row[0] = 1
    row[2], row[3], row[4] = won >= 0, model.finished[c, s], task > 0
    row[5] = model.left[c, s] / horizon
    row[OWN + h] = 1
    place = OWN + levels
    row[place], row[place + 1] = model.move[c, task, h, 0], model.move[c, task, h, 2]
    due = _put_moves(model.move[c, 0], row, place + 2)
    place, done = due + layout.resources, 0
    for _ in range(layout.needs):
        k = _next_need(model, c, s, done, wanted_row, this)
        if k < 0:
            break
        done |= 1 << k
        r = model.resource[c, k]
        # A resource that serves several needs is due with the first of them.
        own_before = _bits(model.before[c, k] & ~model.had[c, s])
        row[due + r] = max(row[due + r], 1 / (1 + own_before))
        asks = wanted_row[k] >= 0 and won < 0
        if asks and r == this:
            row[1] = row[place + 2] = 1
        row[place], row[place + 1], row[place + 3] = 1, asks, _duration(model, c, s, k) / horizon
        row[place + 4], row[place + 5] = min(counts[0, r] / most, 1), min(counts[1, r] / most, 1)
        row[place + 6] = min(free[r] / most, 1)
        place = _put_moves(model.move[c, k + 1], row, place + OF_NEED)


@njit
def _duration(model, c, s, k):
    """Number of steps for which need k holds its resource."""
    for other in range(model.states[c]):
        then = model.after_win[c, other, k]
        if then >= 0:
            return model.left[c, then]
    return 0


@njit
def observe(model, layout, horizon, step, this, arrival, condition, state, health, wanted, won, free, shown):
    """Fill an observation.

    :param model: M conditions
    :param layout: sizes
    :param horizon: T
    :param step: t
    :param this: resource of the unit to allocate; R if there is none
    :param arrival: (N,)
    :param condition: (N,)
    :param state: (N,)
    :param health: (N,)
    :param wanted: (N, K)
    :param won: (N,) resource that each patient has won in this step, else negative
    :param free: (R,) units still available in this step
    :param shown: (max_patients + 1, columns) float32, filled
    """
    shown[:] = 0
    counts = np.zeros((2, len(free)), dtype=np.int64)
    here = _count(model, step, arrival, condition, state, health, wanted, won, counts)
    for n in range(len(condition)):
        if arrival[n] <= step and not (model.lethal and health[n] == 0):
            c, s, h = condition[n], state[n], health[n]
            _put_patient(model, layout, horizon, this, c, s, h, wanted[n], won[n], free, counts, shown[n])
    most, row = layout.patients, shown[layout.patients]
    row[0], row[3] = (horizon - step) / horizon, here / most
    if this < len(free):
        row[1], row[2] = counts[0, this] / most, min(free[this] / most, 1)
    for r in range(len(free)):
        place = HOSPITAL + OF_RESOURCE * r
        row[place], row[place + 1] = r == this, min(counts[0, r] / most, 1)
        row[place + 2], row[place + 3] = min(counts[1, r] / most, 1), min(free[r] / most, 1)
