"""The readable engine, one episode step by step; :mod:`~echo_env.pathways.compiled.kernel` is equal to the bit.

In step t, pathways change, the policy observes the hospital (:class:`View`) and assigns free units, then all patients
move at once. An assigned unit is held in step t + 1; health moves according to the resource held in step t, whatever
was assigned; a need is met after the last step of its resource.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import Instance, Luck
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.simulation.trace import Trace
from echo_env.pathways.simulation.view import View

Ints = NDArray[np.int64]


class Simulator:
    """An episode that advances by assignments.

    :param instance: the instance
    :param luck: random draws of the trial
    """

    def __init__(self, instance: Instance, luck: Luck) -> None:
        self.instance, self.luck = instance, luck
        config, model = instance.config, instance.model
        self.step = 0
        self.condition, self.health = instance.condition.copy(), instance.initial_health.copy()
        self.state = np.zeros(config.patients, dtype=np.int64)
        self.wanted = np.full((config.patients, model.resource.shape[1]), NONE, dtype=np.int64)
        self.requested = self.wanted.copy()
        self.free = model.units.copy()
        self._rows: list[tuple[Ints, Ints, Ints]] = []
        self._begin_step()

    @property
    def over(self) -> bool:
        """Whether all steps have passed."""
        return self.step == self.instance.config.horizon

    def view(self) -> View:
        """The observable state of the hospital."""
        return View(
            self.step,
            self.condition.copy(),
            self.state.copy(),
            self.health.copy(),
            self.wanted.copy(),
            self.requested.copy(),
            self.free.copy(),
            self.luck.priority_draw[min(self.step, len(self.luck.priority_draw) - 1)].copy(),
        )

    def advance(self, assignment: Sequence[int] | Ints) -> None:
        """Apply an assignment and advance to the next step.

        :param assignment: (N,) the resource that each patient wins, or ``NONE``
        :raises ValueError: a resource that a patient cannot use, more units than are free, or an episode that is over
        """
        self.state, self.health = self._next(self._checked(assignment))
        self.step += 1
        self._begin_step()

    def trace(self) -> Trace:
        """The trajectory so far; complete once the episode is over."""
        return Trace(self.instance, *(np.array(rows) for rows in zip(*self._rows, strict=True)))

    def _begin_step(self) -> None:
        """Apply changes of pathways, find the needs that can be requested (none at the end), and record the state."""
        if self.over:
            self.wanted = np.full_like(self.wanted, NONE)
        else:
            for n in np.flatnonzero(self.luck.change_step == self.step):
                self._change_pathway(int(n), int(self.luck.change_kind[n]))
            self._find_wanted()
        self._rows.append((self.condition.copy(), self.state.copy(), self.health.copy()))

    def _change_pathway(self, n: int, kind: int) -> None:
        """A need appears or disappears; requests for needs that remain keep their age."""
        model, c = self.instance.model, self.condition[n]
        if model.turns_into[c, kind] == NONE:
            return
        before = self.requested[n].copy()
        self.requested[n] = NONE
        for need, there in enumerate(model.need_there[c, kind]):
            if there != NONE:
                self.requested[n, there] = before[need]
        self.state[n] = model.state_there[c, kind, self.state[n]]
        self.condition[n] = model.turns_into[c, kind]

    def _moving(self) -> NDArray[np.bool_]:
        """(N,) bool, whether a patient has arrived and is alive."""
        return (self.instance.arrivals <= self.step) & ~((self.health == 0) & self.instance.config.lethal)

    def _find_wanted(self) -> None:
        """The needs that can be requested, the steps of their first request, and the free units."""
        model, c, s = self.instance.model, self.condition, self.state
        moving = self._moving()
        can = (model.after_win[c, s] != NONE) & moving[:, None]
        self.wanted = np.where(can, model.resource[c], NONE)
        self.requested = np.where(can & (self.requested == NONE), self.step, self.requested)
        kept = model.keeps[c, s] & moving
        in_use = model.resource[c[kept], model.held[c[kept], s[kept]]]
        self.free = model.units - np.bincount(in_use, minlength=len(model.units))

    def _checked(self, assignment: Sequence[int] | Ints) -> Ints:
        """The assignment as an array; refuses infeasible ones."""
        if self.over:
            raise ValueError(f"step is {self.step}, but the episode has only {self.instance.config.horizon}")
        given = np.asarray(assignment, dtype=np.int64)
        if given.shape != self.condition.shape:
            raise ValueError(f"assignment has shape {given.shape}, but must have {self.condition.shape}")
        for n in np.flatnonzero(given != NONE):
            if given[n] not in self.wanted[n] or given[n] < 0:
                can = ", ".join(str(r) for r in self.wanted[n] if r != NONE) or "none"
                raise ValueError(f"patient {n} is assigned resource {given[n]}, but can now use {can}")
        used = np.bincount(given[given != NONE], minlength=len(self.free))
        if (used > self.free).any():
            resource = int(np.argmax(used > self.free))
            raise ValueError(
                f"resource {resource} is assigned {used[resource]} times, but has {self.free[resource]} free units"
            )
        return given

    def _next(self, given: Ints) -> tuple[Ints, Ints]:
        """(N,) resource states and (N,) healths in the next step, int64."""
        model, c, s, h = self.instance.model, self.condition, self.state, self.health
        top = self.instance.config.health_levels - 1
        # Of several needs that a resource serves, the first.
        need = (self.wanted == given[:, None]).argmax(axis=1)
        then = np.where(given != NONE, model.after_win[c, s, need], model.after_wait[c, s])
        move, draw = model.move[c, model.held[c, s] + 1, h], self.luck.health_draw[self.step]
        down, stay = move[:, 0], move[:, 1]
        health = np.where(draw < down, h - 1, np.where(draw >= down + stay, np.minimum(h + 1, top), h))
        health = np.where(model.finished[c, then], top, health)
        moving = self._moving()
        return np.where(moving, then, s), np.where(moving, health, h)


def simulate(instance: Instance, luck: Luck, policy: Policy) -> Trace:
    """Simulate an episode.

    :param instance: the instance
    :param luck: random draws of the trial
    :param policy: the policy
    """
    policy.begin_instance(instance)
    hospital = Simulator(instance, luck)
    while not hospital.over:
        hospital.advance(policy.decide(hospital.view()))
    return hospital.trace()
