"""``echo-lab``, and ``python -m echo_env``, which is the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from echo_env.commands.common.interrupts import interruptible


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``echo-lab``, see :func:`echo_env.commands.app.main`.

    :param argv: command line without the program's name, by default the program's own
    :return: exit status
    :raises SystemExit: Ctrl-C was pressed while the commands were still being imported; the status is 130
    """
    with interruptible():
        from echo_env.commands import app

        return app.main(argv)


if __name__ == "__main__":
    sys.exit(main())
