"""Whether a lab behaves like the hospital whose visits were recorded."""

from echo_env.lab.calibration.validation.replay import Replayer, replay

__all__ = ["Replayer", "replay"]
