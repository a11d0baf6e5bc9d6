"""Train an agent the way rl_zoo3 does, with action masks: ``echo-lab train``, from a clone.

Without arguments it is the quick start; ``--help`` lists all that it can do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from echo_env.commands.common.interrupts import interruptible

with interruptible():
    from echo_env.commands import train
    from echo_env.commands.players import plugins

plugins.provide(models="sb3_ext.zoo.agents", tensorboard="sb3_ext.zoo.tensorboard", training="sb3_ext.zoo.training")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``echo-lab train``.

    :param argv: command line without the program's name, by default the program's own
    :return: exit status: 0; 2 where the command asks for something that cannot be; 130 after Ctrl-C
    """
    return train.main(sys.argv[1:] if argv is None else argv, program="train.py")


if __name__ == "__main__":
    sys.exit(main())
