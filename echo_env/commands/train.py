"""
Train an agent the way rl_zoo3 does, with action masks. In a clone, python train.py is the same as echo-lab train.

``echo-lab train``
    The quick start: trains on the scarce lab with a progress bar, compares the agent with the rules on common days,
    and says where TensorBoard finds the learning curves, with the rules as level lines.

``echo-lab train --algo maskable_dqn --env EchoLab-v0 --tensorboard-log runs -P``
    Training with every flag of rl_zoo3's ``train`` (``--help`` lists them), hyperparameters from zoo_configs/.
    Results go to logs/<algo>/<env id>_<number>/.

``echo-lab train --resume logs/maskable_dqn/EchoLab-v0_1/rl_model_50000_steps.zip``
    Go on with an interrupted run from one of its checkpoints, as if it had not been interrupted.

``echo-lab train --paper-protocol``
    The paper's own training (appendix A.4) in full, 30,000 days. Other flags may follow. With a name after it, a
    variant: ``authors_code`` with the network of the authors' published code, ``short`` with all numbers of days
    divided by thirty.

``echo-lab train --algo maskable_ppo --env-kwargs config:mri_unit``
    Training in any lab, a preset or a YAML file: where its exam types are not fetal and non-fetal, on a row of
    features for each class of patients (zoo_configs/<algo>_rows.yml).

``echo-lab train --import mine.py ...``
    Import modules or .py files of your own first, for their policies and environments.

``echo-lab train enjoy --algo maskable_dqn --env EchoLab-v0 --load-best``
``echo-lab train record_video --algo maskable_dqn --env EchoLab-v0 --load-best``
    Watch the latest agent (the penalty of every day is printed), or write a video of one day from opening on, which
    names it, to logs/<algo>/<env id>_<number>/videos/. See echo-lab animate for rules, and for two side by side.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from echo_env import ANY_ID, ENV_IDS, PATHWAYS_ID, PLAN_ID
from echo_env.commands.common.interrupts import INTERRUPTED
from echo_env.commands.players import plugins
from echo_env.commands.players.generalist import with_shipped_file
from echo_env.commands.players.models import configs_folder
from echo_env.common.extras import missing
from echo_env.common.tables import make_output_encodable
from echo_env.lab import ConfigError, load_lab

PAPER_PROTOCOL = "--paper-protocol"
# Its hyperparameters, and with a name appended those of a variant.
PROTOCOL = "paper_protocol"
IMPORT = "--import"
DEFAULT_ALGO = "maskable_dqn"
# Hyperparameters for labs whose exam types are not fetal and non-fetal.
ROWS_SUFFIX = "_rows.yml"
DEFAULT_ENV = "EchoLab-v0"
QUICK_START_ENV = "EchoLabScarce-v0"
QUICK_START_SEED = 1
COMPILED = find_spec("numba") is not None
# Of an evaluation, in every training in a lab and for the rules' level lines: with other days for each, a rule would
# differ from itself by more than a training gains. Enough for the best model of a run not to be the one with the
# luckiest days: differences to a rule in the scarce lab have a 95 % half-width of about 30 points. Without the compiled
# engine a day takes 10 to 25 ms, with it about 1.
EVALUATION_DAYS = 500 if COMPILED else 100
# Of an evaluation elsewhere, where no rule is drawn.
EVALUATION_EPISODES = 100
# The rule that evaluations compare with: the paper's best one.
REFERENCE = "policy_2"
RULES_DRAWN = ("policy_1", "policy_2", "fetal_first", "random")
# Days of the comparison, with a seed apart from those of training and of evaluation during it.
COMPARISON_DAYS, COMPARISON_SEED = 2000, 2_000_003


def main(tokens: Sequence[str], program: str = "echo-lab train") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 where the command asks for something that cannot be; 130 after Ctrl-C
    """
    make_output_encodable()
    try:
        return _main(tokens, program)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _main(tokens: Sequence[str], program: str) -> int:
    own, rest = _own_modules(tokens)
    try:
        plugins.import_own(own)
    except ValueError as error:
        return _refused(program, error)
    try:
        usage_error = plugins.plugin("training").UsageError
    except ModuleNotFoundError as error:
        return _refused(program, missing(error))
    except ImportError as error:
        # How to install rl_zoo3, in the plug-in's own words.
        if "echo-lab-rl[" not in str(error):
            raise
        return _refused(program, error)
    try:
        if rest:
            run(rest)
        else:
            quick_start()
    except usage_error as error:
        return _refused(program, error)
    return 0


def _refused(program: str, why: object) -> int:
    print(f"{program}: {why}", file=sys.stderr)
    return 2


