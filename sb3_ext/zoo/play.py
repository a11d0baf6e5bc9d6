"""rl_zoo3's ``enjoy`` and ``record_video``, with masks for the models that take them."""

import argparse
import contextlib
import runpy
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import rl_zoo3
import yaml
from rl_zoo3 import utils
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.zoo.algorithms import MASKABLE
from sb3_ext.zoo.cli import ReadableParser, ReadableStoreDict, ZooDefaults
from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.failures import as_usage_error
from sb3_ext.zoo.inputs.checks import check_env_id, import_packages
from sb3_ext.zoo.inputs.literals import ALLOW_CODE, RunLoader, parse_setting
from sb3_ext.zoo.registration import register
from sb3_ext.zoo.replacing import replaced

COMMANDS = ("enjoy", "record_video")


class MaskedPlayer:
    """
    A model for scripts without masks: ``predict`` gets the masks from the environments.

    :param model: A maskable model
    :param env: The environments that it acts in
    """

    def __init__(self, model: BaseAlgorithm, env: VecEnv) -> None:
        self.model = model
        self.env = env

    def predict(self, observation: Any, **kwargs: Any) -> tuple[np.ndarray, Any]:
        """Predict among the actions that are feasible now."""
        masks = get_action_masks(self.env)
        return self.model.predict(observation, action_masks=masks, **kwargs)  # type: ignore[call-arg]


class PlayerLoader:
    """
    Replaces a maskable algorithm in rl_zoo3's table while a script runs; loads a ``MaskedPlayer``.

    :param algorithm: The algorithm
    :param envs: The environments made so far, the last one being the one played in
    """

    def __init__(self, algorithm: type[BaseAlgorithm], envs: list[VecEnv]) -> None:
        self.algorithm = algorithm
        self.envs = envs

    def load(self, path: str, **kwargs: Any) -> MaskedPlayer:
        """Load the model, as the algorithm's own ``load`` does."""
        return MaskedPlayer(self.algorithm.load(path, **kwargs), self.envs[-1])


@contextlib.contextmanager
def masked_players() -> Iterator[None]:
    """Make rl_zoo3's scripts load masked players within the context."""
    envs: list[VecEnv] = []
    create_test_env = utils.create_test_env

    def create_and_keep(env_id: str, **kwargs: Any) -> VecEnv:
        envs.append(create_test_env(env_id, **kwargs))
        return envs[-1]

    loaders = {name: PlayerLoader(algorithm, envs) for name, algorithm in MASKABLE.items()}
    with (
        replaced(utils, create_test_env=create_and_keep, ALGOS={**utils.ALGOS, **loaders}),
        replaced(rl_zoo3, create_test_env=create_and_keep, ALGOS={**utils.ALGOS, **loaders}),
    ):
        yield


@contextlib.contextmanager
def no_code() -> Iterator[None]:
    """Let rl_zoo3's scripts build no object from YAML, and evaluate no text of it, within the context."""
    with replaced(yaml, UnsafeLoader=RunLoader), replaced(utils, eval=partial(parse_setting, "normalize")):
        yield


def play(command: str, argv: Sequence[str], defaults: ZooDefaults) -> None:
    """
    Watch a trained agent (``enjoy``) or record it (``record_video``), with every flag of rl_zoo3's script.

    The settings saved with a run are read as text, numbers, lists and dictionaries; ``--allow-code`` lets them build
    objects and evaluates their texts as Python, as rl_zoo3 does. The model itself is a pickle in any case.

    :param command: "enjoy" or "record_video"
    :param argv: Command line without the program's name and the command
    :param defaults: The project's defaults; the folder of runs is "logs", where training puts them
    :raises UsageError: where there is no such model or argument
    """
    register()
    import_packages(defaults.gym_packages)
    # Later arguments win, so the defaults go first.
    arguments = ["--algo", defaults.algo, "--env", defaults.env, "--folder", "logs", *argv]
    if command == "record_video":
        # The recorder renders by itself; the script would render every step a second time.
        arguments.append("--no-render")
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--env")
    finder.add_argument("--verbose", default="1")
    known = finder.parse_known_args(arguments)[0]
    check_env_id(known.env, defaults.gym_packages)
    allow_code = ALLOW_CODE in arguments
    sys_argv = sys.argv
    sys.argv = [f"{sys_argv[0]} {command}", *(argument for argument in arguments if argument != ALLOW_CODE)]
    try:
        with (
            masked_players(),
            contextlib.nullcontext() if allow_code else no_code(),
            # The methods, not the class: ArgumentParser finds its own parent through its name in the module.
            replaced(argparse.ArgumentParser, error=ReadableParser.error, _check_value=ReadableParser._check_value),
            replaced(utils, StoreDict=ReadableStoreDict),
        ):
            sys.modules.pop(f"rl_zoo3.{command}", None)
            runpy.run_module(f"rl_zoo3.{command}", run_name="__main__")
    except yaml.constructor.ConstructorError as error:
        # Objects in the files of a run that are neither text nor numbers: making them can run code.
        raise UsageError(
            f"The settings of this run hold objects ({error.problem}): {ALLOW_CODE} makes them."
        ) from error
    except Exception as error:  # models, environments and their renderers can raise anything
        # rl_zoo3's own words for a folder, model or checkpoint that is not there say enough.
        if not isinstance(error, UsageError) and any(said in str(error) for said in ("not found", "found for")):
            raise UsageError(first_line(error)) from error
        raise as_usage_error(error, f"{command} ends", in_full=known.verbose not in ("0", "1")) from error
    finally:
        sys.argv = sys_argv
