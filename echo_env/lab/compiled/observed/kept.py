"""What ``rows_kept`` says of reservations: :mod:`~echo_env.lab.decisions.kept_rows`, scaled."""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.layout import AT_KEPT_SINCE, AT_KEPT_UNTIL, KEPT, KINDS, MINUTE
from echo_env.lab.decisions.numbers import HOUR, LONGEST_SHOWN


@njit
def fill_kept(cell, rule, out):
    """Fill in how long what each type needs has been, and will be, kept.

    :param cell: the lab
    :param rule: the numbers of its rules
    :param out: (K or more, 2) float32
    """
    now = cell[MINUTE]
    for kind in range(rule[KINDS]):
        out[kind, 0] = out[kind, 1] = 0
        if cell[KEPT] >> kind & 1:
            out[kind, 0] = min(now - cell[rule[AT_KEPT_SINCE] + kind], LONGEST_SHOWN) / HOUR
            out[kind, 1] = min(cell[rule[AT_KEPT_UNTIL] + kind] - now, LONGEST_SHOWN) / HOUR
