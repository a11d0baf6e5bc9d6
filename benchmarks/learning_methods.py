"""What learning.py compares: labs, rules, and ways of training. Each way is a call of train.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Lab(NamedTuple):
    """A lab that is trained in.

    :param env_id: its environment
    :param config: YAML of a variant, from the repository's root; empty for the environment's own
    """

    env_id: str
    config: str = ""


LABS = {
    "scarce": Lab("EchoLabScarce-v0"),
    "baseline": Lab("EchoLab-v0"),
    "abundant": Lab("EchoLabAbundant-v0"),
    "scarce_while_waiting": Lab("EchoLabScarce-v0", "benchmarks/labs/scarce_while_waiting.yaml"),
    "baseline_while_waiting": Lab("EchoLab-v0", "benchmarks/labs/baseline_while_waiting.yaml"),
}

DAYS = 10_000
"""Held-out days that trained agents are evaluated on."""

RULES = {
    "policy_2": DAYS,
    "policy_1": DAYS,
    "policy_3": DAYS,
    "policy_4": DAYS,
    "fetal_first": DAYS,
    "random": DAYS,
    "rollout": 1000,
}
"""Rule -> days it is played for. Rollout simulates hundreds of days for each that it decides."""


class Method(NamedTuple):
    """A way of training.

    :param algo: algorithm
    :param params: hyperparameters other than the tuned ones, as ``-params`` takes them
    :param env_kwargs: arguments of the environment other than the tuned ones, as ``--env-kwargs`` takes them
    :param conf_file: hyperparameters in place of ``zoo_configs/<algo>.yml``, from the repository's root
    :param steps: environment steps in place of those of the hyperparameters
    """

    algo: str
    params: tuple[str, ...] = ()
    env_kwargs: tuple[str, ...] = ()
    conf_file: str = ""
    steps: int = 0


COMPARISON = {
    "maskable_ppo": Method("maskable_ppo"),
    "maskable_dqn": Method("maskable_dqn"),
    "maskable_dqn, uniform replay": Method("maskable_dqn", ("prioritized_replay:False",)),
    "lookahead_dqn": Method("lookahead_dqn"),
    "ppo, as it comes": Method("ppo", conf_file="zoo_configs/as_it_comes.yml"),
    "dqn, as it comes": Method("dqn", conf_file="zoo_configs/as_it_comes.yml"),
}
"""The tuned algorithms, and SB3's own with its defaults on the paper's environment, as who knows neither masks nor
anything about the lab would call them."""

PAPER = {"paper's protocol, 1,000 days": Method("maskable_dqn", conf_file="zoo_configs/paper_protocol_short.yml")}
"""Appendix A.4 with every number of days divided by thirty."""

_FACTORED = "policy_kwargs:dict(net_arch=[128,128],factors=[27,27])"
_DUELING = "policy_kwargs:dict(net_arch=[128,128],dueling=True)"
_CLONING = "{'sb3_ext.callbacks.BehaviourCloning': {'rule': 'fetal_first', 'ent_coef': 0.01, 'vf_coef': 0.5}}"

ABLATIONS = {
    "maskable_dqn": Method("maskable_dqn"),
    "maskable_dqn: reward not paired": Method("maskable_dqn", env_kwargs=("reward:penalty",)),
    "maskable_dqn: paired with policy_2": Method("maskable_dqn", env_kwargs=("paired_with:policy_2",)),
    "maskable_dqn: idling": Method("maskable_dqn", env_kwargs=("idling:True",)),
    "maskable_dqn: idling, not paired": Method("maskable_dqn", env_kwargs=("idling:True", "reward:penalty")),
    "maskable_dqn: uniform replay": Method("maskable_dqn", ("prioritized_replay:False",)),
    "maskable_dqn: 1-step returns": Method("maskable_dqn", ("n_steps:1",)),
    "maskable_dqn: 5-step returns": Method("maskable_dqn", ("n_steps:5",)),
    "maskable_dqn: gamma 0.99 a step": Method("maskable_dqn", ("gamma:0.99",)),
    "maskable_dqn: gamma 0.999 a minute": Method("maskable_dqn", ("gamma:0.999", "elapsed_key:'elapsed_min'")),
    "maskable_dqn: no double Q": Method("maskable_dqn", ("double_q:False",)),
    "maskable_dqn: reward scale 0.01": Method("maskable_dqn", ("reward_scale:0.01",)),
    "maskable_dqn: constant learning rate": Method("maskable_dqn", ("learning_rate:0.001",)),
    "maskable_dqn: target smoothed": Method("maskable_dqn", ("tau:0.03", "target_update_interval:256")),
    "maskable_dqn: dueling head": Method("maskable_dqn", (_DUELING,)),
    "maskable_dqn: factored head": Method("maskable_dqn", (_FACTORED,)),
    "maskable_dqn: demonstrations": Method(
        "maskable_dqn", ("demonstrator:'fetal_first'", "exploration_initial_eps:0.2")
    ),
    "maskable_dqn: rich observation": Method("maskable_dqn", env_kwargs=("observation:rich",)),
    "maskable_ppo": Method("maskable_ppo"),
    "maskable_ppo: reward not paired": Method("maskable_ppo", env_kwargs=("reward:penalty",)),
    "maskable_ppo: paired with policy_2": Method("maskable_ppo", env_kwargs=("paired_with:policy_2",)),
    "maskable_ppo: idling": Method("maskable_ppo", env_kwargs=("idling:True",)),
    "maskable_ppo: idling, not paired": Method("maskable_ppo", env_kwargs=("idling:True", "reward:penalty")),
    "maskable_ppo: gamma 0.99 a step": Method("maskable_ppo", ("gamma:0.99",)),
    "maskable_ppo: behaviour cloning": Method("maskable_ppo", (f"callback:[{_CLONING}]",)),
    "maskable_ppo: rich observation": Method("maskable_ppo", env_kwargs=("observation:rich",)),
    "lookahead_dqn": Method("lookahead_dqn"),
    "lookahead_dqn: continued by the rule only": Method("lookahead_dqn", ("base_steps:1000000000",)),
    "lookahead_dqn: flat head": Method("lookahead_dqn", ("policy_kwargs:dict(net_arch=[128,128])",)),
    "lookahead_dqn: rich observation": Method("lookahead_dqn", env_kwargs=("observation:rich",)),
}
"""One thing changed at a time."""

TABLES: dict[str, Mapping[str, Method | int]] = {
    "rules": RULES,
    "comparison": COMPARISON,
    "paper": PAPER,
    "ablations": ABLATIONS,
}
"""Table -> row -> the way of training, or for how many days a rule is played."""
