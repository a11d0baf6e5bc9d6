"""The options of ``evaluate`` for patient pathways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from echo_env.commands.common.running import Flag, Several, Whole
from echo_env.commands.inputs.workers_options import WorkersOptions
from echo_env.common.sweeps.values import MODES

POLICIES = ("auction", "fcfs_request", "sickest_initial", "sickest_now", "fcfs_arrival", "random")
"""Compared by default: the paper's three (auction, first come first served, sickest first), and variants."""

MOST_NUMBERS = 1000
"""Most numbers of patients, or of resources, that are compared at once."""


@dataclass(frozen=True, kw_only=True)
class PathwaysOptions(WorkersOptions):
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param env: PatientPathways-v0
    :param config: preset or YAML file of a hospital of your own
    :param policies: rules by name, and models as ALGO=PATH
    :param reference: the policy compared with the others, by default the first
    :param patients: whole numbers, or FIRST:LAST:STEP with both ends; by default the hospital's own
    :param resources: the same for resources
    :param draws: hospitals drawn for each cell
    :param trials: episodes in each
    :param seed: seed of the draws
    :param sweep: what if: FIELD=VALUES, for example treatment_effectiveness=0:1.2:0.2
    :param sweep_mode: grid, or one_at_a_time
    :param bound: the share of what is possible that policies reach
    :param output: folder for all results, in place of those of an earlier evaluation; all else in it stays
    :param figures: draw figures too (PNG and PDF), with --output
    :param json: file for all numbers, or - for standard output
    :param trust: open models that are pickles, which can run code of whoever made them (SECURITY.md)
    :param import_: modules or .py files of your own to import first, for their policies
    """

    env: str
    config: str = "baseline"
    policies: Several = POLICIES
    reference: str | None = None
    patients: Several = ()
    resources: Several = ()
    draws: Whole = 120
    trials: Whole = 5
    seed: Whole = 7
    sweep: Several | None = None
    sweep_mode: str = MODES[0]
    bound: Flag = False
    output: str | None = None
    figures: Flag = False
    json: str | None = None
    trust: Flag = False
    import_: Several = ()

    def numbers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of patients, and of resources; empty for the hospital's own.

        :raises ValueError: neither whole numbers nor ranges of them
        """
        return read_numbers("patients", self.patients), read_numbers("resources", self.resources)


def read_numbers(name: str, given: Sequence[str]) -> tuple[int, ...]:
    """``["2:8:2", "20"]`` -> ``(2, 4, 6, 8, 20)``.

    :param name: name of the option, for messages
    :param given: as typed
    :raises ValueError: neither a whole number nor a range of them
    """
    numbers: list[int] = []
    for text in given:
        match = re.fullmatch(r"(\d+)(?::(\d+)(?::([1-9]\d*))?)?", text)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError(f"--{name} is {text!r}, but must be a whole number, or FIRST:LAST:STEP with FIRST <= LAST")
        first = int(match[1])
        wanted = range(first, int(match[2] or first) + 1, int(match[3] or 1))
        if len(numbers) + len(wanted) > MOST_NUMBERS:
            raise ValueError(f"--{name} is {text!r}, but must be at most {MOST_NUMBERS:,} numbers")
        numbers += wanted
    return tuple(numbers)
