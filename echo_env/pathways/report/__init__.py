"""Comparisons for people: tables, figures, files, the command."""
