"""The paper's figures as a folder: pictures, the numbers behind them, the table of findings, and an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich.markup import escape

from echo_env.common.figures import write_figure
from echo_env.common.files import text_cells, written_whole
from echo_env.common.tables import Grid, cell, grid_lines, new_console, new_table
from echo_env.lab.report.paper.captions import FIGURES
from echo_env.lab.report.paper.drawn import Drawn
from echo_env.lab.report.paper.rule_captions import RULE_FIGURES
from echo_env.lab.report.paper.study import LabStudy
from echo_env.lab.report.paper.verdicts import CLOSE, FAILS, HOLDS, OPEN, Finding

INDEX, FINDINGS_MD, FINDINGS_CSV = "index.md", "findings.md", "findings.csv"

_CAPTION = (
    "Mean ± half of the 95 % interval. What the paper says in words is made a number here: comparable is within "
    f"{CLOSE:g} %, most is more than half. A finding holds, or does not, where the interval lies on one side."
)


_MANY = {HOLDS: "hold", FAILS: "do not hold", OPEN: "are not decided"}


def file_names() -> list[str]:
    """All files that there may be."""
    names = [INDEX, FINDINGS_MD, FINDINGS_CSV]
    for caption in (*RULE_FIGURES, *FIGURES):
        own = [f"{caption.name}{letter}" for letter in "abcd"] if caption.kind == "states" else [caption.name]
        names += [f"{name}.{ending}" for name in own for ending in ("png", "pdf", "csv")]
        names += [f"{name}_differences.csv" for name in own if caption.kind == "states"]
    return names


def write_pages(
    folder: Path, drawn: Sequence[Drawn], findings: Sequence[Finding], studies: Mapping[str, LabStudy], command: str
) -> None:
    """Write everything (needs matplotlib and pandas).

    :param folder: an empty folder
    :param drawn: the figures
    :param findings: the findings
    :param studies: lab -> its study
    :param command: the command line
    """
    for own in drawn:
        write_figure(own.figure, folder, own.name)
        for ending, table in own.tables.items():
            _write_csv(folder / f"{own.name}{ending}.csv", table)
    _write_csv(folder / FINDINGS_CSV, findings_table(findings))
    with written_whole(folder / FINDINGS_MD) as file:
        file.write("\n".join(grid_lines(findings_grid(findings))))
    with written_whole(folder / INDEX) as file:
        file.write("\n".join(_index(drawn, findings, studies, command)))


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with written_whole(path) as file:
        text_cells(table).to_csv(file, index=False, lineterminator="\n")


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row for each finding.

    :param findings: the findings
    """
    rows = [
        {
            "section": own.where,
            "lab": own.lab,
            "paper": own.paper,
            "verdict": own.verdict,
            "measure": own.measure,
            "unit": own.unit,
            "mean": own.value.mean,
            "low": own.value.low,
            "high": own.value.high,
            "days": own.value.n,
        }
        for own in findings
    ]
    return pd.DataFrame(rows)


def findings_grid(findings: Sequence[Finding]) -> Grid:
    """The same for people.

    :param findings: the findings
    """
    rows = [
        (own.paper, own.where, own.lab, own.verdict, f"{cell(own.value)} {own.unit}", own.measure, f"{own.value.n:,}")
        for own in findings
    ]
    heads = ("the paper says", "section", "lab", "here", "our figure", "which is", "days")
    return Grid("findings of the paper", heads, rows, _CAPTION)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print each finding with its verdict and figure.

    :param findings: the findings
    """
    table = new_table("findings of the paper", _CAPTION)
    table.add_column("the paper says", max_width=46, overflow="fold")
    table.add_column("here", no_wrap=True)
    table.add_column("our figure", justify="right", overflow="fold")
    for own in findings:
        table.add_row(escape(own.paper), own.verdict, escape(f"{cell(own.value)} {own.unit}"))
    new_console().print(table)


def _index(
    drawn: Sequence[Drawn], findings: Sequence[Finding], studies: Mapping[str, LabStudy], command: str
) -> list[str]:
    lines = ["# Figures 4 to 24 of the paper, with an agent trained as the paper trains it", ""]
    lines += [
        "B. Sun et al., *Optimal patient allocation for echocardiographic assessments*. `paper_agent` is the paper's "
        "RL policy; numbers behind each figure are in the CSV file of its name, and every figure is a PDF too.",
        "",
        f"`{command}`",
        "",
        *(_of_lab(name, study) for name, study in studies.items()),
        "",
    ]
    missing = [f"{own.number} ({own.lab})" for own in FIGURES if own.lab not in studies]
    if missing:
        lines += [f"Left out, since no agent of their lab was given: figures {', '.join(missing)}.", ""]
    verdicts = Counter(own.verdict for own in findings)
    counts = [f"{verdicts[word]} {many}" for word, many in _MANY.items()]
    lines += [f"[Findings of the paper]({FINDINGS_MD}), each with our figure: {', '.join(counts)}.", ""]
    for own in drawn:
        letter = own.name.removeprefix(own.caption.name)
        files = ", ".join(f"[{own.name}{ending}.csv]({own.name}{ending}.csv)" for ending in own.tables)
        lines += [f"## Figure {own.caption.number}{letter} ({own.caption.lab})", ""]
        lines += [f"**In the paper:** {own.caption.paper}", "", f"**Here:** {own.caption.here} Numbers: {files}.", ""]
        lines += [f"![{own.name.replace('_', ' ')}]({own.name}.png)", ""]
    return lines


def _of_lab(name: str, study: LabStudy) -> str:
    run = study.run
    state = "the final agent" if run.ended else f"not ended, the agent of {run.model.name}"
    return (
        f"- {name}: trained for {run.days:,} days in `{run.folder}` ({state}); played on {study.long.days:,} days of "
        f"seed {study.long.seed}, the year being the first {study.year.days}."
    )
