"""Tables and the figure of learning curves, from the rows of learning.csv.

    python benchmarks/learning_table.py
    python benchmarks/learning_table.py --table ablations
    python benchmarks/learning_table.py --curves benchmarks/figures/learning_curves.png --lab scarce

Tables are Markdown, as they stand in docs/learning.md. Intervals of trained methods are over seeds and days, those of
rules over days. Curves need the logs of the trainings, which are not in the repository.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from learning import CSV, LOGS, MONITORING_DAYS, ROOT, Task
from learning_methods import ABLATIONS, COMPARISON, DAYS, LABS, PAPER, RULES, TABLES
from matplotlib.axes import Axes
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
from sb3_ext.zoo.managing.environments import MOST_EVAL_ENVS

METRICS = {"waiting_penalty": "waiting part", "overall_wait_min": "wait (min)", "left_waiting": "sent home"}
HEADINGS = ("lab", "method", "seeds", *METRICS.values(), "minus `policy_2`", "minus `scarce_first`")
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
    line += [f"{rows[metric].mean():,.{2 if metric == 'left_waiting' else 1}f}" for metric in METRICS]
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
    """The comparison and the paper's protocol on the same linear axes: mean over the seeds, and their range as a band.

    The scale ends a little above the better rule and below the best method; what comes from above is still learning.

    :param rows: of learning.csv
    :param lab: where
    :param path: PNG to write
    """
    level = levels(lab)
    curves: dict[str, list[pd.DataFrame]] = {}
    for table, methods in (("comparison", COMPARISON), ("paper", PAPER)):
        for method, how in methods.items():
            own = rows[(rows["table"] == table) & (rows["lab"] == lab) & (rows["method"] == method)]
            # What has no masks is not evaluated on the way, see learning.py.
            if len(own) and how.algo in MASKABLE:
                curves[method] = [curve(Task(table, lab, method, s), how.algo, level["policy_2"]) for s in own["seed"]]
    if not curves:
        raise SystemExit(f"no training in the lab {lab!r} has curves: {path} is not written")
    ax = curves_with_bands(curves, {"policy_2": 0.0, "scarce_first": level["scarce_first"] - level["policy_2"]})
    ax.set_title(f"Learning in the lab {lab!r}, {MONITORING_DAYS:,} monitoring days; band: all seeds", fontsize=10)
    ax.figure.savefig(path, dpi=120)  # type: ignore[union-attr]


def curves_with_bands(curves: Mapping[str, Sequence[pd.DataFrame]], rules: Mapping[str, float]) -> Axes:
    """Learning curves on one linear scale.

    :param curves: method -> a frame for each seed, as :func:`curve` gives them
    :param rules: name -> level of a rule, penalty points minus policy 2's
    """
    ax = Figure(figsize=(8, 5), layout="constrained").subplots()
    lowest, highest = min(rules.values()), max(rules.values())
    for number, (method, seeds) in enumerate(curves.items()):
        look = policy_line(number)
        grid = np.unique(np.concatenate([own["days"] for own in seeds]))
        # Between two evaluations of a seed a straight line; nothing before its first or after its last one.
        values = np.array(
            [np.interp(grid, own["days"], own["minus_policy_2"], left=np.nan, right=np.nan) for own in seeds]
        )
        all_there = ~np.isnan(values).any(axis=0)
        grid, values = grid[all_there], values[:, all_there]
        label = f"{method} ({len(seeds)} seed{'s' if len(seeds) > 1 else ''})"
        ax.plot(grid, values.mean(axis=0), label=label, markevery=max(len(grid) // 8, 1), **look)
        ax.fill_between(grid, values.min(axis=0), values.max(axis=0), color=look["color"], alpha=0.15, linewidth=0)
        lowest, highest = float(values.min(initial=lowest)), float(values.max(initial=highest))
    for (name, height), dashes in zip(rules.items(), ("-", ":"), strict=False):
        ax.axhline(height, color="0.4", linewidth=1, linestyle=dashes, label=name, zorder=0)
    room = max(abs(lowest), 1.0)
    ax.set_ylim(lowest - 0.25 * room, min(highest + 0.25 * room, 2.0 * room))
    ax.set_xlim(left=0)
    thousands(ax, "x")
    thousands(ax, "y")
    name_axes(ax, "", "Days simulated (number)", "Penalty a day minus policy_2's (points); lower is better")
    ax.legend(fontsize=8, frameon=False)
    return ax


def read_rows() -> pd.DataFrame:
    """Rows of measurements, by seed."""
    return pd.read_csv(FOLDER / f"{CSV}.csv").sort_values("seed")


def main() -> int:
    """Print a table, or draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="comparison", choices=("comparison", "ablations"), help="%(default)s")
    parser.add_argument("--curves", type=Path, metavar="PNG", help="draw learning curves there instead")
    parser.add_argument("--lab", default="scarce", choices=LABS, help="of the curves: %(default)s")
    arguments = parser.parse_args()
    rows = read_rows()
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
