"""Network and policy of MaskableDQN."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, CombinedExtractor, FlattenExtractor, NatureCNN
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import as_masks
from sb3_ext.common.observations import as_observation
from sb3_ext.maskable_dqn.layers import DuelingHead, FactoredHead, NoisyLinear, SeededDropout, fresh_noise

#: ``kaiming_init`` -> what initializes weights.
KAIMING: dict[bool | str, Callable[..., th.Tensor] | None] = {
    False: None,
    True: nn.init.kaiming_uniform_,
    "uniform": nn.init.kaiming_uniform_,
    "normal": nn.init.kaiming_normal_,
}


def masked_argmax(q_values: th.Tensor, masks: th.Tensor) -> th.Tensor:
    """
    The best feasible action.

    :param q_values: (B, n_actions) float
    :param masks: (B, n_actions) bool
    :return: (B, 1) int64
    """
    return q_values.masked_fill(~masks, -th.inf).argmax(dim=1, keepdim=True)


def best_choices(q_values: th.Tensor, masks: th.Tensor, parts: ActionParts) -> th.Tensor:
    """
    The best feasible choice of each part of an action.

    :param q_values: (B, n_choices) float
    :param masks: (B, n_choices) bool
    :param parts: What actions are made of
    :return: (B, n_parts) int64, columns of q_values
    """
    if parts.is_number:
        return masked_argmax(q_values, masks)
    values = th.split(q_values.masked_fill(~masks, -th.inf), parts.sizes, dim=1)
    best = [part.argmax(dim=1) + begin for part, begin in zip(values, parts.begins.tolist(), strict=True)]
    return th.stack(best, dim=1)


class MaskableQNetwork(QNetwork):
    """
    Action values as a multilayer perceptron over the extracted features.

    Where actions are vectors the outputs are the values of the choices of all parts, one part after another, and the
    value of an action is the sum of those of its parts (https://arxiv.org/abs/1711.08946 branches in this way). It is
    what ``factors`` does for a ``Discrete`` space whose actions are all combinations of parts, without listing them.

    :param observation_space: Observation space
    :param action_space: Discrete, MultiDiscrete or MultiBinary action space
    :param args: as SB3's ``QNetwork``
    :param dropout: Dropout after each hidden layer, in [0, 1)
    :param kaiming_init: Initialize as He et al. (https://arxiv.org/abs/1502.01852), biases zero: False, or True or
        "uniform" for uniform weights, or "normal" for normal ones
    :param dueling: Split the last layer into value and advantages
    :param factors: Sizes of the parts that an action is made of, see :class:`~sb3_ext.maskable_dqn.layers.FactoredHead`
    :param batch_norm: Batch normalization after each hidden linear layer, before its activation
    :param noisy: All linear layers are :class:`~sb3_ext.maskable_dqn.layers.NoisyLinear`
    :param noisy_sigma: Scale of their noise at first, above 0
    :param copies: Outputs for each choice, of which a subclass makes the values
    :param kwargs: as SB3's ``QNetwork``
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *args: Any,
        dropout: float = 0.0,
        kaiming_init: bool | str = False,
        dueling: bool = False,
        factors: list[int] | None = None,
        batch_norm: bool = False,
        noisy: bool = False,
        noisy_sigma: float = 0.5,
        copies: int = 1,
        **kwargs: Any,
    ) -> None:
        self.parts = ActionParts(action_space, type(self).__name__)
        super().__init__(observation_space, spaces.Discrete(copies * self.parts.n_choices), *args, **kwargs)
        self.action_space = action_space  # type: ignore[assignment]
        if (dueling or factors is not None) and not self.parts.is_number:
            raise ValueError(f"MaskableQNetwork: dueling and factors are for Discrete actions, not {action_space}.")
        if dueling and factors is not None:
            raise ValueError("MaskableQNetwork: dueling and factors are two kinds of last layer; choose one.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"MaskableQNetwork: dropout must be in [0, 1), not {dropout}.")
        if kaiming_init not in KAIMING:
            raise ValueError(f"MaskableQNetwork: kaiming_init must be one of {[*KAIMING]}, not {kaiming_init!r}.")
        if noisy_sigma <= 0.0:
            raise ValueError(f"MaskableQNetwork: noisy_sigma must be above 0, not {noisy_sigma}.")
        self.dropout = dropout
        self.kaiming_init = kaiming_init
        self.dueling = dueling
        self.factors = factors
        self.batch_norm = batch_norm
        self.noisy = noisy
        self.noisy_sigma = noisy_sigma
        self.copies = copies
        if dropout > 0.0 or dueling or factors is not None or batch_norm or noisy:
            self.q_net = nn.Sequential(*self._layers())
        self.noisy_layers = [module for module in self.q_net.modules() if isinstance(module, NoisyLinear)]
        if kaiming_init:
            self._kaiming_initialize()

    def _layers(self) -> list[nn.Module]:
        layers: list[nn.Module] = []
        width = self.features_dim
        for units in self.net_arch:
            layers.append(self._linear(width, units))
            if self.batch_norm:
                layers.append(nn.BatchNorm1d(units))
            layers.append(self.activation_fn())
            if self.dropout > 0.0:
                layers.append(SeededDropout(self.dropout))
            width = units
        layers.append(self._head(width, self.parts.n_choices))
        return layers

    def _head(self, width: int, n_actions: int) -> nn.Module:
        if self.factors is not None:
            return FactoredHead(width, n_actions, self.factors, self.copies, self._linear)
        if self.dueling:
            return DuelingHead(width, n_actions, self.copies, self._linear)
        return self._linear(width, self.copies * n_actions)

    def _linear(self, width: int, units: int) -> nn.Linear:
        return NoisyLinear(width, units, self.noisy_sigma) if self.noisy else nn.Linear(width, units)

    def noise(self, wanted: bool = True) -> AbstractContextManager[None]:
        """
        A context in which noisy layers, if there are any, use new noise; elsewhere they use none.

        :param wanted: False for a context without noise
        """
        return fresh_noise(self.noisy_layers) if wanted and self.noisy else nullcontext()

    def _kaiming_initialize(self) -> None:
        linears = [module for module in self.q_net.modules() if isinstance(module, nn.Linear)]
        n_hidden, initialize = len(self.net_arch), KAIMING[self.kaiming_init]
        assert initialize is not None
        for i, linear in enumerate(linears):
            # Nothing is rectified after the last layer, so it has no gain to make up for.
            initialize(linear.weight, nonlinearity="relu" if i < n_hidden else "linear")
            nn.init.zeros_(linear.bias)

    def _predict(
        self, observation: PyTorchObs, deterministic: bool = True, action_masks: th.Tensor | None = None
    ) -> th.Tensor:
        q_values: th.Tensor = self(observation)
        masks = th.ones_like(q_values, dtype=th.bool) if action_masks is None else action_masks
        columns = best_choices(q_values, masks, self.parts)
        if self.parts.is_number:
            return columns.reshape(-1)
        return columns - th.as_tensor(self.parts.begins, device=columns.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        data = super()._get_constructor_parameters()
        data.update(dropout=self.dropout, kaiming_init=self.kaiming_init, dueling=self.dueling, factors=self.factors)
        data.update(batch_norm=self.batch_norm, noisy=self.noisy, noisy_sigma=self.noisy_sigma)
        return data


class MaskableDQNPolicy(DQNPolicy):
    """
    Policy of MaskableDQN: a Q-network, its target, and the greedy choice among the feasible actions.

    :param observation_space: Observation space
    :param action_space: Discrete, MultiDiscrete or MultiBinary action space
    :param lr_schedule: Learning rate schedule
    :param net_arch: Units of the hidden layers, [64, 64] by default
    :param activation_fn: Activation after each hidden layer
    :param features_extractor_class: Features extractor
    :param features_extractor_kwargs: Its keyword arguments
    :param normalize_images: Whether to divide images by 255
    :param optimizer_class: Optimizer, Adam by default
    :param optimizer_kwargs: Its keyword arguments except for the learning rate; by default Adam's fused
        implementation is chosen, which computes the same faster
    :param dropout: Dropout after each hidden layer, in [0, 1) (the paper's 0.1, A.4.6). It is active only in
        the forward pass being trained: not when acting, and not in the learning targets
    :param kaiming_init: Initialize as He et al. (A.4.2): False, or True or "uniform" for uniform weights, or "normal"
        for normal ones
    :param dueling: Split the last layer into value and advantages
    :param factors: Sizes of the parts that an action is made of, like ``[27, 27]`` for 729 actions that are two
        choices among 27: the value of an action is then the sum of its parts' values
    :param batch_norm: Batch normalization after each hidden linear layer, before its activation. It normalizes by the
        batch only in the forward pass being trained; acting and learning targets use the running statistics, those of
        the target network as they were when it was last updated
    :param noisy: Linear layers have noise of a scale that is learned (https://arxiv.org/abs/1706.10295), those of a
        features extractor excepted: new noise for every step of a training and for every update, in both networks.
        Deterministic predictions are without. It explores by itself, so that epsilon may be 0 from the beginning
    :param noisy_sigma: Scale of the noise at first, above 0
    """

    q_net: MaskableQNetwork
    q_net_target: MaskableQNetwork

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        features_extractor_class: type[BaseFeaturesExtractor] = FlattenExtractor,
        features_extractor_kwargs: dict[str, Any] | None = None,
        normalize_images: bool = True,
        optimizer_class: type[th.optim.Optimizer] = th.optim.Adam,
        optimizer_kwargs: dict[str, Any] | None = None,
        dropout: float = 0.0,
        kaiming_init: bool | str = False,
        dueling: bool = False,
        factors: list[int] | None = None,
        batch_norm: bool = False,
        noisy: bool = False,
        noisy_sigma: float = 0.5,
    ) -> None:
        # Before the parent's constructor, which builds the networks.
        self.network_kwargs: dict[str, Any] = {
            "dropout": dropout,
            "kaiming_init": kaiming_init,
            "dueling": dueling,
            "factors": factors,
            "batch_norm": batch_norm,
            "noisy": noisy,
            "noisy_sigma": noisy_sigma,
        }
        if optimizer_kwargs is None and optimizer_class in (th.optim.Adam, th.optim.AdamW):
            optimizer_kwargs = {"fused": True}
        super().__init__(
            observation_space,
            action_space,  # type: ignore[arg-type]
            lr_schedule,
            net_arch,
            activation_fn,
            features_extractor_class,
            features_extractor_kwargs,
            normalize_images,
            optimizer_class,
            optimizer_kwargs,
        )

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        # It began as a copy, of the generators too.
        for layer in self.q_net_target.noisy_layers:
            layer.seed()

    def make_q_net(self) -> MaskableQNetwork:
        """Build one network; called once for the online and once for the target network."""
        net_args = self._update_features_extractor(self.net_args, features_extractor=None)
        return MaskableQNetwork(**net_args, **self.network_kwargs).to(self.device)

    def set_training_mode(self, mode: bool) -> None:
        """
        Switch between training and evaluation mode, which concerns dropout and batch normalization.

        :param mode: True for training mode
        """
        # Walking through all modules costs more than a small network's forward pass.
        if mode != self.q_net.training or mode != self.training:
            super().set_training_mode(mode)

    def forward(self, obs: PyTorchObs, deterministic: bool = True, action_masks: th.Tensor | None = None) -> th.Tensor:
        """
        The greedy actions.

        :param obs: (B, *obs_shape)
        :param deterministic: without effect, since exploration is the algorithm's
        :param action_masks: (B, n_actions) bool, or None if all actions are feasible
        :return: (B,) int64, or (B, n_parts) where actions are vectors; from 0
        """
        return self._predict(obs, deterministic, action_masks)

    def _predict(self, obs: PyTorchObs, deterministic: bool = True, action_masks: th.Tensor | None = None) -> th.Tensor:
        return self.q_net._predict(obs, deterministic, action_masks)

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
        action_masks: np.ndarray | None = None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """
        The greedy actions for observations as an environment gives them.

        :param observation: of one environment or of several
        :param state: handed back
        :param episode_start: without effect
        :param deterministic: without effect, since exploration is the algorithm's
        :param action_masks: (n_actions,) or (n_envs, n_actions) bool, or None if all actions are feasible
        :return: the actions as the environment takes them, without the first axis for a single observation, and
            ``state``
        """
        self.set_training_mode(False)
        masks, parts = None, self.q_net.parts
        if action_masks is not None:
            masks = th.as_tensor(as_masks(action_masks, parts.n_choices, parts.begins), device=self.device)
        obs, vectorized = self.obs_to_tensor(as_observation(observation))
        with th.no_grad():
            actions = parts.to_env(self._predict(obs, deterministic, masks).cpu().numpy())
        return (actions if vectorized else actions.squeeze(axis=0)), state

    def _get_constructor_parameters(self) -> dict[str, Any]:
        data = super()._get_constructor_parameters()
        data.update(self.network_kwargs)
        return data


MlpPolicy = MaskableDQNPolicy


class CnnPolicy(MaskableDQNPolicy):
    """
    :class:`MaskableDQNPolicy` for images, with SB3's ``NatureCNN`` and, as in SB3, no hidden layers after it.

    :param observation_space: Observation space
    :param action_space: Discrete action space
    :param lr_schedule: Learning rate schedule
    :param net_arch: Units of the hidden layers after the extractor
    :param activation_fn: Activation after each
    :param features_extractor_class: Features extractor
    :param kwargs: as :class:`MaskableDQNPolicy`
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        features_extractor_class: type[BaseFeaturesExtractor] = NatureCNN,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            observation_space, action_space, lr_schedule, net_arch, activation_fn, features_extractor_class, **kwargs
        )


class MultiInputPolicy(MaskableDQNPolicy):
    """
    :class:`MaskableDQNPolicy` for ``Dict`` observations, with SB3's ``CombinedExtractor``.

    :param observation_space: Observation space
    :param action_space: Discrete action space
    :param lr_schedule: Learning rate schedule
    :param net_arch: Units of the hidden layers after the extractor
    :param activation_fn: Activation after each
    :param features_extractor_class: Features extractor
    :param kwargs: as :class:`MaskableDQNPolicy`
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        features_extractor_class: type[BaseFeaturesExtractor] = CombinedExtractor,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            observation_space, action_space, lr_schedule, net_arch, activation_fn, features_extractor_class, **kwargs
        )
