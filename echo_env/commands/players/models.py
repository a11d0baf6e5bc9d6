"""Trained models and packaged agents as policies of a lab."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from echo_env import ENV_IDS
from echo_env.commands.players import plugins
from echo_env.commands.players.agent_list import LIST, ListedAgent, read_list
from echo_env.commands.players.model_files import digest_of, packed_files, unpacked
from echo_env.commands.players.trained_lab import differences, listed, training_note
from echo_env.common.parallel import SentOnce
from echo_env.lab import Lab, load_lab
from echo_env.lab.decisions.observation import default_observation
from echo_env.lab.evaluation.guard import better_rule
from echo_env.lab.policies.agent import AgentPolicy, StartAgentPolicy, decides_on_starts
from echo_env.lab.policies.following import FollowingAgent
from echo_env.lab.policies.padded import fitted
from echo_env.lab.policies.rule_action import tiered_rule
from echo_env.lab.simulation.policy import TieredPolicy

MODEL_KWARGS = ("observation", "idling", "reservations")
"""Env arguments that decide what a model observes and which actions it may choose. The clock does not: a model is
asked in every minute in which there is a choice, and where there is none all clocks agree."""

AGENT = "agent"
"""In place of a policy's name: the trained agent that ships for the lab. ``agent_NAME`` is a further one."""


def configs_folder() -> Path:
    """The folder of hyperparameters and agents, in a clone as in an installed wheel.

    :raises ModuleNotFoundError: the package ``zoo_configs`` is not there
    """
    return Path(str(files("zoo_configs")))


AGENTS = configs_folder() / "agents"
"""The folder of the trained agents that ship."""


def load_from(module: str, trust: bool, algo: str, path: str) -> Any:
    """Load a trained model, to act on one thread.

    :param module: the plug-in that loads it
    :param trust: open it even if it is a pickle, which can run code of whoever made it
    :param algo: name of its algorithm in the zoo
    :param path: its file, or the folder of its run
    :raises ValueError: unknown algorithm, no such file, or a pickle that is not trusted
    """
    models = import_module(module)
    # Batches are small: more threads only get into each other's way.
    import_module("torch").set_num_threads(1)
    return models.load_predictor(algo, path, trust=trust or is_listed(module, path))


def is_listed(module: str, path: str) -> bool:
    """Whether ``agents.yml`` of this package lists the SHA-256 of a model's files, and so trusts it.

    :param module: the plug-in that knows the files
    :param path: a file, or the folder of a run
    """
    try:
        return digest_of(module, path) in {agent.sha256 for agent in read_list(AGENTS).values()}
    except ValueError:
        # There is no such file: loading it says so, or that there is no such algorithm.
        return False


class ModelLoader:
    """(algorithm, path) -> model.

    It can be sent to workers, which know no plug-ins of their own and may have no disk in common: the files of the
    models that it has loaded go along.

    :param module: the plug-in that loads them
    :param trust: see :func:`load_from`
    :param sent: path -> files that came along
    """

    def __init__(self, module: str, trust: bool, sent: Mapping[str, SentOnce] | None = None) -> None:
        self._module, self._trust, self._sent = module, trust, dict(sent or {})

    def __call__(self, algo: str, path: str) -> Any:
        """See :func:`load_from`."""
        if path in self._sent:
            with unpacked(self._sent[path]) as own:
                return load_from(self._module, self._trust, algo, own)
        model = load_from(self._module, self._trust, algo, path)
        self._sent[path] = packed_files(self._module, path)
        return model

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelLoader, (self._module, self._trust, self._sent)


def loader(trust: bool = False) -> ModelLoader:
    """What loads models for policies.

    :param trust: see :func:`load_from`
    """
    return ModelLoader(plugins.module_name("models"), trust)


def trained_policy(
    algo: str, path: str, config: Lab, env_kwargs: Mapping[str, Any], trust: bool = False, margin: float = 0.0
) -> TrainedPolicy:
    """A trained model as a policy: its action space says whether it decides on joint actions or on single starts.

    Other parameters and errors as for :class:`TrainedPolicy`.

    :param margin: of a model of single starts: it follows the lab's better rule, and departs from it only beyond this
        margin, see :meth:`~echo_env.lab.policies.following.FollowingAgent.follow`; 0 for a model that decides alone
    """
    model = fitted(load_from(plugins.module_name("models"), trust, algo, path), config)
    reservations = {**env_kwargs, **_env_spec(model).get("kwargs", {})}.get("reservations", ())
    if margin:
        following = TrainedFollowingPolicy(algo, path, config, env_kwargs, trust=trust, model=model)
        following.follow(tiered_rule(config, better_rule(config), "rule"), margin)
        return following
    made = TrainedStartPolicy if decides_on_starts(model, config, reservations) else TrainedPolicy
    return made(algo, path, config, env_kwargs, trust=trust, model=model)


def _env_spec(model: Any) -> Mapping[str, Any]:
    """``id`` and ``kwargs`` of the env that a model was trained in, as a model of our zoo says them."""
    spec: Mapping[str, Any] = getattr(model, "env_spec", {})
    return spec


