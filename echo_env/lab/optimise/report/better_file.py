"""A lab file with the proposed changes: the input's text, comments and all, with other values."""

from __future__ import annotations

from pathlib import Path

from echo_env.common.config_file import with_changes
from echo_env.lab.config.file import preset_names
from echo_env.lab.optimise.levers import Choice, Values

FIRST_LINE = "# A lab with the changes that echo-lab optimise proposed.\n"


def check_own(path: str | Path) -> None:
    """Refuse to overwrite a file other than an earlier proposal.

    :param path: where the lab is to be written
    :raises OSError: another file is in the way
    :raises ValueError: the name of a preset, which ``--config`` would read in place of the file
    """
    target = Path(path)
    if str(path) in preset_names():
        raise ValueError(f"--output {path} is the name of a preset, which --config {path} would read instead of it")
    if target.exists() and not target.read_bytes().startswith(FIRST_LINE.encode()):
        raise FileExistsError(f"{target} is in the way, because it was not written by an earlier optimisation")


def better_text(source: str, choice: Choice, values: Values) -> str:
    """The text of the file.

    :param source: what the lab was read from: a preset, a file, or ``FILE#day``
    :param choice: what may change
    :param values: of each lever
    :raises ConfigError: the file is no longer what it was
    """
    path, _, day = source.partition("#")
    within: tuple[str, ...] = ("days", day) if day else ()
    if path in preset_names():
        text, within = f"base: {source}\nname: {choice.config.name}_better\n", ()
    else:
        text = Path(path).read_text(encoding="utf8")
    text = with_changes(text, {(*within, *place): value for place, value in choice.in_file(values).items()})
    return FIRST_LINE + text.removeprefix(FIRST_LINE)
