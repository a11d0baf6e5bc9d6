"""A learning rate that falls when the loss stops falling."""

from typing import Any

import torch as th
from stable_baselines3.common.utils import ConstantSchedule
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sb3_ext.callbacks.state import StatefulCallback


class LearningRateOnPlateau(StatefulCallback):
    """
    Multiplies the learning rate by ``factor`` whenever more than ``patience`` updates in a row brought no new
    lowest loss. PyTorch's ``ReduceLROnPlateau``, which drives it, is stepped with the loss of every update.

    SB3 sets the optimizer's rate from ``model.lr_schedule`` before each training step, so the schedule is what
    is replaced. The losses are read from ``model.last_losses``, the losses of the latest ``train()``, when the
    next rollout starts. The rate, the lowest loss and the count are kept in the model (see
    :class:`~sb3_ext.callbacks.state.StatefulCallback`): a continued training resumes at the rate reached, even
    though loading a model sets ``lr_schedule`` back to its ``learning_rate``.

    :param factor: What the rate is multiplied by, in (0, 1)
    :param patience: Updates without a new lowest loss that are tolerated
    :param minimum: Lower limit of the rate
    :param verbose: Verbosity level: 0 for no output, 1 for a line at each change
    """

    def __init__(self, factor: float = 0.95, patience: int = 800, minimum: float = 3e-5, verbose: int = 0) -> None:
        super().__init__(verbose)
        if not 0.0 < factor < 1.0:
            raise ValueError(f"LearningRateOnPlateau: factor must be between 0 and 1, not {factor}.")
        if patience < 0:
            raise ValueError(f"LearningRateOnPlateau: patience must be at least 0, not {patience}.")
        self.factor = factor
        self.patience = patience
        self.minimum = minimum
        self._updates_read = 0

    def initial_state(self) -> dict[str, Any]:
        """The model's own rate, no loss seen. Infinity is written by JSON and read back."""
        rate = self.model.lr_schedule(1.0)
        return {"learning_rate": float(rate), "lowest_loss": float("inf"), "updates_since": 0}

    def _init_callback(self) -> None:
        if not hasattr(self.model, "last_losses"):
            raise TypeError(
                "LearningRateOnPlateau needs a model with an attribute last_losses, such as MaskableDQN, "
                f"and {type(self.model).__name__} has none."
            )
        super()._init_callback()
        self._updates_read = self.model._n_updates
        self.model.lr_schedule = ConstantSchedule(self.state["learning_rate"])
        self._scheduler = self._make_scheduler()

    def _make_scheduler(self) -> ReduceLROnPlateau:
        # A dummy optimizer that only holds the rate, since SB3 overwrites that of the real one.
        rate_holder = th.optim.SGD([th.zeros(1, requires_grad=True)], lr=self.state["learning_rate"])
        scheduler = ReduceLROnPlateau(
            rate_holder,
            factor=self.factor,
            patience=self.patience,
            threshold=0.0,
            min_lr=self.minimum,
            # Torch skips changes below eps, 1e-8 by default, and so would stop short of a small minimum.
            eps=0.0,
        )
        scheduler.best = self.state["lowest_loss"]
        scheduler.num_bad_epochs = self.state["updates_since"]
        return scheduler

    def _on_rollout_start(self) -> None:
        n_updates = self.model._n_updates
        if n_updates == self._updates_read:
            return
        self._updates_read = n_updates
        for loss in self.model.last_losses:  # type: ignore[attr-defined]
            self._scheduler.step(float(loss))
        self.state["lowest_loss"] = float(self._scheduler.best)
        self.state["updates_since"] = int(self._scheduler.num_bad_epochs)
        self._apply(float(self._scheduler.optimizer.param_groups[0]["lr"]))

    def _apply(self, rate: float) -> None:
        if rate == self.state["learning_rate"]:
            return
        self.state["learning_rate"] = rate
        self.model.lr_schedule = ConstantSchedule(rate)
        if self.verbose > 0:
            print(f"Learning rate {rate:.3g} after {self._updates_read} updates")

    def _on_step(self) -> bool:
        return True
