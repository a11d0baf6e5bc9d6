"""The compiled engine: many labs at once in arrays, equal to the SimPy engine to the bit. Needs numba."""
