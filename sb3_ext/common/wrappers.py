"""Wrappers of single environments: action masks in ``info``, and episodes with seeds of their own."""

from typing import Any, Generic, SupportsFloat, TypeVar

import gymnasium as gym
import numpy as np

ObsType = TypeVar("ObsType")
ActType = TypeVar("ActType")


class ActionMaskInfo(
    gym.Wrapper[ObsType, ActType, ObsType, ActType],
    gym.utils.RecordConstructorArgs,
    Generic[ObsType, ActType],
):
    """
    Puts ``info["action_mask"] = env.action_masks()``, for the state just returned, into every info.

    A VecEnv resets an environment inside the very step that ends its episode, so that afterwards
    ``env_method("action_masks")`` describes the first state of the *next* episode. Where an episode is cut
    short (truncated), learning needs the mask of the last state, which is still known here.
    Apply it outside of a time limit: the mask then belongs to the state in which the episode was cut.

    :param env: Environment with a method ``action_masks()``, in it or in a wrapper of it
    """

    def __init__(self, env: gym.Env[ObsType, ActType]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)
        if not env.has_wrapper_attr("action_masks"):
            raise ValueError("ActionMaskInfo needs an environment with a method action_masks(), which is missing.")

    def action_masks(self) -> np.ndarray:
        """
        The actions feasible in the current state.

        :return: (n_actions,) bool
        """
        # Copied, since an environment may overwrite its own array later.
        return np.array(self.env.get_wrapper_attr("action_masks")(), dtype=bool)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ObsType, dict[str, Any]]:
        """Reset the environment; the mask of the first state goes into ``info``."""
        obs, info = self.env.reset(seed=seed, options=options)
        return obs, {**info, "action_mask": self.action_masks()}

    def step(self, action: ActType) -> tuple[ObsType, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step the environment; the mask of the state returned goes into ``info``."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated, truncated, {**info, "action_mask": self.action_masks()}


class SeededEpisodes(gym.Wrapper[ObsType, ActType, ObsType, ActType], gym.utils.RecordConstructorArgs):
    """
    Begins every episode with a seed of its own: after ``reset(seed=s)`` those with ``s``, ``s + step``, ``s + 2 step``
    and so on. What an episode holds then does not depend on how many were played before it in the same environment.

    :param env: The environment
    :param step: From one seed to the next
    """

    def __init__(self, env: gym.Env[ObsType, ActType], step: int = 1) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, step=step)
        super().__init__(env)
        self.step_of_seeds = step
        self._next: int | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[ObsType, dict[str, Any]]:
        """Reset the environment with the seed given, else with the next one; before any was given, with none."""
        seed = self._next if seed is None else seed
        self._next = None if seed is None else seed + self.step_of_seeds
        return self.env.reset(seed=seed, options=options)
