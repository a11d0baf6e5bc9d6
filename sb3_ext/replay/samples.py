"""Batches of a replay buffer with masks, as numpy arrays or as tensors."""

from typing import NamedTuple

import numpy as np
import torch as th
from stable_baselines3.common.type_aliases import PyTorchObs

from sb3_ext.common.observations import Observations


class MaskableReplayBufferSamples(NamedTuple):
    """
    A drawn batch of B transitions, as tensors; columns are (B, 1), as SB3 has them. Of ``Dict`` observations there is
    a dictionary of tensors.

    The first six are SB3's ``ReplayBufferSamples``. ``next_action_masks`` is (B, n_actions) bool, ``weights``
    (B, 1) float or None, ``rows`` a numpy array for ``update_priorities``. Where actions are vectors they are
    (B, n_parts).
    """

    observations: PyTorchObs
    actions: th.Tensor
    next_observations: PyTorchObs
    dones: th.Tensor
    rewards: th.Tensor
    discounts: th.Tensor
    next_action_masks: th.Tensor
    weights: th.Tensor | None
    rows: np.ndarray


class ReplayBatch(NamedTuple):
    """
    A drawn batch of B transitions, as numpy arrays.

    With n-step returns the next state is that after the last of the n steps.
    """

    #: (B, *obs_shape), or a dictionary of such arrays, normalized if the environment normalizes
    observations: Observations
    #: (B,) int, or (B, n_parts) where actions are vectors; from 0
    actions: np.ndarray
    #: (B, *obs_shape), or a dictionary
    next_observations: Observations
    #: (B,) float32, 1 where the next state is terminal; a truncated episode has 0
    terminals: np.ndarray
    #: (B,) float32, discounted sum over the n steps
    rewards: np.ndarray
    #: (B,) float32, by which the value of the next state counts
    discounts: np.ndarray
    #: (B, n_actions) bool, actions feasible in the next state; all True if it is terminal
    next_action_masks: np.ndarray
    #: (B,) int, rows of the buffer: position * n_envs + environment
    rows: np.ndarray
    #: (B,) float32, importance weights, or None if drawn uniformly
    weights: np.ndarray | None = None

    def to_samples(self, device: th.device | str = "cpu") -> MaskableReplayBufferSamples:
        """
        The same batch as tensors.

        :param device: where to; on the CPU nothing is copied
        :return: the batch
        """

        on_cpu = (device if isinstance(device, str) else device.type) == "cpu"

        def tensor(array: np.ndarray) -> th.Tensor:
            # No .to() on the CPU: ten such calls cost as much as drawing the batch.
            return th.from_numpy(array) if on_cpu else th.from_numpy(array).to(device)

        def tensors(observations: Observations) -> PyTorchObs:
            if isinstance(observations, dict):
                return {key: tensor(part) for key, part in observations.items()}
            return tensor(observations)

        return MaskableReplayBufferSamples(
            observations=tensors(self.observations),
            actions=tensor(self.actions[:, None] if self.actions.ndim == 1 else self.actions),
            next_observations=tensors(self.next_observations),
            dones=tensor(self.terminals[:, None]),
            rewards=tensor(self.rewards[:, None]),
            discounts=tensor(self.discounts[:, None]),
            next_action_masks=tensor(self.next_action_masks),
            weights=None if self.weights is None else tensor(self.weights[:, None]),
            rows=self.rows,
        )
