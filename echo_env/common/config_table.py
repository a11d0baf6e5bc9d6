"""Sections under names that a file chooses, such as the exam types of a lab."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

K = TypeVar("K")
V = TypeVar("V")


class Table(dict[K, V]):
    """A dict that does not change: a value like the sections of a config, equal and hashed with its order."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and list(self.items()) == list(other.items())

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a config cannot be changed in place; use replace")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # By its arguments, because a subclass of dict is not taken apart by pydantic itself.
        entries: Any = GenericAlias(dict, get_args(source))
        return core_schema.no_info_after_validator_function(cls, handler.generate_schema(entries))
