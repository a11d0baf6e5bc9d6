"""Departures: where a policy decides differently from another, and what that saves."""
