"""The paper's findings about its rules (sections 4.2 to 4.8), each with our figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, paired_difference, ratio_of_sums
from echo_env.lab.report.paper.findings import relative
from echo_env.lab.report.paper.rules import ON_THE_FLY, RESERVING, RuleStudy
from echo_env.lab.report.paper.verdicts import Finding, above, all_of, below, together, within
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, EARLY, LATE, ON_TIME

Floats = NDArray[np.float64]

_FETAL, _NON_FETAL = range(CLASSES_PER_TYPE), range(CLASSES_PER_TYPE, 2 * CLASSES_PER_TYPE)
_ALL_RESERVED = "policy_5_case_10"


def rule_findings(study: RuleStudy) -> list[Finding]:
    """Findings in the paper's order.

    :param study: a year of its rules
    """
    return [*_of_queues(study), *_of_violins(study), *_comments(study)]


def _queue(study: RuleStudy, rule: str, classes: Iterable[int]) -> Floats:
    """(days,) patients of some classes who wait, mean over the minutes of the day."""
    return np.asarray(study.waiting[rule][:, list(classes)].sum(axis=1))


def _fewer(
    study: RuleStudy,
    where: str,
    says: str,
    rule: str,
    other: str,
    classes: Sequence[int],
    words: str,
    more: bool = False,
) -> Finding:
    """Whether fewer patients of some classes wait under a rule than under another, or more."""
    value = paired_difference(_queue(study, rule, classes), _queue(study, other, classes))
    measure = f"{words} waiting, {rule} minus {other}"
    verdict = above(value) if more else below(value)
    return Finding(where, study.config.name, says, measure, "patients", value, verdict)


def _of_queues(study: RuleStudy) -> list[Finding]:
    early = "Fewer early patients wait under {} than under {}."
    return [
        _fewer(study, "4.2, figure 5", early.format("policy 2", "policy 1"), *("policy_2", "policy_1"), EARLY, "early"),
        _fewer(
            study, "4.3, figure 6", "Dedicated resources leave fewer fetal patients waiting.",
            "policy_3", "policy_1", _FETAL, "fetal",
        ),
        _fewer(
            study, "4.3, figure 6", "They do so at the cost of more non-fetal patients waiting.",
            "policy_3", "policy_1", _NON_FETAL, "non-fetal", True,
        ),
        _fewer(study, "4.4, figure 7", early.format("policy 4", "policy 3"), *("policy_4", "policy_3"), EARLY, "early"),
    ]  # fmt: skip


def _of_violins(study: RuleStudy) -> list[Finding]:
    year, lab = study.year, study.config.name
    others = (*ON_THE_FLY[2:], *RESERVING)
    waits = [
        paired_difference(year.values[other]["wait_min"], year.values[best]["wait_min"])
        for other in others
        for best in ON_THE_FLY[:2]
    ]
    shorter = all_of(waits, "above")
    exams = {name: relative(year, name, "workload") for name in year.others}
    name, most = max(exams.items(), key=lambda own: abs(own[1].mean))
    served = {rule: _served(study, rule) for rule in year.values}
    worst, share = min(served.items(), key=lambda own: own[1].mean)
    return [
        Finding(
            "4.7, figure 10", lab, "Policies 1 and 2 have shorter waits than all other rules.",
            "mean wait of another rule minus that of policy 1 or 2, nearest pair", "minutes", shorter, above(shorter),
        ),
        Finding(
            "4.7, figure 11", lab, "Sonographers examine similar numbers of patients under all rules.",
            f"exams a sonographer, {name} (which differs most) minus policy_2", "%", most,
            together([within(own) for own in exams.values()]),
        ),
        Finding(
            "4.7", lab, "Most patients are examined by the end of the day under all rules.",
            f"patients examined of those who came, {worst} (which examines fewest)", "%", share, above(share, 50),
        ),
    ]  # fmt: skip


def _comments(study: RuleStudy) -> list[Finding]:
    year, lab, where = study.year, study.config.name, "4.8"
    busy = [year.values[name]["room_utilisation"] for name in ("policy_2", "policy_1")]
    late = [year.values[name]["wait_late_min"] for name in ("policy_2", "policy_1")]
    rooms, longer = paired_difference(*(100 * own for own in busy)), paired_difference(*late)
    everybody = (*_FETAL, *_NON_FETAL)
    pairs = [
        paired_difference(_queue(study, reserving, everybody), _queue(study, rule, everybody))
        for reserving in RESERVING
        for rule in ON_THE_FLY
    ]
    fewer = all_of(pairs, "above")
    severe = [
        paired_difference(_queue(study, more, LATE), _queue(study, less, LATE))
        for more, less in (
            ("policy_5_case_5", "policy_5_case_2"),
            (_ALL_RESERVED, "policy_5_case_5"),
            ("policy_6_case_5", "policy_6_case_2"),
            ("policy_6_case_10", "policy_6_case_5"),
        )
    ]
    worse = all_of(severe, "above")
    return [
        Finding(
            where, lab, "Serving early patients can raise the utilisation of resources.",
            "share of the rooms' time with an exam, policy_2 minus policy_1", "percentage points", rooms, above(rooms),
        ),
        Finding(
            where, lab, "Serving early patients may lead to longer waits of late patients.",
            "mean wait of late patients, policy_2 minus policy_1", "minutes", longer, above(longer),
        ),
        _fewer(
            study, where, "Reservations leave fewer early patients waiting.", _ALL_RESERVED, "policy_1", EARLY, "early"
        ),
        _fewer(
            study, where, "Reservations do not help on-time patients.",
            _ALL_RESERVED, "policy_1", ON_TIME, "on-time", True,
        ),
        _fewer(
            study, where, "Reservations may lead to a significant backlog of late patients.",
            _ALL_RESERVED, "policy_1", LATE, "late", True,
        ),
        Finding(
            where, lab, "The backlog of late patients grows with the share of pairs that are reserved.",
            "late patients waiting, more pairs reserved minus fewer, nearest pair of cases", "patients", worse,
            above(worse),
        ),
        Finding(
            where, lab, "Fewer patients wait on the fly (policies 1 to 4) than with reservations.",
            "patients waiting, a reserving rule minus one on the fly, nearest pair", "patients", fewer, above(fewer),
        ),
    ]  # fmt: skip


def _served(study: RuleStudy, rule: str) -> Estimate:
    """Percent examined of those who came."""
    own = study.year.values[rule]
    return ratio_of_sums(100 * own["served"], own["served"] + own["left_waiting"])
