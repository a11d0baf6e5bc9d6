"""From any file of a hospital's visits to one tidy table.

:mod:`~.grids` reads files; :mod:`~.fields`, :mod:`~.column_map`, :mod:`~.columns` and :mod:`~.guess` find columns;
:mod:`~.words`, :mod:`~.dates` and :mod:`~.cells` parse cells, :mod:`~.habits` whole columns of them; :mod:`~.rows` and
:mod:`~.hours` repair rows, :mod:`~.visit` says what they mean, and :mod:`~.read` puts them together.
"""

from echo_env.lab.calibration.reading.column_map import ColumnMap, load_columns
from echo_env.lab.calibration.reading.grids import SheetError
from echo_env.lab.calibration.reading.guess import ColumnsGuessed
from echo_env.lab.calibration.reading.read import read_visits

__all__ = ["ColumnMap", "ColumnsGuessed", "SheetError", "load_columns", "read_visits"]
