"""Replay buffers of earlier trainings, for a training with other settings."""

from typing import Any

import numpy as np

from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer
from sb3_ext.replay.records import as_observations

#: Settings of a buffer that the transitions stored do not depend on.
SETTINGS = ("buffer_size", "n_steps", "gamma")
PRIORITY_SETTINGS = ("alpha", "epsilon", "beta_increment", "min_priority", "max_priority", "normalize_weights")


def check_same_spaces(loaded: Any, fresh: Any) -> None:
    """
    Check that a replay buffer was filled in an environment like the one at hand.

    :param loaded: The buffer
    :param fresh: An empty one for the environment at hand
    :raises ValueError: it was not
    """
    for name in ("observation_space", "action_space", "n_envs"):
        theirs, ours = getattr(loaded, name), getattr(fresh, name)
        if theirs != ours:
            raise ValueError(f"The replay buffer was filled with {name} {theirs} and cannot be used with {ours}.")


def with_settings_of(fresh: MaskableReplayBuffer, loaded: MaskableReplayBuffer) -> MaskableReplayBuffer:
    """
    A loaded buffer with the settings of the model that goes on with it.

    :param fresh: An empty buffer, as the model makes it
    :param loaded: The buffer of an earlier training, which may have other settings
    :return: the loaded buffer itself where nothing differs, else ``fresh``, filled with its newest transitions
    :raises ValueError: what differs cannot be changed afterwards
    """
    check_same_spaces(loaded, fresh)
    for name in ("elapsed_key", "optimize_memory_usage"):
        theirs, ours = getattr(loaded, name), getattr(fresh, name)
        if theirs != ours:
            raise ValueError(
                f"The replay buffer was filled with {name} {theirs!r}, which cannot be changed to {ours!r}."
            )
    if fresh.elapsed_key is not None and loaded.gamma != fresh.gamma:
        # The discounts are kept, and not how long each step took.
        raise ValueError(
            f"The replay buffer was filled with gamma {loaded.gamma}, which cannot be changed to {fresh.gamma} where "
            "elapsed_key is given."
        )
    names = SETTINGS + (PRIORITY_SETTINGS if isinstance(fresh, PrioritizedReplayBuffer) else ())
    if type(loaded) is type(fresh) and all(getattr(loaded, name) == getattr(fresh, name) for name in names):
        return loaded
    _copy(loaded, fresh)
    return fresh


def _copy(loaded: MaskableReplayBuffer, fresh: MaskableReplayBuffer) -> None:
    """Store the newest transitions again, the oldest first."""
    fresh.rng = loaded.rng
    count = min(loaded.n_positions(), fresh.buffer_size - int(fresh.optimize_memory_usage))
    positions = (loaded.pos - count + np.arange(count)) % loaded.buffer_size
    # The discounts of the steps are copied, so how long they took does not matter.
    elapsed = None if fresh.elapsed_key is None else np.zeros(fresh.n_envs)
    for position in positions:
        new, old = fresh.pos, loaded.records[position]
        rows = position * loaded.n_envs + np.arange(loaded.n_envs)
        masks = np.unpackbits(old["packed_masks"], axis=1, count=loaded.n_actions).view(np.bool_)
        fresh.add_step(
            as_observations(old["observations"]),
            loaded.next_observations_of(rows, old),
            old["actions"],
            old["rewards"],
            old["dones"] != 0.0,
            old["timeouts"] != 0.0,
            masks,
            elapsed,
        )
        fresh.ends[new] = old["ends"]
        if elapsed is not None:
            fresh.discounts[new] = old["discounts"]
    if isinstance(loaded, PrioritizedReplayBuffer) and isinstance(fresh, PrioritizedReplayBuffer) and count > 0:
        _copy_priorities(loaded, fresh, positions)


def _copy_priorities(loaded: PrioritizedReplayBuffer, fresh: PrioritizedReplayBuffer, positions: np.ndarray) -> None:
    fresh.beta = loaded.beta
    if loaded.alpha == 0.0:
        return
    columns = np.arange(fresh.n_envs)
    old = (positions[:, None] * fresh.n_envs + columns).reshape(-1)
    new = (np.arange(len(positions))[:, None] * fresh.n_envs + columns).reshape(-1)
    fresh.update_priorities(new, loaded.tree.values(old) ** (1.0 / loaded.alpha) - loaded.epsilon)
