"""Uniform numbers by identity are uniform, and independent of each other whatever differs between them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from echo_env.lab.day.uniforms import day_keys, further, hashed, mix, purpose, uniforms

LEAST_P = 1e-3
"""Samples count as uniform unless they are rarer than this. Seeds are fixed, so it holds or not."""

DAYS = 400
NUMBERS = uniforms(day_keys(7, 0, DAYS), purpose(1, 0, np.arange(300)[:, None], np.arange(5)).ravel())
"""(days, patients x uses)"""


def p_of_pairs(one: np.ndarray, other: np.ndarray, cells: int = 8) -> float:
    """Chi-square test that pairs of numbers fill a square evenly, coarse and fine bits alike."""
    found = []
    for scale in (1, 1 << 20):
        x, y = ((numbers * scale % 1 * cells).astype(int).ravel() for numbers in (one, other))
        found.append(stats.chisquare(np.bincount(x * cells + y, minlength=cells**2)).pvalue)
    return min(found)


def test_the_hash_is_that_of_splitmix64() -> None:
    """The first words of the sequence of seed 1234567 are the published ones."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    words = mix(np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * golden)
    assert words.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("scale", [1, 1 << 10, 1 << 20, 1 << 32])
def test_numbers_are_uniform(scale: int) -> None:
    """High, middle and low bits of the numbers fill the unit interval evenly."""
    counts = np.bincount((NUMBERS * scale % 1 * 1000).astype(int).ravel(), minlength=1000)
    assert stats.chisquare(counts).pvalue > LEAST_P
    assert NUMBERS.min() >= 0
    assert NUMBERS.max() < 1


def test_every_bit_is_fair() -> None:
    """Each of the 53 bits of a number is set half of the time."""
    words = (NUMBERS.ravel() * 2.0**53).astype(np.uint64)
    share = np.array([((words >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(53)])
    # 53 bits: a band of four and a half standard errors.
    assert np.abs(share - 0.5).max() < 4.5 * 0.5 / np.sqrt(len(words))


def test_each_column_and_each_day_is_uniform() -> None:
    """The numbers of one purpose over days, and of one day over purposes, are uniform: none stands out."""
    for numbers in (NUMBERS, NUMBERS.T):
        found = np.array([stats.kstest(row, "uniform").pvalue for row in numbers])
        # p-values of uniform numbers are uniform themselves.
        assert stats.kstest(found, "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("apart", [1, 2, 5, 10, 16, 64])
def test_numbers_of_different_purposes_are_independent(apart: int) -> None:
    """Pairs of numbers of uses and identities some way apart fill the square evenly."""
    assert p_of_pairs(NUMBERS[:, apart:], NUMBERS[:, :-apart]) > LEAST_P


@pytest.mark.parametrize("apart", [1, 2, 7, 64])
def test_numbers_of_different_days_are_independent(apart: int) -> None:
    """So do those of days some way apart."""
    assert p_of_pairs(NUMBERS[apart:], NUMBERS[:-apart]) > LEAST_P


@pytest.mark.parametrize("stream", [0, 2, 3, 4])
def test_numbers_of_different_streams_are_independent(stream: int) -> None:
    """So do those of the same identity in different streams and types."""
    keys, identity = day_keys(7, 0, DAYS), np.arange(1500)
    assert p_of_pairs(uniforms(keys, purpose(1, 0, identity)), uniforms(keys, purpose(stream, 0, identity))) > LEAST_P
    assert p_of_pairs(uniforms(keys, purpose(1, 0, identity)), uniforms(keys, purpose(1, stream + 1, identity))) > 1e-3


def test_numbers_of_consecutive_seeds_are_independent() -> None:
    """So do those of the same day of consecutive seeds."""
    of_seeds = np.array([uniforms(day_keys(seed, 3, 1), purpose(1, 0, np.arange(2000)))[0] for seed in range(200)])
    assert p_of_pairs(of_seeds[1:], of_seeds[:-1]) > LEAST_P
    assert stats.chisquare(np.bincount((of_seeds * 1000).astype(int).ravel(), minlength=1000)).pvalue > LEAST_P


def test_sums_over_identities_are_those_of_independent_numbers() -> None:
    """Sums over a day's numbers have the mean and the variance of independent uniform numbers."""
    count = NUMBERS.shape[1]
    scaled = (NUMBERS.sum(axis=1) - count / 2) / np.sqrt(count / 12)
    assert stats.kstest(scaled, "norm").pvalue > LEAST_P
    assert stats.kstest((NUMBERS.sum(axis=0) - DAYS / 2) / np.sqrt(DAYS / 12), "norm").pvalue > LEAST_P


def test_no_two_words_of_a_million_are_equal() -> None:
    """Keys, purposes and words are all different."""
    keys, purposes = day_keys(0, 0, 1000), purpose(np.arange(10)[:, None], np.arange(100)).ravel()
    for words in (keys, purposes, hashed(keys, purposes)):
        assert len(np.unique(words)) == words.size


def test_the_order_of_parts_matters() -> None:
    """A purpose is its parts in their order, and may be named in steps."""
    assert purpose(1, 2) != purpose(2, 1)
    assert purpose(1, 2) != purpose(1, 2, 0)
    assert purpose(0) != purpose(0, 0)
    assert purpose(1, 2, 3) == further(purpose(1, 2), 3)
    assert purpose(1, -60) != purpose(1, 60)


def test_days_of_a_seed_do_not_depend_on_the_first() -> None:
    """Key k of a seed is the same in every block, and seeds may be as large as one likes."""
    assert np.array_equal(day_keys(5, 0, 10)[4:], day_keys(5, 4, 6))
    assert not set(day_keys(5, 0, 1000).tolist()) & set(day_keys(6, 0, 1000).tolist())
    assert day_keys(2**200, 0, 1) != day_keys(2**200 + 1, 0, 1)
    with pytest.raises(ValueError, match="non-negative"):
        day_keys(-1, 0, 1)
