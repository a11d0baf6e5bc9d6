"""Uniform numbers by identity: what a number is drawn for decides it, not how many were drawn before.

A day has a key of 64 random bits. The number of a day for a purpose, such as the exam of the third fetal patient, is a
hash of the day's key and of a constant of the purpose (counter-based generation: Salmon et al. 2011, *Parallel random
numbers: as easy as 1, 2, 3*). The hash is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, *Fast splittable
pseudorandom number generators*), with the constants of Stafford's variant 13 of MurmurHash3's. So whoever is added,
moved or left out takes the own numbers along and leaves everybody else's where they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Words = NDArray[np.uint64]
Floats = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The odd number nearest to 2^64 by the golden ratio: SplitMix64's step."""
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_ROUND = np.uint64(11)
"""A double holds 53 bits."""
_BLOCK = 1 << 15
"""So many numbers are made at a time: they stay in the processor's cache."""


def mix(words: Words) -> Words:
    """Stafford's variant 13, in place: a bijection of 64-bit words in which every bit depends on every other.

    :param words: any shape
    :return: the same array
    """
    spare = np.empty_like(words)
    for shift, factor in zip(_SHIFTS, (_FIRST, _SECOND, None), strict=True):
        np.right_shift(words, shift, out=spare)
        np.bitwise_xor(words, spare, out=words)
        if factor is not None:
            np.multiply(words, factor, out=words)
    return words


def purpose(*parts: ArrayLike) -> Words:
    """Constants of purposes.

    :param parts: whole numbers that name it, such as stream, identity and count; arrays are broadcast together
    :return: uint64, of the shape of the parts together, of one axis at least
    """
    words = np.zeros(1, dtype=np.uint64)
    for part in parts:
        words = further(words, part)
    return words


def further(words: Words, part: ArrayLike) -> Words:
    """Constants of purposes that have one part more.

    :param words: see :func:`purpose`
    :param part: whole numbers
    :return: uint64, of the shape of both together
    """
    # The part moves the hash of those before it on in SplitMix64's sequence: their order matters.
    steps = np.atleast_1d(np.asarray(part, dtype=np.int64)).astype(np.uint64) + np.uint64(1)
    return mix(words + steps * _GOLDEN)


def day_keys(seed: int, first: int, count: int) -> Words:
    """Keys of consecutive days of a seed: a stretch of a SplitMix64 sequence.

    :param seed: not negative, of any size
    :param first: number of the first day
    :param count: how many
    :return: (count,) uint64
    """
    # A child of the seed: generators that are made of the seed itself never draw these words.
    start = np.random.SeedSequence(seed, spawn_key=(0,)).generate_state(1, np.uint64)
    return mix(start + np.arange(first + 1, first + count + 1, dtype=np.uint64) * _GOLDEN)


def hashed(keys: Words, purposes: Words) -> Words:
    """A word for each day and purpose.

    :param keys: (n,) uint64, of days
    :param purposes: (m,) uint64, see :func:`purpose`
    :return: (n, m) uint64
    """
    return mix(keys[:, None] + purposes)


def uniforms(keys: Words, purposes: Words) -> Floats:
    """A uniform number from [0, 1) for each day and purpose.

    :param keys: (n,) uint64, of days
    :param purposes: (m,) uint64, see :func:`purpose`
    :return: (n, m) float64, multiples of 2^-53
    """
    numbers = np.empty((len(keys), len(purposes)))
    days = max(_BLOCK // max(len(purposes), 1), 1)
    for first in range(0, len(keys), days):
        words = hashed(keys[first : first + days], purposes)
        words >>= _ROUND
        np.multiply(words, 2.0**-53, out=numbers[first : first + days])
    return numbers
