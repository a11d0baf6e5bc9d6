"""Fitting: from a hospital's visits to a lab.

:func:`~echo_env.lab.calibration.fitting.fit.fit` sees one record, the visits, and hands on one record, the fitted lab
with its estimates, their sources and its bootstrap; :mod:`~.lab_file` writes it.
"""
