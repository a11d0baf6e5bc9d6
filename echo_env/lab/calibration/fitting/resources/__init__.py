"""Rooms and staff of a lab: as the notes state them, as the visits show them, or as in the base lab."""
