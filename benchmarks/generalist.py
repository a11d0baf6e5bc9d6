"""One agent for any lab against the better of two rules, in random labs it was not trained in.

    python benchmarks/generalist.py --agent zoo_configs/agents/EchoLabAny-v0.zip
    python benchmarks/generalist.py --agent zoo_configs/agents/EchoLabAny-v0.zip --paper --days 20000
    python benchmarks/generalist.py --agent logs/maskable_ppo/EchoLabAny-v0_1 --stream validation --labs 40 --margin 0
    python benchmarks/generalist.py --table

Labs are those of the held-out stream of the family, which no training can reach. In each, policy_2 and scarce_first
play days of their own, and the one that makes patients wait less is compared with the agent on other days: differences
in the waiting part of the penalty, paired, with 95 % intervals; minutes waited and patients sent home beside them. With
--paper it is the paper's labs, and the agents that ship for them. Each lab is a row of generalist.csv.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from record import FOLDER, append_row

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from echo_env.commands.players import plugins  # noqa: E402
from echo_env.commands.players.generalist import GENERALIST, MARGINS  # noqa: E402
from echo_env.commands.players.models import find_agent, trained_policy  # noqa: E402
from echo_env.common.stats import Estimate, estimate  # noqa: E402
from echo_env.lab import Comparison, Lab, load_lab  # noqa: E402
from echo_env.lab import evaluate as evaluate_policies  # noqa: E402
from echo_env.lab.evaluation.guard import advise  # noqa: E402
from echo_env.lab.family import LabFamily, Stream  # noqa: E402
from echo_env.lab.family.prepared import RULES  # noqa: E402

CSV = "generalist"
DECIDING_SEED, SEED = 71_200_000, 71_300_000
"""Days on which the better rule is decided, and days on which it is compared."""
PAPER = ("baseline", "scarce")
WAITING = "waiting_penalty"
BESIDE = ("overall_wait_min", "left_waiting", "penalty")
"""What stands beside the difference in the waiting part: minutes, patients who are sent home, and the whole penalty."""


def verdict(difference: Estimate) -> str:
    """``won`` if the whole interval is below 0, ``lost`` if it is above, else ``tied``."""
    if difference.mean + difference.half_width < 0:
        return "won"
    return "lost" if difference.mean - difference.half_width > 0 else "tied"


def of_lab(agent: str, algo: str, margin: float, config: Lab, days: int, deciding: int) -> dict[str, object]:
    """The row of a random lab.

    :param agent: run or file of the agent
    :param algo: its algorithm
    :param margin: within which it follows the lab's better rule
    :param config: the lab
    :param days: of the comparison
    :param deciding: days on which the better rule is decided
    """
    policy = trained_policy(algo, agent, config, {}, trust=True, margin=margin)
    advice = advise(config, policy, deciding, DECIDING_SEED)
    comparison = evaluate_policies(config, [advice.rule, policy], days, SEED)
    row = difference_row(config, comparison, policy.name, advice.rule)
    # With the guard, a lab in which it advises the rule is neither won nor lost.
    return {**row, "guarded": row["result"] if advice.use == policy.name else "tied"}


def of_paper(agent: str, algo: str, margin: float, name: str, days: int) -> list[dict[str, object]]:
    """The rows of one of the paper's labs: against both rules and the agent that ships.

    :param agent: run or file of the agent
    :param algo: its algorithm
    :param margin: within which it follows the lab's better rule
    :param name: of the lab
    :param days: of the comparison
    """
    config = load_lab(name)
    policy = trained_policy(algo, agent, config, {}, trust=True, margin=margin)
    specialist = find_agent("agent", config, {})
    comparison = evaluate_policies(config, [*RULES, specialist, policy], days, SEED)
    rows = [difference_row(config, comparison, policy.name, other) for other in (*RULES, specialist.name)]
    return [{**row, "guarded": ""} for row in rows]


def difference_row(config: Lab, comparison: Comparison, policy: str, other: str) -> dict[str, object]:
    """What is known of a lab, and the agent's metrics minus another policy's.

    :param config: the lab
    :param comparison: of both, among others
    :param policy: the agent
    :param other: the other
    """
    plan, own, its = config.plan, comparison.values[policy], comparison.values[other]
    difference, waiting = estimate(own[WAITING] - its[WAITING]), comparison.mean(other, WAITING).mean
    return {
        "lab": config.name,
        "types": len(plan.types),
        "nested": plan.nested,
        "patients": sum(len(kind.scheduled) for kind in plan.types),
        "staff": len(plan.staff_group),
        "against": other,
        "days": len(own[WAITING]),
        "waiting": waiting,
        "difference": difference.mean,
        "half_width": difference.half_width,
        "percent": 100 * difference.mean / max(waiting, 1.0),
        "result": verdict(difference),
        **{name: float(np.nanmean(own[name] - its[name])) for name in BESIDE},
    }


def summary(rows: pd.DataFrame) -> str:
    """Won, tied and lost, and the mean gain, of all labs and of those of two exam types.

    :param rows: rows of random labs
    """
    lines = [
        "| labs | number | won | tied | lost | lost with the guard | mean difference, % of the waiting part | median |",
        "|---|" + "--:|" * 7,
    ]
    groups = {
        "all": rows,
        "one exam type": rows[rows["types"] == 1],
        "two exam types": rows[rows["types"] == 2],
        "three or more": rows[rows["types"] > 2],
        "of these, crossing": rows[(rows["types"] > 2) & ~rows["nested"].astype(str).eq("True")],
        "policy_2 the better rule": rows[rows["against"] == "policy_2"],
    }
    for name, own in groups.items():
        if len(own):
            counts = [int((own["result"] == result).sum()) for result in ("won", "tied", "lost")]
            gain = estimate(own["percent"].to_numpy(dtype=np.float64))
            counts.append(int((own["guarded"] == "lost").sum()))
            cells = [
                name,
                len(own),
                *counts,
                f"{gain.mean:+.2f} ± {gain.half_width:.2f}",
                f"{own['percent'].median():+.2f}",
            ]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", help="run or file of the agent")
    parser.add_argument("--algo", default="maskable_ppo", help="its algorithm: %(default)s")
    parser.add_argument(
        "--margin",
        type=float,
        default=MARGINS[GENERALIST],
        help="within which it follows the lab's better rule: %(default)s",
    )
    parser.add_argument("--label", default="", help="a word for the rows, by which tables tell agents apart")
    parser.add_argument("--stream", default="held_out", choices=[stream.name.lower() for stream in Stream])
    parser.add_argument("--first", type=int, default=0, help="number of the first lab: %(default)s")
    parser.add_argument("--labs", type=int, default=100, help="how many: %(default)s")
    parser.add_argument("--days", type=int, default=2000, help="days of each comparison: %(default)s")
    parser.add_argument("--deciding-days", type=int, default=2000, help="days that decide the better rule: %(default)s")
    parser.add_argument("--paper", action="store_true", help="the paper's labs in place of random ones")
    parser.add_argument("--no-rows", action="store_true", help="append nothing to the CSV")
    parser.add_argument("--table", action="store_true", help="print the table of the rows of --label that are there")
    given = parser.parse_args(argv)
    if given.table:
        table = pd.read_csv(FOLDER / f"{CSV}.csv", keep_default_na=False)
        own = table[(table["label"] == given.label) & (table["stream"] == given.stream)]
        print(summary(own.drop_duplicates("lab", keep="last")))
        return 0
    if given.agent is None:
        parser.error("--agent is missing")
    plugins.provide(models="sb3_ext.zoo.agents")
    rows, begin = [], time.process_time()
    head = {"label": given.label, "stream": "paper" if given.paper else given.stream, "agent": given.agent}
    if given.paper:
        work = (row for name in PAPER for row in of_paper(given.agent, given.algo, given.margin, name, given.days))
    else:
        family, stream = LabFamily(), Stream[given.stream.upper()]
        labs = (family.lab(number, stream) for number in range(given.first, given.first + given.labs))
        work = (of_lab(given.agent, given.algo, given.margin, lab, given.days, given.deciding_days) for lab in labs)
    for row in work:
        rows.append(row)
        if not given.no_rows:
            append_row(CSV, {**head, **row})
        print(
            f"{row['lab']} {row['types']} types, {row['against']}: {row['difference']:+.1f} ± {row['half_width']:.1f}, "
            f"{row['percent']:+.2f} % {row['result']}",
            flush=True,
        )
    if not given.paper:
        print(summary(pd.DataFrame(rows)))
    print(f"{time.process_time() - begin:.0f} CPU s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
