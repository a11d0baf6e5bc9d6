"""Lower bounds on the penalty of any policy."""
