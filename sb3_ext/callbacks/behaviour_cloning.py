"""Behaviour cloning before the training: the policy first learns to imitate a rule."""

import inspect
from typing import Any, NamedTuple

import numpy as np
import torch as th
from stable_baselines3.common.policies import BasePolicy

from sb3_ext.callbacks.state import StatefulCallback, begin_episodes_anew
from sb3_ext.common.masks import MaskSource, check_masking_supported
from sb3_ext.common.rule_actions import check_rules_supported, rule_actions
from sb3_ext.common.transitions import truncations


class Demonstrations(NamedTuple):
    """
    States with more than one feasible action, and the rule's actions.

    :param observations: (n, *obs_shape), as the policy is shown them
    :param masks: (n, n_actions) bool, feasible actions
    :param actions: (n,) int64
    :param returns: (n,) float32, discounted rewards from there to the end of the episode; nan where not seen
    """

    observations: np.ndarray
    masks: np.ndarray
    actions: np.ndarray
    returns: np.ndarray


class BehaviourCloning(StatefulCallback):
    """
    Lets a rule act when a training starts, fits the policy to its actions, and lets the training continue from there.

    Behaviour cloning (Pomerleau, "ALVINN", 1989) is the simplest way to start from a rule and then improve on it.
    The rule's actions come from the environment's method ``rule_actions(rule)``. The objective is the
    policy's mean log-probability of these actions, plus ``ent_coef`` times its entropy: a policy that is certain
    of the rule tries nothing else. With ``vf_coef`` the value function is fitted too, to the rule's discounted
    returns: otherwise its initial errors pull the policy away from the rule. States with a single feasible action
    hold no information and are left out. The policy's own optimizer stays as it is.

    The steps of the rule do not count as steps of the training, nor do its episodes in SB3's log; files of
    ``Monitor`` list those that it finished. Afterwards the environment is reset: training begins with whole
    episodes. With ``VecNormalize`` the rule's steps move the running statistics, and the policy is shown all
    observations as they are normalized in the end.

    Logged are ``guidance/loss``, minus the mean log-probability in the last epoch, and ``guidance/agreement``, the
    share of these states in which the likeliest action is then the rule's. It is done once in the life of a
    model: whether it was done is kept in the model (see :class:`~sb3_ext.callbacks.state.StatefulCallback`).
    Give it after a callback that sets up the environment, such as a curriculum.

    :param rule: Name of the rule, as the environment knows it
    :param steps: Environment steps that the rule plays, over all environments
    :param epochs: How often each state is learned from
    :param batch_size: States in each minibatch
    :param learning_rate: Of Adam
    :param ent_coef: Weight of the entropy
    :param vf_coef: Weight of the mean squared error of the value function
    :param verbose: Verbosity level: 0 for no output, 1 for a line when it is done
    """

    def __init__(
        self,
        rule: str,
        steps: int = 20_000,
        epochs: int = 5,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        ent_coef: float = 0.0,
        vf_coef: float = 0.0,
        verbose: int = 0,
    ) -> None:
        super().__init__(verbose)
        for name, count in (("steps", steps), ("epochs", epochs), ("batch_size", batch_size)):
            if count < 1:
                raise ValueError(f"BehaviourCloning: {name} must be at least 1, not {count}.")
        # YAML reads 1e-3 as text: a float needs a dot, 1.0e-3.
        if not isinstance(learning_rate, int | float) or learning_rate <= 0:
            raise ValueError(f"BehaviourCloning: learning_rate must be a number above 0, not {learning_rate!r}.")
        for name, weight in (("ent_coef", ent_coef), ("vf_coef", vf_coef)):
            if not isinstance(weight, int | float) or weight < 0:
                raise ValueError(f"BehaviourCloning: {name} must be a number of at least 0, not {weight!r}.")
        self.rule = rule
        self.steps = steps
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.ent_coef = ent_coef
        self.vf_coef = vf_coef

    def initial_state(self) -> dict[str, Any]:
        """Nothing was learned from the rule."""
        return {"done": False}

    def _init_callback(self) -> None:
        super()._init_callback()
        check_policy(self.model.policy)
        check_masking_supported(self.training_env, "BehaviourCloning")
        check_rules_supported(self.training_env, "BehaviourCloning")

    def _on_training_start(self) -> None:
        if self.state["done"]:
            return
        shown = self._demonstrate()
        losses = self._fit(shown)
        agreement = self._agreement(shown)
        self.state["done"] = True
        self.logger.record("guidance/loss", losses[-1])
        self.logger.record("guidance/agreement", agreement)
        if self.verbose > 0:
            print(f"Cloned {len(shown.actions)} choices of {self.rule}: the policy agrees with {agreement:.1%} of them")

    def _on_step(self) -> bool:
        return True

    def _demonstrate(self) -> Demonstrations:
        """Let the rule play, from a reset to a reset."""
        env, normalizer = self.training_env, self.model.get_vec_normalize_env()
        source = MaskSource(int(self.model.action_space.n), "BehaviourCloning")  # type: ignore[attr-defined]
        states: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        steps: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        observations = env.reset()
        for _ in range(-(-self.steps // env.num_envs)):
            masks = source.current(env)
            actions = rule_actions(env, self.rule, masks)
            choice = masks.sum(axis=1) > 1
            original = observations if normalizer is None else normalizer.get_original_obs()
            states.append((np.array(original)[choice], masks[choice], actions[choice]))
            observations, rewards, dones, infos = env.step(actions)
            rewards = rewards if normalizer is None else normalizer.get_original_reward()
            steps.append((choice, np.array(rewards), dones, truncations(dones, infos)))
        begin_episodes_anew(self.model)
        given, masks, actions = map(np.concatenate, zip(*states, strict=True))
        if not len(actions):
            raise ValueError(f"BehaviourCloning: no state of {self.steps} steps had a choice to make: give more steps.")
        choices, rewards, dones, cuts = map(np.stack, zip(*steps, strict=True))
        if normalizer is not None:
            given, rewards = np.asarray(normalizer.normalize_obs(given)), normalizer.normalize_reward(rewards)
        returns = returns_to_the_end(rewards, dones, cuts, self.model.gamma)  # type: ignore[attr-defined]
        return Demonstrations(given, masks, actions, returns[choices])

    def _fit(self, shown: Demonstrations) -> list[float]:
        """Each epoch's mean loss, without the entropy."""
        policy, rng = self.model.policy, np.random.default_rng(self.model.seed)
        evaluate: Any = policy.evaluate_actions  # Not every policy has it: see check_policy().
        optimizer = th.optim.Adam(policy.parameters(), lr=self.learning_rate)
        losses = []
        policy.set_training_mode(True)
        for _ in range(self.epochs):
            total = 0.0
            order = rng.permutation(len(shown.actions))
            for begin in range(0, len(order), self.batch_size):
                batch = order[begin : begin + self.batch_size]
                values, log_prob, entropy = evaluate(**self._tensors(shown, batch))
                loss = -log_prob.mean()
                total += float(loss.item()) * len(batch)
                error = th.as_tensor(shown.returns[batch], device=values.device) - values.flatten()
                value_loss = error[~error.isnan()].square().sum() / len(batch)
                optimizer.zero_grad()
                (loss - self.ent_coef * entropy.mean() + self.vf_coef * value_loss).backward()
                optimizer.step()
            losses.append(total / len(order))
        policy.set_training_mode(False)
        return losses

    def _tensors(self, shown: Demonstrations, rows: np.ndarray) -> dict[str, Any]:
        policy, device = self.model.policy, self.model.device
        return {
            "obs": policy.obs_to_tensor(shown.observations[rows])[0],
            "actions": th.as_tensor(shown.actions[rows], device=device),
            "action_masks": th.as_tensor(shown.masks[rows], device=device),
        }

    def _agreement(self, shown: Demonstrations) -> float:
        """Share of the states in which the likeliest action is the rule's."""
        same = 0
        for begin in range(0, len(shown.actions), 4096):
            rows = slice(begin, begin + 4096)
            options: dict[str, Any] = {"action_masks": shown.masks[rows]}
            chosen, _ = self.model.policy.predict(shown.observations[rows], deterministic=True, **options)
            same += int((chosen == shown.actions[rows]).sum())
        return same / len(shown.actions)


def check_policy(policy: BasePolicy) -> None:
    """
    Raise an error unless a policy can evaluate log-probabilities of actions under masks.

    :param policy: the policy
    """
    evaluate = getattr(policy, "evaluate_actions", None)
    if evaluate is None or list(inspect.signature(evaluate).parameters) != ["obs", "actions", "action_masks"]:
        raise TypeError(
            "BehaviourCloning needs a policy with evaluate_actions(obs, actions, action_masks), such as MaskablePPO's, "
            f"and {type(policy).__name__} has none."
        )


def returns_to_the_end(rewards: np.ndarray, dones: np.ndarray, truncated: np.ndarray, gamma: float) -> np.ndarray:
    """
    Discounted rewards from each step to the end of its episode.

    :param rewards: (T, n_envs)
    :param dones: (T, n_envs) bool, the episode ended with this step
    :param truncated: (T, n_envs) bool, and was cut off
    :param gamma: the discount factor
    :return: (T, n_envs) float32, nan where the end was not seen, since it was cut off or comes after the last step
    """
    returns = np.zeros(rewards.shape, dtype=np.float32)
    after = np.full(rewards.shape[1], np.nan)
    for t in range(len(rewards) - 1, -1, -1):
        after = np.where(truncated[t], np.nan, rewards[t] + gamma * np.where(dones[t], 0.0, after))
        returns[t] = after
    return returns
