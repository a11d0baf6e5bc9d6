"""What a training by the paper's protocol leaves in its folder: the return of each day, its settings, the model."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from echo_env import ENV_IDS
from echo_env.common.config_file import ConfigError
from echo_env.lab.config import LabConfig

Floats = NDArray[np.float64]

RUNS = Path("logs/maskable_dqn")
"""Where ``train --paper-protocol`` puts its runs."""
_CURRICULUM, _RESET = "AbsenceRateCurriculum", "EpsilonReset"


@dataclass(frozen=True)
class PaperRun:
    """A training of one agent in one lab.

    :param folder: its folder
    :param env_id: id of the environment
    :param model: file of the agent: the final one, or the latest checkpoint of a run that has not ended
    :param ended: whether the training has ended
    :param penalty: (n,) points of each day of training, which is minus its return
    :param absence_rate: (n,) absence rate of each day
    :param hold: days at the first absence rate
    :param settled: day from which on the absence rate is the lab's own
    :param restarts: days on which exploration begins anew
    """

    folder: Path
    env_id: str
    model: Path
    ended: bool
    penalty: Floats
    absence_rate: Floats
    hold: int
    settled: int
    restarts: tuple[int, ...]

    @property
    def days(self) -> int:
        """Days of training."""
        return len(self.penalty)


def read_run(folder: str | Path) -> PaperRun:
    """Read the folder of a run.

    :param folder: the folder, ``<env id>_<number>``
    :raises ValueError: it is not there, lacks something, or was not trained on the paper's penalty; one sentence
    """
    path = Path(folder)
    if not path.is_dir():
        raise ValueError(f"there is no run folder {str(folder)!r}")
    env_id = next((env for env in ENV_IDS if (path / env).is_dir()), None)
    if env_id is None:
        raise ValueError(
            f"{str(folder)!r} is no run in one of the paper's labs: it holds no folder {', '.join(ENV_IDS)}"
        )
    settings = _settings(path / env_id / "config.yml")
    env_kwargs = settings.get("env_kwargs") or {}
    if env_kwargs.get("reward", "penalty") != "penalty" or "config" in env_kwargs:
        what = f"reward {env_kwargs['reward']}" if "config" not in env_kwargs else f"lab {env_kwargs['config']}"
        raise ValueError(f"{folder} was trained on the {what}, but the paper's agent is trained on plain penalties")
    penalty = -_returns(path)
    curriculum, reset = _callback(settings, _CURRICULUM), _callback(settings, _RESET)
    own = LabConfig.load(ENV_IDS[env_id]).sonographers.absence_rate
    hold, anneal = (0, 0) if curriculum is None else (curriculum.get(name, 10_000) for name in ("hold", "anneal"))
    begin, end = (own, own) if curriculum is None else (curriculum.get("start", 0.8), curriculum.get("end", 0.1))
    rate = np.interp(np.arange(len(penalty)), [hold, hold + max(anneal, 1e-9)], [begin, end])
    restarts = () if reset is None else (int(reset["episode"]),)
    model, ended = _model(path, env_id)
    return PaperRun(path, env_id, model, ended, penalty, rate, hold, hold + anneal, restarts)


def latest_runs(folder: Path = RUNS) -> list[Path]:
    """The latest run by the paper's protocol in each of its labs.

    :param folder: where runs are, ``<env id>_<number>``
    :raises ValueError: there is none
    """
    found = []
    for env_id in ENV_IDS:
        numbered = [(int(path.name.rpartition("_")[2]), path) for path in folder.glob(f"{env_id}_*")
                    if re.fullmatch(r"\d+", path.name.rpartition("_")[2])]  # fmt: skip
        files = ((path, path / env_id / "config.yml") for _, path in sorted(numbered, reverse=True))
        found += [path for path, file in files if file.is_file() and _callback(_settings(file), _CURRICULUM)][:1]
    if not found:
        raise ValueError(f"{folder} holds no run of train --paper-protocol: train one, or name its folder by --agents")
    return found


class _SettingsLoader(yaml.SafeLoader):
    """Reads what rl_zoo3 writes: plain values in ordered dicts."""


def _ordered_dict(loader: _SettingsLoader, node: Any) -> dict[str, Any]:
    pairs = loader.construct_sequence(node, deep=True)
    return {str(key): value for key, value in (pairs[0] if pairs else [])}


_SettingsLoader.add_constructor("tag:yaml.org,2002:python/object/apply:collections.OrderedDict", _ordered_dict)


def _settings(file: Path) -> dict[str, Any]:
    """The settings of a run."""
    if not file.is_file():
        raise ValueError(f"there is no {file}, which says how the agent was trained")
    try:
        # A loader of plain values alone.
        read = yaml.load(file.read_text(encoding="utf8"), _SettingsLoader)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ValueError(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
    if not isinstance(read, dict):
        raise ValueError(f"{file} cannot be read: it must have the settings by name")
    return read


def _callback(settings: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Arguments of a callback of a run; None without it."""
    given = settings.get("callback") or []
    for entry in given if isinstance(given, list) else [given]:
        own = entry if isinstance(entry, dict) else {entry: {}}
        for key, arguments in own.items():
            if str(key).rpartition(".")[2] == name:
                return dict(arguments or {})
    return None


def _returns(folder: Path) -> Floats:
    """(n,) return of each day, in the order in which the days ended."""
    files = sorted(folder.glob("*monitor.csv"))
    if not files:
        raise ValueError(f"{folder} holds no monitor.csv with the return of each day of training")
    rows = sorted((row for file in files for row in _monitor(file)), key=lambda row: row[0])
    if not rows:
        raise ValueError(f"{folder} has no day of training in its monitor.csv")
    return np.array([own for _, own in rows])


def _monitor(file: Path) -> Iterator[tuple[float, float]]:
    """(seconds, return) of the episodes in one file, in their order: a resumed training counts seconds anew."""
    before, last = 0.0, 0.0
    with file.open(encoding="utf8", newline="") as lines:
        reader = csv.DictReader(line for line in lines if not line.startswith("#"))
        for number, row in enumerate(reader, start=1):
            try:
                seconds, gained = float(row["t"]), float(row["r"])
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"{file} is damaged: entry {number} has no return and time") from None
            if seconds < last:
                before += last
            last = seconds
            yield before + seconds, gained


def _model(folder: Path, env_id: str) -> tuple[Path, bool]:
    """The agent of a run, and whether it is the final one."""
    final = folder / f"{env_id}.zip"
    if final.is_file():
        return final, True
    checkpoints = {int(found[1]): path for path in folder.glob("rl_model_*_steps.zip")
                   if (found := re.fullmatch(r"rl_model_(\d+)_steps", path.stem))}  # fmt: skip
    if not checkpoints:
        raise ValueError(f"{folder} holds neither {env_id}.zip nor a checkpoint rl_model_..._steps.zip")
    return checkpoints[max(checkpoints)], False


def check_labs(runs: Sequence[PaperRun]) -> None:
    """Refuse two runs in one lab.

    :raises ConfigError: names both
    """
    first: dict[str, PaperRun] = {}
    for run in runs:
        if run.env_id in first:
            raise ConfigError(f"{first[run.env_id].folder} and {run.folder} are both of {run.env_id}: give one of them")
        first[run.env_id] = run