class TrainedPolicy(AgentPolicy):
    """A trained model of joint actions. Its files go to workers with it, and the attributes of :attr:`_told`.

    :param algo: name of its algorithm in the zoo; tables call it by this
    :param path: its file, or the folder of its run
    :param config: the lab it works in
    :param env_kwargs: what the env of the model was made with, if the model does not say
    :param module: the plug-in that loads it, by default the installed one
    :param trust: open it even if it is a pickle, which can run code of whoever made it
    :param model: the model, if it has been loaded
    :raises ValueError: unknown algorithm, no such file, a pickle that is not trusted, or a model that does not fit the
        lab
    """

    _told: tuple[str, ...] = ("name", "note")

    def __init__(
        self,
        algo: str,
        path: str,
        config: Lab,
        env_kwargs: Mapping[str, Any],
        module: str | None = None,
        trust: bool = False,
        model: Any = None,
    ) -> None:
        module = module or plugins.module_name("models")
        if model is None:
            model = fitted(load_from(module, trust, algo, path), config)
        env_spec = _env_spec(model)
        trained_with = {"observation": default_observation(config), **env_kwargs, **env_spec.get("kwargs", {})}
        kept = {key: trained_with[key] for key in MODEL_KWARGS if trained_with.get(key) is not None}
        super().__init__(algo, model, config, **kept)
        self._origin = algo, path, config, env_kwargs, module, trust
        self.note = training_note(f"{algo}={path}", env_spec, config)
        """What differs from the lab of the training, one sentence; empty if nothing does, or it is not known."""
        # Results of a sweep are kept for this very model, not for whatever is trained to the same path later.
        self.fingerprint = f"{algo} {kept} {digest_of(module, path)}"
        self._files = packed_files(module, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._files, self._origin), {name: getattr(self, name) for name in self._told}


def _unpickled(made: type[TrainedPolicy], files: SentOnce, origin: tuple[Any, ...]) -> TrainedPolicy:
    """The policy that was pickled, where its file may not be."""
    algo, _, *others = origin
    with unpacked(files) as path:
        policy = made(algo, path, *others)
    policy._origin = origin
    return policy


class TrainedStartPolicy(TrainedPolicy, StartAgentPolicy):
    """The same of single starts, in any lab."""


class TrainedFollowingPolicy(TrainedPolicy, FollowingAgent):
    """The same of single starts that follows a rule where it is not sure."""

    _told = (*TrainedPolicy._told, "_rule", "_margin", "fingerprint")

    def follow(self, rule: TieredPolicy, margin: float) -> None:
        """See :class:`~echo_env.lab.policies.following.FollowingAgent`; results of a sweep are kept for these too."""
        super().follow(rule, margin)
        self.fingerprint = f"{self.fingerprint} {rule.name} within {margin:g}"


def checked_file(agent: ListedAgent) -> str:
    """The path of an agent that ships.

    :param agent: its entry in the list
    :raises ValueError: the file is not the one that is listed
    """
    path = str(AGENTS / agent.file)
    if digest_of(plugins.module_name("models"), path) != agent.sha256:
        raise ValueError(f"{path} is not the file whose sha256 {AGENTS / LIST} has; install the package again")
    return path


def is_agent(policy: str) -> bool:
    """Whether a policy's name stands for a trained agent that ships.

    :param policy: as typed
    """
    return policy == AGENT or policy.startswith(f"{AGENT}_")


def find_agent(asked: str, config: Lab, env_kwargs: Mapping[str, Any]) -> TrainedPolicy:
    """The trained agent that ships for a lab.

    :param asked: ``agent`` or ``agent_NAME``
    :param config: the lab; all its fields count but the name
    :param env_kwargs: see :class:`TrainedPolicy`
    :raises ValueError: there is none; names what differs from the labs that have one; or its file has been changed
    """
    kept = {tuple(key.partition("/")[::2]): agent for key, agent in read_list(AGENTS).items()}
    known = sorted({"_".join([AGENT, name]) if name else AGENT for _, name in kept})
    if known and asked not in known:
        raise ValueError(f"--policies has {asked!r}, but the agents that are kept are {', '.join(known)}")
    wanted = asked.removeprefix(AGENT).removeprefix("_")
    listed_agents = {env: agent for (env, name), agent in kept.items() if name == wanted and env in ENV_IDS}
    labs = {env: load_lab(ENV_IDS[env]) for env in listed_agents}
    other = {env: differences(lab, config) for env, lab in labs.items()}
    # The lab it differs from least has its agent, if there is no difference at all.
    nearest = min(other, key=lambda env: len(other[env]), default=None)
    if nearest is None:
        raise ValueError(
            f"--policies has {asked!r}, but no agent is kept for the lab {config.name!r}, for none so far; "
            "benchmarks/export_agent.py keeps one"
        )
    agent = listed_agents[nearest]
    path = str(AGENTS / agent.file)
    if other[nearest]:
        names = ", ".join(lab.name for lab in labs.values())
        raise ValueError(
            f"--policies has {asked!r}, but no agent is kept for the lab {config.name!r}, only for {names}; the agent "
            f"of {labs[nearest].name}, {agent.algo}={path}, was trained on another lab: {listed(other[nearest])}"
        )
    policy = trained_policy(agent.algo, checked_file(agent), config, env_kwargs)
    policy.name = asked
    return policy
