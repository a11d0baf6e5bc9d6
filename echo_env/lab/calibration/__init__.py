"""From a hospital's whiteboard spreadsheet to a lab.

The way of the data: :mod:`~.spreadsheet` finds the sheets and their columns, :mod:`~.cells` reads a cell,
:mod:`~.rows` makes one tidy table of them, and :mod:`~.cell_log` keeps what was done to which cell by which rule;
:mod:`~.notes` reads rooms and staff, :mod:`~.typical_day` the appointments; :mod:`~.maximum_likelihood` and
:mod:`~.fits` fit the laws; :mod:`~.calibration` puts the lab together, :mod:`~.lab_file` writes it, and
:mod:`~.findings` and :mod:`~.report` tell what was found.
"""

from echo_env.lab.calibration.calibration import EXAM_LAWS, Calibration, Choices, calibrate
from echo_env.lab.calibration.spreadsheet import SpreadsheetError

__all__ = ["EXAM_LAWS", "Calibration", "Choices", "SpreadsheetError", "calibrate"]
