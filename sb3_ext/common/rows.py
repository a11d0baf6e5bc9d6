"""A network with shared weights for all actions, for observations with a row per action."""

from typing import Any

import torch as th
from gymnasium import spaces
from torch import nn


class RowNetwork(nn.Module):
    """
    Latents for the score of each action, and for the value of the state.

    An observation has the shape (n_actions, columns): row a describes action a. The last row holds global
    features, and its action is the no-op. Every other row passes through the same layers, together with the last row
    and, from the second layer on, with the mean of the previous layer over all rows. The network is thus equivariant
    under permutations of the rows (Zaheer et al., https://arxiv.org/abs/1703.06114).

    :param shape: (n_actions, columns)
    :param net_arch: Units of the hidden layers, at least one
    :param activation_fn: Activation after each
    """

    def __init__(self, shape: tuple[int, ...], net_arch: list[int], activation_fn: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.shape = shape
        self.own, self.common = nn.ModuleList(), nn.ModuleList()
        width = common = shape[1]
        for units in net_arch:
            self.own.append(nn.Linear(width, units))
            # One bias for both.
            self.common.append(nn.Linear(common, units, bias=False))
            width = common = units
        self.last, self.value = (nn.Linear(width + shape[1], width) for _ in range(2))
        self.activation = activation_fn()
        self.units = width
        # The names that SB3's policies ask for.
        self.latent_dim_pi, self.latent_dim_vf = shape[0] * width, width

    def forward(self, features: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """
        Flat observations to latents.

        :param features: (B, n_actions * columns) float
        :return: (B, n_actions * units) for the scores of the actions, (B, units) for the value of the state
        """
        table = features.reshape(-1, *self.shape)
        rows, last = table[:, :-1], table[:, -1]
        common = last
        for own, shared in zip(self.own, self.common, strict=True):
            rows = self.activation(own(rows) + shared(common)[:, None])
            common = rows.mean(dim=1)
        whole = th.cat([common, last], dim=1)
        latent = th.cat([rows, self.activation(self.last(whole))[:, None]], dim=1)
        return latent.flatten(1), self.activation(self.value(whole))

    def forward_actor(self, features: th.Tensor) -> th.Tensor:
        """The first part of :meth:`forward`."""
        return self.forward(features)[0]

    def forward_critic(self, features: th.Tensor) -> th.Tensor:
        """The second part of :meth:`forward`."""
        return self.forward(features)[1]


class RowScores(nn.Module):
    """
    Maps the latent of each action to its score with shared weights; the last action has weights of its own.

    :param units: Width of a latent
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.rows, self.last = nn.Linear(units, 1), nn.Linear(units, 1)

    def forward(self, latent: th.Tensor) -> th.Tensor:
        """(B, n_actions * units) to (B, n_actions)."""
        rows = latent.reshape(len(latent), -1, self.units)
        return th.cat([self.rows(rows[:, :-1]), self.last(rows[:, -1:])], dim=1)[:, :, 0]


def check_rows(
    policy: str, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], net_arch: object
) -> tuple[int, ...]:
    """
    Check that observations have a row per action.

    :param policy: Name of the policy, for the message
    :param observation_space: Observation space
    :param action_space: Action space
    :param net_arch: Units of the hidden layers
    :return: (n_actions, columns)
    :raises ValueError: observations have no row per action, or net_arch is not a list of at least one number
    """
    shape, actions = observation_space.shape, action_space.n if isinstance(action_space, spaces.Discrete) else None
    if not isinstance(observation_space, spaces.Box) or shape is None or len(shape) != 2 or shape[0] != actions:
        raise ValueError(
            f"{policy} needs a Box observation with a row for each of the actions, (n_actions, columns), "
            f"not {observation_space} for {action_space}: use MlpPolicy for this one."
        )
    if not isinstance(net_arch, list) or not net_arch or not all(isinstance(units, int) for units in net_arch):
        raise ValueError(f"{policy} needs a list of at least one number of units as net_arch, not {net_arch!r}.")
    return shape
