"""How long advice takes on boards of simulated days, from the text of the board to the reasons.

python benchmarks/advice_times.py --labs baseline scarce walk_in_clinic mri_unit --boards 50

Each board is that of a day stopped at a random minute, or at the next one in which somebody could begin. Times are of
this machine at this moment, after one board that is not timed: no compilation or import is on the clock.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from echo_env.commands.players.policies import find_policies
from echo_env.lab import Policy, load_lab, sample_days
from echo_env.lab.advice import advice_lines, advise, board_text, read_standing
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.allocation import next_class_of
from echo_env.lab.simulation.simulator import Simulator


class StoppedDay(NamedTuple):
    """A simulated day that was stopped.

    :param minute: in which it was stopped, since opening
    :param board: its board
    :param starts: (patient, room, member of staff), ids on the board: what the policy then begins in that minute
    """

    minute: int
    board: str
    starts: list[tuple[str, str, str]]


def stopped_days(config: Lab, policy: Policy, count: int, seed: int, choices: bool = True) -> Iterator[StoppedDay]:
    """Days played under a policy, each stopped at a random minute.

    :param config: the lab
    :param policy: the policy
    :param count: how many
    :param seed: of the days and minutes
    :param choices: stop at the next minute in which somebody can begin, if there is one
    """
    rng, next_class = np.random.default_rng(seed), next_class_of(policy)
    for day in sample_days(config, count, seed):
        lab = Simulator(config, day)
        policy.begin_day(lab.view, day.policy_seed)
        minute = int(rng.integers(config.hours.end_min))
        while lab.board.minute < minute:
            lab.decide(policy, next_class)
            lab.advance(minute)
        while choices and not lab.board.can_start() and lab.board.minute < config.hours.end_min - 1:
            lab.advance(config.hours.end_min - 1)
        before = lab.trace().exams
        text, now, begun = board_text(lab.view, before), lab.board.minute, len(before)
        lab.decide(policy, next_class)
        lab.name_committed()
        exams = lab.trace().exams[begun:]
        starts = [(str(own.patient + 1), str(own.room + 1), str(own.sonographer + 1)) for own in exams]
        yield StoppedDay(now, text, starts)


class Seconds(NamedTuple):
    """Times of advice.

    :param mean: mean seconds
    :param p95: 95th percentile
    :param longest: the longest
    :param cpu_longest: the most processor time, which other programs do not lengthen
    :param with_choice: boards on which there was an alternative
    """

    mean: float
    p95: float
    longest: float
    cpu_longest: float
    with_choice: int


def measure(config: Lab, policy: Policy, count: int, seed: int) -> Seconds:
    """Time advice on boards.

    :param config: the lab
    :param policy: advises, and has played the days
    :param count: how many boards
    :param seed: of the days
    """
    wall, cpu, choices = [], [], 0
    boards = [*stopped_days(config, policy, count + 1, seed)]
    for own in (max(boards, key=lambda board: len(board.starts)), *boards[:count]):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        advice = advise(read_standing(own.board, config, own.minute), policy)
        advice_lines(advice)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - begun_cpu)
        choices += advice.ranking.draws > 0
    spent = np.array(wall[1:])
    return Seconds(float(spent.mean()), float(np.percentile(spent, 95)), float(spent.max()), max(cpu[1:]), choices)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and add a row to advice_times.csv for each lab and policy."""
    from record import append_row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", nargs="+", default=["baseline", "scarce", "walk_in_clinic", "mri_unit"])
    parser.add_argument("--policies", nargs="+", default=["scarce_first"])
    parser.add_argument("--boards", type=int, default=50)
    parser.add_argument("--seed", type=int, default=19)
    read = parser.parse_args(arguments)
    for name in read.labs:
        config = load_lab(name)
        for label, policy in find_policies(read.policies, config, {}).items():
            found = measure(config, policy, read.boards, read.seed)
            print(f"{name:<16}{label:<14}", " ".join(f"{key} {value:.3g}" for key, value in found._asdict().items()))
            append_row("advice_times", {"lab": name, "policy": label, "boards": read.boards, **found._asdict()})


if __name__ == "__main__":
    main()
