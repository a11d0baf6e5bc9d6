"""Metrics of an episode."""

from __future__ import annotations

import numpy as np

from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.simulation.trace import Trace

METRICS: dict[str, tuple[str, str]] = {
    "utility": ("success, 0 to 1", "mean success over patients and steps"),
    "worst_utility": ("success, 0 to 1", "mean success over steps of the worst-off patient"),
    "final_success": ("success, 0 to 1", "mean success after the last step"),
    "finished": ("share of patients", "pathways finished at the end"),
    "finish_steps": ("steps", "mean time from arrival to the end of finished pathways"),
    "needs_had": ("needs", "mean number of a patient's needs met at the end"),
    "waiting_steps": ("steps", "mean time in which an unfinished patient holds no resource"),
    "utilisation": ("share of units", "share of units in use, over all resources and all steps after the first"),
    "dead": ("share of patients", "patients who have died; 0 unless the hospital is lethal"),
}
"""Metric -> (unit, meaning). A metric is nan where it is undefined in an episode."""


def trace_metrics(trace: Trace) -> dict[str, float]:
    """The metrics of an episode.

    :param trace: the episode
    :return: metric -> value; nan where it is undefined
    """
    config, arrivals = trace.instance.config, trace.instance.arrivals
    finished = trace.finished
    done = finished[-1]
    # One step after the last unfinished one: a new need may have reopened the pathway.
    finish = finished.shape[0] - np.argmax(~finished[::-1], axis=0)
    idle = (trace.held[:-1] == NONE) & trace.in_hospital & ~finished[:-1] & ~trace.dead[:-1]
    units = sum(config.units_of) * (config.horizon - 1)
    return {
        "utility": trace.utility,
        "worst_utility": float(np.nanmean(trace.success, axis=0).min()),
        "final_success": float(trace.success[-1].mean()),
        "finished": float(done.mean()),
        "finish_steps": float((finish - arrivals)[done].mean()) if done.any() else np.nan,
        "needs_had": float(trace.instance.model.had_count[trace.condition[-1], trace.state[-1]].mean()),
        "waiting_steps": float(idle.sum(axis=0).mean()),
        "utilisation": float((trace.held[1:-1] != NONE).sum() / units) if units else np.nan,
        "dead": float(trace.dead[-1].mean()),
    }
