"""What figures 4 to 11 of the paper show, in plain words, and what is different here."""

from __future__ import annotations

from echo_env.lab.report.paper.captions import Caption

_DAY = "The average day under {rule} in a year of 365 days: patients waiting by class, free rooms, free sonographers"
_BAND = {
    "interval": "Bands are 95 % intervals of the mean: the caption names none.",
    "sd": "Bands are one standard deviation over days, as in the paper.",
}
_DEDICATED = "policy {number}, which keeps a room and a sonographer for fetal patients"
_RESERVED = "policy {number} with every pair of room and sonographer open for reservations (alpha 100 %, beta 100 %)"
_DAYS = (
    (4, "policy_1", "policy 1", "interval"),
    (5, "policy_2", "policy 2", "interval"),
    (6, "policy_3", _DEDICATED.format(number=3), "sd"),
    (7, "policy_4", f"{_DEDICATED.format(number=4)}, and serves early ones too", "sd"),
    (8, "policy_5_case_10", _RESERVED.format(number=5), "interval"),
    (9, "policy_6_case_10", _RESERVED.format(number=6), "interval"),
)
_CASES = (
    "Of policies 5 and 6 four cases are shown: reservations for a quarter of the non-fetal pairs (2), for all (5), for "
    "the fetal pair (6), for all pairs (10)."
)

RULE_FIGURES = (
    *(
        Caption(number, "baseline", "day", f"{_DAY.format(rule=words)}.", _BAND[band], policy=rule, band=band)
        for number, rule, words, band in _DAYS
    ),
    Caption(10, "baseline", "rule_waits", "Violins of a day's average waiting time under the paper's rules.", _CASES),
    Caption(11, "baseline", "rule_quotas", "Violins of the sonographers' daily quota under the paper's rules.", _CASES),
)
