"""Names of policies and their arguments: what can be made, and the message for what cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from echo_env.common.registry import split_name
from echo_env.lab import LabConfig, Policy, make_policy, policy_names, register_policy
from echo_env.lab.policies import TierPolicy, register_cases
from echo_env.lab.policies.base import _REGISTRY

CONFIG = LabConfig.load("baseline")


@pytest.fixture
def with_arguments() -> Iterator[list[object]]:
    """Registers a policy with an argument of each kind for the time of a test; holds what it was made with."""
    got: list[object] = []

    @register_policy("kinds")
    def kinds(
        config: LabConfig,
        base: str,
        samples: int = 20,
        share: float = 0.5,
        greedy: bool = False,
        limit: int | None = None,
        mode: Literal["mean", "worst"] = "mean",
    ) -> Policy:
        got[:] = [base, samples, share, greedy, limit, mode]
        return TierPolicy("kinds", ())

    yield got
    del _REGISTRY["kinds"]


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("policy_1", "policy_1", {}),
        ("policy_1()", "policy_1", {}),
        (" policy_5( alpha = 1 ,beta=0.25 ) ", "policy_5", {"alpha": "1", "beta": "0.25"}),
        (
            "rollout(base=policy_5(alpha=1,beta=1), samples=20)",
            "rollout",
            {"base": "policy_5(alpha=1,beta=1)", "samples": "20"},
        ),
        ("a(b=c(d=e(f=1,g=2),h=3),i=4)", "a", {"b": "c(d=e(f=1,g=2),h=3)", "i": "4"}),
    ],
)
def test_names_are_taken_apart(text: str, name: str, arguments: dict[str, str]) -> None:
    """A name is split into the policy and its arguments, nested names included."""
    assert split_name(text) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy_5(alpha=1", r"'policy_5\(alpha=1' has parentheses that do not match"),
        ("policy_5(alpha=1))", "parentheses that do not match"),
        ("policy_5(alpha=1)(beta=1)", "parentheses that do not match"),
        ("policy_5(1, 1)", "has '1', but its arguments are written argument=value"),
        ("policy_5(alpha=, beta=1)", "has 'alpha=', but its arguments are written argument=value"),
        ("policy_5(alpha=1, alpha=0)", "has argument 'alpha' twice"),
        ("policy_5", r"'policy_5' needs a value for 'alpha'; it takes alpha \(a number\), beta \(a number\)"),
        ("policy_5(alpha=1)", "needs a value for 'beta'"),
        ("policy_5(alpha=1, betta=1)", r"no argument 'betta' \(did you mean beta\?\); it takes alpha \(a number\)"),
        ("policy_1(alpha=1)", "'policy_1' has no argument 'alpha'; it takes no arguments"),
        ("policy_5_case_3(case=2)", "'policy_5_case_3' has no argument 'case'; it takes no arguments"),
        ("policy_5(alpha=much, beta=1)", "'policy_5' has alpha=much, but alpha must be a number"),
        ("policy_5(alpha=true, beta=1)", "has alpha=true, but alpha must be a number"),
        ("policy_5(alpha=1.5, beta=1)", "has alpha=1.5, but alpha must be a share from 0 to 1"),
        ("policy_6(alpha=1, beta=-0.1)", "'policy_6' has beta=-0.1, but beta must be a share from 0 to 1"),
        ("policy_5(alpha=1, beta=.nan)", "has beta=nan, but beta must be a share"),
        ("policy_3(hand_back=never)", "hand_back=never, but hand_back must be served, closing or scheduled"),
        ("polcy_1", r"'polcy_1' is unknown \(did you mean policy_1\?\); known: auction, fetal_first"),
        ("polcy_5(alpha=1, beta=1)", r"'polcy_5' is unknown \(did you mean policy_5\?\)"),
        ("policy_5_case_11", r"'policy_5_case_11' is unknown \(did you mean policy_5_case_1\?\)"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_sentence(text: str, message: str) -> None:
    """Each wrong name or argument is refused in one sentence that says what is allowed."""
    with pytest.raises(ValueError, match=message) as error:
        make_policy(text, CONFIG)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("policy_5(alpha=1, beta=0.25)", "policy_5(alpha=1, beta=0.25)"),
        ("policy_5( beta=.25,alpha=1.0 )", "policy_5(alpha=1, beta=0.25)"),
        ("policy_6(alpha=1e-1, beta=0)", "policy_6(alpha=0.1, beta=0)"),
        ("policy_5_case_7", "policy_5_case_7"),
        ("policy_1()", "policy_1"),
        ("policy_3(hand_back = scheduled)", "policy_3(hand_back=scheduled)"),
    ],
)
def test_names_are_written_in_one_way(text: str, name: str) -> None:
    """A policy has one name, however its arguments were written, and that name makes it again."""
    assert make_policy(text, CONFIG).name == name
    assert make_policy(name, CONFIG).name == name


def test_values_are_read_by_their_annotation(with_arguments: list[object]) -> None:
    """Each argument is converted to the type of its annotation."""
    policy = make_policy("kinds(mode=worst, greedy=true, limit=3, base=policy_5(alpha=1,beta=1), share=1)", CONFIG)
    assert with_arguments == ["policy_5(alpha=1,beta=1)", 20, 1.0, True, 3, "worst"]
    assert isinstance(with_arguments[2], float)
    assert policy.name == "kinds(base=policy_5(alpha=1,beta=1), share=1, greedy=true, limit=3, mode=worst)"
    make_policy("kinds(base=007, limit=null)", CONFIG)
    assert with_arguments == ["007", 20, 0.5, False, None, "mean"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("samples=2.5", "samples must be a whole number"),
        ("samples=true", "samples must be a whole number"),
        ("greedy=1", "greedy must be true or false"),
        ("limit=few", "limit must be a whole number or null"),
        ("mode=best", "mode must be mean or worst"),
    ],
)
@pytest.mark.usefixtures("with_arguments")
def test_values_of_another_type_are_refused(argument: str, message: str) -> None:
    """A value of another type than the annotation is refused."""
    with pytest.raises(ValueError, match=f"'kinds' has {argument}, but {message}"):
        make_policy(f"kinds(base=policy_1, {argument})", CONFIG)


def test_the_list_is_short_and_every_name_in_it_can_be_made() -> None:
    """The list of names stays short, and each name in it can be made."""
    names = policy_names()
    assert {"policy_1", "policy_4", "policy_5(alpha, beta)", "policy_5_case_1..10", "fetal_first"} <= set(names)
    assert len(", ".join(names)) < 230
    makeable = [*(name for name in names if "(" not in name and ".." not in name)]
    makeable += [f"policy_{n}_case_{case}" for n in (5, 6) for case in range(1, 11)]
    for name in makeable:
        policy = make_policy(name, CONFIG)
        assert isinstance(policy, Policy)
        assert policy.name == name


def test_no_name_is_registered_twice() -> None:
    """A name that is taken cannot be registered again."""
    with pytest.raises(ValueError, match="'policy_1' is registered already"):
        register_policy("policy_1")(lambda config: make_policy("policy_2", config))
    with pytest.raises(ValueError, match="'policy_6_case_1' is registered already"):
        register_cases("policy_6_case_", range(1, 3))(lambda config, case: make_policy("policy_2", config))
