"""From a hospital's record of visits to a lab that is shown to behave like the hospital, or said not to.

One way: :mod:`~.reading` turns a file of any format into the one tidy table of :mod:`~.visits`, whose cells are logged
in :mod:`~.cell_log`; :mod:`~.checks` refuses what would make a lab silently wrong; :mod:`~.fitting` fits the lab, with
intervals and a bootstrap; :mod:`~.validation` holds it against the record; :mod:`~.report` tells people.
:mod:`~.calibration` runs them one after the other.
"""

from echo_env.lab.calibration.calibration import Calibration, RefusedError, calibrate, calibrate_visits
from echo_env.lab.calibration.fitting.choices import EXAM_LAWS, Choices
from echo_env.lab.calibration.fitting.estimates import FitError
from echo_env.lab.calibration.reading import ColumnMap, ColumnsGuessed, SheetError, read_visits

__all__ = [
    "EXAM_LAWS",
    "Calibration",
    "Choices",
    "ColumnMap",
    "ColumnsGuessed",
    "FitError",
    "RefusedError",
    "SheetError",
    "calibrate",
    "calibrate_visits",
    "read_visits",
]
