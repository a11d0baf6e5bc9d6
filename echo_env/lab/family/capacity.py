"""How many patients of each type a lab of a given utilisation has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.family.resources import Group


class Capacity(NamedTuple):
    """What the rooms and members of staff of a lab can do.

    :param resources: (2^K,) by set of exam types, bit k for type k: the lesser of rooms and expected members present
        who can do some of them
    """

    resources: NDArray[np.float64]

    @classmethod
    def of(cls, kinds: int, rooms: Sequence[Group], staff: Sequence[Group], absence: Sequence[float]) -> Capacity:
        """Count by set of types.

        :param kinds: number of exam types
        :param rooms: groups of rooms
        :param staff: groups of staff
        :param absence: absence rate of each group of staff
        """
        sets = np.arange(1 << kinds)

        def able(groups: Sequence[Group], there: Sequence[float]) -> NDArray[np.float64]:
            counts = [share * group.count * (group.can & sets > 0) for group, share in zip(groups, there, strict=True)]
            return np.asarray(np.sum(counts, axis=0), dtype=np.float64)

        return cls(np.minimum(able(rooms, [1.0] * len(rooms)), able(staff, [1 - rate for rate in absence])))

    def utilisation(self, minutes: NDArray[np.float64], opening: float) -> float:
        """Utilisation of the tightest set of types.

        :param minutes: (K,) expected exam minutes of a day, by type
        :param opening: minutes for which the lab is open
        """
        sets = np.arange(1, len(self.resources))
        needed = (sets[:, None] >> np.arange(len(minutes)) & 1) @ minutes
        return float(np.max(needed / (np.maximum(self.resources[1:], 1e-9) * opening)))

    def whole(self, minutes: NDArray[np.float64], opening: float) -> float:
        """Utilisation of all types together. Parameters as :meth:`utilisation`."""
        return float(minutes.sum() / (self.resources[-1] * opening))


def scaled_demand(
    rng: np.random.Generator, capacity: Capacity, opening: int, means: Sequence[float], utilisation: float, paper: bool
) -> NDArray[np.float64]:
    """Expected patients of each type of a day, so that the tightest set of types has a given utilisation.

    :param rng: source of the shares of the types
    :param capacity: of the lab
    :param opening: minutes for which it is open
    :param means: mean exam of each type, minutes
    :param utilisation: wanted
    :param paper: whether the first of two types is the rarer one
    :return: (K,) float64
    """
    kinds = len(means)
    if paper:
        first = rng.uniform(0.12, 0.45)
        shares = np.array([first, 1 - first])
    else:
        # Types that more can do have more patients, on the whole.
        alone = capacity.resources[1 << np.arange(kinds)]
        shares = rng.gamma(2.0, size=kinds) * np.sqrt(alone)
        shares /= shares.sum()
    minutes = shares * np.array(means)
    return shares * (utilisation / capacity.utilisation(minutes, opening))
