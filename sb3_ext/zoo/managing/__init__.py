"""Parts of the experiment manager: its environments, and its callbacks and results."""
