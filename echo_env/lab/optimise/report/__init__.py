"""A proposal for people: :mod:`~.words` says it in sentences, :mod:`~.tables` in tables, :mod:`~.plots` in figures,
:mod:`~.folder` puts them together, and :mod:`~.better_file` writes the lab."""
