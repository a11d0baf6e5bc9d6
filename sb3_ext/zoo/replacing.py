"""Replacing names in rl_zoo3, which has no hooks, for as long as one of its functions runs."""

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def replaced(owner: object, **attributes: Any) -> Iterator[None]:
    """
    Replace attributes of a module or class within a context.

    :param owner: The module or class
    :param attributes: New values by name
    """
    originals = {name: getattr(owner, name) for name in attributes}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in originals.items():
            setattr(owner, name, value)
