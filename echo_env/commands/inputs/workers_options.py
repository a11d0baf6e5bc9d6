"""The options that say who does the work, the same for every command that plays days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from echo_env.commands.common.running import Whole
from echo_env.common.parallel import BACKENDS, Workers, check_reachable


@dataclass(frozen=True, kw_only=True)
class WorkersOptions:
    """Options as typed."""

    jobs: Annotated[
        Whole | None, Parameter(help="number of processes of this machine, by default 1; results do not depend on it")
    ] = None
    backend: Annotated[
        str,
        Parameter(help=f"who does the work: {', '.join(BACKENDS)}; loky is this machine, the others need --address"),
    ] = BACKENDS[0]
    address: Annotated[
        str | None, Parameter(help="cluster that does the work: Dask's scheduler, or Ray's head node or auto")
    ] = None

    @property
    def workers(self) -> Workers:
        """Who does the work.

        :raises ValueError: options that cannot be, or do not go together
        :raises ModuleNotFoundError: the backend is not installed
        """
        return Workers(self.jobs, self.backend, self.address)

    def check_workers(self) -> None:
        """Refuse workers that could only fail once the work has begun.

        :raises ValueError: options that cannot be, or workers that differ in their versions
        :raises ConnectionError: no cluster answers
        :raises ModuleNotFoundError: the backend is not installed
        """
        check_reachable(self.workers)
