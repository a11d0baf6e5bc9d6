"""The command line: ``echo-lab`` with its subcommands, which ``evaluate.py`` and ``train.py`` call too."""
