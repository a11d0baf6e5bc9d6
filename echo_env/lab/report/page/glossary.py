"""The words of a page, explained for people who do not simulate."""

from __future__ import annotations

from collections.abc import Sequence

from echo_env.lab.report.page.words import capital, spoken

WORDS = {
    "95 % interval": "The range given in brackets. If the days were simulated again and again, such ranges would hold "
    "the true average of the simulated lab 19 times in 20. It says how well the simulation was averaged, not whether "
    "the lab of the simulation is like yours.",
    "Minutes waited": "From the appointment, or from check-in if that is later, to the start of the exam. Whoever is "
    "still waiting at the end of the day counts with all the time until then.",
    "90th percentile": "Nine of ten patients of a day wait at most so long.",
    "Begun within 15 (30) minutes": "Share of those who came whose exam began at most 15 (30) minutes after the "
    "appointment, or after the arrival of those without one. Higher is better.",
    "Patients sent home": "They came after the lab had closed, and were not let in.",
    "Still waiting at the end of the day": "They came, and no exam was begun for them before the day ended.",
    "Staff overtime": "Hours of exams after the end of shifts, or after closing where there are no shifts.",
    "On time, late, early": "By when a patient comes, against the time of the expected check-in, with a margin that "
    "the lab file sets (10 minutes unless it says otherwise).",
    "Points for waiting": "The score that rules are compared by: each minute that a patient waits costs points, more "
    "after closing. Points for idle rooms and staff are left out of every comparison on this page.",
    "Same simulated days": "What is compared is played on the same days: the same patients come at the same times and "
    "their exams take as long. So a small difference can be seen that would be lost in the variation between days.",
    "Difference": "What is compared minus what it is compared with. For waits, overtime, patients sent home and cost a "
    "negative difference is an improvement: lower is better.",
    "Rule": "Who begins an exam next, and in which room with whom, whenever something is free.",
}
"""Word -> meaning."""

RULES = {
    "policy_1": "serves patients who came on time, then late ones; among equals whoever has waited longest. Who came "
    "early waits until the appointment is near.",
    "policy_2": "serves patients who came on time, then late ones, then early ones if something is still free; among "
    "equals whoever has waited longest.",
    "policy_3": "policy 1 with a room and a sonographer kept for fetal patients.",
    "policy_4": "policy 2 with a room and a sonographer kept for fetal patients.",
    "policy_5": "policy 1, but some rooms and sonographers are paired and reserved for appointments.",
    "policy_6": "policy 2, but some rooms and sonographers are paired and reserved for appointments.",
    "scarce_first": "policy 2, but the exam type with the fewest rooms or members of staff goes first.",
    "fetal_first": "policy 2, but fetal patients, for whom there are the fewest rooms and staff, go first.",
    "urgent_first": "policy 2, but the exam types with the most weight go first.",
    "random": "picks anybody who can be served; a yardstick, not a proposal.",
    "rollout": "tries each choice in simulations of the rest of the day and takes the best.",
    "rolling_horizon": "plans the next hours ahead at each decision.",
    "auction": "lets waiting patients bid for rooms and staff.",
    "agent": "a trained agent: it has learned from simulated days which choice costs the fewest points.",
    "generalist": "a trained agent for labs that it has not seen before; where it is not sure it follows a rule.",
    "generalist_reserve": "such an agent that may also keep the last free room and member of staff for a type of exam.",
}
"""Rule -> what it does."""


def terms(rules: Sequence[str]) -> list[tuple[str, str]]:
    """The glossary: words, then the rules of the page.

    :param rules: their names
    """
    return [*WORDS.items(), *((capital(spoken(name)), capital(rule_words(name))) for name in dict.fromkeys(rules))]


def rule_words(name: str) -> str:
    """What a rule does, in a sentence without its name.

    :param name: as in tables, perhaps with arguments or of a model
    """
    plain = name.partition("(")[0]
    known = next((RULES[own] for own in sorted(RULES, key=len, reverse=True) if plain.startswith(own)), None)
    return known or "a rule or a trained model of your own."
