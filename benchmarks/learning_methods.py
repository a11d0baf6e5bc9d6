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
    "mri_unit": Lab("EchoLab-v0", "mri_unit"),
    "walk_in_clinic": Lab("EchoLab-v0", "walk_in_clinic"),
}

DAYS = 10_000
"""Held-out days that trained agents are evaluated on."""

RULES = {
    "policy_2": DAYS,
    "policy_1": DAYS,
    "policy_3": DAYS,
    "policy_4": DAYS,
    "scarce_first": DAYS,
    "random": DAYS,
    "agent": DAYS,
    "agent_joint": DAYS,
    "rollout": 1000,
}
"""Rule or shipped agent -> days it is played for. Policies 3 and 4, and agents, are for the paper's labs only. Rollout
simulates hundreds of days for each that it decides."""


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
    "maskable_ppo, joint actions": Method("maskable_ppo", conf_file="zoo_configs/maskable_ppo_joint.yml"),
    "maskable_dqn, joint actions": Method("maskable_dqn", conf_file="zoo_configs/maskable_dqn_joint.yml"),
    "lookahead_dqn": Method("lookahead_dqn"),
    "ppo, as it comes": Method("ppo", conf_file="zoo_configs/as_it_comes.yml"),
    "dqn, as it comes": Method("dqn", conf_file="zoo_configs/as_it_comes.yml"),
}
"""The tuned algorithms, which choose single starts; the same on the paper's 729 actions; and SB3's own with its
defaults on the paper's environment, as who knows neither masks nor anything about the lab would call them."""

ROWS = {
    "maskable_ppo, rows": Method("maskable_ppo", conf_file="zoo_configs/maskable_ppo_rows.yml", steps=300_000),
    "maskable_dqn, rows": Method("maskable_dqn", conf_file="zoo_configs/maskable_dqn_rows.yml", steps=150_000),
}
"""Networks with shared weights for all exam types, for any lab; in short trainings."""

_RESERVE = ("lookahead_dqn", "maskable_ppo", "maskable_dqn")
RESERVATIONS = {
    f"{algo}, {what}": Method(algo, env_kwargs=given, conf_file=f"zoo_configs/{algo}_reserve.yml")
    for algo in _RESERVE
    for what, given in (("reservations", ()), ("none, same observation", ("reservations:()",)))
}
"""Agents that may keep the last who can do a type, and the same without."""

PAPER = {"paper's protocol, 1,000 days": Method("maskable_dqn", conf_file="zoo_configs/paper_protocol_short.yml")}
"""Appendix A.4 with every number of days divided by thirty."""

_PLAIN = "policy_kwargs:dict(net_arch=[128,128])"
_ADDED = {
    "curriculum": "{'sb3_ext.callbacks.AbsenceRateCurriculum': "
    "{'start': 0.8, 'end': 0.1, 'hold': 4000, 'anneal': 4000}}",
    "epsilon reset": "{'sb3_ext.callbacks.EpsilonReset': {'episode': 8000}}",
    "behaviour cloning": "{'sb3_ext.callbacks.BehaviourCloning': "
    "{'rule': 'scarce_first', 'ent_coef': 0.01, 'vf_coef': 0.5}}",
}
"""Callbacks that the tuned trainings do without. A training in the scarce lab has some 16,000 days, 18 steps each."""


def _with(algo: str, name: str) -> Method:
    return Method(algo, (f"callback:[{_ADDED[name]}]",))


_CHANGES = {
    "maskable_dqn": {
        "nothing": Method("maskable_dqn"),
        "paired reward": Method("maskable_dqn", env_kwargs=("reward:paired",)),
        "paired reward, 20-step returns": Method(
            "maskable_dqn", ("n_steps:20", "reward_scale:0.001"), ("reward:paired",)
        ),
        "plain penalty": Method("maskable_dqn", ("n_steps:20", "reward_scale:0.001"), ("reward:penalty",)),
        "against policy_2": Method("maskable_dqn", env_kwargs=("paired_with:policy_2",)),
        "idling allowed": Method("maskable_dqn", env_kwargs=("idling:True",)),
        "uniform replay": Method("maskable_dqn", ("prioritized_replay:False",)),
        "no double Q": Method("maskable_dqn", ("double_q:False",)),
        "curriculum added": _with("maskable_dqn", "curriculum"),
        "epsilon reset added": _with("maskable_dqn", "epsilon reset"),
        "5-step returns": Method("maskable_dqn", ("n_steps:5",)),
        "gamma 0.99 a step": Method("maskable_dqn", ("gamma:0.99",)),
        "gamma 0.999 a minute": Method("maskable_dqn", ("gamma:0.999", "elapsed_key:'elapsed_min'")),
        "reward scale 0.001": Method("maskable_dqn", ("reward_scale:0.001",)),
        "constant learning rate": Method("maskable_dqn", ("learning_rate:0.001",)),
        "target smoothed": Method("maskable_dqn", ("tau:0.03", "target_update_interval:256")),
        "plain head": Method("maskable_dqn", (_PLAIN,)),
        "demonstrations": Method("maskable_dqn", ("demonstrator:'scarce_first'", "exploration_initial_eps:0.2")),
        "rich observation": Method("maskable_dqn", env_kwargs=("observation:rich",)),
    },
    "maskable_ppo": {
        "nothing": Method("maskable_ppo"),
        "paired reward": Method("maskable_ppo", env_kwargs=("reward:paired",)),
        "plain penalty": Method("maskable_ppo", env_kwargs=("reward:penalty",)),
        "against policy_2": Method("maskable_ppo", env_kwargs=("paired_with:policy_2",)),
        "idling allowed": Method("maskable_ppo", env_kwargs=("idling:True",)),
        "curriculum added": _with("maskable_ppo", "curriculum"),
        "gamma 0.99 a step": Method("maskable_ppo", ("gamma:0.99",)),
        "behaviour cloning": _with("maskable_ppo", "behaviour cloning"),
        "rich observation": Method("maskable_ppo", env_kwargs=("observation:rich",)),
    },
    "lookahead_dqn": {
        "nothing": Method("lookahead_dqn"),
        "continued by the rule only": Method("lookahead_dqn", ("base_steps:1000000000",)),
        "rich observation": Method("lookahead_dqn", env_kwargs=("observation:rich",)),
    },
}

ABLATIONS = {f"{algo}: {change}": method for algo, changes in _CHANGES.items() for change, method in changes.items()}
"""One thing changed at a time in the tuned trainings, on single starts."""

TABLES: dict[str, Mapping[str, Method | int]] = {
    "rules": RULES,
    "comparison": COMPARISON,
    "rows": ROWS,
    "reservations": RESERVATIONS,
    "paper": PAPER,
    "ablations": ABLATIONS,
}
"""Table -> row -> the way of training, or for how many days a rule is played."""
