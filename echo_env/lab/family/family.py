"""The stated family of random labs: which labs a generalist agent is trained for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.config.plan import MOST_TYPES
from echo_env.lab.family.generator import random_lab

Range = tuple[float, float]


class Stream(IntEnum):
    """Which sequence of labs: no lab of one is a lab of another, whatever their numbers."""

    TRAINING = 0
    VALIDATION = 1
    HELD_OUT = 2


@dataclass(frozen=True)
class LabFamily:
    """Random labs of the general form, numbered from 0.

    Lab ``n`` of a stream is a function of the family's seed, the stream and ``n`` alone. The stream is part of the key
    of the generator, so no training can reach the labs of :attr:`Stream.HELD_OUT`, nor those of
    :attr:`Stream.VALIDATION`, which are for evaluations during a training.

    The utilisation of a lab is that of its tightest set of exam types: expected exam minutes of its patients during
    opening hours over the minutes of the rooms, or members of staff, who can do some of them, whichever are fewer.

    :param paper_share: share of labs of the paper's kind: two nested exam types, the first of which few can do
    :param long_share: of these, share in which exams of the first type take longer, so that serving them first is
        often the worse rule
    :param types: least and most exam types of the other labs
    :param utilisation: least and most
    :param least_whole: least utilisation by all types together: with less, only few patients ever wait
    :param patients: fewest and most appointments, three times the paper's
    :param staff: fewest and most members of staff
    :param closing: earliest and latest closing, minutes since opening
    :param exam_mean: shortest and longest mean exam, minutes
    :param plain_share: share of labs without shifts, lunches, closures, cleaning, preparation, or walk-in patients
    :param paper_weights_share: share of labs with the paper's penalty weights
    :param seed: of the family
    """

    paper_share: float = 0.4
    long_share: float = 0.35
    types: tuple[int, int] = (1, MOST_TYPES)
    utilisation: Range = (0.6, 1.1)
    least_whole: float = 0.5
    patients: tuple[int, int] = (10, 114)
    staff: tuple[int, int] = (2, 20)
    closing: tuple[int, int] = (300, 660)
    exam_mean: Range = (10.0, 75.0)
    plain_share: float = 0.4
    paper_weights_share: float = 0.5
    seed: int = 0

    def lab(self, number: int, stream: Stream = Stream.TRAINING) -> GeneralLabConfig:
        """One lab.

        :param number: not negative
        :param stream: which sequence
        """
        key = np.random.SeedSequence(self.seed, spawn_key=(int(stream), number))
        return random_lab(self, np.random.default_rng(key), f"{stream.name.lower()}_{number}")
