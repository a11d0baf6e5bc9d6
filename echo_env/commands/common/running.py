"""How every subcommand reads its options and ends: one-sentence errors, exit status 0, 2 or 130."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Parameter, Token, UnusedCliTokensError

from echo_env.commands.common.interrupts import INTERRUPTED
from echo_env.common.extras import missing
from echo_env.common.files import STANDARD_OUTPUT, check_file, check_folder
from echo_env.common.tables import make_output_encodable, new_console

Options = TypeVar("Options")


def _whole(kind: Any, tokens: Sequence[Token]) -> int:
    """Read a whole number; cyclopts by itself would take 1.5 for 1."""
    text = tokens[0].value
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError(f"{text!r} is not a whole number of at most 18 digits")
    return int(text)


Whole = Annotated[int, Parameter(converter=_whole)]
"""An option whose value is a whole number."""
Several = Annotated[tuple[str, ...], Parameter(consume_multiple=(1, None), negative="")]
"""An option that takes one value or several: ``--policies policy_1 policy_2``."""
Flag = Annotated[bool, Parameter(negative="")]
"""An option without a value."""


def parse(kind: Callable[..., Options], tokens: Sequence[str], program: str, description: str | None) -> Options | None:
    """Read a command line.

    :param kind: a dataclass; its fields are the options, their docstrings or ``help`` the help
    :param tokens: the command line without the program's name; of an option given twice the last one counts
    :param program: the program's name, for ``--help``
    :param description: printed by ``--help``
    :return: the options; None after ``--help``, which has been printed
    :raises ValueError: options that do not exist, or lack a value; one sentence
    """
    app = App(
        name=program,
        help=description,
        help_format="plaintext",
        version_flags=(),
        console=new_console(),
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
    )
    app.default(kind)
    try:
        read: Options | None = app(last_of_each(app, tokens))
    except CycloptsError as error:
        words = " ".join(str(error).split()).removesuffix(".")
        if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
            words = f"{error.unused_tokens[0]!r} belongs to no option"
        words = re.sub(
            r'Invalid value for (\S+): unable to convert "(.*)" into bool', r"\1 takes no value, not '\2'", words
        )
        raise ValueError(f"{words}; {program} --help lists all options") from None
    return read


def last_of_each(app: App, tokens: Sequence[str]) -> list[str]:
    """A command line without what a later repetition of the same option overrules.

    :param app: knows the options
    :param tokens: the command line
    """
    takes: dict[str, int | None] = {}
    for argument in app.assemble_argument_collection():
        several = argument.parameter.consume_multiple is not None
        takes |= dict.fromkeys(argument.names, None if several else 0 if argument.hint is bool else 1)
    found: list[tuple[str, list[str]]] = []
    for token in tokens:
        name, equals, _ = token.partition("=")
        if name in takes:
            found.append((name, [token]))
            room = 0 if equals and takes[name] == 1 else takes[name]
        elif found and (room is None or room > 0) and not _is_option(token):
            found[-1][1].append(token)
            if token == STANDARD_OUTPUT and room == 1:
                # Cyclopts would take a lone hyphen for an option.
                found[-1] = (found[-1][0], [f"{found[-1][1][0]}={token}"])
            room = room and room - 1
        else:
            found.append(("", [token]))
            room = 0
    last = {name: number for number, (name, _) in enumerate(found)}
    return [token for number, (name, own) in enumerate(found) if not name or last[name] == number for token in own]


def _is_option(token: str) -> bool:
    # A lone hyphen is standard output.
    return token.startswith("-") and token != STANDARD_OUTPUT and not token[1:].replace(".", "").isdigit()


def exit_status(work: Callable[[], Any], extra: str = "") -> int:
    """Do something for the user.

    :param work: raises what stands in the way
    :param extra: the extra that the command needs, if any
    :return: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    make_output_encodable()
    try:
        work()
    except ModuleNotFoundError as error:
        print(f"error: {missing(error, extra)}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def sentence(error: Exception) -> str:
    """What an error says, on one line; of the system's own errors the file comes first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split())


def command_line(program: str, tokens: Sequence[str]) -> str:
    """The command as a shell takes it, kept beside results."""
    start = ["python", program] if program.endswith(".py") else program.split()
    return shlex.join([*start, *tokens])


def check_destinations(
    output: str | None, json_file: str | None, figures: bool, names: Iterable[str], inputs: Mapping[str, Sequence[str]]
) -> None:
    """Refuse destinations that could only fail after everything has been played.

    :param output: the folder of ``--output``
    :param json_file: the file of ``--json``
    :param figures: whether ``--figures`` is given
    :param names: files that go into the folder
    :param inputs: option -> files that the command reads
    :raises ValueError: options that do not go together
    :raises OSError: something is in the way of ``--output`` or ``--json``
    """
    if figures and output is None:
        raise ValueError("--figures needs --output DIR, into which it writes")
    if json_file is not None:
        check_file("--json", json_file, {**inputs, "--output": [] if output is None else [output]})
    if output is None:
        return
    check_output_folder("--output", output, names)
    if json_file and Path(output).resolve() in Path(json_file).resolve().parents:
        raise ValueError(f"--json {json_file} lies in --output, which has the same numbers in summary.json")


def check_output_folder(option: str, path: str, names: Iterable[str]) -> None:
    """Refuse a folder into which files cannot be written.

    :param option: names the folder in messages
    :param path: the folder
    :param names: files that go into it
    :raises ValueError: empty
    :raises OSError: something is in the way
    """
    if not path:
        raise ValueError(f"{option} is empty, but must be a folder")
    check_folder(path, names)


def files_of_models(policies: Iterable[str]) -> list[str]:
    """The files or folders that policies given as ``ALGO=PATH`` name."""
    return [path for path in (policy.partition("=")[2] for policy in policies) if path]


@contextmanager
def tables_beside(file: str | None) -> Iterator[None]:
    """Print tables to standard error while the block runs, if standard output is for a file.

    :param file: where a file goes, ``-`` for standard output
    """
    if file == STANDARD_OUTPUT:
        with redirect_stdout(sys.stderr):
            yield
    else:
        yield
