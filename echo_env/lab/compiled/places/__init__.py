"""Labs of different kinds side by side, one in each place, stepped at once."""
