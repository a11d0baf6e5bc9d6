"""What a board says of the end of breaks, and exams longer than the lab knows, in the redrawn days."""

from __future__ import annotations

import pytest

from echo_env.lab import load_lab, make_policy
from echo_env.lab.advice import advise, read_standing
from echo_env.lab.advice.ranking import _Lookahead

pytest.importorskip("numba")

BOARD = """record,id,type,state,scheduled,arrived,room,staff,since,until
room,R1,fetal
room,R2,non_fetal
room,R3,non_fetal
room,R4,non_fetal
staff,A,fetal,present
staff,B,fetal,break,,,,,{break_times}
staff,C,non_fetal
patient,1,fetal,in exam,08:15,08:10,R1,A,{begin}
patient,2,non_fetal,waiting,12:00,12:02
patient,3,non_fetal,waiting,12:20,12:02
patient,4,fetal,expected,14:15
"""
NOW = 310  # 13:10


def ends(break_times: str, begin: str) -> tuple[list[int], list[int]]:
    """When the exam of A and the break of B end in 50 redrawn days."""
    from echo_env.lab.compiled import layout
    from echo_env.lab.compiled.rules import rules_of

    standing = read_standing(BOARD.format(break_times=break_times, begin=begin), load_lab("scarce"), NOW)
    lookahead = _Lookahead(standing, make_policy("policy_2", standing.config), 50, 0)
    staff = layout.parts_of(lookahead.drawn(standing.whiteboard).lab, rules_of(standing.config)).staff
    return staff[:, 0, layout.UNTIL].tolist(), staff[:, 1, layout.UNTIL].tolist()


def test_a_known_end_of_a_break_is_kept() -> None:
    """Where the board says when somebody is back, every redrawn day says so; else it is one break or two."""
    assert set(ends("13:00,13:35", "12:50")[1]) == {335}
    assert set(ends(",13:35", "12:50")[1]) == {335}
    assert set(ends("13:00,", "12:50")[1]) <= {315, 330}


def test_exams_under_way_end_later_than_now() -> None:
    """An exam under way ends after now in every redrawn day, in the next minute if it is longer than any of the lab."""
    usual = ends("13:00,", "12:50")[0]
    assert min(usual) > NOW
    assert len(set(usual)) > 10
    assert set(ends("13:00,", "08:15")[0]) == {NOW + 1}


def test_advice_is_given_all_the_same() -> None:
    """A board with an exam and a break that are longer than any of the lab is played on."""
    standing = read_standing(BOARD.format(break_times="09:00,", begin="08:15"), load_lab("scarce"), NOW)
    advice = advise(standing, make_policy("policy_2", standing.config), 0, 16)
    assert len(advice.decision.starts) == 1
