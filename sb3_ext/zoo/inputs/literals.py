"""Values written as Python text, read without evaluating them: literals, ``dict(...)`` and a few classes by name."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import torch as th
import yaml
from stable_baselines3 import HerReplayBuffer
from torch import nn

from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer
from sb3_ext.zoo.errors import UsageError

ALLOW_CODE = "--allow-code"

# fmt: off
ACTIVATIONS = (
    "CELU", "ELU", "GELU", "Hardtanh", "Identity", "LeakyReLU", "Mish", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid",
    "Softplus", "Softsign", "Tanh",
)
# fmt: on
OPTIMIZERS = ("Adam", "AdamW", "RMSprop", "SGD")
BUFFERS = (HerReplayBuffer, MaskableReplayBuffer, PrioritizedReplayBuffer)

#: Name -> what it stands for; nothing else can be named.
CLASSES: dict[str, Any] = {
    **{f"{prefix}.{name}": getattr(nn, name) for prefix in ("nn", "th.nn", "torch.nn") for name in ACTIVATIONS},
    **{f"{prefix}.{name}": getattr(th.optim, name) for prefix in ("th.optim", "torch.optim") for name in OPTIMIZERS},
    **{buffer.__name__: buffer for buffer in BUFFERS},
}
FUNCTIONS: dict[str, Callable[..., Any]] = {"dict": dict, "float": float, "int": int, "list": list, "tuple": tuple}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
# Text longer than this is no setting, and deep nesting of it would exhaust the parser.
LONGEST = 10_000


def parse(text: str) -> Any:
    """
    The value of a text such as ``dict(net_arch=[64, 64], activation_fn=nn.Tanh)``.

    :param text: Python text of literals, arithmetic on numbers, calls of ``dict``, ``float``, ``int``, ``list`` and
        ``tuple``, and the names in :data:`CLASSES`
    :return: its value
    :raises ValueError: it is anything else
    """
    if len(text) > LONGEST:
        raise ValueError(f"text of {len(text)} characters is too long")
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, TypeError, ArithmeticError) as error:
        raise ValueError(str(error)) from error


def parse_setting(name: str, text: str) -> Any:
    """
    As :func:`parse`, for a setting of the user.

    :param name: Name of the setting, for the message
    :param text: As given
    :return: its value
    :raises UsageError: it is anything else
    """
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(
            f"{name} must be a value, a dict(...) of values, or one of the classes that may be named, not '{text}' "
            f"({ALLOW_CODE} evaluates it as Python)."
        ) from error


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)](map(_value, node.elts))
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError("** cannot be read")
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_number(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_number(node.left), _number(node.right))
    if isinstance(node, ast.Call):
        return _call(node)
    name = ast.unparse(node)
    if isinstance(node, ast.Name | ast.Attribute) and name in CLASSES:
        return CLASSES[name]
    raise ValueError(f"{name} cannot be read as a value")


def _number(node: ast.expr) -> int | float:
    value = _value(node)
    # Texts and lists could be multiplied to fill the memory.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{ast.unparse(node)} is no number")
    return value


def _call(node: ast.Call) -> Any:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise ValueError(f"{ast.unparse(node.func)} cannot be called")
    if any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("** cannot be read")
    keywords = {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}
    return FUNCTIONS[node.func.id](*map(_value, node.args), **keywords)


class RunLoader(yaml.SafeLoader):
    """YAML of a run, which rl_zoo3 writes with ordered dictionaries and tuples; no other object is built."""


def _ordered(loader: yaml.SafeLoader, node: yaml.Node) -> dict[Any, Any]:
    assert isinstance(node, yaml.SequenceNode)
    arguments = loader.construct_sequence(node, deep=True)
    return dict(arguments[0]) if arguments else {}


RunLoader.add_constructor("tag:yaml.org,2002:python/object/apply:collections.OrderedDict", _ordered)
RunLoader.add_constructor(
    "tag:yaml.org,2002:python/tuple",
    lambda loader, node: tuple(loader.construct_sequence(node)),  # type: ignore[arg-type]
)
