"""The command line of training: rl_zoo3's own, with defaults of ours and errors for people."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from sb3_ext.zoo.agents import TRUST
from sb3_ext.zoo.algorithms import INSTALL_HINT
from sb3_ext.zoo.errors import UsageError as UsageError  # train.py catches it under this name
from sb3_ext.zoo.errors import unknown
from sb3_ext.zoo.registration import register

try:
    from rl_zoo3 import train as zoo_train
    from rl_zoo3.utils import StoreDict
except ImportError as missing:
    raise ImportError(INSTALL_HINT) from missing

from sb3_ext.zoo.evaluation import DrawLevels, FindReference
from sb3_ext.zoo.failures import as_usage_error
from sb3_ext.zoo.inputs.checks import (
    check_actions,
    check_config_file,
    check_env_id,
    check_trained_agent,
    import_packages,
)
from sb3_ext.zoo.inputs.literals import ALLOW_CODE, CLASSES, parse
from sb3_ext.zoo.inputs.options import check_options
from sb3_ext.zoo.inputs.resuming import HELP, RESUME, options_of_run
from sb3_ext.zoo.manager import NATIVE, ZooExperimentManager
from sb3_ext.zoo.replacing import replaced, saving_whole

#: rl_zoo3's words for options that were not given. The manager finds its own number of evaluation environments.
DEFAULTS: dict[str, Any] = {"n_timesteps": -1, "tensorboard_log": "", "trained_agent": "", "n_eval_envs": None}


#: argparse's messages -> what a user can act upon.
PLAIN_WORDS = {
    r"^argument (?:\S*/)?(\S+): ignored explicit argument (.*)$": r"\1 takes no value, but was given \2.",
    r"^argument (?:\S*/)?(\S+): invalid int value: (.*)$": r"\1 must be a whole number, not \2.",
    r"^argument (?:\S*/)?(\S+): expected (?:one|at least one) argument$": r"\1 needs a value.",
    r"^argument (?:\S*/)?(\S+): (must be .*)$": r"\1 \2.",
}


def read_truth(text: str) -> bool:
    """
    Read True or False, where rl_zoo3 takes any text for True.

    :param text: As typed
    :raises ArgumentTypeError: it is neither; argparse adds the option's name
    """
    if text not in ("True", "False"):
        raise argparse.ArgumentTypeError(f"must be True or False, not {text!r}")
    return text == "True"


@dataclass(frozen=True)
class ZooDefaults:
    """
    What a project puts in place of rl_zoo3's defaults.

    :param algo: Algorithm where none is given
    :param env: Environment where none is given
    :param config_folder: Folder with ``<algo>.yml``
    :param gym_packages: Packages that register the project's environments, always imported
    :param eval_episodes: Episodes of an evaluation during training
    :param held_out_episodes: Episodes of the evaluation at the end of a training
    :param find_reference: Finds what evaluations compare with
    :param draw_levels: Draws level lines of other policies into TensorBoard's folder
    :param native_evaluation: Whether evaluations may play on the environment's own vectorized form, whatever trains;
        see :class:`~sb3_ext.zoo.manager.ZooExperimentManager`
    :param score: Metric of an episode, see :class:`~sb3_ext.callbacks.EpisodeMetrics`, that ``enjoy`` prints in place
        of the reward, which may be normalised or shaped
    :param elapsed: Entry of ``info`` with the time that a step took: ``record_video`` shows no time twice
    :param epilog: Text at the end of ``--help``
    """

    algo: str
    env: str
    config_folder: Path
    gym_packages: tuple[str, ...] = ()
    eval_episodes: int = 5
    held_out_episodes: int = 200
    find_reference: FindReference | None = None
    draw_levels: DrawLevels | None = None
    native_evaluation: bool = False
    score: str | None = None
    elapsed: str | None = None
    epilog: str = ""


class ReadableStoreDict(StoreDict):  # type: ignore[misc]  # rl_zoo3 is untyped
    """
    rl_zoo3's ``key:value`` arguments, where a value that is no Python literal is text.

    rl_zoo3 evaluates values as Python: ``observation:rich`` is a variable and ends in a NameError.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store the pairs as a dict."""
        found: dict[str, Any] = {}
        for pair in values:
            key, colon, value = pair.partition(":")
            if not (key and colon and value):
                raise UsageError(f"{option_string} takes key:value pairs, not '{pair}'.")
            try:
                # A class stays text, as which it is saved with the settings of the run.
                found[key] = value if any(name in value for name in CLASSES) else parse(value)
            except ValueError:
                found[key] = value
        setattr(namespace, self.dest, found)


class ReadableParser(argparse.ArgumentParser):
    """
    An ``ArgumentParser`` whose errors are one sentence, raised as ``UsageError`` instead of ending the program.

    :param kwargs: Keyword arguments of ``ArgumentParser``
    """

    def error(self, message: str) -> NoReturn:
        """Raise the message; where an option is unknown, with the nearest one that is not."""
        prefix = "unrecognized arguments: "
        if message.startswith(prefix):
            given = message.removeprefix(prefix).split()[0]
            options = [option for action in self._actions for option in action.option_strings]
            message = unknown("argument", given, options).split(": choose from")[0] + "; --help lists all."
        for pattern, words in PLAIN_WORDS.items():
            message = re.sub(pattern, words, message)
        raise UsageError(message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = {"algo": "algorithm"}
            raise UsageError(unknown(names.get(action.dest, action.dest), str(value), map(str, action.choices)))


class TrainParser(ReadableParser):
    """
    The parser that rl_zoo3's ``train()`` fills and calls: parses the arguments it was made with and checks them.

    :param argv: Command line without the program's name
    :param defaults: The project's defaults
    :param verbose: Gets the verbosity asked for, once it is known
    """

    def __init__(self, argv: Sequence[str], defaults: ZooDefaults, verbose: list[int]) -> None:
        super().__init__(epilog=defaults.epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.verbose = verbose
        self.argv = list(argv)
        self.defaults = defaults

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse ``argv``, put the project's defaults in, and check all that can be checked by now."""
        defaults = self.defaults
        for action in self._actions:
            if action.dest == "vec_env" and action.choices is not None:
                action.choices = [*action.choices, NATIVE]
                action.help = "VecEnv type; native: the environment's own vector_entry_point"
            if action.dest == "truncate_last_trajectory":
                action.type = read_truth
        self.add_argument(
            ALLOW_CODE, action="store_true", help="Evaluate texts of the config as Python, as rl_zoo3 does"
        )
        self.add_argument(RESUME, metavar="CHECKPOINT", help=HELP)
        self.add_argument(
            TRUST,
            action="store_true",
            help="Open what is pickled beside a --trained-agent outside the log folder, though it can run code",
        )
        self.set_defaults(algo=defaults.algo, env=defaults.env, eval_episodes=defaults.eval_episodes)
        # To tell what was given from what was not.
        self.set_defaults(**dict.fromkeys(DEFAULTS))
        resumed = options_of_run(self.argv)
        self.set_defaults(**{name: value for name, value in resumed.items() if DEFAULTS.get(name) != value})
        parsed = super().parse_args(self.argv, namespace)
        if parsed.resume is not None:
            if parsed.trained_agent is not None or parsed.optimize_hyperparameters:
                raise UsageError(
                    f"{RESUME} goes on with a run: leave --trained-agent and --optimize-hyperparameters out."
                )
            if not resumed:
                raise UsageError(f"{RESUME} must be written out.")
            parsed.trained_agent = parsed.resume
        check_options(parsed)
        if parsed.trained_agent is not None:
            check_trained_agent(parsed.algo, parsed.trained_agent, parsed.log_folder, parsed.trust)
        for name, default in DEFAULTS.items():
            setattr(parsed, name, default if getattr(parsed, name) is None else getattr(parsed, name))
        parsed.gym_packages = [*defaults.gym_packages, *parsed.gym_packages]
        import_packages(parsed.gym_packages)
        check_env_id(parsed.env, parsed.gym_packages)
        check_actions(parsed.algo, parsed.env, parsed.env_kwargs or {})
        parsed.conf_file = check_config_file(parsed.conf_file, parsed.algo, parsed.env, defaults.config_folder)
        self.verbose.append(parsed.verbose)
        return parsed


