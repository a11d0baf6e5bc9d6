"""A step of a fused Adam without what serves other optimizers."""

from collections.abc import Callable
from typing import Any

import pytest
import torch as th
from torch import nn

from sb3_ext.maskable_dqn.fast.optimizer_step import OptimizerStep, _is_plain_adam

OPTIMIZERS: dict[str, Callable[[Any], th.optim.Optimizer]] = {
    "fused": lambda given: th.optim.Adam(given, lr=1e-2, fused=True),
    "weight decay": lambda given: th.optim.Adam(given, lr=1e-2, fused=True, weight_decay=0.1),
    "AMSGrad": lambda given: th.optim.Adam(given, lr=1e-2, fused=True, amsgrad=True),
    "AdamW": lambda given: th.optim.AdamW(given, lr=1e-2, fused=True),
    "not fused": lambda given: th.optim.Adam(given, lr=1e-2),
    "two groups": lambda given: th.optim.Adam([{"params": given[:1]}, {"params": given[1:], "lr": 0.1}], fused=True),
    "SGD": lambda given: th.optim.SGD(given, lr=1e-2),
}


def weights(make: Callable[[Any], th.optim.Optimizer], step: Callable[[th.optim.Optimizer], Any]) -> list[th.Tensor]:
    """The weights of a network after four steps on the same gradients."""
    th.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 40))
    optimizer = make(list(network.parameters()))
    for _ in range(4):
        for parameter in network.parameters():
            parameter.grad = th.randn_like(parameter)
        optimizer.param_groups[0]["lr"] *= 0.9
        step(optimizer)
    state = [value for own in optimizer.state.values() for value in own.values()]
    return [*network.parameters(), *state]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_pytorchs_to_the_bit(name: str) -> None:
    """Weights and the optimizer's state are those of ``optimizer.step()``, whatever the optimizer."""
    ours = weights(OPTIMIZERS[name], OptimizerStep())
    theirs = weights(OPTIMIZERS[name], lambda optimizer: optimizer.step())
    assert all(map(th.equal, ours, theirs))


def test_hooks_and_schedulers_are_heeded() -> None:
    """Hooks of an optimizer run in every step, and so does a method that a scheduler has wrapped."""
    parameter = nn.Parameter(th.ones(2))
    parameter.grad = th.ones(2)
    optimizer, steps, step = th.optim.Adam([parameter], lr=1.0, fused=True), [], OptimizerStep()
    step(optimizer)
    assert _is_plain_adam(optimizer)
    handle = optimizer.register_step_post_hook(lambda *_: steps.append(1))
    step(optimizer)
    step(optimizer)
    assert len(steps) == 2
    handle.remove()
    assert _is_plain_adam(optimizer)
    th.optim.lr_scheduler.ConstantLR(optimizer)
    assert not _is_plain_adam(optimizer)
