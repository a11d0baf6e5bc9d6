"""How subcommands read their options, and how they end."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from echo_env.commands.common.running import Flag, Several, command_line, exit_status, parse
from echo_env.commands.inputs.evaluate_options import EvaluateOptions


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of every kind."""

    sheet: str = field(kw_only=False, default="")
    days: int = 500
    policies: Several = ("a",)
    figures: Flag = False
    json: str | None = None
    sweep: Several | None = None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", Options()),
        ("--policies x y(z=1) m=a/b.zip --days 5", Options(policies=("x", "y(z=1)", "m=a/b.zip"), days=5)),
        ("--days=-3 --figures", Options(days=-3, figures=True)),
        ("--days -3", Options(days=-3)),
        ("--sweep rooms.fetal=3:7 a=-2,3", Options(sweep=("rooms.fetal=3:7", "a=-2,3"))),
        ("--days 5 sheet.xlsx --days 6", Options("sheet.xlsx", days=6)),
        ("--policies a b --days=1 --policies c --days=2", Options(policies=("c",), days=2)),
        ("--json - --days 5", Options(json="-", days=5)),
        ("--json x --json -", Options(json="-")),
        ("--figures sheet.xlsx --figures", Options("sheet.xlsx", figures=True)),
    ],
)
def test_options_are_read_as_typed(line: str, expected: Options) -> None:
    """Values with equals signs, negative numbers, several values; of repeated options the last one counts."""
    assert parse(Options, line.split(), "program", None) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--days ten", 'Invalid value for --days: unable to convert "ten" into int'),
        ("--days", "--days requires an argument"),
        ("--policies", "--policies requires at least 1 element"),
        ("--polices a", "Unknown option: --polices. Did you mean --policies"),
        ("--no-figures", "Unknown option: --no-figures"),
        ("sheet.xlsx stray", "stray"),
    ],
)
def test_wrong_options_are_one_sentence(line: str, message: str) -> None:
    """The error says what is wrong, and where all options are listed."""
    with pytest.raises(ValueError, match="program --help lists all options") as error:
        parse(Options, line.split(), "program", None)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_help_lists_options_with_their_texts(capsys: pytest.CaptureFixture[str]) -> None:
    """--help prints description, options and defaults, and parses nothing."""
    assert parse(EvaluateOptions, ["--help"], "evaluate.py", "What it does.") is None
    printed = capsys.readouterr().out
    for words in ("What it does.", "--policies", "--sweep-metrics", "--import", "number of days", "[default: 500]"):
        assert words in printed
    assert max(map(len, printed.splitlines())) <= 100


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (ValueError("days is 0,\nbut"), 2, "error: days is 0, but\n"),
        (FileNotFoundError(2, "No such file or directory", "x.yaml"), 2, "error: x.yaml: No such file or directory\n"),
        (ModuleNotFoundError(name="torch"), 2, "error: torch is missing: pip install 'echo-lab-rl[rl]'\n"),
        (ModuleNotFoundError(name="numba.core"), 2, "error: numba is missing: pip install 'echo-lab-rl[fast]'\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_every_ending_has_its_status(
    error: BaseException | None, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Errors for users are one line on stderr and status 2; Ctrl-C is 130; anything else is a traceback."""

    def work() -> None:
        if error is not None:
            raise error

    assert exit_status(work) == status
    assert capsys.readouterr().err == said
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: 1 / 0)


def test_the_command_line_can_be_pasted_into_a_shell() -> None:
    """Scripts run under python, and arguments with parentheses are quoted."""
    assert command_line("evaluate.py", ["--policies", "a(b=1)"]) == "python evaluate.py --policies 'a(b=1)'"
    assert command_line("echo-lab evaluate", ["--days", "5"]) == "echo-lab evaluate --days 5"
    assert command_line("python -m echo_env.calibrate", ["x"]) == "python -m echo_env.calibrate x"


def test_a_command_names_the_extra_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """pandas comes with two extras: that of the command is named."""

    def work() -> None:
        raise ModuleNotFoundError(name="pandas")

    for extra, named in (("calibrate", "calibrate"), ("", "plots"), ("fast", "plots")):
        assert exit_status(work, extra) == 2
        assert capsys.readouterr().err == f"error: pandas is missing: pip install 'echo-lab-rl[{named}]'\n"
