"""Sources of action masks, and random actions under masks."""

import warnings
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.transitions import TRUNCATED_KEY, truncations

#: Name of the method of an environment, and of the entry of ``info`` with the mask of the state returned.
METHOD_NAME = "action_masks"
INFO_KEY = "action_mask"


def check_masking_supported(env: VecEnv, who: str, otherwise: str = "") -> None:
    """
    Raise an error unless every environment has a method ``action_masks()``.

    :param env: the vectorized environment
    :param who: Class that needs masks, for the message
    :param otherwise: What else can be done, for the message
    """
    if not env.has_attr(METHOD_NAME):
        raise ValueError(
            f"{who} needs an environment with a method action_masks(), which is missing "
            f"(sb3_contrib.common.wrappers.ActionMasker adds one{otherwise})."
        )


def as_rows(masks: Any, n_actions: int) -> np.ndarray:
    """
    Convert masks to one shape and dtype.

    :param masks: (n_actions,) or (n_envs, n_actions), convertible to booleans
    :param n_actions: Number of entries of a mask
    :return: (n_envs, n_actions) bool
    """
    rows = np.asarray(masks, dtype=bool)
    if rows.ndim == 0 or rows.shape[-1] != n_actions:
        raise ValueError(f"action_masks must have {n_actions} entries per environment, not shape {rows.shape}.")
    return rows.reshape(-1, n_actions)


def has_action(rows: np.ndarray, begins: np.ndarray | None = None) -> np.ndarray:
    """
    Which masks leave an action.

    :param rows: (n, n_actions) bool
    :param begins: (n_parts,) int, where the choices of each part of an action begin; None for a single part
    :return: (n,) bool, whether there is a True, in every part
    """
    if begins is None or len(begins) == 1:
        return np.asarray(rows.any(axis=1))
    return np.asarray(np.logical_or.reduceat(rows, begins, axis=1).all(axis=1))


def as_masks(masks: Any, n_actions: int, begins: np.ndarray | None = None) -> np.ndarray:
    """
    Check masks and convert them to one shape and dtype.

    :param masks: (n_actions,) or (n_envs, n_actions), convertible to booleans
    :param n_actions: Number of entries of a mask
    :param begins: (n_parts,) int, where the choices of each part of an action begin; None for a single part
    :return: (n_envs, n_actions) bool, every part of every row with a True
    """
    rows = as_rows(masks, n_actions)
    if not has_action(rows, begins).all():
        raise ValueError("action_masks must have at least one feasible action in every state that is not terminal.")
    return rows


