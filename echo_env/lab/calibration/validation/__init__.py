"""Whether a lab behaves like the hospital whose visits were recorded."""

from echo_env.lab.calibration.validation.replay import replay

__all__ = ["replay"]
