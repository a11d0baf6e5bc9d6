"""Updates by quantile regression."""

import torch as th
from torch.nn import functional as F

from sb3_ext.maskable_dqn.policies import best_choices
from sb3_ext.maskable_dqn.updates import AutogradUpdater, UpdateSettings
from sb3_ext.maskable_qrdqn.policies import MaskableQRDQNPolicy
from sb3_ext.replay import MaskableReplayBufferSamples


def quantiles_of(quantiles: th.Tensor, columns: th.Tensor) -> th.Tensor:
    """
    Quantiles of actions.

    :param quantiles: (B, n_quantiles, n_choices) float
    :param columns: (B, n_parts) int64, those of the parts of each action
    :return: (B, n_quantiles) float, sums over the parts
    """
    index = columns[:, None, :].expand(-1, quantiles.shape[1], -1)
    return quantiles.gather(2, index).sum(dim=2)


def quantile_huber_losses(predicted: th.Tensor, targets: th.Tensor) -> th.Tensor:
    """
    The loss of quantile regression with Huber's bend at 1 (https://arxiv.org/abs/1710.10044, equation 10): the sum
    over the predicted quantiles of the mean over the targets.

    Not all pairs of both are looked at, which are 40,000 for 200 quantiles. Where targets are in order, those on each
    side of a predicted quantile and of the bends are a slice each, and the loss needs only how many they are, their
    sum and that of their squares: differences of cumulative sums.

    :param predicted: (B, N) float, quantiles at the midpoints of N equal parts of [0, 1]
    :param targets: (B, M) float
    :return: (B, 1) float, differentiable by ``predicted``
    """
    with th.no_grad():
        losses, slopes = _losses_and_slopes(predicted.double(), targets.double())
    # The sum is zero, and has the derivative of the losses.
    own = (slopes.to(predicted.dtype) * (predicted - predicted.detach())).sum(dim=1, keepdim=True)
    return losses.to(predicted.dtype) + own


def _losses_and_slopes(predicted: th.Tensor, targets: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
    """
    Losses (B, 1), and their derivatives by the predicted quantiles (B, N).

    :param predicted: (B, N) float64, since cumulative sums are subtracted from each other
    :param targets: (B, M) float64
    """
    n = predicted.shape[1]
    levels = (th.arange(n, dtype=predicted.dtype, device=predicted.device) + 0.5) / n
    ordered = targets.sort(dim=1).values
    # Of the k smallest targets for every k from 0: their number, sum and sum of squares, (3, B, M + 1).
    sums = F.pad(th.stack((th.ones_like(ordered), ordered, ordered.square())).cumsum(dim=2), (1, 0))
    bounds = th.searchsorted(ordered, th.cat((predicted - 1.0, predicted, predicted + 1.0), dim=1))
    ends = sums.gather(2, bounds.expand(3, -1, -1)).view(3, len(predicted), 3, n).unbind(dim=2)
    # Targets far below, below, above and far above each quantile, (3, B, N) each.
    far_below, total_below, _ = ends[0]
    below, above = ends[1] - ends[0], ends[2] - ends[1]
    far_above, total_above, _ = sums[:, :, -1:] - ends[2]
    losses = (1.0 - levels) * ((predicted - 0.5) * far_below - total_below + _half_squares(predicted, below))
    losses += levels * (total_above - (predicted + 0.5) * far_above + _half_squares(predicted, above))
    slopes = (1.0 - levels) * (far_below + predicted * below[0] - below[1])
    slopes -= levels * (far_above + above[1] - predicted * above[0])
    return losses.sum(dim=1, keepdim=True) / targets.shape[1], slopes / targets.shape[1]


def _half_squares(predicted: th.Tensor, sums: th.Tensor) -> th.Tensor:
    """Half the sum of squared differences from targets of which there are number, sum and sum of squares."""
    number, total, squares = sums
    twice: th.Tensor = squares - 2.0 * predicted * total + predicted.square() * number
    return 0.5 * twice


class QuantileUpdater(AutogradUpdater):
    """
    Updates a quantile network. TD errors, by which replay is prioritized, are those of the means of the quantiles.

    :param policy: Whose online network is updated
    """

    policy: MaskableQRDQNPolicy

    def __init__(self, policy: MaskableQRDQNPolicy) -> None:
        super().__init__(policy)

    def predicted(self, samples: MaskableReplayBufferSamples) -> th.Tensor:
        """Quantiles of the actions taken, (B, n_quantiles) float."""
        return quantiles_of(self.policy.q_net.quantiles(samples.observations), self._columns(samples.actions))

    def losses(self, predicted: th.Tensor, targets: th.Tensor) -> th.Tensor:
        """Loss of each transition, (B, 1) float."""
        return quantile_huber_losses(predicted, targets)

    def values(self, predicted: th.Tensor) -> th.Tensor:
        """Means of quantiles, (B, 1) float."""
        return predicted.mean(dim=1, keepdim=True)

    @th.no_grad()
    def targets(self, samples: MaskableReplayBufferSamples, settings: UpdateSettings) -> th.Tensor:
        """
        Scaled return plus discounted quantiles of the best feasible next action.

        :param samples: B transitions
        :param settings: of the algorithm
        :return: (B, n_quantiles) float
        """
        policy = self.policy
        policy.set_training_mode(False)
        following = policy.q_net_target.quantiles(samples.next_observations)
        selecting = policy.q_net(samples.next_observations) if settings.double_q else following.mean(dim=1)
        best = best_choices(selecting, samples.next_action_masks, policy.q_net.parts)
        discounts = (1.0 - samples.dones) * samples.discounts
        targets: th.Tensor = settings.reward_scale * samples.rewards + discounts * quantiles_of(following, best)
        return targets
