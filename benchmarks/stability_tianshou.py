"""An independent double DQN with prioritized replay for ``stability.py``: tianshou's, trained as SB3 trains.

Of tianshou are the replay buffer with its priorities, weights and draws, the target, and the optimizer's step. Ours is
the loss, since tianshou's Huber loss ignores importance weights, and the order of steps and updates, which is SB3's.
"""

from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.utils import set_random_seed
from tianshou.algorithm.modelfree.dqn import DQN, DiscreteQLearningPolicy
from tianshou.algorithm.modelfree.reinforce import SimpleLossTrainingStats
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Batch, PrioritizedReplayBuffer
from tianshou.utils.torch_utils import policy_within_training_step

from benchmarks.stability_evaluation import Episodes

ALPHA, BETA, BETA_INCREMENT, MAX_GRAD_NORM, NEVER = 0.6, 0.4, 1e-4, 10.0, 10**9


class Network(th.nn.Module):
    """A network as SB3's ``MlpPolicy`` has it, called as tianshou calls one."""

    def __init__(self, sizes: list[int], n_inputs: int, n_actions: int) -> None:
        super().__init__()
        self.layers = th.nn.Sequential(*create_mlp(n_inputs, n_actions, sizes))

    def forward(self, obs: Any, state: Any = None, info: Any = None) -> tuple[th.Tensor, Any]:
        """Action values (n, n_actions) of observations (n, n_inputs), and the state as it was given."""
        return self.layers(th.as_tensor(obs, dtype=th.float32)), state


class WeightedHuberDQN(DQN):
    """tianshou's DQN with importance weights in the Huber loss, and clipped gradients."""

    def _create_policy_optimizer(self, optim: Any) -> Any:
        return self._create_optimizer(self.policy, optim, max_grad_norm=MAX_GRAD_NORM)

    def _update_with_batch(self, batch: Any) -> SimpleLossTrainingStats:
        self._periodically_update_lagged_network_weights()
        weights = th.as_tensor(batch.pop("weight"), dtype=th.float32)
        q_values = self.policy(batch).logits[np.arange(len(batch.act)), batch.act]
        targets = batch.returns.flatten().to(q_values)
        loss = (weights * th.nn.functional.smooth_l1_loss(q_values, targets, reduction="none")).mean()
        batch.weight = (targets - q_values).detach()
        self.optim.step(loss)
        return SimpleLossTrainingStats(loss=loss.item())


def make_algorithm(env: gym.Env[Any, Any], settings: dict[str, Any]) -> WeightedHuberDQN:
    """The algorithm with a fresh network.

    :param env: environment with Box observations and Discrete actions
    :param settings: as SB3's DQN, with ``train_freq`` above ``target_update_interval``
    """
    n_inputs, n_actions = int(np.prod(env.observation_space.shape or ())), int(env.action_space.n)  # type: ignore[attr-defined]
    network = Network(settings["policy_kwargs"]["net_arch"], n_inputs, n_actions)
    return WeightedHuberDQN(
        policy=DiscreteQLearningPolicy(model=network, action_space=env.action_space),
        optim=AdamOptimizerFactory(lr=settings["learning_rate"]),
        gamma=settings["gamma"],
        # Never by itself: :func:`updates` copies the target network between two rounds, as SB3 then does.
        target_update_freq=NEVER,
    )


def do_updates(dqn: WeightedHuberDQN, buffer: PrioritizedReplayBuffer, settings: dict[str, Any]) -> None:
    """A round of updates.

    :param dqn: the algorithm
    :param buffer: what to draw from
    :param settings: see :func:`make_algorithm`
    """
    dqn._update_lagged_network_weights()
    with policy_within_training_step(dqn.policy):
        for _ in range(settings["gradient_steps"]):
            dqn.update(buffer, settings["batch_size"])
            buffer.set_beta(min(1.0, buffer._beta + BETA_INCREMENT))


def train_tianshou(
    env: gym.Env[Any, Any], settings: dict[str, Any], steps: int, seed: int, episodes: Episodes, every: int
) -> list[float]:
    """Train, and return the mean returns of the evaluations in the second half.

    :param env: see :func:`make_algorithm`
    :param settings: see :func:`make_algorithm`
    :param steps: of the environment
    :param seed: of the training
    :param episodes: what the greedy policy is evaluated on
    :param every: steps between two evaluations
    """
    set_random_seed(seed)
    dqn, n_actions = make_algorithm(env, settings), int(env.action_space.n)  # type: ignore[attr-defined]
    policy = dqn.policy
    buffer = PrioritizedReplayBuffer(settings["buffer_size"], alpha=ALPHA, beta=BETA)
    rng, returns = np.random.default_rng(seed), []
    obs, _ = env.reset(seed=seed)

    def choose(observations: np.ndarray, infos: Any = None) -> np.ndarray:
        with th.no_grad():
            return np.asarray(policy(Batch(obs=observations, info=None)).act)

    for step in range(steps):
        fallen = min(1.0, step / steps / settings["exploration_fraction"])
        epsilon = 1.0 + fallen * (settings["exploration_final_eps"] - 1.0)
        explores = step < settings["learning_starts"] or rng.random() < epsilon
        action = int(rng.integers(n_actions)) if explores else int(choose(obs[None])[0])
        next_obs, reward, terminated, truncated, _ = env.step(action)
        buffer.add(
            Batch(obs=obs, act=action, rew=reward, terminated=terminated, truncated=truncated, obs_next=next_obs,
                  info={})
        )  # fmt: skip
        obs = env.reset()[0] if terminated or truncated else next_obs
        done = step + 1
        # As SB3, a callback comes before the updates.
        if done > steps // 2 and done % every == 0:
            returns.append(episodes.mean_return(choose))
        if done % settings["train_freq"] == 0 and done > settings["learning_starts"]:
            do_updates(dqn, buffer, settings)
    return returns
