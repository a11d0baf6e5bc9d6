"""The command line of training: rl_zoo3's own, with defaults of ours and errors for people."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from sb3_ext.zoo.algorithms import INSTALL_HINT
from sb3_ext.zoo.errors import UsageError as UsageError  # train.py catches it under this name
from sb3_ext.zoo.errors import unknown
from sb3_ext.zoo.registration import register

try:
    from rl_zoo3 import train as zoo_train
    from rl_zoo3.utils import StoreDict
except ImportError as missing:
    raise ImportError(INSTALL_HINT) from missing

from sb3_ext.zoo.checks import check_config_file, check_env_id, check_trained_agent, import_packages
from sb3_ext.zoo.evaluation import FindReference
from sb3_ext.zoo.manager import NATIVE, ZooExperimentManager
from sb3_ext.zoo.replacing import replaced, saving_whole


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
    :param epilog: Text at the end of ``--help``
    """

    algo: str
    env: str
    config_folder: Path
    gym_packages: tuple[str, ...] = ()
    eval_episodes: int = 5
    held_out_episodes: int = 200
    find_reference: FindReference | None = None
    epilog: str = ""


class ReadableStoreDict(StoreDict):  # type: ignore[misc]  # rl_zoo3 is untyped
    """
    rl_zoo3's ``key:value`` arguments, where a value that is no Python is text.

    rl_zoo3 evaluates ``observation:rich`` as a variable and ends in a NameError; text needed two pairs of quotes.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store the pairs as a dict."""
        readable = []
        for pair in values:
            key, colon, value = pair.partition(":")
            if not (key and colon and value):
                raise UsageError(f"{option_string} takes key:value pairs, not '{pair}'.")
            try:
                super().__call__(parser, namespace, [pair], option_string)
            except (NameError, SyntaxError):
                pair = f"{key}:{value!r}"
            readable.append(pair)
        super().__call__(parser, namespace, readable, option_string)


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
    """

    def __init__(self, argv: Sequence[str], defaults: ZooDefaults) -> None:
        super().__init__(epilog=defaults.epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.argv = list(argv)
        self.defaults = defaults

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse ``argv``, put the project's defaults in, and check all that can be checked by now."""
        defaults = self.defaults
        for action in self._actions:
            if action.dest == "vec_env" and action.choices is not None:
                action.choices = [*action.choices, NATIVE]
                action.help = "VecEnv type; native: the environment's own vector_entry_point"
        self.set_defaults(algo=defaults.algo, env=defaults.env, eval_episodes=defaults.eval_episodes)
        parsed = super().parse_args(self.argv, namespace)
        parsed.gym_packages = [*defaults.gym_packages, *parsed.gym_packages]
        import_packages(parsed.gym_packages)
        check_env_id(parsed.env, parsed.gym_packages)
        check_trained_agent(parsed.algo, parsed.trained_agent)
        parsed.conf_file = check_config_file(parsed.conf_file, parsed.algo, parsed.env, defaults.config_folder)
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
        ZooExperimentManager, find_reference=defaults.find_reference, held_out_episodes=defaults.held_out_episodes
    )

    def make_manager(*args: Any, **kwargs: Any) -> ZooExperimentManager:
        managers.append(ours(*args, **kwargs))
        return managers[-1]

    parser = SimpleNamespace(ArgumentParser=partial(TrainParser, argv, defaults))
    with (
        replaced(zoo_train, argparse=parser, StoreDict=ReadableStoreDict, ExperimentManager=make_manager),
        saving_whole(),
    ):
        zoo_train.train()
    manager = managers[-1]
    return None if manager.optimize_hyperparameters else Path(manager.save_path)


def report(error: UsageError) -> int:
    """
    Tell the user what was wrong.

    :param error: What was wrong
    :return: the exit code
    """
    print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
    return 2
