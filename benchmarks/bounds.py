"""How near the best possible: lower bounds over what fetal_first pays, with intervals.

python benchmarks/bounds.py --lab scarce --days 200 --seed 4107
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from echo_env.common.stats import estimate
from echo_env.lab import LabConfig, evaluate, sample_days
from echo_env.lab.bounds.bounds import attached_bound, lengths_unknown_bounds

RULE = "fetal_first"


def main() -> None:
    """Read the command line, compute and write rows."""
    from record import append_row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lab", default="scarce", help="a preset of the paper's form")
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4107)
    parser.add_argument("--all", action="store_true", help="the slower bounds too")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    config = LabConfig.load(args.lab)
    paid = evaluate(config, [RULE], args.days, args.seed).values[RULE]["penalty"]
    days = sample_days(config, args.days, args.seed)
    begin = time.process_time()
    found = {"attached": np.array([attached_bound(config, day) for day in days])}
    seconds = {"attached": time.process_time() - begin}
    if args.all:
        begin = time.process_time()
        both = np.array([lengths_unknown_bounds(config, day) for day in days]).T
        found |= dict(zip(("clairvoyant", "lengths_unknown"), both, strict=True))
        seconds |= dict.fromkeys(("clairvoyant", "lengths_unknown"), time.process_time() - begin)
    for name, bound in found.items():
        share = bound.mean() / paid.mean()
        # A ratio of means: the interval is that of its linearisation.
        half = estimate(share + (bound - share * paid) / paid.mean()).half_width
        row = {
            "lab": args.lab,
            "days": args.days,
            "seed": args.seed,
            "bound": name,
            "points": float(bound.mean()),
            f"over_{RULE}": float(share),
            "half_width": half,
            "cpu_seconds": seconds[name],
        }
        print(*row.values(), flush=True)
        if not args.no_csv:
            append_row("bounds", row)


if __name__ == "__main__":
    main()
