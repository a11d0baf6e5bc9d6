"""At the whiteboard: the board of a day in the middle of it goes in, and the next starts come out, with reasons."""

from echo_env.lab.advice.advice import Advice, Choice, advise, better_rule
from echo_env.lab.advice.board import BoardError, Finding
from echo_env.lab.advice.ranking import load_kernels
from echo_env.lab.advice.state import Standing, read_standing
from echo_env.lab.advice.words import advice_lines, as_json, method_lines, standing_lines
from echo_env.lab.advice.writing import board_text, template

__all__ = [
    "Advice",
    "BoardError",
    "Choice",
    "Finding",
    "Standing",
    "advice_lines",
    "advise",
    "as_json",
    "better_rule",
    "board_text",
    "load_kernels",
    "method_lines",
    "read_standing",
    "standing_lines",
    "template",
]
