"""What tests of Ctrl-C need."""

import signal


def heed_ctrl_c() -> None:
    """For ``preexec_fn``: whoever runs the tests in the background has children ignore SIGINT, as shells do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
