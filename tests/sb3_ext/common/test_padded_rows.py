"""Row networks with padding: rows of zeros do not matter, wherever and however many they are."""

import pytest
import torch as th
from gymnasium import spaces

from sb3_ext.common.padded_rows import PaddedRowNetwork, row_network
from sb3_ext.common.rows import RowNetwork
from sb3_ext.maskable_dqn.row_policy import RowPolicy as DQNRowPolicy
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.maskable_ppo.row_policy import RowPolicy


@pytest.mark.parametrize("attention", [0, 8])
def test_padding_does_not_matter(attention: int) -> None:
    """The latents of rows, and that of the value, are the same with and without further rows of zeros."""
    th.manual_seed(0)
    short = PaddedRowNetwork((4, 5), [16, 16], attention=attention)
    long = PaddedRowNetwork((7, 5), [16, 16], attention=attention)
    long.load_state_dict(short.state_dict())
    rows = th.rand(6, 4, 5)
    padded = th.zeros(6, 7, 5)
    padded[:, [0, 2, 5, 6]] = rows
    latent, value = short(rows.flatten(1))
    padded_latent, padded_value = long(padded.flatten(1))
    assert th.allclose(value, padded_value, atol=1e-6)
    assert th.allclose(latent.reshape(6, 4, -1), padded_latent.reshape(6, 7, -1)[:, [0, 2, 5, 6]], atol=1e-6)
    assert not padded_latent.reshape(6, 7, -1)[:, [1, 3, 4]].any()


def test_without_padding_it_is_the_row_network() -> None:
    """Where no row is zero, both networks give the same from the same weights."""
    th.manual_seed(1)
    plain, padded = RowNetwork((4, 5), [16, 16]), PaddedRowNetwork((4, 5), [16, 16])
    padded.load_state_dict(plain.state_dict())
    rows = th.rand(3, 20)
    for own, other in zip(plain(rows), padded(rows), strict=True):
        assert th.allclose(own, other, atol=1e-6)


def test_a_policy_keeps_its_padding(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A saved and loaded policy is padded as it was; attention needs padding."""
    policy = RowPolicy(
        spaces.Box(0, 1, (4, 5)), spaces.Discrete(4), lambda _: 1e-3, net_arch=[8], padded=True, attention=4
    )
    policy.save(tmp_path / "policy.pth")
    again = RowPolicy.load(tmp_path / "policy.pth", device="cpu")
    assert isinstance(again.mlp_extractor, PaddedRowNetwork)
    assert again.mlp_extractor.attention == 4
    with pytest.raises(ValueError, match="only with padded=True"):
        row_network((4, 5), [8], th.nn.ReLU, False, 4)
    assert MaskablePPO.policy_aliases["RowPolicy"] is RowPolicy


def test_q_networks_are_padded_too() -> None:
    """Values of actions are the same with further rows of zeros, and a copied policy is padded as well."""
    th.manual_seed(2)
    box, actions = spaces.Box(0, 1, (5, 6)), spaces.Discrete(5)
    policy = DQNRowPolicy(box, actions, lambda _: 1e-3, net_arch=[8, 8], padded=True)
    rows = th.rand(3, 5, 6)
    rows[:, 2] = 0
    moved = rows[:, [2, 0, 1, 3, 4]]
    values = policy.q_net(rows)
    assert th.allclose(values[:, [2, 0, 1, 3, 4]], policy.q_net(moved), atol=1e-6)
    plain = DQNRowPolicy(box, actions, lambda _: 1e-3, net_arch=[8, 8])
    plain.load_state_dict(policy.state_dict())
    assert not th.allclose(values, plain.q_net(rows), atol=1e-6)
    assert policy._get_constructor_parameters()["padded"] is True
