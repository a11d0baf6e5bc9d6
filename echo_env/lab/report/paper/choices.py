"""The paper's findings about single decisions (section 6.0.5, and the discussion of 8:00 in section 8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import estimate, linearised_ratio, ratio_of_sums
from echo_env.lab.departures.counterfactual import Decisions
from echo_env.lab.report.paper.study import AGENT, RULE, LabStudy
from echo_env.lab.report.paper.verdicts import Finding, above, below
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality
from echo_env.lab.simulation.penalty import idle_rule_index, penalty_points, penalty_units

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEW = 5
"""Minutes of a day that are *a few*; the paper gives no number."""
_WHERE = "6.0.5, figure 17"


def choice_findings(study: LabStudy) -> list[Finding]:
    """Findings along the states of the rule's year.

    :param study: of the baseline lab, with its decisions
    """
    made, lab = study.decisions, study.config.name
    assert made is not None
    differ = (made.followed != made.other).any(axis=1)
    minutes = _by_day(made, differ)
    same = estimate(100.0 * (minutes == 0))
    few = estimate(minutes[minutes > 0])
    more = _by_day(made, _immediate(study, made, made.other) - _immediate(study, made, made.followed))
    left = {when: _left_waiting(made, when) for when in Punctuality}
    lazy = estimate(linearised_ratio(*left[Punctuality.LATE]) - linearised_ratio(*left[Punctuality.ON_TIME]))
    opening = _left_waiting(made, Punctuality.EARLY, made.minute == 0)
    early, first = ratio_of_sums(*left[Punctuality.EARLY]), ratio_of_sums(*opening)
    leaves = f"exams of {{}} patients that {RULE} begins and {AGENT} does not"
    return [
        Finding(
            _WHERE, lab, "The two policies behave identically on most days.", "days without a difference",
            "% of days", same, above(same, 50),
        ),
        Finding(
            _WHERE, lab, "Where they differ, it is in a few isolated minutes.",
            f"minutes with a difference, on days with one (few: at most {FEW})", "minutes", few, below(few, FEW),
        ),
        Finding(
            _WHERE, lab, "The agent's immediate penalty is higher, since policy 2 uses all resources there are.",
            f"penalty of the minute after the decision, {AGENT} minus {RULE} in the same states", "points a day",
            estimate(more), above(estimate(more)),
        ),
        Finding(
            _WHERE, lab, "The agent does not tend to serve early patients, whose waiting costs nothing.",
            leaves.format("early"), "%", early, above(early, 50),
        ),
        Finding(
            _WHERE, lab, "The agent is lazy about late patients.",
            f"{leaves.format('late')}, minus the same for on-time patients", "percentage points", lazy, above(lazy),
        ),
        Finding(
            "8", lab, "At 8:00 the agent does not consistently serve early patients, though it should.",
            f"{leaves.format('early')} in the first minute", "%", first, above(first),
        ),
    ]  # fmt: skip


def _by_day(made: Decisions, values: NDArray[np.bool_] | Floats | Ints) -> Floats:
    """(days,) float64, sums over each day's decisions."""
    return np.bincount(made.day, weights=values, minlength=len(made.penalty)).astype(np.float64)


def _left_waiting(made: Decisions, when: Punctuality, which: NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
    """Of each day, 100 times the exams of a punctuality that the rule begins and the agent does not; and all of them.

    :param made: the decisions
    :param when: punctuality of the patients
    :param which: (n,) which decisions, by default all
    """
    own = slice(int(when), None, CLASSES_PER_TYPE)
    begun, fewer = made.followed[:, own], np.maximum(made.followed - made.other, 0)[:, own]
    kept = np.ones(len(begun)) if which is None else which.astype(np.float64)
    return 100 * _by_day(made, fewer.sum(axis=1) * kept), _by_day(made, begun.sum(axis=1) * kept)


def _immediate(study: LabStudy, made: Decisions, begun: Ints) -> Floats:
    """(n,) float64, points of the minute after each decision.

    :param study: the lab, in which every exam takes one room and one sonographer of those that are free
    :param made: the states
    :param begun: (n, 3 K) exams that the decision begins, by class
    """
    config, plan = study.config, study.config.plan
    rule, weights = idle_rule_index(config), [kind.weight for kind in plan.types]
    rooms = len(plan.room_columns)
    pairs = np.minimum(made.free[:, :rooms].sum(axis=1), made.free[:, rooms:].sum(axis=1)) - begun.sum(axis=1)
    after = made.minute >= config.hours.closing_min
    rows = zip(after.tolist(), (made.waiting - begun).tolist(), pairs.tolist(), strict=True)
    units = [(*penalty_units(rule, late, waiting, weights, left, 0), 0, 0, 0) for late, waiting, left in rows]
    return np.asarray(penalty_points(config, np.array(units).T).total, dtype=np.float64)
