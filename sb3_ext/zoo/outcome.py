"""Settings of a run beside its results, for TensorBoard's tab HPARAMS."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import TensorBoardOutputFormat

from sb3_ext.zoo.tensorboard import Run, write_runs

NAME = "held_out"


def record_outcome(model: BaseAlgorithm, settings: Mapping[str, Any], results: Mapping[str, float]) -> None:
    """
    Write results into a training's log, and once more, with the settings, into its folder ``held_out``.

    A folder of its own for the settings, because the tab shows beside them all curves of their folder: here the results
    only, and not every number that the training logged.

    :param model: The model that was trained
    :param settings: What it was trained with
    :param results: By name, with which they stand in TensorBoard after ``held_out/``
    """
    curves = {f"{NAME}/{name}": ([model.num_timesteps], [value]) for name, value in results.items()}
    assert model.logger.dir is not None  # TensorBoard writes there.
    for output in model.logger.output_formats:
        if isinstance(output, TensorBoardOutputFormat):
            for tag, (steps, values) in curves.items():
                output.writer.add_scalar(tag, values[0], steps[0])
            output.writer.flush()
    write_runs(Path(model.logger.dir), {NAME: Run(curves, flat(settings))})


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str | float]:
    """
    Settings as the tab HPARAMS can hold them.

    :param settings: Values by name, some of them maybe mappings
    :param prefix: Put before each name
    :return: numbers and truth values as they are, all else as text, ``None`` left out; ``{"a": {"b": 1}}`` as ``a.b``
    """
    columns: dict[str, str | float] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            columns |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, np.generic):
            columns[prefix + name] = value.item()
        elif value is not None:
            columns[prefix + name] = value if isinstance(value, bool | int | float) else str(value)
    return columns


def writes_tensorboard(model: BaseAlgorithm) -> bool:
    """
    Whether the log of a model goes to TensorBoard.

    :param model: The model, trained already
    """
    return any(isinstance(output, TensorBoardOutputFormat) for output in model.logger.output_formats)


def kept_agent(model: BaseAlgorithm, folder: Path) -> BaseAlgorithm:
    """
    The agent that represents a run: its best model, else the final one.

    :param model: The model that was trained
    :param folder: Folder of the run
    """
    best = folder / "best_model.zip"
    return type(model).load(best, device=model.device) if best.is_file() else model
