"""Commands that show things: the paper's figures, a moving day, the app."""
