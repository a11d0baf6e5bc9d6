"""Show one day as a moving floor plan, under one policy or two side by side.

echo-lab animate scarce --policies policy_2 fetal_first --seed 1 --output day.gif
echo-lab animate my_lab.yaml --policies policy_2 --output day.mp4

LAB is a preset or a YAML file. Both policies play the same day, which begins at
opening; every frame shows both at the same minute, and below them the patients
waiting and the penalty so far. Colours and shapes say which exam a patient has
come for, a black rim that the patient came late.

MP4 needs the extra video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from echo_env.commands.common.running import Flag, Several, Whole, exit_status, files_of_models, parse
from echo_env.commands.players import plugins
from echo_env.commands.players.policies import find_policies
from echo_env.common.files import STANDARD_OUTPUT, check_file
from echo_env.lab import LabConfig, load_lab


@dataclass(frozen=True, kw_only=True)
class AnimateOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: a preset or a YAML file; FILE#monday is one of its days
    :param output: the file to write, .gif or .mp4
    :param policies: one or two: rules by name, models as ALGO=PATH, and agent: the trained agent that ships for the
        lab; by default policy_2 and fetal_first (scarce_first in labs of other exam types)
    :param seed: seed of the day
    :param every: minutes of the day from one frame to the next
    :param fps: frames a second
    :param width: pixels
    :param trust: open models that are pickles, which can run code of whoever made them (SECURITY.md)
    :param import_: modules or .py files of your own to import first, for their @register_policy
    """

    lab: str = field(kw_only=False)
    output: str
    policies: Several | None = None
    seed: Whole = 1
    every: Whole = 2
    fps: Whole = 12
    width: Whole = 800
    trust: Flag = False
    import_: Several = ()


DEFAULTS = {True: ("policy_2", "fetal_first"), False: ("policy_2", "scarce_first")}
"""Policies in labs of fetal and non-fetal exams, and in all others."""
RANGES: dict[str, tuple[int, int | None]] = {"seed": (0, None), "every": (1, 60), "fps": (1, 50), "width": (400, 1920)}
"""Option -> its least and its greatest value."""


def main(tokens: Sequence[str], program: str = "echo-lab animate") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    return exit_status(partial(_run, list(tokens), program), extra="plots")


def _run(tokens: Sequence[str], program: str) -> None:
    options = parse(AnimateOptions, tokens, program, __doc__)
    if options is not None:
        run(options)


def run(options: AnimateOptions) -> None:
    """Play the day under each policy, draw it, and write the file.

    :param options: what is asked for
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.lab.animation import Film, write_animation
    from echo_env.lab.day import sample_days
    from echo_env.lab.simulation.simulator import simulate

    check_options(options)
    plugins.import_own(options.import_)
    config = load_lab(options.lab)
    names = options.policies or DEFAULTS[isinstance(config, LabConfig)]
    policies = find_policies(names, config, {}, options.trust)
    day = sample_days(config, 1, options.seed)[0]
    traces = {policy.name: simulate(config, day, policy) for policy in policies.values()}
    film = Film(traces, options.every, options.width)
    write_animation(film, options.output, options.fps)
    print(f"animation: {options.output}, {len(film)} frames, {Path(options.output).stat().st_size / 1e6:.2f} MB")


def check_options(options: AnimateOptions) -> None:
    """Refuse what could only fail after the day has been drawn.

    :raises ValueError: a value that cannot be
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.lab.animation import ENDINGS

    for name, (least, greatest) in RANGES.items():
        value = getattr(options, name)
        if value < least or (greatest is not None and value > greatest):
            allowed = f"at least {least}" if greatest is None else f"from {least} to {greatest}"
            raise ValueError(f"--{name} is {value}, but must be {allowed}")
    if options.policies is not None and not 1 <= len(options.policies) <= 2:
        raise ValueError(
            f"--policies has {len(options.policies)} names, but must have one, or two to stand side by side"
        )
    if options.output == STANDARD_OUTPUT or Path(options.output).suffix.lower() not in ENDINGS:
        raise ValueError(f"--output is {options.output!r}, but must be a file that ends in {' or '.join(ENDINGS)}")
    inputs = {"LAB": [options.lab], "--policies": files_of_models(options.policies or ()), "--import": options.import_}
    check_file("--output", options.output, inputs)
