"""The paper's findings about its agent (sections 6 to 8), each with our figure: which of them hold.

What the paper says in words is made a number here, and the number is said: *comparable* is within 5 percent, *most* is
more than half, *few* is at most 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate, mean_and_half_width, paired_difference, ratio_of_sums
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.report.paper.choices import choice_findings
from echo_env.lab.report.paper.study import AGENT, COMPARED, DEDICATED, RULE, LabStudy
from echo_env.lab.report.paper.verdicts import OPEN, Finding, above, all_of, below, said, together, within

Floats = NDArray[np.float64]

RULES = ("policy_1", "policy_2")


def find_all(studies: Mapping[str, LabStudy]) -> list[Finding]:
    """Every finding in the labs that were studied, in the paper's order.

    :param studies: lab -> its study
    """
    found: list[Finding] = []
    if "baseline" in studies:
        found += [*_learned(studies["baseline"], "6.0.1, figure 12"), *_baseline(studies["baseline"])]
        found += [*choice_findings(studies["baseline"]), *_discussed(studies["baseline"])]
    if "abundant" in studies:
        found += _abundant(studies["abundant"])
    if "scarce" in studies:
        found += _scarce(studies["scarce"])
    return found


def relative(part: Comparison, policy: str, metric: str, reference: str = RULE) -> Estimate:
    """Paired difference of two policies in a metric, percent of the reference's mean.

    :param part: policies on the same days
    :param policy: the one
    :param metric: the metric; days without it are left out
    :param reference: the other
    """
    own, base = (part.values[name][metric] for name in (policy, reference))
    known = ~(np.isnan(own) | np.isnan(base))
    return ratio_of_sums(100 * (own - base)[known], base[known])


def _learned(study: LabStudy, where: str) -> list[Finding]:
    """The penalty falls in training, at either absence rate."""
    run, lab = study.run, study.config.name
    first, last = run.penalty[: run.hold], run.penalty[run.settled :]
    tenth, fifth = len(first) // 10, len(last) // 5
    parts = (
        (first[:tenth], first[-tenth:], "first and last tenth of the days at the first absence rate"),
        (last[fifth : 2 * fifth], last[-fifth:], "second and last fifth of the days at the lab's own absence rate"),
    )
    found = []
    says = ("The penalty falls as training progresses.", "After day 20,000 it stabilises and goes on improving.")
    for sentence, (before, after, what) in zip(says, parts, strict=True):
        value = _fall(before, after)
        measure = f"mean penalty of the last part minus that of the first: {what}"
        found.append(Finding(where, lab, sentence, measure, "points a day", value, below(value) if value.n else OPEN))
    return found


def _fall(before: Floats, after: Floats) -> Estimate:
    """Difference of two means of different days; nan for fewer than two days each."""
    if min(len(before), len(after)) < 2:
        return estimate([])
    (early, some), (late, more) = mean_and_half_width(before), mean_and_half_width(after)
    mean, half = float(late - early), float(np.hypot(some, more))
    return Estimate(mean, mean - half, mean + half, len(before) + len(after))


def _baseline(study: LabStudy) -> list[Finding]:
    """Sections 6.0.2 to 6.0.4."""
    lab, year = study.config.name, study.year
    found = []
    for where, part, says in (
        ("6.0.2, figure 13", year, "Over a year the average penalties of the agent and the rules are close."),
        ("6.0.3, figure 14", study.long, "The mean daily penalties are quite close: a comparable performance."),
    ):
        value = relative(part, AGENT, "penalty")
        found.append(Finding(where, lab, says, f"penalty, {AGENT} minus {RULE}", "%", value, within(value)))
    stricter = relative(study.long, AGENT, "waiting_penalty")
    says = "The same of the part that patients feel, without idle resources (not in the paper)."
    measure = f"waiting part, {AGENT} minus {RULE}"
    found.append(Finding("6.0.3, figure 14", lab, says, measure, "%", stricter, within(stricter)))
    wait = relative(year, AGENT, "wait_min")
    says = "The agent's waiting times are comparable to those of both rules."
    measure = f"mean wait, {AGENT} minus {RULE}"
    found.append(Finding("6.0.4, figure 15", lab, says, measure, "%", wait, within(wait)))
    others = {name: relative(year, name, "workload") for name in (*DEDICATED, "policy_1", AGENT)}
    name, value = max(others.items(), key=lambda own: abs(own[1].mean))
    says = "All five policies give sonographers a similar workload."
    measure = f"exams a sonographer, {name} (which differs most) minus {RULE}"
    verdict = together([within(own) for own in others.values()])
    return [*found, Finding("6.0.4, figure 16", lab, says, measure, "%", value, verdict)]


def _discussed(study: LabStudy) -> list[Finding]:
    """Section 8, and what 6.0.2 concludes."""
    part, lab, where = study.long, study.config.name, "8"
    penalty = {name: part.values[name]["penalty"] for name in COMPARED}
    idle = {name: part.values[name]["penalty_idle"] for name in COMPARED}
    found = []
    for more, fewer, says in (
        ("policy_1", RULE, "Policy 2 is the most radical policy: it uses resources most, policy 1 less."),
        (AGENT, "policy_1", "The agent is the most conservative policy: it withholds resources most."),
    ):
        value = paired_difference(idle[more], idle[fewer])
        measure = f"idle pairs of room and sonographer, {more} minus {fewer}"
        found.append(Finding(where, lab, says, measure, "pair-minutes a day", value, above(value)))
    better = (penalty[AGENT] < np.minimum(penalty["policy_1"], penalty[RULE])).astype(float)
    value = estimate(100 * better)
    says = "The agent reduces the penalty in certain scenarios."
    found.append(
        Finding(where, lab, says, "days on which it pays less than both rules", "% of days", value, above(value))
    )
    best = np.stack([penalty[name] < np.min([penalty[o] for o in COMPARED if o != name], axis=0) for name in COMPARED])
    shares = [estimate(100 * own.astype(float)) for own in best]
    value = all_of(shares, "above")
    says = "No single policy outperforms all others on every day."
    measure = "days on which a policy alone is the best; the policy with fewest"
    found.append(Finding(where, lab, says, measure, "% of days", value, above(value)))
    if study.others:
        gains = {name: relative(part, name, "penalty") for name in study.others}
        name, value = min(gains.items(), key=lambda own: own[1].mean)
        says = "Policies 1 and 2 are practically optimal for these resources."
        measure = f"penalty of the best policy we know, {name}, minus {RULE} (holds: within 1 %)"
        found.append(Finding("6.0.2", lab, says, measure, "%", value, within(value, 1.0)))
    return found


def _abundant(study: LabStudy) -> list[Finding]:
    """Section 7.1."""
    part, lab, agent = study.long, study.config.name, study.long.values[AGENT]
    rules = [part.mean(name, "penalty") for name in RULES]
    value = all_of(rules, "below")
    says = "Rules on the fly always suffice: policies 1 and 2 pay nothing."
    measure = "penalty of the rule that pays more"
    found = [Finding("7.1, figure 19", lab, says, measure, "points a day", value, said(value.mean == 0))]
    run = study.run
    last = run.penalty[run.settled :]
    value = estimate(100.0 * (last[len(last) // 5 :] > 0))
    says = "The learning curve fluctuates: some days of training have a penalty to the end."
    measure = "days with a penalty in the last four fifths of the days at the lab's own absence rate"
    found.append(Finding("7.1, figure 18", lab, says, measure, "% of days", value, above(value) if value.n else OPEN))
    zero = estimate(100.0 * (agent["penalty"] == 0))
    says = "On most days the agent pays nothing."
    found.append(Finding("7.1", lab, says, f"days on which {AGENT} pays 0", "% of days", zero, above(zero, 50)))
    for where, metric, unit, says in (
        ("7.1, figure 19", "penalty", "points a day", "The agent's mean daily penalty is not exactly zero."),
        ("7.1, figure 20", "wait_min", "minutes", "There is a small but non-zero waiting time for some patients."),
    ):
        value = part.mean(AGENT, metric)
        found.append(Finding(where, lab, says, f"mean {metric} of {AGENT}", unit, value, said(value.mean > 0)))
    return found


def _scarce(study: LabStudy) -> list[Finding]:
    """Section 7.2."""
    part, year, lab = study.long, study.year, study.config.name
    found = _learned(study, "7.2, figure 21")[:1]
    cases = (
        ("7.2, figure 22", part, "penalty", "points a day", "above", "a significantly higher average daily penalty"),
        ("7.2, figure 23", year, "wait_min", "minutes", "above", "a longer mean waiting time"),
        ("7.2", part, "overall_wait_min", "minutes", "above", "a longer wait, with those who are never examined,"),
        ("7.2, figure 24", year, "workload", "exams", "below", "a lower average workload of the sonographers"),
    )
    for where, own, metric, unit, judge, words in cases:
        every = [paired_difference(own.values[AGENT][metric], own.values[rule][metric]) for rule in RULES]
        value = all_of(every, judge)
        verdict = above(value) if judge == "above" else below(value)
        says = f"The agent gives {words} than both rules."
        measure = f"{metric}, {AGENT} minus the rule that is nearer"
        found.append(Finding(where, lab, says, measure, unit, value, verdict))
    return found
