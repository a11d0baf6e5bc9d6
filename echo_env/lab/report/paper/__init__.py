"""The paper's experiment with a trained agent: its figures 12 to 24, the numbers behind them, and its findings."""
