"""A step of an optimizer, without what serves other optimizers than Adam on a CPU."""

import operator

import numpy as np
import torch as th
from torch.optim import optimizer as th_optimizer


class OptimizerStep:
    """
    What ``optimizer.step()`` does; of a fused Adam on a CPU, to the bit, in a fraction of its time, without what serves
    other optimizers, hooks and profilers.
    """

    def __init__(self) -> None:
        self._steps: list[th.Tensor] = []
        # The same memory, seen through numpy: a tensor's addition takes ten times as long.
        self._counts: list[np.ndarray] = []

    def __call__(self, optimizer: th.optim.Optimizer) -> None:
        """
        Do a step.

        :param optimizer: The optimizer of parameters on a CPU, all with gradients
        """
        group = optimizer.param_groups[0]
        state = [optimizer.state.get(parameter) for parameter in group["params"]]
        if not _is_plain_adam(optimizer) or not all(state):
            optimizer.step()
            return
        firsts, seconds, steps = ([own[name] for own in state if own] for name in ("exp_avg", "exp_avg_sq", "step"))
        self._count(steps)
        first_rate, second_rate = group["betas"]
        with th.no_grad():
            th._fused_adam_(
                group["params"],
                [parameter.grad for parameter in group["params"]],
                firsts,
                seconds,
                [],
                steps,
                amsgrad=False,
                lr=group["lr"],
                beta1=first_rate,
                beta2=second_rate,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
                grad_scale=None,
                found_inf=None,
            )

    def _count(self, steps: list[th.Tensor]) -> None:
        """Add 1 to numbers of updates as PyTorch counts them: float32, without dimensions."""
        if len(steps) != len(self._steps) or any(map(operator.is_not, steps, self._steps)):
            self._steps, self._counts = steps, [step.numpy() for step in steps]
        for count in self._counts:
            count += 1.0


def _is_plain_adam(optimizer: th.optim.Optimizer) -> bool:
    """Whether a step is nothing but PyTorch's fused kernel."""
    group = optimizer.param_groups[0]
    hooks = (
        th_optimizer._global_optimizer_pre_hooks,
        th_optimizer._global_optimizer_post_hooks,
        optimizer._optimizer_step_pre_hooks,
        optimizer._optimizer_step_post_hooks,
    )
    others = ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay")
    return (
        type(optimizer) is th.optim.Adam
        and len(optimizer.param_groups) == 1
        and bool(group["fused"])
        and type(group["lr"]) is float
        and not any(group[name] for name in others)
        and not any(hooks)
        # PyTorch's schedulers and scalers wrap the method, or leave something to divide by.
        and vars(optimizer).keys().isdisjoint(("step", "grad_scale", "found_inf"))
    )
