"""A proposal for people: :mod:`~.words` says it and prints its tables, :mod:`~.better_file` writes the lab."""
