"""From a hospital's spreadsheet of patient visits to a lab.

The pipeline: :mod:`~.reading` turns a file into one tidy table of :mod:`~.visits`, and :mod:`~.cell_log` records which
rule was applied to which cell;
:mod:`~.notes` extracts rooms and staff, :mod:`~.typical_day` the appointments; :mod:`~.fitting` and
:mod:`~.fits` fit the distributions; :mod:`~.calibration` assembles the lab, :mod:`~.lab_file` writes it, and
:mod:`~.findings` and :mod:`~.report` report the results.
"""

from echo_env.lab.calibration.calibration import EXAM_LAWS, Calibration, Choices, calibrate
from echo_env.lab.calibration.reading import ColumnMap, ColumnsGuessed, SheetError, read_visits

__all__ = [
    "EXAM_LAWS",
    "Calibration",
    "Choices",
    "ColumnMap",
    "ColumnsGuessed",
    "SheetError",
    "calibrate",
    "read_visits",
]
