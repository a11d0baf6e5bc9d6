"""The joint action: encoding, and the mask against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from echo_env.lab import LabConfig, Simulator, sample_days
from echo_env.lab.decisions.actions import ACTIONS, decode, decode_starts, encode, feasible
from echo_env.lab.simulation.patient import PatientClass

EVERY_ACTION = list(itertools.product(range(3), repeat=6))


def test_encoding_goes_both_ways_in_the_papers_order() -> None:
    """Encoding and decoding are inverse, and the first digit is A_ft, worth most."""
    assert [encode(digits) for digits in EVERY_ACTION] == list(range(ACTIONS))
    assert [decode(action) for action in range(ACTIONS)] == EVERY_ACTION
    assert encode((1, 0, 0, 0, 0, 0)) == 243
    assert [kind.label for kind in PatientClass] == [
        "fetal on time", "fetal late", "fetal early", "non-fetal on time", "non-fetal late", "non-fetal early",
    ]  # fmt: skip


def can_be_carried_out(digits: tuple[int, ...], lab: Simulator) -> bool:
    """Whether a joint action is possible: by trying every way to hand out rooms and staff kinds."""
    counts, (rooms_n, rooms_b, staff_n, staff_b) = lab.view.waiting_counts, lab.view.free_counts
    if any(digit > count for digit, count in zip(digits, counts, strict=True)):
        return False
    fetal, others = sum(digits[:3]), sum(digits[3:])
    # Of the non-fetal ones, i take a fetal-capable room and j a fetal-capable sonographer.
    return any(
        fetal + i <= rooms_b and others - i <= rooms_n and fetal + j <= staff_b and others - j <= staff_n
        for i in range(others + 1)
        for j in range(others + 1)
    )


@pytest.mark.parametrize("lab_name", [pytest.param("baseline", marks=pytest.mark.slow), "scarce"])
def test_masks_equal_brute_force_over_all_729(lab_name: str) -> None:
    """Masks equal a brute-force search over rooms and staff, with and without idling."""
    config = LabConfig.load(lab_name)
    rng = np.random.default_rng(1)
    states = 0
    seen = set()
    for day in sample_days(config, 60, seed=2):
        lab = Simulator(config, day.with_absence_rate(0.5))
        while not lab.over:
            counts, free = lab.view.waiting_counts, lab.view.free_counts
            offered = feasible(counts, free, idling=True)
            states += 1
            if (counts, free) not in seen:
                seen.add((counts, free))
                possible = {digits for digits in EVERY_ACTION if can_be_carried_out(digits, lab)}
                assert {EVERY_ACTION[a] for a in np.flatnonzero(offered.mask)} == possible
                grown = {
                    digits
                    for digits in possible
                    if not any((*digits[:k], digits[k] + 1, *digits[k + 1 :]) in possible for k in range(6))
                }
                maximal = feasible(counts, free, idling=False)
                assert {EVERY_ACTION[a] for a in np.flatnonzero(maximal.mask)} == grown
                assert (maximal.size, maximal.first) == (len(grown), encode(min(grown)))
            # Half the time nobody is served, so that waiting rooms fill.
            action = int(rng.choice(np.flatnonzero(offered.mask))) if rng.random() < 0.5 else 0
            starts = decode_starts(action, lab.view)
            assert len(starts) == sum(decode(action))
            lab.start(starts)
            lab.advance(lab.board.minute + 1)
    assert states == 60 * 660
    assert len(seen) > 1000


def test_longest_waiting_of_a_class_goes_first_and_fetal_claims_first() -> None:
    """An action starts those of a class who waited longest, fetal claims first (section 5.2)."""
    config = LabConfig.load("scarce")
    checked = 0
    for day in sample_days(config, 30, seed=3):
        lab = Simulator(config, day)
        while not lab.over:
            offered = feasible(lab.view.waiting_counts, lab.view.free_counts, idling=False)
            digits = decode(offered.first)
            starts = decode_starts(offered.first, lab.view)
            expected = [
                entry.patient
                for kind in PatientClass
                for entry in sorted(lab.view.waiting(kind), key=lambda e: (e.since_min, e.patient))[: digits[kind]]
            ]
            assert [start.patient for start in starts] == expected
            checked += len(starts) > 1
            lab.start(starts)
            lab.advance()
    assert checked > 5
