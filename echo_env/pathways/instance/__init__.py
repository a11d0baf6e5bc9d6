"""An instance and its luck, drawn up front."""
