"""Evaluation of a trial of a hyperparameter search: masked, and on episodes that all trials have in common."""

from rl_zoo3.callbacks import TrialEvalCallback

from sb3_ext.callbacks import DivergenceCheck
from sb3_ext.zoo.evaluation import ZooEvalCallback


class ZooTrialEvalCallback(TrialEvalCallback, ZooEvalCallback):  # type: ignore[misc]  # rl_zoo3 is untyped
    """
    rl_zoo3's evaluation of a trial, masked where the model supports it and on the same episodes for every trial.

    With a reference, see :class:`~sb3_ext.zoo.evaluation.ZooEvalCallback`, a trial is judged, and pruned, by how much
    higher its reward is than the reference's in the same episodes: searches maximise, so that this is minus the
    difference that is logged, and 0 is as good as the reference. The mean reward and the ends of the 95 % interval are
    attributes of the trial. Without, it is judged by its mean reward, which on common episodes puts trials in the same
    order.

    ``TrialEvalCallback`` evaluates through ``super()``, which here is ``ZooEvalCallback``. A trial that diverges ends
    with an error, see :class:`~sb3_ext.callbacks.DivergenceCheck`, and is pruned.
    """

    def _init_callback(self) -> None:
        super()._init_callback()
        self._divergence = DivergenceCheck()
        self._divergence.init_callback(self.model)

    def _on_rollout_start(self) -> None:
        self._divergence.on_rollout_start()

    def _on_step(self) -> bool:
        self._divergence.update_locals(self.locals)
        self._divergence.on_step()
        return bool(super()._on_step())

    def _compared(self, compared: dict[str, float]) -> None:
        super()._compared(compared)
        for name, value in compared.items():
            self.trial.set_user_attr(name, value)

    def _evaluated(self) -> None:
        super()._evaluated()
        if self.reference is not None:
            self.trial.set_user_attr("mean_reward", float(self.last_mean_reward))
            # What rl_zoo3 reports to the pruner, and at the end as the value of the trial.
            self.last_mean_reward = -self.last_difference
