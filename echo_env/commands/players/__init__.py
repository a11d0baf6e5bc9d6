"""Who decides: rules and trained agents by name, and the packages that provide the latter."""
