"""Checkpoints from which a training goes on as if it had never stopped."""

import os
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, CheckpointCallback, EventCallback
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.common.saving import save_pickle_whole, save_statistics_whole
from sb3_ext.common.snapshots import environment_state, set_environment_state, set_training_state, training_state

_NAME = re.compile(r"(?P<prefix>.+)_(?P<steps>\d+)_steps\.zip")


class CheckpointFiles(NamedTuple):
    """
    What belongs to a checkpoint, whether or not it is there.

    :param model: The zip
    :param buffer: Its replay buffer
    :param statistics: Its normalisation statistics
    :param state: All else that the training held
    """

    model: Path
    buffer: Path
    statistics: Path
    state: Path


def checkpoint_files(model: str | Path) -> CheckpointFiles | None:
    """
    The files of a checkpoint, by the names that SB3's ``CheckpointCallback`` gives them.

    :param model: Path of a model
    :return: None where its name is not that of a checkpoint
    """
    model = Path(model)
    found = _NAME.fullmatch(model.name)
    if found is None:
        return None
    names = [
        f"{found['prefix']}_{what}_{found['steps']}_steps.pkl" for what in ("replay_buffer", "vecnormalize", "state")
    ]
    return CheckpointFiles(model, *map(model.with_name, names))


class ResumableCheckpoint(CheckpointCallback):
    """
    SB3's ``CheckpointCallback``, whose checkpoints hold all that a training needs to go on as if it had never stopped.

    SB3 saves within a step, before its transition is stored. Here a checkpoint that is due is saved before the next
    rollout, or at the end of the training, when nothing is under way; its name says the steps that it holds. For
    off-policy algorithms that is ``train_freq`` later at most, for on-policy ones ``n_steps``. Beside the zip,
    ``<prefix>_state_<steps>_steps.pkl`` holds what :class:`Resume` restores: the environments in the middle of their
    episodes, all generators, the last observations, what the callbacks count, and how long monitor files are. The zip
    is written last, so a zip that is there is complete.

    It must be the last of the callbacks, so that the others have done their part before it saves.

    :param args: Arguments of ``CheckpointCallback``
    :param settings: Kept in the state as ``settings``
    :param kwargs: Keyword arguments of ``CheckpointCallback``
    """

    def __init__(self, *args: Any, settings: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = dict(settings or {})
        #: All callbacks of the training whose counts belong to the state.
        self.companions: Sequence[BaseCallback] = ()
        self._before: list[dict[str, bytes]] = []
        self._due = False
        self._in_rollout = False

    def _on_training_start(self) -> None:
        self._before = [_pickled(callback) for callback in _flat(self.companions)]

    def _on_step(self) -> bool:
        self._due = self._due or self.n_calls % self.save_freq == 0
        return True

    def _on_rollout_start(self) -> None:
        self._save_if_due()
        self._in_rollout = True

    def _on_rollout_end(self) -> None:
        self._in_rollout = False

    def _on_training_end(self) -> None:
        # A training that a callback ends stops within a step.
        if not self._in_rollout:
            self._save_if_due()

    def _save_if_due(self) -> None:
        if not self._due:
            return
        self._due = False
        files = checkpoint_files(self._checkpoint_path(extension="zip"))
        assert files is not None
        buffer, normalizer = getattr(self.model, "replay_buffer", None), self.model.get_vec_normalize_env()
        if self.save_replay_buffer and buffer is not None:
            save_pickle_whole(files.buffer, buffer)
        if self.save_vecnormalize and isinstance(normalizer, VecNormalize):
            save_statistics_whole(normalizer, str(files.statistics))
        save_pickle_whole(files.state, self._state(needs_buffer=buffer is not None))
        self.model.save(files.model)
        if self.verbose >= 2:
            print(f"Saving model checkpoint to {files.model}")

    def _state(self, needs_buffer: bool) -> dict[str, Any]:
        assert self.model.env is not None
        try:
            environment, why_not = environment_state(self.model.env), ""
        except Exception as error:  # pickling runs the environment's own code
            environment, why_not = None, f"{type(error).__name__}: {error}".partition("\n")[0]
        return {
            "settings": self.settings,
            "num_timesteps": self.model.num_timesteps,
            "needs_buffer": needs_buffer,
            "environment": environment,
            "why_no_environment": why_not,
            "training": training_state(self.model),
            "callbacks": self._changed(),
            # Files of Monitor in the same folder, and how long they are now.
            "monitors": {path.name: path.stat().st_size for path in Path(self.save_path).glob("*.monitor.csv")},
        }

    def _changed(self) -> list[tuple[str, dict[str, bytes]]]:
        """What each callback counts: its attributes that are not as they were when the training started."""
        changed = []
        for callback, before in zip(_flat(self.companions), self._before, strict=True):
            now = _pickled(callback)
            names = [name for name in now if now[name] != before.get(name)]
            changed.append((type(callback).__name__, {name: now[name] for name in names}))
        return changed


class Resume(BaseCallback):
    """
    Lets a training go on from the state beside a checkpoint: restores it before the first rollout.

    For the same weights as without the interruption, the model must be loaded with its last observations
    (``force_reset=False``) and its replay buffer, environments and callbacks must be made with the same arguments, and
    ``learn`` be told ``reset_num_timesteps=False`` and the steps that were left. It must be the last of the callbacks,
    to which others may have been added.

    :param state: As :class:`ResumableCheckpoint` saved it
    :param companions: The callbacks of the training without this one, as at the checkpoint
    :raises ValueError: a callback is missing, or the environments have other layers
    """

    def __init__(self, state: Mapping[str, Any], companions: Sequence[BaseCallback]) -> None:
        super().__init__()
        self._state: Mapping[str, Any] | None = state
        self._companions = list(companions)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self._state is None:
            return
        state, self._state = self._state, None
        assert self.model.env is not None
        set_environment_state(self.model.env, state["environment"])
        callbacks = list(_flat(self._companions))
        for name, changed in state["callbacks"]:
            # The first of each class stays the first; others, such as a progress bar, may have been added.
            callback = next((own for own in callbacks if type(own).__name__ == name), None)
            if callback is None:
                raise ValueError(f"The training must have the callback {name}, which it had at the checkpoint.")
            callbacks.remove(callback)
            vars(callback).update({name: pickle.loads(value) for name, value in changed.items()})
        set_training_state(self.model, state["training"])


def _flat(callbacks: Sequence[BaseCallback]) -> Iterator[BaseCallback]:
    """Callbacks with those that they call."""
    for callback in callbacks:
        yield callback
        own: list[BaseCallback | None] = []
        if isinstance(callback, CallbackList):
            own = [*callback.callbacks]
        elif isinstance(callback, EventCallback):
            own = [callback.callback, getattr(callback, "callback_on_new_best", None)]
        yield from _flat([child for child in own if child is not None])


def _pickled(callback: BaseCallback) -> dict[str, bytes]:
    """A callback's attributes that are plain data; a state that lives in the model is saved with it."""
    # A callback within another one may never have been told its model.
    states: dict[str, Any] = getattr(getattr(callback, "model", None), "callback_states", {})
    in_model = set(map(id, states.values()))
    return {
        name: pickle.dumps(value)
        for name, value in vars(callback).items()
        if name not in ("locals", "globals") and id(value) not in in_model and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple | set):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str | os.PathLike | np.generic | np.ndarray)
