"""Comparisons for people: figures, yardsticks, the command."""
