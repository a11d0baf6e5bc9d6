"""A registry of things made by name, with arguments that the name may carry."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from echo_env.naming import read_arguments, required_of, split_name, write_name

Made = TypeVar("Made")
Factory = TypeVar("Factory", bound=Callable[..., Any])


class Entry(NamedTuple):
    """Something registered.

    :param factory: makes it
    :param shown: how lists show it; the members of a family all in the same way
    """

    factory: Callable[..., Any]
    shown: str


class Registry(dict[str, Entry], Generic[Made]):
    """Name -> what makes it.

    :param kind: what the things are called, for messages
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Decorator: the factory makes ``name``, given a config.

        Further parameters of the factory are arguments that the name may carry: ``name(alpha=1)`` is made by
        ``factory(config, alpha=1.0)``. Their annotations (bool, int, float, str, Literal, and unions of them) say
        what is allowed.

        :param name: without parentheses
        :raises ValueError: there is one of this name
        """

        def add(factory: Factory) -> Factory:
            required = required_of(factory)
            self.add(name, Entry(factory, f"{name}({', '.join(required)})" if required else name))
            return factory

        return add

    def add(self, name: str, entry: Entry) -> None:
        """Add one.

        :raises ValueError: there is one of this name
        """
        if name in self:
            raise ValueError(f"{self._kind} {name!r} is registered already")
        self[name] = entry

    def names(self) -> list[str]:
        """What :meth:`make` knows, for people to read; with the arguments that must be given."""
        return sorted({entry.shown for entry in self.values()})

    def make(self, name: str, config: Any) -> Made:
        """Make one by its name, and call it by what was asked for.

        :param name: ``name`` or ``name(argument=value, ...)``; values are read as YAML scalars
        :param config: what it is for
        :raises ValueError: no such name (lists the known ones and the nearest match), or arguments that it does not
            take
        """
        plain, given = split_name(name)
        if plain not in self:
            near = difflib.get_close_matches(plain, self, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"{self._kind} {plain!r} is unknown{hint}; known: {', '.join(self.names())}")
        factory = self[plain].factory
        arguments = read_arguments(plain, factory, given)
        made = factory(config, **arguments)
        made.name = write_name(plain, arguments)
        return made