def random_actions(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    One uniform draw from the feasible actions of each environment.

    :param masks: (n_envs, n_actions) bool, every row with a True
    :param rng: Source of the draws
    :return: (n_envs,) int64
    """
    n_envs, n_actions = masks.shape
    # The feasible actions of all environments in one array, and where in it those of each environment begin.
    feasible = np.flatnonzero(masks)
    if n_envs == 1:
        return feasible[(rng.random(1) * len(feasible)).astype(np.int64)]
    begins = np.searchsorted(feasible, np.arange(n_envs + 1) * n_actions)
    ranks = (rng.random(n_envs) * np.diff(begins)).astype(np.int64)
    actions: np.ndarray = feasible[begins[:-1] + ranks] % n_actions
    return actions


class MaskSource:
    """
    Gets masks with as few calls into the environment as possible. A VecEnv with the arrays ``step_masks`` and
    ``last_masks`` (:class:`~sb3_ext.common.vec_env.GymnasiumVecEnv` has them) is read without any ``info``.
    Otherwise no call is needed when ``info`` carries the masks, and one ``env_method`` call per step when it does not.

    Two masks matter after a step. The *next* mask is that of the state the transition led to. The *acting*
    mask is that of the state in which the next action is chosen. They differ where an episode ended, since
    the VecEnv has then already reset the environment: ``env_method("action_masks")`` describes the new
    episode.

    Where an episode ended its last state may have no feasible action: a terminal state counts as all True, and that
    of an episode that was truncated stays all False. Anywhere else it is an error.

    :param n_actions: Number of entries of a mask
    :param who: Class that asks for masks, for its warnings
    :param begins: (n_parts,) int, where the choices of each part of an action begin; None for a single part
    """

    def __init__(self, n_actions: int, who: str, begins: np.ndarray | None = None) -> None:
        self.n_actions = n_actions
        self.who = who
        self._begins = begins
        self._warned_mask_lost = False
        self._warned_no_masks = False

    def current(self, env: VecEnv) -> np.ndarray:
        """
        The masks of the current states of the environments.

        :param env: the vectorized environment
        :return: (n_envs, n_actions) bool
        """
        return self._checked(env.env_method(METHOD_NAME))

    def _checked(self, masks: Any) -> np.ndarray:
        return as_masks(masks, self.n_actions, self._begins)

    def after_step(self, env: VecEnv, dones: np.ndarray, infos: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        """
        Next masks and acting masks after a step.

        :param env: the vectorized environment
        :param dones: (n_envs,) bool
        :param infos: of each environment
        :return: two arrays (n_envs, n_actions) bool: next, acting
        """
        led_to, now = getattr(env, "step_masks", None), getattr(env, "last_masks", None)
        if led_to is not None and now is not None:
            return self._after_batched_step(led_to, now, dones, infos)
        given = [info.get(INFO_KEY) for info in infos]
        if not dones.any():
            masks = self._given_or_fetched(env, given)
            return masks, masks
        acting = self._acting_after_reset(env, dones, given)
        following = acting.copy()
        for i in np.flatnonzero(dones):
            if not infos[i].get(TRUNCATED_KEY, False):
                following[i] = True  # Terminal: nothing follows, and all True can never give -inf or nan.
            elif given[i] is not None:
                following[i] = as_rows(given[i], self.n_actions)[0]
            else:
                following[i] = True
                self._warn_mask_lost()
        return following, acting

    def _after_batched_step(
        self, led_to: np.ndarray, now: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        acting = self._checked(now)
        if not dones.any():
            return acting, acting
        following, terminal = as_rows(led_to, self.n_actions).copy(), dones & ~truncations(dones, infos)
        following[terminal] = True
        self._checked(following[~dones])
        return following, acting

    def _acting_after_reset(self, env: VecEnv, dones: np.ndarray, given: list[Any]) -> np.ndarray:
        # Wrappers of a VecEnv have a list of their own, which is never updated.
        reset_infos = env.unwrapped.reset_infos
        acting = [(reset_infos[i] or {}).get(INFO_KEY) if done else given[i] for i, done in enumerate(dones)]
        return self._given_or_fetched(env, acting)

    def _given_or_fetched(self, env: VecEnv, given: list[Any]) -> np.ndarray:
        if any(mask is None for mask in given):
            return self.current(env)
        return self._checked(given)

    def _warn_mask_lost(self) -> None:
        if not self._warned_mask_lost:
            self._warned_mask_lost = True
            warnings.warn(
                "An episode was truncated and info has no 'action_mask', so that the mask of its last state is "
                "lost after the automatic reset and all actions count as feasible there; wrap the "
                "environment with sb3_ext.ActionMaskInfo, outside of its time limit.",
                UserWarning,
                stacklevel=2,
            )

    def warn_no_masks(self) -> None:
        """Warn once of a prediction without masks."""
        if not self._warned_no_masks:
            self._warned_no_masks = True
            warnings.warn(
                f"{self.who}.predict() was called without action_masks: all actions count as feasible.",
                UserWarning,
                stacklevel=3,
            )


class AllFeasible(MaskSource):
    """Masks that are always True, for environments without any."""

    def current(self, env: VecEnv) -> np.ndarray:
        """See :meth:`MaskSource.current`."""
        return np.ones((env.num_envs, self.n_actions), dtype=bool)

    def after_step(self, env: VecEnv, dones: np.ndarray, infos: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        """See :meth:`MaskSource.after_step`."""
        masks = self.current(env)
        return masks, masks
