"""What a calibration has found, for people.

:mod:`~.words` says it in sentences, :mod:`~.rows` in tables, :mod:`~.plots` in figures, :mod:`~.paper` beside the
paper's values where the record is the paper's, and :mod:`~.folder` puts all of it into files.
"""
