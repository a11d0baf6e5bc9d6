"""Episodes compiled: functions on arrays, no randomness. Needs numba."""
