"""The compiled engine: many labs at once in arrays, equal to the SimPy engine to the bit.

Without numba the same functions run in Python, about a hundred times slower.
"""
