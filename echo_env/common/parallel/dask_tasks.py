"""joblib's backend for Dask, for clusters of one place too."""

from __future__ import annotations

from joblib._dask import DaskDistributedBackend


class DaskTasks(DaskDistributedBackend):  # type: ignore[misc]
    """joblib would not send work to a single place, but do it in this process."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        """How many tasks the cluster works on at a time, at least two."""
        return max(int(super().effective_n_jobs(n_jobs)), 2)
