"""
Train an agent the way rl_zoo3 does, with action masks.

``python train.py``
    The quick start: trains on the scarce lab with a progress bar, compares the agent with the rules on the
    same days, and says where TensorBoard finds the curves, the rules beside them.

``python train.py --algo maskable_dqn --env EchoLab-v0 --tensorboard-log runs -P``
    Training with every flag of rl_zoo3's ``train`` (``--help`` lists them), hyperparameters from zoo_configs/.
    Results go to logs/<algo>/<env id>_<number>/.

``python train.py --paper-protocol``
    The paper's own training (appendix A.4) in full, 30,000 days. Other flags may follow.

``python train.py enjoy --algo maskable_dqn --env EchoLab-v0 --load-best``
``python train.py record_video --algo maskable_dqn --env EchoLab-v0 --load-best -n 660``
    Watch the latest agent, or write a video of it to logs/<algo>/<env id>_<number>/videos/.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from sb3_ext.zoo.evaluation import Reference

CONFIGS = Path(__file__).resolve().parent / "zoo_configs"
PAPER_PROTOCOL = "--paper-protocol"
DEFAULT_ALGO = "maskable_dqn"
DEFAULT_ENV = "EchoLab-v0"
QUICK_START_ENV = "EchoLabScarce-v0"
QUICK_START_SEED = 1
# Enough for the best model of the run not to be the one with the luckiest days.
QUICK_START_EPISODES = 500
# The rule that evaluations compare with: the paper's best one.
REFERENCE = "policy_2"
RULES_DRAWN = ("policy_1", "policy_2", "fetal_first", "random")
# Days of the comparison, with a seed apart from those of training and of evaluation during it.
COMPARISON_DAYS, COMPARISON_SEED = 2000, 2_000_003


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run a command.

    :param argv: Command line without the program's name, by default the program's own
    :return: exit code: 0, or 2 where the command asks for something that cannot be
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        from sb3_ext.zoo import cli
    except ImportError as missing:
        if "echo-lab-rl[zoo]" not in str(missing):
            raise
        print(f"train.py: {missing}", file=sys.stderr)
        return 2
    try:
        if not arguments:
            quick_start()
        else:
            run(arguments)
    except cli.UsageError as error:
        return cli.report(error)
    return 0


def run(arguments: Sequence[str]) -> Path | None:
    """
    Train, or play where the first argument says so.

    :param arguments: Command line without the program's name
    :return: the folder of the run, if there is one
    """
    from sb3_ext.zoo import cli, play

    defaults = cli.ZooDefaults(
        algo=DEFAULT_ALGO,
        env=DEFAULT_ENV,
        config_folder=CONFIGS,
        gym_packages=("echo_env",),
        # Days differ by more than policies do. Differences to a rule on the same 100 days are known to 70 points in
        # the scarce lab, on 1000 to 25; the compiled lab plays them in a tenth of a second and in one.
        eval_episodes=100,
        held_out_episodes=1000,
        find_reference=find_reference,
        epilog=__doc__,
    )
    if arguments[0] in play.COMMANDS:
        play.play(arguments[0], arguments[1:], defaults)
        return None
    return cli.train(_with_lab_defaults(_with_paper_protocol(arguments)), defaults)


def _with_lab_defaults(arguments: Sequence[str]) -> list[str]:
    """
    What is better for the lab than rl_zoo3's defaults: evaluation on minus the penalty itself, whatever reward
    is trained on, and the compiled engine where the algorithm needs no wrapper around single environments.
    """
    from echo_env import ENV_IDS, PATHWAYS_ID
    from sb3_ext.zoo import MASKABLE

    flags = [argument.partition("=")[0] for argument in arguments]
    given = list(arguments)
    env_id = _option(arguments, "--env", DEFAULT_ENV)
    if env_id not in (*ENV_IDS, PATHWAYS_ID):
        return given
    if env_id in ENV_IDS and "--eval-env-kwargs" not in flags:
        given += ["--eval-env-kwargs", "reward:penalty"]
    compiled = _option(arguments, "--algo", DEFAULT_ALGO) in MASKABLE and find_spec("numba") is not None
    if compiled and "--vec-env" not in flags:
        given += ["--vec-env", "native"]
    return given


def _option(arguments: Sequence[str], flag: str, default: str) -> str:
    """The value of an option as ``--flag value`` or ``--flag=value``."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == flag:
            return following
        if argument.startswith(flag + "="):
            return argument.partition("=")[2]
    return default


