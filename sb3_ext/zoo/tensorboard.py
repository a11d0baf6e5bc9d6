"""Results for TensorBoard: curves, settings beside results, and pictures."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams


class Run(NamedTuple):
    """
    What TensorBoard shows under one name.

    :param curves: Tag -> (steps, values), whole numbers and as many values; what is not finite is left out
    :param settings: Settings of the run, for the tab HPARAMS, where the last value of every curve stands beside
        them; without settings the run has no row there
    """

    curves: Mapping[str, tuple[Sequence[int], Sequence[float]]]
    settings: Mapping[str, str | float]


def write_runs(folder: Path, runs: Mapping[str, Run], pictures: Mapping[str, Path] | None = None) -> None:
    """
    Write runs, each into a folder of its own, and pictures into the folder ``pictures`` beside them.

    :param folder: Folder that TensorBoard is to show, made if need be
    :param runs: Runs by name; characters that a folder's name cannot have become underscores
    :param pictures: Tag -> an image file, to be shown under the tab IMAGES
    """
    taken: set[str] = set()
    for name, run in runs.items():
        with SummaryWriter(str(folder / _folder_name(name, taken))) as writer:
            _write_run(writer, run)
    if pictures:
        with SummaryWriter(str(folder / _folder_name("pictures", taken))) as writer:
            for tag, path in pictures.items():
                writer.add_image(tag, _pixels(path), dataformats="HWC")


def write_levels(folder: Path, levels: Mapping[str, Mapping[str, float]], end: int) -> None:
    """
    Write level lines, each set of them as a run of its own, where they are not there yet.

    Nothing that is there is changed: lines that end too early are made longer, and beside a run of the same name with
    anything else in it, lines get a name with a number.

    :param folder: Folder that TensorBoard is to show, made if need be
    :param levels: Name of a run -> tag -> level
    :param end: Step at which the lines are to end; they begin with step 0
    """
    for name, own in levels.items():
        taken: set[str] = set()
        free = _folder_name(name, taken)
        while (reached := _reached(folder / free, own)) is None:
            free = _folder_name(name, taken)
        steps = [step for step in (0, end) if step > reached]
        if steps:
            with SummaryWriter(str(folder / free)) as writer:
                _write_run(writer, Run({tag: (steps, [level] * len(steps)) for tag, level in own.items()}, {}))


def _reached(folder: Path, levels: Mapping[str, float]) -> int | None:
    """The step at which these level lines end in a folder: -1 in an empty one; ``None`` if it holds anything else."""
    if not folder.exists() or not any(folder.iterdir()):
        return -1
    found = EventAccumulator(str(folder), {"scalars": 0}).Reload()
    tags = found.Tags()["scalars"]
    if not all(path.name.startswith("events.") for path in folder.iterdir()) or set(tags) != set(levels):
        return None
    lines = {tag: found.Scalars(tag) for tag in tags}
    if any(event.value != np.float32(levels[tag]) for tag, events in lines.items() for event in events):
        return None
    return min(int(events[-1].step) for events in lines.values())


def _write_run(writer: SummaryWriter, run: Run) -> None:
    for tag, (steps, values) in run.curves.items():
        for step, value in zip(steps, values, strict=True):
            if math.isfinite(value):
                writer.add_scalar(tag, value, step)
    if not run.settings:
        return
    # Not add_hparams(), which would begin a run of its own. Nor the list of columns, which comes first here:
    # TensorBoard takes the first list that it finds for all runs, and without any the columns of all of them.
    for summary in hparams(dict(run.settings), {})[1:]:  # type: ignore[no-untyped-call]
        assert writer.file_writer is not None
        writer.file_writer.add_summary(summary)


def _folder_name(name: str, taken: set[str]) -> str:
    """A name without what folders cannot be called, that is not taken yet; takes it."""
    # Two dots could lead out of the folder.
    plain = re.sub(r"[^\w=+,().-]|^\.+", "_", name)
    number, free = 1, plain
    while free.lower() in taken:
        number += 1
        free = f"{plain}_{number}"
    taken.add(free.lower())
    return free


def _pixels(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
