"""What every command needs: its options read, refusals in one sentence, Ctrl-C."""
