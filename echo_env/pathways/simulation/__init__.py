"""One episode step by step: the reference model."""
