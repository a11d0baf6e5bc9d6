"""Values of a field as typed for a sweep: ``3:7``, ``0.8:1.2:0.1``, ``3,5``, ``[1,2],[3]``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from echo_env.common.config_model import ConfigError

MODES = ("grid", "one_at_a_time")
MOST_CELLS = 10_000
"""Largest number of cells of a sweep."""
MOST_VALUES = 1_000
"""Largest number of values of a range."""


def check_mode(mode: str) -> None:
    """Refuse what is no mode.

    :param mode: as typed
    :raises ConfigError: lists those there are
    """
    if mode not in MODES:
        raise ConfigError(f"sweep mode is {mode!r}, but must be one of {', '.join(MODES)}")


def split_specification(text: str, example: str) -> tuple[str, str]:
    """``rooms.non_fetal=3:7`` -> its field and its values.

    :param text: as typed
    :param example: one that is right, for the message
    :raises ConfigError: not of this form
    """
    path, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not path:
        raise ConfigError(f"sweep has {text!r}, but takes FIELD=VALUES, as in {example}")
    return path, values


def read_values(
    path: str,
    text: str,
    read: Callable[[str], Any],
    write: Callable[[Any], str],
    numeric: bool,
    whole: bool,
) -> list[Any]:
    """The values of a field, in the order typed; numbers also as ranges with both ends: ``a:b`` in steps of 1 (whole
    numbers), ``a:b:step``.

    :param path: dotted path of the field, for messages
    :param text: values, separated by commas; commas inside brackets separate the entries of one value
    :param read: parses one value
    :param write: writes one
    :param numeric: whether there may be ranges
    :param whole: whether all values are whole numbers
    :return: at least one, all different
    :raises ConfigError: an invalid value, none, an empty range, or one twice
    """
    items = re.findall(r"(?:\[[^\]]*\]|[^,])+", text)
    found = [value for item in items for value in _of_item(path, item.strip(), read, numeric, whole)]
    if not found or len(items) != len(re.sub(r"\[[^\]]*\]", "", text).split(",")):
        raise ConfigError(f"{path} has an empty value in {text!r}, but needs values such as 3:7 or 3,5")
    twice = next((value for value in found if found.count(value) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path} has {write(twice)} twice, but must have each value once")
    return found


def _of_item(path: str, item: str, read: Callable[[str], Any], numeric: bool, whole: bool) -> list[Any]:
    """The values of one item: a single value or a range."""
    if not numeric or ":" not in item:
        return [read(item)]
    ends = [read(part) for part in item.split(":")]
    if len(ends) > 3:
        raise ConfigError(f"{path} has the range {item!r}, but ranges are a:b or a:b:step")
    first, last, step = ends if len(ends) == 3 else (*ends, 1)
    if len(ends) == 2 and (first % 1 or last % 1):
        raise ConfigError(f"{path} has the range {item!r}, but between such numbers it needs a step: a:b:step")
    if step <= 0:
        raise ConfigError(f"{path} has the range {item!r} with step {step:g}, but the step must be above 0")
    if first > last:
        raise ConfigError(f"{path} has the range {item!r}, which is empty, because {first:g} is above {last:g}")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > MOST_VALUES:
        raise ConfigError(f"{path} has {count:,} values in {item!r}, but must have at most {MOST_VALUES:,}")
    if whole:
        return [first + i * step for i in range(count)]
    # Rounded, so that three steps of 0.1 are 0.3.
    return [float(f"{first + i * step:.12g}") for i in range(count)]
