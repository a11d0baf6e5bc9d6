"""What the sweeps of all packages share."""
