"""Figures of pathways (need matplotlib). Functions take data and axes (new ones by default), and return the axes.

They do not use pyplot, and therefore work without a display and in threads.
"""

try:
    import matplotlib  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"figures need {missing.name}, which is not installed: pip install 'echo-lab-rl[plots]'", name=missing.name
    ) from missing

from echo_env.pathways.plots.by_patients import advantage_by_patients, utility_by_patients
from echo_env.pathways.plots.episode import health_chart, resource_chart
from echo_env.pathways.plots.prospects import chances_chart

__all__ = ["advantage_by_patients", "chances_chart", "health_chart", "resource_chart", "utility_by_patients"]
