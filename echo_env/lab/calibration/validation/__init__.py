"""Whether a lab behaves like the hospital whose visits were recorded."""

from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.validation.validation import Validation, validate
from echo_env.lab.calibration.validation.verdict import Answer

__all__ = ["Answer", "Replayer", "Validation", "validate"]
