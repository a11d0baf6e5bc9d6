"""Joint actions, masks and observations."""