def _own_modules(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values of ``--import``, and the other tokens."""
    own: list[str] = []
    rest: list[str] = []
    taking = False
    for token in tokens:
        name, equals, value = token.partition("=")
        if name == IMPORT:
            own += [value] if equals else []
            taking = True
        elif taking and not token.startswith("-"):
            own.append(token)
        else:
            rest.append(token)
            taking = False
    return own, rest


def run(arguments: Sequence[str]) -> Path | None:
    """Train, or play where the first argument says so.

    :param arguments: the command line without the program's name
    :return: the folder of the run, if there is one
    """
    training, arguments = plugins.plugin("training"), with_shipped_file(arguments)
    env_id = _env_of(arguments)
    defaults = training.ZooDefaults(
        algo=DEFAULT_ALGO,
        env=DEFAULT_ENV,
        config_folder=configs_folder(),
        gym_packages=("echo_env",),
        eval_episodes=EVALUATION_DAYS if env_id in ENV_IDS else EVALUATION_EPISODES,
        held_out_episodes=1000,
        find_reference=find_reference,
        draw_levels=draw_rules,
        # What is compiled plays to the bit what single environments play.
        native_evaluation=COMPILED and env_id in (*ENV_IDS, ANY_ID, PLAN_ID, PATHWAYS_ID),
        score="penalty",
        elapsed="elapsed_min",
        epilog=__doc__,
    )
    if arguments[0] in training.COMMANDS:
        training.play(arguments[0], [*_as_shown(arguments[0], env_id), *arguments[1:]], defaults)
        return None
    folder: Path | None = training.train(_with_lab_defaults(_with_paper_protocol(arguments)), defaults)
    return folder


def _env_of(arguments: Sequence[str]) -> str:
    return _option(arguments, "--env", DEFAULT_ENV)


def _with_lab_defaults(arguments: Sequence[str]) -> list[str]:
    """Add what suits the lab better than rl_zoo3's defaults.

    Evaluations are on minus the penalty itself, whatever reward is trained on, and the engine is the compiled one
    where the algorithm needs no wrapper around single environments.
    """
    flags = [argument.partition("=")[0] for argument in arguments]
    given = list(arguments)
    if "--resume" in flags:
        # All options are those of the run.
        return given
    env_id = _env_of(arguments)
    if env_id not in (*ENV_IDS, ANY_ID, PLAN_ID, PATHWAYS_ID):
        return given
    if env_id in ENV_IDS and not {"--conf-file", "-conf"} & set(flags):
        given += _conf_file_of_any_lab(arguments)
    if env_id in (*ENV_IDS, PLAN_ID) and "--eval-env-kwargs" not in flags:
        given += ["--eval-env-kwargs", "reward:penalty"]
    if env_id == ANY_ID and "--eval-env-kwargs" not in flags:
        given += ["--eval-env-kwargs", "stream:validation"]
    maskable = _option(arguments, "--algo", DEFAULT_ALGO) in plugins.plugin("training").MASKABLE
    # Single environments are cut off by a wrapper of Gymnasium's.
    limited = any(argument.startswith("max_episode_steps:") for argument in arguments)
    if maskable and COMPILED and not limited and "--vec-env" not in flags:
        given += ["--vec-env", "native"]
    return given


def _conf_file_of_any_lab(arguments: Sequence[str]) -> list[str]:
    """The hyperparameters for labs of any exam types, if the lab that ``--env-kwargs`` names is such a one."""
    sources = [own.partition(":")[2].strip("'\"") for own in _values(arguments, "--env-kwargs", "config:")]
    path = configs_folder() / f"{_option(arguments, '--algo', DEFAULT_ALGO)}{ROWS_SUFFIX}"
    if not sources or not path.exists():
        return []
    try:
        nested_pair = load_lab(sources[-1]).plan.nested_pair
    except ConfigError:
        # Making the environment says it.
        return []
    return [] if nested_pair else ["--conf-file", str(path)]


def _values(arguments: Sequence[str], flag: str, prefix: str) -> list[str]:
    """The values of an option that takes several, those with a prefix."""
    found: list[str] = []
    taking = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if argument.startswith("-"):
            taking = name == flag
            found += [value] if taking and equals else []
        elif taking:
            found.append(argument)
    return [value for value in found if value.startswith(prefix)]


def _option(arguments: Sequence[str], flag: str, default: str) -> str:
    """The value of an option as ``--flag value`` or ``--flag=value``."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == flag:
            return following
        if argument.startswith(flag + "="):
            return argument.partition("=")[2]
    return default


def _with_paper_protocol(arguments: Sequence[str]) -> list[str]:
    """The command line with what ``--paper-protocol``, alone or with the name of a variant, stands for."""
    rest: list[str] = []
    variant: str | None = None
    for argument, before in zip(arguments, ["", *arguments], strict=False):
        name, _, value = argument.partition("=")
        if name == PAPER_PROTOCOL:
            variant = value
        elif before == PAPER_PROTOCOL and not argument.startswith("-"):
            variant = argument
        else:
            rest.append(argument)
    if variant is None:
        return rest
    usage_error = plugins.plugin("training").UsageError
    if any(argument.startswith("--algo") for argument in rest):
        raise usage_error(f"{PAPER_PROTOCOL} trains maskable_dqn: leave --algo out.")
    known = {path.stem.removeprefix(PROTOCOL).lstrip("_"): path for path in configs_folder().glob(f"{PROTOCOL}*.yml")}
    if variant not in known:
        variants = ", ".join(sorted(name for name in known if name))
        raise usage_error(f"{PAPER_PROTOCOL} {variant} is not known: it must be one of {variants}, or stand alone.")
    return ["--algo", "maskable_dqn", "--conf-file", str(known[variant]), *rest]


def _as_shown(command: str, env_id: str) -> list[str]:
    """How a lab is played to be watched: a video goes minute by minute from opening on, at equal speed.

    ``--env-kwargs`` on the command line are taken in place of these.

    :param command: ``enjoy`` or ``record_video``
    :param env_id: id of an environment
    """
    return ["--env-kwargs", "clock:'minute'"] if command == "record_video" and env_id in ENV_IDS else []


def find_reference(env_id: str, env_kwargs: Mapping[str, Any]) -> Any:
    """The reference policy of evaluations during training: a rule in a lab, the auction in patient pathways.

    :param env_id: id of an environment
    :param env_kwargs: its arguments in evaluations
    :return: the plug-in's ``Reference``; None in other environments, and where the reward is not minus the penalty
    """
    reference = plugins.plugin("training").Reference
    if env_id == PATHWAYS_ID:
        from echo_env.pathways.evaluation.references import AUCTION, auction_utilities

        return reference(AUCTION, partial(auction_utilities, env_kwargs))
    from echo_env.lab.evaluation.references import rule_rewards

    # The rule plays whole days.
    if env_id not in ENV_IDS or env_kwargs.get("reward", "penalty") != "penalty" or "max_episode_steps" in env_kwargs:
        return None
    config = load_lab(env_kwargs.get("config", ENV_IDS[env_id]))
    return reference(REFERENCE, partial(rule_rewards, config, REFERENCE), cost="penalty")


def draw_rules(
    folder: Path,
    env_id: str,
    env_kwargs: Mapping[str, Any],
    seeds: Sequence[int],
    episodes: Sequence[int],
    n_timesteps: int,
) -> None:
    """Put the rules into TensorBoard, as level lines beside an agent's evaluations, on the same days.

    Nothing is drawn where evaluations are not compared with a rule, see :func:`find_reference`. Lines on another number
    of days than usual are named by it. Those that an earlier training has drawn are not drawn again.

    :param folder: folder of the runs
    :param env_id: id of an environment
    :param env_kwargs: its arguments in evaluations
    :param seeds: seed of each environment
    :param episodes: episodes of each
    :param n_timesteps: where the lines end
    """
    from echo_env.lab.evaluation.references import rule_rewards
    from echo_env.lab.policies.base import policies_of_any_lab

    reference = find_reference(env_id, env_kwargs) if env_id in ENV_IDS else None
    if reference is None:
        return
    training, tensorboard = plugins.plugin("training"), plugins.plugin("tensorboard")
    config, days = load_lab(env_kwargs.get("config", ENV_IDS[env_id])), sum(episodes)
    any_lab = policies_of_any_lab()
    known = [name for name in RULES_DRAWN if config.plan.nested_pair or name in any_lab]
    rewards = {name: rule_rewards(config, name, seeds, episodes) for name in known}
    # One each, and the first ones: those of a training with no other number.
    usual = days == EVALUATION_DAYS and sorted(seeds) == list(range(min(seeds), min(seeds) + days))
    levels = {}
    for name, own in rewards.items():
        differences = training.differences(reference, own, rewards[REFERENCE])
        named = {"mean_reward": own.mean(), **dict(differences)}
        levels[name if usual else f"{name}_{days}_days"] = {f"eval/{tag}": level for tag, level in named.items()}
    tensorboard.write_levels(folder, levels, n_timesteps)


def quick_start() -> None:
    """Train on the scarce lab, compare with the rules, say where the curves are."""
    from echo_env.commands import evaluate

    folder = run(
        [
            *("--algo", "maskable_dqn", "--env", QUICK_START_ENV, "--seed", str(QUICK_START_SEED)),
            *("-P", "--verbose", "0", "--num-threads", "1", "--tensorboard-log", "runs"),
            *("--eval-freq", "40000"),
        ]
    )
    assert folder is not None  # training, not a search
    policies = ["policy_2", "policy_1", "fetal_first", "random", f"maskable_dqn={folder}"]
    days = ["--days", str(COMPARISON_DAYS), "--seed", str(COMPARISON_SEED)]
    evaluate.main(["--env", QUICK_START_ENV, "--policies", *policies, *days])
    print(f"\nThe agent is in {folder}. Its learning curves: tensorboard --logdir runs")
