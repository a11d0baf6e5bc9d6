"""The options of ``evaluate`` for labs."""

from __future__ import annotations

from dataclasses import dataclass

from echo_env.commands.common.running import Flag, Several, Whole
from echo_env.commands.inputs.workers_options import WorkersOptions
from echo_env.common.files.tables import CSV
from echo_env.common.sweeps.values import MODES

SHOWN = ("waiting_penalty", "wait_min", "penalty")
"""Metrics of a sweep that are printed and drawn by default."""


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(WorkersOptions):
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param env: env id
    :param config: YAML file of a lab of your own, in place of the env's; FILE#monday is one of its days
    :param policies: rules by name, models as ALGO=PATH, and agent: the trained agent that ships for the lab; by default
        policy_2, policy_1, fetal_first (scarce_first in labs of other exam types) and random
    :param reference: the policy that the others are compared with, by default the first
    :param days: number of days
    :param seed: seed of the days
    :param engine: auto, simpy or compiled
    :param output: folder for all results, in place of those of an earlier evaluation; all else in it stays
    :param format: of the days in --output: csv, or parquet, which pandas, Polars and DuckDB read without a word; with
        --sweep parquet also gathers the days of all cells in one file
    :param figures: draw figures too (PNG and PDF), with --output
    :param departures: where and when rules and models depart from the reference, in words
    :param bound: lower bounds on the penalty of any policy, on the first N days
    :param improvement: how many points a day one step of lookahead gains over each rule and model, and by which
        decisions, on the first N days
    :param input_uncertainty: play N further labs of the calibration's bootstrap, so that intervals also have the part
        that not knowing the lab amounts to
    :param sweep: what if: FIELD=VALUES, for example rooms.non_fetal=3:7
    :param sweep_mode: grid, or one_at_a_time
    :param sweep_metrics: metrics printed and drawn, ranked by the first one; sweep.csv has all
    :param json: file for all metrics, or - for standard output
    :param report: FILE.html, a page for people that shows all and loads nothing: answer, charts, assumptions, glossary
    :param animation: show the page's day as a moving floor plan too, two rules side by side, with --report; needs the
        extra video
    :param env_kwargs: KEY:VALUE, how a model was trained (observation, idling), if the model file does not say
    :param trust: open models that are pickles, which can run code of whoever made them (SECURITY.md)
    :param import_: modules or .py files of your own to import first, for their @register_policy
    """

    env: str = "EchoLabScarce-v0"
    config: str | None = None
    policies: Several | None = None
    reference: str | None = None
    days: Whole = 500
    seed: Whole = 7
    engine: str = "auto"
    output: str | None = None
    format: str = CSV
    figures: Flag = False
    departures: Flag = False
    bound: Whole = 0
    improvement: Whole = 0
    input_uncertainty: Whole = 0
    sweep: Several | None = None
    sweep_mode: str = MODES[0]
    sweep_metrics: Several = SHOWN
    json: str | None = None
    report: str | None = None
    animation: Flag = False
    env_kwargs: Several = ()
    trust: Flag = False
    import_: Several = ()

    @property
    def lab(self) -> str:
        """What results call the lab: the config file, else the env id."""
        return self.config or self.env
