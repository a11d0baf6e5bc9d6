"""The paper's figures 4 to 24, those from 12 on with an agent trained as it says, and which of its findings hold.

echo-lab paper --output results/paper
echo-lab paper --output results/paper \\
    --agents logs/maskable_dqn/EchoLab-v0_1 logs/maskable_dqn/EchoLabScarce-v0_1

Agents come from echo-lab train --paper-protocol [--env ID], one for each of the
labs EchoLab-v0, EchoLabScarce-v0 and EchoLabAbundant-v0; without --agents the
latest run of each below logs/maskable_dqn is taken. Figures of a lab without an
agent are left out; figures 4 to 11 are of the rules alone.

DIR of --output holds index.md (every figure with what the paper's shows and
what is different here), figure_4.png to figure_24.png (and .pdf), the numbers
behind each as figure_4.csv to figure_24.csv, and the table of the paper's
findings, findings.md and findings.csv: each with our figure, its 95 % interval
and days, and whether it holds. Everything is written, or, if anything goes
wrong, DIR is left as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from echo_env import ENV_IDS
from echo_env.commands.common.running import (
    Flag,
    Several,
    Whole,
    check_output_folder,
    command_line,
    exit_status,
    parse,
)
from echo_env.commands.players.models import AGENT as SHIPPED
from echo_env.commands.players.models import find_agent, trained_policy
from echo_env.common.files import delivery
from echo_env.common.tables import progress_bar
from echo_env.lab import LabConfig, Policy, make_policy
from echo_env.lab.evaluation.comparison import check_days

if TYPE_CHECKING:
    from echo_env.lab.report.paper.rules import RuleStudy
    from echo_env.lab.report.paper.runs import PaperRun
    from echo_env.lab.report.paper.study import LabStudy

ALGO = "maskable_dqn"
"""The algorithm of the paper's agent."""
STATES = "baseline"
"""The lab whose year is shown minute by minute, and state by state."""
BESIDE = "fetal_first"
"""A rule that the paper does not have."""


@dataclass(frozen=True, kw_only=True)
class PaperOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param output: folder for all results, in place of those of an earlier run; all else in it stays
    :param agents: folders of runs of the paper's training, at most one for each lab; by default the latest ones
    :param days: days of the running means, at least a year
    :param seed: seed of the days
    :param trust: open models that are pickles, which can run code of whoever made them (SECURITY.md)
    """

    output: str
    agents: Several = ()
    days: Whole = 10_000
    seed: Whole = 7
    trust: Flag = False


def main(tokens: Sequence[str], program: str = "echo-lab paper") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    return exit_status(partial(_run, list(tokens), program), extra="plots")


def _run(tokens: Sequence[str], program: str) -> None:
    options = parse(PaperOptions, tokens, program, __doc__)
    if options is not None:
        run(options, command_line(program, tokens))


def run(options: PaperOptions, command: str) -> None:
    """Play, draw, write, and print the findings.

    :param options: what is asked for
    :param command: how it was asked for, for the index
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.lab.report.paper.figures import paper_figures
    from echo_env.lab.report.paper.findings import find_all
    from echo_env.lab.report.paper.pages import file_names, print_findings, write_pages
    from echo_env.lab.report.paper.rule_findings import rule_findings
    from echo_env.lab.report.paper.rules import rule_figures

    runs = check_options(options, file_names())
    players = {run.env_id: find_players(run, options.trust) for run in runs}
    rules = _play_rules(options.seed)
    studies = {ENV_IDS[run.env_id]: _play(run, players[run.env_id], options) for run in runs}
    findings = [*rule_findings(rules), *find_all(studies)]
    with delivery() as outputs:
        drawn = [*rule_figures(rules), *paper_figures(studies)]
        write_pages(outputs.folder(options.output), drawn, findings, studies, command)
    print_findings(findings)
    print(f"index: {Path(options.output) / 'index.md'}")


def check_options(options: PaperOptions, names: Sequence[str]) -> list[PaperRun]:
    """Refuse what could only fail after all the days have been played.

    :param options: what is asked for
    :param names: files that go into the folder
    :return: the runs, in the order of the labs
    :raises ValueError: too few days, or a folder that is no run, says why
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.lab.report.paper.runs import check_labs, latest_runs, read_run
    from echo_env.lab.report.paper.study import YEAR

    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}, but must be at least 0")
    check_days(options.days)
    if options.days < YEAR:
        raise ValueError(f"--days is {options.days}, but must be at least {YEAR}, a year")
    check_output_folder("--output", options.output, names)
    runs = [read_run(folder) for folder in options.agents or latest_runs()]
    check_labs(runs)
    return sorted(runs, key=lambda own: list(ENV_IDS).index(own.env_id))


def find_players(run: PaperRun, trust: bool) -> tuple[LabConfig, Policy, list[Policy]]:
    """The lab of a run, its agent, and policies that the paper does not have.

    :param run: the training
    :param trust: open the model even if it is a pickle
    :raises ValueError: the agent cannot be opened, or was trained on another lab
    """
    from echo_env.lab.report.paper import study

    config = LabConfig.load(ENV_IDS[run.env_id])
    agent = trained_policy(ALGO, str(run.model), config, {}, trust=trust)
    if agent.note:
        raise ValueError(agent.note)
    agent.name = study.AGENT
    return config, agent, [make_policy(BESIDE, config), find_agent(SHIPPED, config, {})]


def _play_rules(seed: int) -> RuleStudy:
    """Play a year of the paper's rules, with a progress bar."""
    from echo_env.lab.report.paper.rules import ON_THE_FLY, RESERVING, play_rules
    from echo_env.lab.report.paper.study import YEAR

    with progress_bar("days of the rules", YEAR * len((*ON_THE_FLY, *RESERVING))) as advance:
        return play_rules(LabConfig.load(STATES), YEAR, seed, advance)


def _play(run: PaperRun, players: tuple[LabConfig, Policy, list[Policy]], options: PaperOptions) -> LabStudy:
    """Play a lab's days, with a progress bar."""
    from echo_env.lab.report.paper.study import COMPARED, DEDICATED, YEAR, play_study

    config, agent, others = players
    minutes = config.name == STATES
    total = options.days * (len(COMPARED) + len(others)) + YEAR * (len(DEDICATED) + minutes * len(COMPARED))
    with progress_bar(f"days of {config.name}", total) as advance:
        return play_study(run, config, agent, others, options.days, options.seed, YEAR, minutes, advance)
