"""Numbers of an observation, compiled: rows of classes, and who is here and comes free when."""
