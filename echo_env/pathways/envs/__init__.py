"""The hospital as Gymnasium environments."""