def _with_paper_protocol(arguments: Sequence[str]) -> list[str]:
    from sb3_ext.zoo import UsageError

    rest = [argument for argument in arguments if argument != PAPER_PROTOCOL]
    if len(rest) == len(arguments):
        return rest
    if any(argument.startswith("--algo") for argument in rest):
        raise UsageError(f"{PAPER_PROTOCOL} trains maskable_dqn: leave --algo out.")
    return ["--algo", "maskable_dqn", "--conf-file", str(CONFIGS / "paper_protocol.yml"), *rest]


def find_reference(env_id: str, env_kwargs: Mapping[str, Any]) -> "Reference | None":
    """
    The rule that evaluations in a lab compare with; in patient pathways the auction.

    :param env_id: Id of an environment
    :param env_kwargs: Its arguments in evaluations
    :return: the rule, or ``None`` where there is neither, or the lab's reward is not minus the penalty
    """
    from echo_env import ENV_IDS, PATHWAYS_ID
    from echo_env.lab import LabConfig
    from sb3_ext.zoo.evaluation import Reference

    if env_id == PATHWAYS_ID:
        from echo_env.pathways.evaluation.references import AUCTION, auction_utilities

        return Reference(AUCTION, partial(auction_utilities, env_kwargs))
    from echo_env.lab.evaluation.references import rule_rewards

    if env_id not in ENV_IDS or env_kwargs.get("reward", "penalty") != "penalty":
        return None
    config = LabConfig.load(env_kwargs.get("config", ENV_IDS[env_id]))
    return Reference(REFERENCE, partial(rule_rewards, config, REFERENCE))


def draw_rules(log_folder: Path, env_id: str, episodes: int) -> None:
    """
    Put the rules into TensorBoard, as level lines beside the agent's evaluations, on the same days.

    :param log_folder: Folder that TensorBoard shows
    :param env_id: Id of a lab
    :param episodes: Episodes of an evaluation, each in an environment of its own
    """
    from echo_env import ENV_IDS
    from echo_env.lab import LabConfig
    from echo_env.lab.evaluation.references import rule_rewards
    from sb3_ext.zoo.evaluation import EVALUATION_SEED, differences
    from sb3_ext.zoo.tensorboard import Run, write_runs

    config = LabConfig.load(ENV_IDS[env_id])
    steps = yaml.safe_load((CONFIGS / "maskable_dqn.yml").read_text())[env_id]["n_timesteps"]
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + episodes)
    rewards = {name: rule_rewards(config, name, seeds, [1] * episodes) for name in RULES_DRAWN}
    runs = {}
    for name, own in rewards.items():
        levels = {"mean_reward": own.mean(), **dict(differences(REFERENCE, own, rewards[REFERENCE]))}
        runs[name] = Run({f"eval/{tag}": ((0, steps), (level, level)) for tag, level in levels.items()}, {})
    write_runs(log_folder / env_id, runs)


def quick_start() -> None:
    """Train on the scarce lab, compare with the rules, say where the curves are."""
    draw_rules(Path("runs"), QUICK_START_ENV, QUICK_START_EPISODES)
    folder = run(
        [
            *("--algo", "maskable_dqn", "--env", QUICK_START_ENV, "--seed", str(QUICK_START_SEED)),
            *("-P", "--verbose", "0", "--num-threads", "1", "--tensorboard-log", "runs"),
            *("--eval-freq", "40000", "--eval-episodes", str(QUICK_START_EPISODES)),
            *("--n-eval-envs", str(QUICK_START_EPISODES)),
        ]
    )
    assert folder is not None  # training, not a search
    import evaluate

    policies = ["policy_2", "policy_1", "fetal_first", "random", f"maskable_dqn={folder}"]
    days = ["--days", str(COMPARISON_DAYS), "--seed", str(COMPARISON_SEED)]
    evaluate.main(["--env", QUICK_START_ENV, "--policies", *policies, *days])
    print(f"\nThe agent is in {folder}. Its training curves: tensorboard --logdir runs")


if __name__ == "__main__":
    sys.exit(main())
