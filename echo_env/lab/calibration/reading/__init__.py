"""From any file of a hospital's visits to one tidy table.

:mod:`~.grids` reads files, :mod:`~.columns` and :mod:`~.guess` find columns, :mod:`~.cells`, :mod:`~.words` and
:mod:`~.dates` parse cells, :mod:`~.rows` and :mod:`~.hours` repair rows, and :mod:`~.read` puts them together.
"""

from echo_env.lab.calibration.reading.columns import ColumnMap, load_columns
from echo_env.lab.calibration.reading.grids import SheetError
from echo_env.lab.calibration.reading.guess import ColumnsGuessed
from echo_env.lab.calibration.reading.read import read_visits

__all__ = ["ColumnMap", "ColumnsGuessed", "SheetError", "load_columns", "read_visits"]
