"""The optimum of small hospitals, and upper bounds on the utility of every policy."""
