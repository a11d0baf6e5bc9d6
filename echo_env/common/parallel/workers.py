"""Who does the work: this process, several processes of this machine, or a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from echo_env.common.extras import require

LOKY, DASK, RAY = BACKENDS = ("loky", "dask", "ray")
"""Processes of this machine, a Dask cluster, a Ray cluster."""
_MODULES = {DASK: "distributed", RAY: "ray"}
_EXAMPLES = {DASK: "tcp://HOST:8786", RAY: "HOST:6379"}


@dataclass(frozen=True)
class Workers:
    """Who does the work. Results do not depend on it, to the bit.

    :param jobs: number of processes of this machine, 1 if nothing is said; a cluster has as many as it has
    :param backend: one of :data:`BACKENDS`
    :param address: of the cluster: of Dask's scheduler, or of Ray's head node
    :raises ValueError: a value that is not allowed, or values that do not go together
    :raises ModuleNotFoundError: the backend is not installed; says how to install it
    """

    jobs: int | None = None
    backend: str = LOKY
    address: str | None = None

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend is {self.backend!r}, but must be one of {', '.join(BACKENDS)}")
        if self.jobs is not None and (isinstance(self.jobs, bool) or not isinstance(self.jobs, int) or self.jobs < 1):
            raise ValueError(f"jobs is {self.jobs!r}, but must be a whole number of at least 1")
        if self.backend == LOKY:
            if self.address is not None:
                raise ValueError(
                    f"address is {self.address!r}, but there is no backend that has one: give backend {DASK} or {RAY}"
                )
            return
        if not self.address:
            raise ValueError(
                f"backend is {self.backend!r}, but address is missing: it must be that of a cluster, such as "
                f"{_EXAMPLES[self.backend]}; for several processes of this machine jobs is enough"
            )
        if self.jobs is not None:
            raise ValueError(
                f"jobs is {self.jobs}, but backend {self.backend!r} has as many processes as the cluster at "
                f"{self.address}: leave jobs out"
            )
        require(_MODULES[self.backend])

    @property
    def is_cluster(self) -> bool:
        """Whether the work leaves this machine."""
        return self.backend != LOKY


Jobs = int | Workers
"""What functions take: a number of processes of this machine, or :class:`Workers`."""


def as_workers(jobs: Jobs) -> Workers:
    """Who does the work.

    :param jobs: a number of processes, or the workers themselves
    :raises ValueError: not a whole number of at least 1
    """
    return jobs if isinstance(jobs, Workers) else Workers(jobs)
