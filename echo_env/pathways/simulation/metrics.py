"""Episodes as numbers with names and units."""

from __future__ import annotations

import numpy as np

from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.simulation.trace import Trace

METRICS: dict[str, tuple[str, str]] = {
    "utility": ("success, 0 to 1", "mean success over patients and steps"),
    "worst_utility": ("success, 0 to 1", "mean success over steps of the patient for whom it is lowest"),
    "final_success": ("success, 0 to 1", "mean success after the last step"),
    "finished": ("share of patients", "pathways that are finished in the end"),
    "finish_steps": ("steps", "mean time from arrival until the pathway is finished, of those that are"),
    "needs_had": ("needs", "mean number of needs that a patient has had in the end"),
    "waiting_steps": ("steps", "mean time in which a patient needs something and holds nothing"),
    "utilisation": ("share of units", "units in use, over all resources and all steps after the first"),
    "dead": ("share of patients", "patients who have died; none unless the hospital is lethal"),
}
"""Metric -> (unit, meaning). What is nan does not exist in that episode."""


def trace_metrics(trace: Trace) -> dict[str, float]:
    """The numbers of an episode.

    :param trace: what happened
    :return: the metrics of :data:`METRICS`; nan where there is nothing to measure
    """
    config, arrivals = trace.instance.config, trace.instance.arrivals
    finished = trace.finished
    done = finished[-1]
    # The last time at which it was unfinished, plus one: a need may have appeared in between.
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
