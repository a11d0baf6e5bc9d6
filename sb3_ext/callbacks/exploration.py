"""Exploration restarted in the middle of a training."""

from typing import Any

from sb3_ext.callbacks.state import StatefulCallback


class EpsilonReset(StatefulCallback):
    """
    Restarts the exploration of a model once, after a number of episodes: the model's ``restart_exploration()`` sets
    epsilon back to its initial value.

    Setting ``model.exploration_rate`` would do nothing, since SB3 recomputes it at every step. Whether it
    was done is kept in the model (see :class:`~sb3_ext.callbacks.state.StatefulCallback`): a training that
    continues does not do it again.

    :param episode: Number of finished episodes, over all environments, at which to restart
    :param verbose: Verbosity level: 0 for no output, 1 for a line at the reset
    """

    def __init__(self, episode: int = 20_000, verbose: int = 0) -> None:
        super().__init__(verbose)
        if episode < 0:
            raise ValueError(f"EpsilonReset: episode must be at least 0, not {episode}.")
        self.episode = episode

    def initial_state(self) -> dict[str, Any]:
        """No episode is finished, no reset was done."""
        return {"episodes": 0, "resets": 0}

    def _init_callback(self) -> None:
        super()._init_callback()
        if not callable(getattr(self.model, "restart_exploration", None)):
            raise TypeError(
                f"EpsilonReset needs a model with a method restart_exploration(), such as MaskableDQN, "
                f"and {type(self.model).__name__} has none."
            )

    def _on_step(self) -> bool:
        self.state["episodes"] += self.episodes_just_finished()
        if self.state["resets"] == 0 and self.state["episodes"] >= self.episode:
            self.model.restart_exploration()  # type: ignore[attr-defined]  # checked in _init_callback
            self.state["resets"] = 1
            if self.verbose > 0:
                print(f"Exploration restarted after {self.state['episodes']} episodes")
        return True
