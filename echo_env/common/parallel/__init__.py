"""The one place where work is dealt out: to processes of this machine, or to the workers of a cluster."""

from echo_env.common.parallel.dealing import check_reachable, deal_out, map_in_order, slots
from echo_env.common.parallel.sending import SentOnce, carry_along
from echo_env.common.parallel.signals import Signal, signal_to
from echo_env.common.parallel.workers import BACKENDS, Jobs, Workers, as_workers

__all__ = [
    "BACKENDS",
    "Jobs",
    "SentOnce",
    "Signal",
    "Workers",
    "as_workers",
    "carry_along",
    "check_reachable",
    "deal_out",
    "map_in_order",
    "signal_to",
    "slots",
]
