"""The optimum of tiny hospitals, and upper bounds on the utility of any policy."""
