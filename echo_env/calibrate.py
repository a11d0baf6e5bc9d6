"""The old name of ``echo-lab calibrate``: ``python -m echo_env.calibrate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from echo_env.commands import calibrate


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``echo-lab calibrate``.

    :param argv: command line without the program's name, by default the program's own
    :return: exit status, see :func:`echo_env.commands.calibrate.main`
    """
    return calibrate.main(sys.argv[1:] if argv is None else argv, program="python -m echo_env.calibrate")


if __name__ == "__main__":
    sys.exit(main())
