"""The loops of an update of a plain ReLU network, compiled; imported where Numba is installed."""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Sums in any order, for vector instructions; what is not a number stays so.
njit = numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})


@njit  # type: ignore[untyped-decorator]
def rectify(values: Floats) -> None:
    """
    ReLU, in place.

    :param values: (B, units) float32
    """
    for i in range(len(values)):
        for j in range(values.shape[1]):
            values[i, j] = max(values[i, j], np.float32(0.0))


@njit  # type: ignore[untyped-decorator]
def drop(values: Floats, uniform: Floats, rate: float) -> None:
    """
    Drop units, and scale the others, in place.

    :param values: (B, units) float32; rows after those of ``uniform`` stay as they are
    :param uniform: (n_trained, units) float32, in [0, 1)
    :param rate: probability that a unit is dropped
    """
    kept = np.float32(1.0 - rate)
    for i in range(len(uniform)):
        for j in range(uniform.shape[1]):
            values[i, j] = values[i, j] / kept if uniform[i, j] >= rate else np.float32(0.0)


@njit  # type: ignore[untyped-decorator]
def value_of(features: Floats, weight: Floats, bias: Floats, action: int) -> np.float32:
    """The value of one action: (units,) features times a row of the weight, plus its bias."""
    row, total = weight[action], np.float32(0.0)
    for j in range(len(row)):
        total += features[j] * row[j]
    return np.float32(total + bias[action])


@njit  # type: ignore[untyped-decorator]
def best_of_few(
    features: Floats, masks: NDArray[np.bool_], terminals: Floats, weight: Floats, bias: Floats
) -> NDArray[np.int64]:
    """
    The best feasible actions, of equally good ones the first; of values that are not numbers the first.

    :param features: (B, units) float32
    :param masks: (B, n_actions) bool, every row with a True
    :param terminals: (B,) float32, 1 where nothing follows and the best action is 0
    :param weight: (n_actions, units) float32
    :param bias: (n_actions,) float32
    :return: (B,) int64
    """
    best = np.zeros(len(features), np.int64)
    for i in range(len(features)):
        if terminals[i] != 0.0:
            continue
        highest, found = np.float32(0.0), False
        for action in range(masks.shape[1]):
            if masks[i, action]:
                value = value_of(features[i], weight, bias, action)
                if not found or not value <= highest:
                    best[i], highest, found = action, value, True
                # Reported where TD errors are read.
                if np.isnan(value):
                    break
    return best


@njit  # type: ignore[untyped-decorator]
def bootstrap(
    actions: NDArray[np.int64],
    features: Floats,
    weight: Floats,
    bias: Floats,
    rewards: Floats,
    terminals: Floats,
    discounts: Floats,
    reward_scale: np.float32,
) -> Floats:
    """
    Scaled returns plus the discounted values of what follows.

    :param actions: (B,) int, the best next ones
    :param features: (B, units) float32, of the target network
    :param weight: (n_actions, units) float32, of the target network
    :param bias: (n_actions,) float32, of the target network
    :param rewards: (B,) float32
    :param terminals: (B,) float32, 1 where nothing follows
    :param discounts: (B,) float32
    :param reward_scale: factor of the rewards
    :return: (B,) float32
    """
    targets = np.empty(len(actions), np.float32)
    for i in range(len(actions)):
        following = value_of(features[i], weight, bias, actions[i])
        targets[i] = reward_scale * rewards[i] + (np.float32(1.0) - terminals[i]) * discounts[i] * following
    return targets


@njit  # type: ignore[untyped-decorator]
def learn_values(
    features: Floats,
    weight: Floats,
    bias: Floats,
    actions: NDArray[np.int64],
    targets: Floats,
    weights: Floats,
    upstream: Floats,
    weight_gradient: Floats,
    bias_gradient: Floats,
) -> tuple[np.floating, Floats, Floats]:
    """
    Huber's loss of a batch, and its gradient by the last layer and by the features.

    :param features: (B, units) float32, output of the last hidden layer
    :param weight: (n_actions, units) float32
    :param bias: (n_actions,) float32
    :param actions: (B,) int, taken
    :param targets: (B,) float32, what their values should be
    :param weights: (B,) float32, importance weights
    :param upstream: (B, units) float32, overwritten by the derivatives of the loss by the features
    :param weight_gradient: (n_actions, units) float32, overwritten
    :param bias_gradient: (n_actions,) float32, overwritten
    :return: the loss, the values of the actions and targets minus these, (B,) float32 each
    """
    size = np.float32(len(actions))
    estimates, td_errors = np.empty(len(actions), np.float32), np.empty(len(actions), np.float32)
    weight_gradient[:] = np.float32(0.0)
    bias_gradient[:] = np.float32(0.0)
    loss = 0.0
    for i in range(len(actions)):
        action = actions[i]
        estimates[i] = value_of(features[i], weight, bias, action)
        error = targets[i] - estimates[i]
        td_errors[i] = error
        # Huber's loss with its bend at 1: the derivative by the estimate is minus the clipped error.
        clipped = min(max(error, np.float32(-1.0)), np.float32(1.0))
        loss += weights[i] * clipped * (error - np.float32(0.5) * clipped)
        slope = -weights[i] * clipped / size
        bias_gradient[action] += slope
        for j in range(features.shape[1]):
            weight_gradient[action, j] += slope * features[i, j]
            upstream[i, j] = slope * weight[action, j]
    return loss / size, estimates, td_errors


@njit  # type: ignore[untyped-decorator]
def through_activation(upstream: Floats, outputs: Floats, dropout: float, bias_gradient: Floats) -> None:
    """
    Derivatives by what a layer gave before ReLU and dropout, and the gradient of its bias.

    :param upstream: (B, units) float32, derivatives by its output; overwritten
    :param outputs: (B, units) float32, its output; what was dropped is 0, too
    :param dropout: probability that a unit was dropped
    :param bias_gradient: (units,) float32, overwritten
    """
    kept = np.float32(1.0 - dropout)
    bias_gradient[:] = np.float32(0.0)
    for i in range(len(upstream)):
        for j in range(upstream.shape[1]):
            own = upstream[i, j] / kept if outputs[i, j] > 0.0 else np.float32(0.0)
            upstream[i, j] = own
            bias_gradient[j] += own


@njit  # type: ignore[untyped-decorator]
def square(values: Floats) -> np.float32:
    """The sum of squares of values (n,) float32."""
    total = np.float32(0.0)
    for i in range(len(values)):
        total += values[i] * values[i]
    return total