def train(argv: Sequence[str], defaults: ZooDefaults) -> Path | None:
    """
    rl_zoo3's training, every flag of it, with our experiment manager.

    rl_zoo3 builds parser and manager inside one function, so the two names it builds them from are replaced
    while it runs.

    :param argv: Command line without the program's name
    :param defaults: The project's defaults
    :return: the run's folder, or ``None`` after a hyperparameter search
    :raises UsageError: where the command line or the config asks for something that cannot be
    :raises KeyboardInterrupt: the training was interrupted; its model has been saved
    """
    register()
    managers: list[ZooExperimentManager] = []
    ours = partial(
        ZooExperimentManager,
        find_reference=defaults.find_reference,
        draw_levels=defaults.draw_levels,
        held_out_episodes=defaults.held_out_episodes,
        native_evaluation=defaults.native_evaluation,
    )

    def make_manager(*args: Any, **kwargs: Any) -> ZooExperimentManager:
        managers.append(ours(*args, **kwargs))
        return managers[-1]

    verbose: list[int] = []
    parser = SimpleNamespace(ArgumentParser=partial(TrainParser, argv, defaults, verbose=verbose))
    try:
        with (
            replaced(zoo_train, argparse=parser, StoreDict=ReadableStoreDict, ExperimentManager=make_manager),
            saving_whole(),
        ):
            zoo_train.train()
    except Exception as error:  # environments and callbacks are the user's, and can raise anything
        doing = "Training cannot begin"
        for manager in managers:
            doing = manager.clean_up_after_failure()
        raise as_usage_error(error, doing, in_full=max(verbose, default=1) > 1) from error
    manager = managers[-1]
    return None if manager.optimize_hyperparameters else Path(manager.save_path)
