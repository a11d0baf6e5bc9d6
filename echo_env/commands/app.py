"""The console script ``echo-lab``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from echo_env.common.tables import new_console

Tokens = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]
"""What follows a subcommand, which reads it itself, ``--help`` too."""


def _version() -> str:
    try:
        return version("echo-lab-rl")
    except PackageNotFoundError:
        return "not installed"


app = App(
    name="echo-lab",
    help="Simulate an echo lab, compare the rules that run it, and learn better ones. Each command has its own --help.",
    help_format="plaintext",
    version=_version,
    console=new_console(),
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)


@app.command(help_flags=(), version_flags=())
def evaluate(*tokens: Tokens) -> int:
    """Compare rules and trained models on the same days."""
    from echo_env.commands import evaluate

    return evaluate.main(tokens)


@app.command(help_flags=(), version_flags=())
def sweep(*tokens: Tokens) -> int:
    """What if? The fields to vary first, then the options of evaluate: sweep rooms.non_fetal=3:7 --days 500."""
    from echo_env.commands import evaluate

    return evaluate.main(["--sweep", *tokens], program="echo-lab evaluate")


@app.command(help_flags=(), version_flags=())
def train(*tokens: Tokens) -> int:
    """Train an agent, or watch one; without arguments the quick start."""
    from echo_env.commands import train

    return train.main(tokens)


@app.command(help_flags=(), version_flags=())
def calibrate(*tokens: Tokens) -> int:
    """Fit a lab to a hospital's spreadsheet."""
    from echo_env.commands import calibrate

    return calibrate.main(tokens)


@app.command(help_flags=(), version_flags=())
def validate(*tokens: Tokens) -> int:
    """Check whether a lab behaves like the hospital whose visits a spreadsheet records."""
    from echo_env.commands import validate

    return validate.main(tokens)


@app.command(help_flags=(), version_flags=())
def template(*tokens: Tokens) -> int:
    """Write an empty workbook for a hospital's record, or the board of a lab, with instructions."""
    from echo_env.commands import template

    return template.main(tokens)


@app.command(help_flags=(), version_flags=())
def optimise(*tokens: Tokens) -> int:
    """Find a better appointment book, and measure what it is worth."""
    from echo_env.commands import optimise

    return optimise.main(tokens)


@app.command(help_flags=(), version_flags=())
def advise(*tokens: Tokens) -> int:
    """Say who begins next, where and with whom, and why: at the whiteboard, in the middle of a day."""
    from echo_env.commands import advise

    return advise.main(tokens)


@app.command(help_flags=(), version_flags=())
def paper(*tokens: Tokens) -> int:
    """Draw the paper's figures of its own agent, and say which of its findings hold."""
    from echo_env.commands.showing import paper

    return paper.main(tokens)


@app.command(help_flags=(), version_flags=())
def animate(*tokens: Tokens) -> int:
    """Show one day as a moving floor plan, under one policy or two side by side."""
    from echo_env.commands.showing import animate

    return animate.main(tokens)


@app.command(name="app", help_flags=(), version_flags=())
def serve(*tokens: Tokens) -> int:
    """All of this in a browser, on this computer alone."""
    from echo_env.commands.showing import serve

    return serve.main(tokens)


@app.command(help_flags=(), version_flags=())
def schema(*tokens: Tokens) -> int:
    """Print the JSON schema of a lab's YAML file, by which editors complete and check it."""
    from echo_env.commands import schema

    return schema.main(tokens)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``echo-lab``.

    :param argv: command line without the program's name, by default the program's own
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    try:
        status: int | None = app(list(sys.argv[1:] if argv is None else argv))
    except CycloptsError as error:
        print(f"error: {' '.join(str(error).split()).removesuffix('.')}; echo-lab --help lists all", file=sys.stderr)
        return 2
    return status or 0


if __name__ == "__main__":
    sys.exit(main())
