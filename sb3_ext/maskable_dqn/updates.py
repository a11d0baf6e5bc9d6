"""One update of the online network: the loss of a batch, its gradient, an optimizer step."""

import math
from typing import NamedTuple, Protocol

import numpy as np
import torch as th
from stable_baselines3.common.logger import Logger
from torch import nn
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
    :param max_grad_norm: Largest norm of the gradient of all parameters together; infinity for no clipping
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


def switch_mode(policy: MaskableDQNPolicy, mode: bool) -> None:
    """
    What ``policy.set_training_mode`` does, in a third of its time: ``nn.Module`` looks at all that is assigned to it.

    :param policy: The policy
    :param mode: True for training mode
    """
    modules = list(policy.q_net.modules())
    known = type(policy).set_training_mode is MaskableDQNPolicy.set_training_mode
    if known and all(type(module).train is nn.Module.train and "training" in vars(module) for module in modules):
        for module in modules:
            vars(module)["training"] = mode
        policy.training = mode
    else:
        policy.set_training_mode(mode)


def clip_gradient(network: nn.Module, max_norm: float) -> None:
    """
    What ``torch.nn.utils.clip_grad_norm_`` does, to the bit on a CPU, without what it takes to serve all devices and
    the compiler, which is most of its time.

    :param network: Whose gradients are scaled down
    :param max_norm: Largest norm of all of them together
    """
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    norm = th.linalg.vector_norm(th.stack([th.linalg.vector_norm(gradient) for gradient in gradients]))
    scale = max_norm / (norm + 1e-6)
    # True for nan, too.
    if not scale >= 1.0:
        for gradient in gradients:
            gradient.mul_(scale)


class AutogradUpdater:
    """
    Updates any network, by PyTorch's automatic differentiation. The reference for faster ones. A subclass may learn
    more of actions than their values.

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
        switch_mode(policy, True)
        predicted = self.predicted(samples)
        switch_mode(policy, False)
        losses = self.losses(predicted, targets)
        if samples.weights is not None:
            losses = losses * samples.weights
        loss = losses.mean()
        policy.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if settings.max_grad_norm < math.inf:
            clip_gradient(policy.q_net, settings.max_grad_norm)
        policy.optimizer.step()
        estimates, targets = self.values(predicted.detach()), self.values(targets)
        td_errors = targets - estimates
        return UpdateResult(loss.item(), estimates.cpu().numpy()[:, 0], td_errors.cpu().numpy()[:, 0])

    def predicted(self, samples: MaskableReplayBufferSamples) -> th.Tensor:
        """What is learned of the actions taken: here their values, (B, 1) float, as :meth:`targets`."""
        return values_of(self.policy.q_net(samples.observations), self._columns(samples.actions))

    def losses(self, predicted: th.Tensor, targets: th.Tensor) -> th.Tensor:
        """Loss of each transition, here Huber's, (B, 1) float."""
        return F.smooth_l1_loss(predicted, targets, reduction="none")

    def values(self, predicted: th.Tensor) -> th.Tensor:
        """Action values of what is learned, or of targets, (B, 1) float."""
        return predicted

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
