"""One update of the online network: the loss of a batch, its gradient, an optimizer step."""

from typing import NamedTuple, Protocol

import numpy as np
import torch as th
from stable_baselines3.common.logger import Logger
from torch.nn import functional as F

from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, best_choices
from sb3_ext.replay import MaskableReplayBuffer, MaskableReplayBufferSamples, PrioritizedReplayBuffer, ReplayBatch

#: Updates between two histograms, which cost as much as an update or two.
HISTOGRAM_EVERY = 250
#: Priorities in a histogram; a buffer holds far more than it takes to see how they are spread.
HISTOGRAM_PRIORITIES = 2000
# Only TensorBoard can show arrays.
NOT_TENSORBOARD = ("stdout", "log", "json", "csv")


class UpdateSettings(NamedTuple):
    """
    What an update needs to know of the algorithm.

    :param double_q: The online network selects the next action, the target network evaluates it
    :param reward_scale: What rewards are multiplied by in the target
    :param max_grad_norm: Largest norm of the gradient of all parameters together
    """

    double_q: bool = True
    reward_scale: float = 1.0
    max_grad_norm: float = 10.0


class UpdateResult(NamedTuple):
    """
    What an update found before its step.

    :param loss: Mean over the batch of importance weight times Huber loss
    :param estimates: (B,) float32, values of the actions taken
    :param td_errors: (B,) float32, targets minus estimates
    """

    loss: float
    estimates: np.ndarray
    td_errors: np.ndarray


class Updater(Protocol):
    """Updates a policy from a batch."""

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """
        Do one gradient step.

        :param batch: B transitions
        :param settings: of the algorithm
        :return: loss, estimates and TD errors before the step
        """


def record_updates(
    logger: Logger, n_updates: int, losses: np.ndarray, last: UpdateResult, buffer: MaskableReplayBuffer
) -> None:
    """
    Log the latest updates; td_error and q_mean are those of the last batch. Every ``HISTOGRAM_EVERY`` updates also
    histograms: of the TD errors of that batch, with their signs, and of the priorities of all transitions stored.

    :param logger: of the algorithm
    :param n_updates: Updates since the beginning
    :param losses: (n,) float, of the latest updates
    :param last: of the latest update
    :param buffer: that batches are drawn from
    """
    logger.record("train/n_updates", n_updates, exclude="tensorboard")
    logger.record("train/loss", losses.mean())
    logger.record("train/td_error", np.abs(last.td_errors).mean())
    logger.record("train/q_mean", last.estimates.mean())
    if isinstance(buffer, PrioritizedReplayBuffer):
        logger.record("train/beta", buffer.beta)
        logger.record("train/priority_max", buffer.largest_priority)
    if n_updates % HISTOGRAM_EVERY < len(losses):
        logger.record("train/td_errors", last.td_errors, exclude=NOT_TENSORBOARD)
        if isinstance(buffer, PrioritizedReplayBuffer) and buffer.alpha > 0.0:
            logger.record("train/priorities", buffer.priorities(HISTOGRAM_PRIORITIES), exclude=NOT_TENSORBOARD)


def values_of(q_values: th.Tensor, columns: th.Tensor) -> th.Tensor:
    """
    Values of actions.

    :param q_values: (B, n_choices) float
    :param columns: (B, n_parts) int64, those of the parts of each action
    :return: (B, 1) float, sums over the parts
    """
    values = q_values.gather(1, columns)
    return values if columns.shape[1] == 1 else values.sum(dim=1, keepdim=True)


class AutogradUpdater:
    """
    Updates any network, by PyTorch's automatic differentiation. The reference for faster ones.

    :param policy: Whose online network is updated
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy

    def update(self, batch: ReplayBatch, settings: UpdateSettings) -> UpdateResult:
        """See :meth:`Updater.update`."""
        policy = self.policy
        samples = batch.to_samples(policy.device)
        targets = self.targets(samples, settings)
        # Training mode for this pass only: targets and acting use no dropout.
        policy.set_training_mode(True)
        q_values = values_of(policy.q_net(samples.observations), self._columns(samples.actions))
        policy.set_training_mode(False)
        losses = F.smooth_l1_loss(q_values, targets, reduction="none")
        if samples.weights is not None:
            losses = losses * samples.weights
        loss = losses.mean()
        policy.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        th.nn.utils.clip_grad_norm_(policy.q_net.parameters(), settings.max_grad_norm)
        policy.optimizer.step()
        estimates = q_values.detach()
        td_errors = targets - estimates
        return UpdateResult(loss.item(), estimates.cpu().numpy()[:, 0], td_errors.cpu().numpy()[:, 0])

    def _columns(self, actions: th.Tensor) -> th.Tensor:
        """Where in the action values those of each part are, (B, n_parts) int64."""
        parts = self.policy.q_net.parts
        return actions if parts.is_number else actions.long() + th.as_tensor(parts.begins, device=actions.device)

    @th.no_grad()
    def targets(self, samples: MaskableReplayBufferSamples, settings: UpdateSettings) -> th.Tensor:
        """
        Scaled return plus discounted value of the best feasible next action.

        :param samples: B transitions
        :param settings: of the algorithm
        :return: (B, 1) float
        """
        self.policy.set_training_mode(False)
        next_values = self.policy.q_net_target(samples.next_observations)
        selecting = self.policy.q_net(samples.next_observations) if settings.double_q else next_values
        best = best_choices(selecting, samples.next_action_masks, self.policy.q_net.parts)
        following = (1.0 - samples.dones) * samples.discounts * values_of(next_values, best)
        targets: th.Tensor = settings.reward_scale * samples.rewards + following
        return targets
