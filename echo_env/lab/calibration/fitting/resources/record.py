"""Rooms and staff as sections of a lab file, with what is uncertain about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from echo_env.lab.calibration.fitting.estimates import Estimate, four_digits
from echo_env.lab.calibration.fitting.resources.base_lab import Section
from echo_env.lab.calibration.fitting.resources.people import Lunch
from echo_env.lab.config.loading import Values


class Absence(NamedTuple):
    """How often members of a group were missing.

    :param missing: member-days on which somebody was missing
    :param of: member-days on which somebody could have been
    """

    missing: int
    of: int


@dataclass(frozen=True)
class Resources:
    """Rooms and staff as sections of a lab file.

    :param rooms: name -> room group
    :param staff: name -> staff group
    :param sources: ``room_groups`` and ``staff_groups`` -> where they come from, in words
    :param absences: staff group -> how often members were missing, where the visits tell
    :param lunch: a lunch that gaps between exams show
    """

    rooms: dict[str, Section]
    staff: dict[str, Section]
    sources: dict[str, str]
    absences: dict[str, Absence]
    lunch: Lunch | None

    def estimates(self) -> list[Estimate]:
        """Absence rates with Wilson intervals, as the member-days of a group are taken to be independent."""
        found = []
        for name, (missing, of) in self.absences.items():
            interval = stats.binomtest(missing, of).proportion_ci(0.95, method="wilson")
            path, words = f"staff_groups.{name}.absence_rate", f"absence rate of staff {name}"
            source = "member-days on which fewer were seen than on the day with most"
            rate = four_digits(missing / of)
            found.append(Estimate(path, words, rate, float(interval.low), float(interval.high), of, source))
        return found

    def resampled(self, rng: np.random.Generator) -> Values:
        """Absence rates of a bootstrap sample: binomial, around the estimates.

        :param rng: random generator
        """
        return {
            f"staff_groups.{name}.absence_rate": four_digits(int(rng.binomial(of, missing / of)) / of)
            for name, (missing, of) in self.absences.items()
        }
