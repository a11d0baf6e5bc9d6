"""Studies that several processes work on, of which any may be killed: its trial is run again by another."""

import functools
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

#: Seconds between two signs of life of a trial, and without one after which its process counts as dead.
SIGN_S, GRACE_S = 10, 60
#: So many times a trial is run again.
RETRIES = 3
_OLD = not hasattr(optuna.storages, "RetryHeartbeatStaleTrialCallback")


def _retry() -> Any:
    """Optuna's way of running a trial again, by its name in this version."""
    name = "RetryFailedTrialCallback" if _OLD else "RetryHeartbeatStaleTrialCallback"
    return getattr(optuna.storages, name)(max_retry=RETRIES)


class LivingJournal(optuna.storages.JournalStorage, BaseHeartbeat):  # type: ignore[misc]  # as for rl_zoo3
    """
    A journal with signs of life, which Optuna knows of databases only: files in a folder beside the journal, touched
    while a trial runs.

    :param path: Path of the journal
    :param sign_s: Seconds between two signs
    :param grace_s: Seconds without a sign after which a trial is stale
    """

    def __init__(self, path: str | Path, sign_s: int = SIGN_S, grace_s: float = GRACE_S) -> None:
        super().__init__(JournalFileBackend(str(path)))
        self._signs, self._sign_s, self._grace_s = Path(f"{path}.alive"), sign_s, grace_s

    def record_heartbeat(self, trial_id: int) -> None:
        """Give a sign of life."""
        self._touched(str(trial_id))

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
        # By the clock of the file system: those of two machines may differ.
        now = self._touched(f"now_{os.getpid()}")
        self._forget(f"now_{os.getpid()}")
        stale = []
        for trial in running:
            sign = self._signs / str(trial._trial_id)
            # Without a sign it was begun by a version that gives none, or a moment ago.
            last = sign.stat().st_mtime if sign.exists() else _begun(trial)
            if now - last > self._grace_s:
                stale.append(trial._trial_id)
        return stale

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """See Optuna; a trial that has ended gives no more signs, and the last one takes their folder away."""
        changed: bool = super().set_trial_state_values(trial_id, state, values)
        if state.is_finished():
            self._forget(str(trial_id))
        return changed

    def _touched(self, name: str) -> float:
        path = self._signs / name
        while True:
            self._signs.mkdir(exist_ok=True)
            try:
                path.touch()
                return path.stat().st_mtime
            except FileNotFoundError:
                # Another process has just taken the empty folder away.
                continue

    def _forget(self, name: str) -> None:
        (self._signs / name).unlink(missing_ok=True)
        with suppress(OSError):
            # Others may still give signs.
            self._signs.rmdir()

    def get_heartbeat_interval(self) -> int | None:
        """Seconds between two signs of life."""
        return self._sign_s

    def get_heartbeat_stale_trial_callback(self) -> Callable[..., None] | None:
        """What is done with a stale trial."""
        found: Callable[..., None] = _retry()
        return found

    # Its name up to Optuna 4.
    get_failed_trial_callback = get_heartbeat_stale_trial_callback


def _begun(trial: optuna.trial.FrozenTrial) -> float:
    return 0.0 if trial.datetime_start is None else float(trial.datetime_start.timestamp())


def living(storage: Any) -> Any:
    """
    A storage that notices killed processes.

    :param storage: A storage of Optuna's, the URL of a database, or ``None`` for a study in memory
    """
    if not isinstance(storage, str):
        return storage
    callback = {"failed_trial_callback" if _OLD else "heartbeat_stale_trial_callback": _retry()}
    return optuna.storages.RDBStorage(storage, heartbeat_interval=SIGN_S, grace_period=GRACE_S, **callback)


def creating_living(journal: str | None) -> Callable[..., optuna.Study]:
    """
    ``optuna.create_study`` with a storage that notices killed processes; those of earlier runs are seen to at once.

    :param journal: Path of the journal in place of the storage, if it is one
    """
    create = optuna.create_study

    @functools.wraps(create)
    def created(*args: Any, storage: Any = None, **kwargs: Any) -> optuna.Study:
        kept = living(storage) if journal is None else LivingJournal(journal)
        study = create(*args, storage=kept, **kwargs)
        # Before trials are counted: rl_zoo3 counts running ones, dead or not.
        optuna.storages.fail_stale_trials(study)
        return study

    return created
