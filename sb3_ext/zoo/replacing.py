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
    # A name that the owner does not have, such as that of a builtin in a module, is removed again.
    originals = {name: getattr(owner, name) for name in attributes if hasattr(owner, name)}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name in attributes:
            if name in originals:
                setattr(owner, name, originals[name])
            else:
                delattr(owner, name)
