"""Tables and the figure of learning curves, from the rows of learning.csv.

    python benchmarks/learning_table.py
    python benchmarks/learning_table.py --table ablations --rows learning_earlier_days
    python benchmarks/learning_table.py --curves benchmarks/figures/learning_curves.png --lab scarce

Tables are Markdown, as they stand in the README. Intervals of trained methods are over seeds and days, those of rules
over days. learning_earlier_days.csv has the rows of the time before days were drawn by identity: its seeds name other
days, and its tuned algorithms chose among joint actions. Curves need the logs of the trainings, which are not in the
repository.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from learning import CSV, LOGS, MONITORING_DAYS, ROOT, Task
from learning_methods import ABLATIONS, COMPARISON, DAYS, LABS, PAPER, RULES, TABLES
from matplotlib.figure import Figure
from record import FOLDER
from scipy.stats import trim_mean

from echo_env import ENV_IDS
from echo_env.common.stats import Estimate, over_seeds
from echo_env.lab import load_lab
from echo_env.lab.evaluation.references import rule_rewards
from echo_env.lab.plots.style import name_axes, policy_line, thousands
from sb3_ext.zoo.algorithms import MASKABLE
from sb3_ext.zoo.evaluation import EVALUATION_SEED
from sb3_ext.zoo.manager import MOST_EVAL_ENVS

HEADINGS = ("lab", "method", "seeds", "penalty a day", "waiting part", "minus `policy_2`", "minus `scarce_first`")
ONLY_TRAINED = ("middle", "worst seed", "CPU s", "steps")
"""``middle`` is the interquartile mean over the seeds of minus `policy_2`."""


def shown(value: Estimate) -> str:
    """``-100.1 ± 7.0``."""
    return f"{value.mean:+,.1f} ± {value.half_width:,.1f}"


def cells(lab: str, method: str, rows: pd.DataFrame) -> list[str]:
    """The line of one method in one lab.

    :param lab: its name
    :param method: its name
    :param rows: of learning.csv, one for each seed
    """
    rule, days = method in RULES, int(rows["days"].iloc[0])
    name = method if not rule else f"`{method}`" if days == DAYS else f"`{method}`, {days} days"
    line = [lab, name, "" if rule else str(len(rows))]
    line += [f"{rows[metric].mean():,.1f}" for metric in ("penalty", "waiting_penalty")]
    for reference in ("policy_2", "scarce_first"):
        value = over_seeds(rows[f"minus_{reference}"], rows[f"half_{reference}"])
        line.append("" if method == reference else shown(value))
    if rule:
        return line + [""] * len(ONLY_TRAINED)
    differences = rows["minus_policy_2"].to_numpy()
    line += [f"{trim_mean(differences, 0.25):+,.1f}", f"{differences.max():+,.1f}"]
    return [*line, f"{rows['cpu_s'].mean():,.0f}", f"{rows['steps'].iloc[0]:,}"]


def ablation_cells(method: str, rows: pd.DataFrame) -> list[str]:
    """The line of one change.

    :param method: algorithm and change, with a colon between
    :param rows: of learning.csv, one for each seed
    """
    line = [*method.split(": "), str(len(rows))]
    line += [shown(over_seeds(rows[f"minus_{name}"], rows[f"half_{name}"])) for name in ("policy_2", "scarce_first")]
    return [*line, f"{rows['minus_policy_2'].max():+,.1f}"]


def ablations(rows: pd.DataFrame) -> str:
    """What changes of the settings do.

    :param rows: of learning.csv
    """
    lines = [["algorithm", "changed", "seeds", "minus `policy_2`", "minus `scarce_first`", "worst seed"]]
    lines.append(["---"] * len(lines[0]))
    own = rows[rows["table"] == "ablations"]
    lines += [ablation_cells(name, own[own["method"] == name]) for name in ABLATIONS if name in set(own["method"])]
    return as_markdown(lines)


def as_markdown(lines: list[list[str]]) -> str:
    """Lines of cells as a table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(rows: pd.DataFrame, tables: list[str]) -> str:
    """The rows of some tables, in the order of learning_methods.py.

    :param rows: of learning.csv
    :param tables: names of tables
    """
    headings = [*HEADINGS, *ONLY_TRAINED]
    lines = [headings, ["---"] * len(headings)]
    for lab in LABS:
        for table in tables:
            for method in TABLES[table]:
                own = rows[(rows["table"] == table) & (rows["lab"] == lab) & (rows["method"] == method)]
                lines += [cells(lab, method, own)] if len(own) else []
    return as_markdown(lines)


