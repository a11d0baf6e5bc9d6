"""The lab as Gymnasium environments."""
