"""The uniform numbers of a day, in the order in which redraws use them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab import LabConfig
from echo_env.lab.day.numbers import DayNumbers


class OwnDice(np.random.Generator):
    """In place of a generator of redraws: gives the numbers that a day was drawn with.

    :param config: the lab; a patient of it has neither a preparation nor no appointment
    :param rng: a generator in the state in which the day was drawn from it
    """

    def __init__(self, config: LabConfig, rng: np.random.Generator) -> None:
        super().__init__(np.random.PCG64(0))
        own = DayNumbers(config.plan)(rng.integers(2**64, dtype=np.uint64, size=1))
        by_patient = np.stack([own.show, own.side, own.offset, own.exam], axis=-1)
        self._numbers = np.concatenate([part.reshape(1, -1) for part in (by_patient, own.absence, own.breaks)], axis=1)

    def random(self, size: tuple[int, int]) -> NDArray[np.float64]:  # type: ignore[override]
        """The numbers of one day."""
        assert size == self._numbers.shape
        return self._numbers
