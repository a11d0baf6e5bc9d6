"""Values written as Python text are read and never evaluated."""

import pytest
import yaml
from torch import nn

from sb3_ext.replay import PrioritizedReplayBuffer
from sb3_ext.zoo.inputs.literals import RunLoader, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "dict(net_arch=[64, 64], activation_fn=nn.Tanh)",
            {"net_arch": [64, 64], "activation_fn": nn.Tanh},
        ),
        ("dict(net_arch=dict(pi=[8], vf=(8,)))", {"net_arch": {"pi": [8], "vf": (8,)}}),
        ("{'norm_obs': False, 'norm_reward': True}", {"norm_obs": False, "norm_reward": True}),
        ("int(1e5)", 100_000),
        ("-1 / 4 + 2 * 3", 5.75),
        ("PrioritizedReplayBuffer", PrioritizedReplayBuffer),
        ("None", None),
    ],
)
def test_values_are_read(text: str, value: object) -> None:
    """Literals, dict(...), arithmetic on numbers and the classes of the table have Python's values."""
    assert parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "open('x', 'w')",
        "nn.Module",
        "nn.functional.relu",
        "().__class__",
        "[x for x in (1,)]",
        "(lambda: 1)()",
        "dict(**{'a': 1})",
        "'a' * 10 ** 9",
        "[0] * 1000000000",
        "9 ** 9 ** 9",
        "f'{1}'",
        "(" * 5000 + ")" * 5000,
        "1 / 0",
        "dict(1)",
        "",
        "x" * 20_000,
    ],
)
def test_all_else_raises_a_value_error(text: str) -> None:
    """Calls, other names, comprehensions and arithmetic on anything but numbers raise a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  # the messages are Python's own
        parse(text)


def test_runs_are_read_without_building_objects() -> None:
    """The YAML of a run gives ordered dictionaries and tuples as plain values, and refuses any other object."""
    text = "!!python/object/apply:collections.OrderedDict\n- - [a, 1]\n  - [b, !!python/tuple [1, 2]]\n"
    assert yaml.load(text, Loader=RunLoader) == {"a": 1, "b": (1, 2)}
    with pytest.raises(yaml.constructor.ConstructorError):
        yaml.load("!!python/object/apply:os.getcwd []", Loader=RunLoader)
