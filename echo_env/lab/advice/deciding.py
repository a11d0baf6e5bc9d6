"""What a policy would do in the state of a board, start by start."""

from __future__ import annotations

from dataclasses import dataclass, field

from echo_env.lab.advice.state import Standing, copied
from echo_env.lab.simulation.allocation import OneMinute, next_class_of
from echo_env.lab.simulation.patient import Start, WaitingPatient
from echo_env.lab.simulation.policy import Policy, is_memoryless
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard


@dataclass
class Step:
    """One decision.

    :param before: the state before it
    :param after: the state after it, before room and member are named where that comes last
    :param entry: the patient whose exam begins; None if something else is decided
    :param kept: type and minutes of a reservation; None if something else is decided
    """

    before: Whiteboard
    after: Whiteboard
    entry: WaitingPatient | None = None
    kept: tuple[int, int] | None = None

    @property
    def stops(self) -> bool:
        """Whether nobody else begins, though somebody could."""
        return self.entry is None and self.kept is None


@dataclass
class Decision:
    """What a policy does in this minute.

    :param steps: in order; the last one stops if somebody else could begin
    :param starts: patient -> who begins an exam where and with whom
    """

    steps: list[Step] = field(default_factory=list)
    starts: dict[int, Start] = field(default_factory=dict)


class _Recorder(OneMinute):
    """Carries out decisions on a copy of a state, and writes them down.

    :param whiteboard: the state
    """

    def __init__(self, whiteboard: Whiteboard) -> None:
        super().__init__(copied(whiteboard))
        self.made = Decision()

    def commit(self, kind: int) -> None:
        if self.board.plan.nested:
            super().commit(kind)
            return
        before = copied(self.board)
        super().commit(kind)
        self.made.steps.append(Step(before, copied(self.board), before.queues[kind][0]))

    def keep(self, kind: int, minutes: int) -> None:
        before = copied(self.board)
        super().keep(kind, minutes)
        self.made.steps.append(Step(before, copied(self.board), kept=(kind, minutes)))

    def _begin(self, start: Start) -> None:
        self.made.starts[start.patient] = start
        entry = self.board.waiting.get(start.patient)
        before = copied(self.board) if entry is not None else None
        super()._begin(start)
        if before is not None:
            self.made.steps.append(Step(before, copied(self.board), entry))


def decide(standing: Standing, policy: Policy, seed: int = 0) -> Decision:
    """What a policy would do in a state.

    :param standing: the state
    :param policy: made for the lab of the state; its day begins here
    :param seed: of a randomised policy
    :raises ValueError: the policy decides on a start that is not possible
    """
    policy.begin_day(LabView(opening(standing)), seed)
    minute = _Recorder(standing.whiteboard)
    minute.decide(policy, next_class_of(policy))
    if minute.board.can_start():
        now = copied(minute.board)
        minute.made.steps.append(Step(now, now))
    minute.name_committed()
    return minute.made


def opening(standing: Standing) -> Whiteboard:
    """The state at opening of a day with the same appointments and members of staff.

    :param standing: the state
    """
    board = standing.whiteboard
    return Whiteboard(standing.config, board.appointments, list(board.exam_types), LabView(board).present.tolist())


def memory_note(policy: Policy) -> str:
    """One sentence about a policy that may go by what it did before; empty for any other.

    :param policy: the policy
    """
    if is_memoryless(policy):
        return ""
    return (
        f"{policy.name} may go by what it decided earlier in the day, or by chance; the board does not show that, "
        "so its day begins now"
    )