def levels(lab: str) -> dict[str, float]:
    """What rules pay on average on the monitoring days.

    :param lab: where
    """
    config = load_lab(LABS[lab].config or ENV_IDS[LABS[lab].env_id])
    n_envs = min(MONITORING_DAYS, MOST_EVAL_ENVS)
    # As evaluate_policy shares the episodes out.
    episodes = [(MONITORING_DAYS + i) // n_envs for i in range(n_envs)]
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + n_envs)
    return {rule: -rule_rewards(config, rule, seeds, episodes).mean() for rule in ("policy_2", "scarce_first")}


def curve(task: Task, algo: str, level: float) -> pd.DataFrame:
    """What a training's evaluations were, on monitoring days.

    :param task: the training
    :param algo: its algorithm
    :param level: what policy 2 pays on the same days
    :return: columns ``days``, simulated until then, about, and ``minus_policy_2``, penalty points
    """
    run = ROOT / LOGS / task.folder / algo / f"{LABS[task.lab].env_id}_1"
    with np.load(run / "evaluations.npz") as log:
        days = log["timesteps"] / log["ep_lengths"].mean(axis=1)
        return pd.DataFrame({"days": days, "minus_policy_2": -log["results"].mean(axis=1) - level})


def draw_curves(rows: pd.DataFrame, lab: str, path: Path) -> None:
    """Every training of the comparison and of the paper's protocol on the same axes.

    :param rows: of learning.csv
    :param lab: where
    :param path: PNG to write
    """
    level = levels(lab)
    ax = Figure(figsize=(8, 5), layout="constrained").subplots()
    number = 0
    for table, methods in (("comparison", COMPARISON), ("paper", PAPER)):
        for method, how in methods.items():
            own = rows[(rows["table"] == table) & (rows["lab"] == lab) & (rows["method"] == method)]
            # What has no masks is not evaluated on the way, see learning.py.
            if own.empty or how.algo not in MASKABLE:
                continue
            look = policy_line(number)
            number += 1
            for place, seed in enumerate(own["seed"]):
                points = curve(Task(table, lab, method, seed), how.algo, level["policy_2"])
                ax.plot(points["days"], points["minus_policy_2"], **look, label=None if place else method, alpha=0.7)
    ax.axhline(0, color="0.4", linewidth=1)
    ax.axhline(level["scarce_first"] - level["policy_2"], color="0.4", linewidth=1, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=100)
    thousands(ax, "y")
    title = f"Learning in the lab {lab!r}: {MONITORING_DAYS:,} monitoring days; line policy 2, dotted scarce first"
    name_axes(ax, title,
              "Days simulated (number, log scale)", "Penalty a day minus policy 2's (points)")  # fmt: skip
    ax.legend(fontsize=8, frameon=False)
    ax.figure.savefig(path, dpi=120)  # type: ignore[union-attr]


def read_rows(name: str) -> pd.DataFrame:
    """Rows of measurements, by seed.

    :param name: of the file, without its ending
    """
    rows = pd.read_csv(FOLDER / f"{name}.csv").sort_values("seed")
    # What scarce_first is called in the paper's labs.
    rows["method"] = rows["method"].replace("fetal_first", "scarce_first")
    return rows.rename(columns=lambda column: column.replace("fetal_first", "scarce_first"))


def main() -> int:
    """Print a table, or draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="comparison", choices=("comparison", "ablations"), help="%(default)s")
    parser.add_argument("--curves", type=Path, metavar="PNG", help="draw learning curves there instead")
    parser.add_argument("--lab", default="scarce", choices=LABS, help="of the curves: %(default)s")
    parser.add_argument("--rows", default=CSV, metavar="NAME", help="the file of rows, without its ending: %(default)s")
    arguments = parser.parse_args()
    rows = read_rows(arguments.rows)
    if arguments.curves:
        draw_curves(rows, arguments.lab, arguments.curves)
    else:
        print(
            ablations(rows)
            if arguments.table == "ablations"
            else markdown(rows, ["rules", "comparison", "rows", "paper"])
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
