"""Members of staff and rooms, compiled."""
