"""Compare rules and trained models on the same days: ``echo-lab evaluate``, from a clone.

python evaluate.py --env EchoLabScarce-v0 --policies policy_2 fetal_first agent --days 2000
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from echo_env.commands.common.interrupts import interruptible

with interruptible():
    from echo_env.commands import evaluate
    from echo_env.commands.players import plugins
    from echo_env.commands.players.policies import find_lab, find_policies

__all__ = ["find_lab", "find_policies", "main"]

plugins.provide(models="sb3_ext.zoo.agents", tensorboard="sb3_ext.zoo.tensorboard")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``echo-lab evaluate``.

    :param argv: command line without the program's name, by default the program's own
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    return evaluate.main(sys.argv[1:] if argv is None else argv, program="evaluate.py")


if __name__ == "__main__":
    sys.exit(main())
