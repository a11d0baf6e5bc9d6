"""rl_zoo3's ``enjoy`` and ``record_video``, with masks for the models that take them."""

import argparse
import contextlib
import runpy
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import rl_zoo3
import yaml
from gymnasium.envs.registration import load_env_creator
from rl_zoo3 import utils
from sb3_contrib.common.maskable.utils import get_action_masks
from stable_baselines3.common import vec_env
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.zoo.agents import TRUST, check_trust, load_predictor
from sb3_ext.zoo.algorithms import ALGORITHMS, MASKABLE
from sb3_ext.zoo.cli import ReadableParser, ReadableStoreDict, ZooDefaults
from sb3_ext.zoo.errors import UsageError, first_line
from sb3_ext.zoo.failures import as_usage_error
from sb3_ext.zoo.inputs.checks import check_env_id, import_packages
from sb3_ext.zoo.inputs.literals import ALLOW_CODE, RunLoader, parse_setting
from sb3_ext.zoo.playing.recorder import EpisodeRecorder
from sb3_ext.zoo.playing.scores import EpisodeScores, ScorePrinter
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
    Replaces an algorithm in rl_zoo3's table while a script runs; loads a ``MaskedPlayer`` if it is a maskable one.

    :param name: Name of the algorithm
    :param algorithm: The algorithm
    :param envs: The environments made so far, the last one being the one played in
    :param trust: Whether to open what is pickled
    :param loaded: Names of the players loaded so far
    """

    def __init__(
        self, name: str, algorithm: type[BaseAlgorithm], envs: list[VecEnv], trust: bool, loaded: list[str]
    ) -> None:
        self.loaded = loaded
        self.name = name
        self.algorithm = algorithm
        self.envs = envs
        self.trust = trust

    def load(self, path: str, **kwargs: Any) -> Any:
        """Load the model as the algorithm's own ``load`` does, or, if it is not trusted, without unpickling."""
        self.loaded.append(f"{self.name}: {path}")
        if self.trust:
            model: Any = self.algorithm.load(path, **kwargs)
        else:
            if self.name not in ALGORITHMS:
                # Their models are pickles always.
                check_trust(Path(path), trust=False)
            model = load_predictor(self.name, path, kwargs.get("device", "cpu"), seed=kwargs.get("seed"))
        return MaskedPlayer(model, self.envs[-1]) if self.name in MASKABLE else model


class Stage(NamedTuple):
    """
    What is played.

    :param envs: The environments made so far, the last one being the one played in
    :param loaded: Names of the players loaded so far
    """

    envs: list[VecEnv]
    loaded: list[str]


@contextlib.contextmanager
def players(trust: bool, defaults: ZooDefaults) -> Iterator[Stage]:
    """
    Make rl_zoo3's scripts load masked players within the context.

    :param trust: Whether to open models and statistics of normalisation that are pickled
    :param defaults: The project's defaults
    """
    stage = Stage([], [])
    envs = stage.envs
    create_test_env = utils.create_test_env

    def create_and_keep(env_id: str, **kwargs: Any) -> VecEnv:
        if not trust and kwargs.get("hyperparams"):
            # A pickle; a model that is loaded without any has its statistics with it.
            kwargs["hyperparams"] = {**kwargs["hyperparams"], "normalize": False}
        env = create_test_env(env_id, **kwargs)
        envs.append(env if defaults.score is None else EpisodeScores(env, defaults.score))
        return envs[-1]

    def recorder(env: VecEnv, *args: Any, **kwargs: Any) -> VecEnv:
        return EpisodeRecorder(env, *args, player=stage.loaded[-1], elapsed=defaults.elapsed, **kwargs)

    loaders = {
        name: PlayerLoader(name, algorithm, envs, trust, stage.loaded) for name, algorithm in utils.ALGOS.items()
    }
    with (
        replaced(utils, create_test_env=create_and_keep, ALGOS=loaders),
        replaced(rl_zoo3, create_test_env=create_and_keep, ALGOS=loaders),
        replaced(vec_env, VecVideoRecorder=recorder),
    ):
        yield stage


@contextlib.contextmanager
def no_code() -> Iterator[None]:
    """Let rl_zoo3's scripts build no object from YAML, and evaluate no text of it, within the context."""
    with replaced(yaml, UnsafeLoader=RunLoader), replaced(utils, eval=partial(parse_setting, "normalize")):
        yield


def check_drawn(command: str, env_id: str, arguments: Sequence[str]) -> None:
    """
    Check that an environment can be drawn as a command needs it.

    :param command: "enjoy" or "record_video"
    :param env_id: Id of a registered environment
    :param arguments: The command line
    """
    needed, otherwise = {
        "enjoy": ({"human", "rgb_array"}, ", and be played with --no-render only"),
        "record_video": ({"rgb_array"}, ""),
    }[command]
    creator = gym.spec(env_id).entry_point
    made = load_env_creator(creator) if isinstance(creator, str) else creator
    modes = getattr(made, "metadata", {}).get("render_modes")
    # A function that makes environments tells nothing.
    if modes is None or needed & set(modes) or (command == "enjoy" and "--no-render" in arguments):
        return
    raise UsageError(
        f"{command}: {env_id} cannot be drawn as pictures{otherwise}; its render modes: {', '.join(modes) or 'none'}."
    )


def play(command: str, argv: Sequence[str], defaults: ZooDefaults) -> None:
    """
    Watch a trained agent (``enjoy``) or record it (``record_video``), with every flag of rl_zoo3's script. ``enjoy``
    prints the project's own score of an episode where it has one; a video ends with the first episode and names who
    plays.

    The settings saved with a run are read as text, numbers, lists and dictionaries; ``--allow-code`` lets them build
    objects and evaluates their texts as Python, as rl_zoo3 does. Of the model its description and weights are read;
    ``--trust`` opens it as SB3 does, pickles included.

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
    check_drawn(command, known.env, arguments)
    allow_code, trust = ALLOW_CODE in arguments, TRUST in arguments
    sys_argv = sys.argv
    sys.argv = [
        f"{sys_argv[0]} {command}",
        *(argument for argument in arguments if argument not in (ALLOW_CODE, TRUST)),
    ]
    try:
        with (
            players(trust, defaults) as stage,
            contextlib.nullcontext() if allow_code else no_code(),
            # The methods, not the class: ArgumentParser finds its own parent through its name in the module.
            replaced(argparse.ArgumentParser, error=ReadableParser.error, _check_value=ReadableParser._check_value),
            replaced(utils, StoreDict=ReadableStoreDict),
        ):
            sys.modules.pop(f"rl_zoo3.{command}", None)
            runpy.run_module(f"rl_zoo3.{command}", {"print": ScorePrinter(stage.envs)}, run_name="__main__")
    except yaml.constructor.ConstructorError as error:
        # Objects in the files of a run that are neither text nor numbers: making them can run code.
        raise UsageError(
            f"The settings of this run hold objects ({error.problem}): {ALLOW_CODE} makes them."
        ) from error
    except Exception as error:  # models, environments and their renderers can raise anything
        # rl_zoo3's own words for a folder, model or checkpoint that is not there say enough.
        if not isinstance(error, UsageError) and any(said in str(error) for said in ("not found", "found for")):
            raise UsageError(first_line(error)) from error
        raise as_usage_error(error, f"{command} ends", in_full=known.verbose == "2") from error
    finally:
        sys.argv = sys_argv
