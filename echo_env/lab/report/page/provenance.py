"""How to do it again: command, versions, seed, and the lab as a file."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import yaml

import echo_env
from echo_env.lab.config import GeneralLabConfig, LabConfig
from echo_env.lab.config.file import HOURS
from echo_env.lab.config.lab import Lab
from echo_env.lab.report.page.page import Experiment

_WIDTH = 100


def lab_yaml(config: Lab) -> str:
    """A lab as the text of a file; :func:`~echo_env.lab.config.loading.load_lab` reads the same lab back from it.

    It is written from the config, not copied: comments of a file may quote a hospital's sheet.

    :param config: the lab, of either form
    """
    if isinstance(config, GeneralLabConfig):
        data = config.as_file()
    else:
        assert isinstance(config, LabConfig)
        data = _short_form(config)
    order = ("name", "hours", "appointments", "arrival", "exam", "exam_types", "rooms", "room_groups", "sonographers")
    sections = {name: data[name] for name in (*order, *data) if data.get(name) is not None}
    return yaml.safe_dump(_plain(sections), sort_keys=False, width=_WIDTH, default_flow_style=None)


def _short_form(config: LabConfig) -> dict[str, Any]:
    clock, hours = config.hours.clock, config.hours
    data = asdict(config)
    data["hours"] = dict(zip(HOURS, map(clock, (0, hours.closing_min, hours.end_min)), strict=True))
    data["appointments"] = {
        kind: [None if minute is None else clock(minute) for minute in times]
        for kind, times in asdict(config.appointments).items()
    }
    return data


def _plain(value: Any) -> Any:
    """Values as YAML has them: lists for tuples; fields that are None are left out."""
    if isinstance(value, Mapping):
        return {name: _plain(own) for name, own in value.items() if own is not None}
    return [_plain(own) for own in value] if isinstance(value, (list, tuple)) else value


def facts(experiment: Experiment) -> list[tuple[str, str]]:
    """What was run, and with what.

    :param experiment: what was done
    """
    return [
        ("Command", experiment.command),
        ("Lab", experiment.lab),
        ("Simulated days", f"{experiment.days:,}"),
        ("Seed", str(experiment.seed)),
        ("Version", f"echo-lab-rl {echo_env.__version__}"),
        ("Python, NumPy", f"{platform.python_version()}, {np.__version__}"),
        ("Date", dt.date.today().isoformat()),
    ]
