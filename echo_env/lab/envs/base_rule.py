"""What a rule pays on days, for the rewards of many labs that compare with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import batch
from echo_env.lab.compiled.layout import Labs
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, Days
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.penalty import UNITS, penalty_points


class BaseRule:
    """The rule that the rewards ``paired`` and ``advantage`` compare with.

    ``tiers`` is (3 K,) int64, the rule as the compiled engine takes it.

    :param config: the lab
    :param name: of the rule
    :param count: how many days at once at most
    :raises ValueError: the rule is not one that is compiled
    """

    def __init__(self, config: Lab, name: str, count: int) -> None:
        self._config = config
        self.tiers = compiled_rule(config, name, "paired_with")
        self._labs = batch.make_labs(config, count)
        self._units = np.zeros((count, config.hours.end_min + 1, UNITS), dtype=np.int64)

    def paid(self, days: Days | Sequence[Day]) -> NDArray[np.float64]:
        """Play the rule through n days.

        :param days: the days
        :return: (n, minutes + 1) points paid before each minute
        """
        n = len(days)
        labs = Labs._make(array[:n] for array in self._labs)
        batch.begin_days(self._config, labs, np.arange(n), days)
        batch.run_days(labs, batch.rules_of(self._config), self.tiers, self._units[:n])
        return np.asarray(penalty_points(self._config, np.moveaxis(self._units[:n], 2, 0)).total)
