"""Noisy layers: their noise by hand, when there is some, and that trainings with it are continued."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from masked_envs import CountingEnv

from sb3_ext import MaskableDQN, MaskableQRDQN
from sb3_ext.maskable_dqn.layers import NoisyLinear, fresh_noise

ALGORITHMS = [MaskableDQN, MaskableQRDQN]


def make(algorithm: type[MaskableDQN] = MaskableDQN, env: Any = None, **policy_kwargs: Any) -> MaskableDQN:
    """A small noisy model that explores by its noise alone and learns from its fifth step on."""
    return algorithm(
        "MlpPolicy",
        CountingEnv() if env is None else env,
        learning_rate=1e-3,
        learning_starts=5,
        buffer_size=500,
        batch_size=8,
        train_freq=1,
        target_update_interval=10,
        exploration_initial_eps=0.0,
        exploration_final_eps=0.0,
        policy_kwargs={"net_arch": [8], "noisy": True, **policy_kwargs},
        seed=0,
        device="cpu",
    )


def test_noise_by_hand() -> None:
    """Weights are means plus scales times f(out) f(in) with f(x) = sgn(x) sqrt(|x|), biases with f(out)."""
    th.manual_seed(0)
    layer, x = NoisyLinear(3, 2, 0.5), th.randn(5, 3)
    assert th.equal(layer.weight_sigma, th.full((2, 3), 0.5 / 3**0.5))
    drawn = th.randn(5, generator=layer.generator.clone_state())
    into, out = (drawn.sign() * drawn.abs().sqrt()).split((3, 2))
    layer.draw()
    weight = layer.weight + layer.weight_sigma * out[:, None] * into
    th.testing.assert_close(layer(x), x @ weight.T + layer.bias + layer.bias_sigma * out)
    layer.silence()
    assert th.equal(layer(x), th.nn.functional.linear(x, layer.weight, layer.bias))


def test_noise_ends_with_its_context() -> None:
    """Each context has new noise, and none is left after it, an error inside or not."""
    layer, x = NoisyLinear(3, 2, 0.5), th.ones(1, 3)
    seen = [layer(x)]
    for _ in range(2):
        with fresh_noise([layer]):
            seen.append(layer(x))
            assert th.equal(layer(x), seen[-1])
    assert len({tuple(values.flatten().tolist()) for values in seen}) == 3
    with pytest.raises(KeyError), fresh_noise([layer]):
        raise KeyError
    assert th.equal(layer(x), seen[0])


def test_generator_is_in_the_state_dict() -> None:
    """A loaded layer draws the noise that the saved one would have."""
    layer, other = NoisyLinear(3, 2, 0.5), NoisyLinear(3, 2, 0.5)
    layer.draw()
    other.load_state_dict(layer.state_dict())
    outputs = []
    for each in (layer, other):
        th.rand(3)  # Whatever else draws from the global generator does not matter.
        each.draw()
        outputs.append(each(th.ones(1, 3)))
    assert th.equal(*outputs)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_deterministic_choices_are_without_noise(algorithm: type[MaskableDQN]) -> None:
    """Deterministic predictions repeat and draw nothing; others, without any epsilon, differ among each other."""
    model = make(algorithm, noisy_sigma=5.0)
    observations, masks = np.random.default_rng(0).random((64, 2), dtype=np.float32), np.ones((64, 5), dtype=bool)

    def predict(deterministic: bool) -> list[int]:
        chosen: list[int] = model.predict(observations, deterministic=deterministic, action_masks=masks)[0].tolist()
        return chosen

    before = [layer.generator.get_state() for layer in model.q_net.noisy_layers]
    assert predict(True) == predict(True)
    assert all(map(th.equal, before, (layer.generator.get_state() for layer in model.q_net.noisy_layers)))
    assert predict(False) != predict(False)
    assert predict(True) == model.policy.predict(observations, action_masks=masks)[0].tolist()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "settings", [{}, {"dueling": True}, {"factors": [5]}, {"dropout": 0.1}, {"kaiming_init": True}]
)
def test_continuing_is_exact(algorithm: type[MaskableDQN], settings: dict[str, Any], tmp_path: Path) -> None:
    """A training that was saved, loaded and continued ends with the parameters of one that was continued without."""
    model = make(algorithm, **settings)
    model.learn(30)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")
    loaded = algorithm.load(tmp_path / "model", device="cpu")
    loaded.load_replay_buffer(tmp_path / "buffer")
    for each in (model, loaded):
        each.set_env(CountingEnv())
        each.learn(30, reset_num_timesteps=False)
    vectors = [th.nn.utils.parameters_to_vector(each.policy.parameters()) for each in (model, loaded)]
    assert th.equal(*vectors)


def test_every_layer_is_noisy_and_its_scale_learned() -> None:
    """All layers are noisy, hidden ones and both of a dueling head; scales move as means do."""
    model = make(dueling=True)
    assert len(model.q_net.noisy_layers) == 3
    before = [parameter.detach().clone() for parameter in model.q_net.parameters()]
    assert len(before) == 12
    model.learn(30)
    assert not any(map(th.equal, before, model.q_net.parameters()))


def test_networks_have_noise_of_their_own() -> None:
    """The target network starts with the parameters of the online network and with another generator."""
    policy = make().policy
    for ours, theirs in zip(policy.q_net.noisy_layers, policy.q_net_target.noisy_layers, strict=True):
        assert th.equal(ours.weight, theirs.weight)
        assert not th.equal(ours.generator.get_state(), theirs.generator.get_state())


def test_noise_of_acting_and_updating() -> None:
    """Every step of a training has new noise in the online network, and every update in both networks."""
    model = make()
    drawn: list[str] = []
    for name, net in (("online", model.q_net), ("target", model.q_net_target)):
        layer: Any = net.noisy_layers[0]
        layer.draw = lambda name=name, draw=layer.draw: (drawn.append(name), draw())
    model.learn(7)
    # The first five steps only fill the buffer.
    assert drawn == ["online", "online", "target"] * 2


def test_the_hand_written_passes_are_not_used() -> None:
    """What knows no noise is used for networks without noise only."""
    for noisy, used in ((True, False), (False, True)):
        model: Any = make(noisy=noisy)
        assert (model._updater._fast.get() is not None) == used
        assert (model._chooser._actor._fast.get() is not None) == used


@pytest.mark.parametrize("sigma", [0.0, -1.0])
def test_a_scale_must_be_positive(sigma: float) -> None:
    """A scale of 0 or below raises an error."""
    with pytest.raises(ValueError, match="noisy_sigma must be above 0, not"):
        make(noisy_sigma=sigma)
