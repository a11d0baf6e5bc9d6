"""One day of the lab in SimPy: the reference model."""
