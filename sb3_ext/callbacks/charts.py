"""TensorBoard at a glance: charts that open on the evaluations, and marks where exploration starts anew."""

from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import TensorBoardOutputFormat

#: A rise of epsilon by more than this within a step is a restart; schedules fall.
RISE = 0.01


class EvaluationCharts(BaseCallback):
    """
    Writes a layout for TensorBoard's tab CUSTOM SCALARS, and a text and a step where exploration starts anew.

    The tab opens on ``eval``: the mean reward of every run, level lines of other policies included, in one chart, and
    with a reference the difference to it, of which less is better, with its 95 % interval as a margin. Then come the
    training, the schedules (exploration, curriculum, learning rate) and the held-out evaluation. A training without
    TensorBoard has none.

    :param difference: Name of the difference to the policy that evaluations compare with, if any
    :param verbose: Verbosity level
    """

    def __init__(self, difference: str | None = None, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.difference = difference
        self._epsilon: float | None = None
        self._restarts = 0

    def _writer(self) -> Any:
        outputs = self.logger.output_formats
        return next((output.writer for output in outputs if isinstance(output, TensorBoardOutputFormat)), None)

    def _on_training_start(self) -> None:
        writer = self._writer()
        if writer is not None:
            writer.add_custom_scalars(layout(self.difference))
        self._epsilon = getattr(self.model, "exploration_rate", None)

    def _on_step(self) -> bool:
        epsilon = getattr(self.model, "exploration_rate", None)
        if epsilon is not None and self._epsilon is not None and epsilon > self._epsilon + RISE:
            self._mark(float(epsilon))
        self._epsilon = epsilon
        return True

    def _mark(self, epsilon: float) -> None:
        self._restarts += 1
        writer = self._writer()
        if writer is not None:
            writer.add_text("marks", f"exploration starts anew at {epsilon:.3g}", self.num_timesteps)
            # The step before, so that the curve is a step and no slope.
            writer.add_scalar("marks/exploration_restarts", self._restarts - 1, self.num_timesteps - 1)
            writer.add_scalar("marks/exploration_restarts", self._restarts, self.num_timesteps)


def layout(difference: str | None) -> dict[str, dict[str, list[Any]]]:
    """
    The layout as ``SummaryWriter.add_custom_scalars`` takes it.

    :param difference: Name of the difference to the policy that evaluations compare with, if any
    :return: category -> title -> [kind of chart, tags]
    """
    charts: dict[str, dict[str, list[Any]]] = {"eval": {"mean reward": ["Multiline", ["eval/mean_reward"]]}}
    title = (difference or "").replace("_minus_", " minus ")
    if difference is not None:
        margin = [f"eval/{difference}{end}" for end in ("", "_low", "_high")]
        charts["eval"][f"{title}, 95 % interval; lower is better"] = ["Margin", margin]
    charts["training"] = {
        "mean reward while exploring": ["Multiline", ["rollout/ep_rew_mean"]],
        "loss": ["Multiline", ["train/loss"]],
    }
    charts["schedules"] = {
        "exploration": ["Multiline", ["rollout/exploration_rate", "marks/exploration_restarts"]],
        "curriculum": ["Multiline", ["curriculum/.*"]],
        "learning rate": ["Multiline", ["train/learning_rate"]],
    }
    if difference is not None:
        charts["held out"] = {f"{title}; lower is better": ["Multiline", [f"held_out/{difference}.*"]]}
    return charts
