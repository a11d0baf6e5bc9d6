"""Who does the work: what is refused, and a lost worker's tasks on a double of a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from echo_env.common.parallel import Workers, dealing, map_in_order
from echo_env.common.parallel.engine import Arriving
from echo_env.common.parallel.sending import Block, Parcel, work_on
from echo_env.common.parallel.versions import check_same, description


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"backend": "spark"}, "backend is 'spark', but must be one of loky, dask, ray"),
        ({"address": "tcp://10.0.0.1:8786"}, "but there is no backend that has one: give backend dask or ray"),
        ({"backend": "dask"}, "address is missing: it must be that of a cluster, such as tcp://HOST:8786"),
        ({"backend": "ray", "address": ""}, "address is missing: it must be that of a cluster, such as HOST:6379"),
        ({"backend": "dask", "address": "tcp://a:1", "jobs": 2}, "jobs is 2, but backend 'dask' has as many processes"),
        ({"jobs": 0}, "jobs is 0, but must be a whole number of at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, object], sentence: str) -> None:
    """Options that cannot be, or do not go together, are refused in one sentence."""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Workers(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("backend", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_a_backend_that_is_not_installed_is_named(backend: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the extra that installs the backend."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=re.escape(f"{module} is missing: pip install 'echo-lab-rl[{backend}]'")
    ):
        Workers(backend=backend, address="host:1")


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (description() | {"numpy": "1.0"}, "worker a has numpy 1.0, but here it is"),
        (description() | {"the code of echo_env": "0"}, "worker a has the code of echo_env 0, but here it is"),
        (ModuleNotFoundError("No module named 'echo_env'"), "worker a cannot run echo_env: install echo-lab-rl there"),
    ],
)
def test_other_versions_are_named(there: object, sentence: str) -> None:
    """Workers with another version are refused, and what differs is named."""
    check_same({"b": description()})
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check_same({"b": description(), "a": there})


class LossyEngine:
    """A double of a cluster: it loses its workers after some blocks, and sends one block's results twice.

    :param losses: how often it loses them
    """

    slots = 2
    lost: tuple[type[BaseException], ...] = (ConnectionResetError,)
    hopeless: tuple[type[BaseException], ...] = (BrokenPipeError,)
    sentence = "workers died again and again"

    def __init__(self, losses: int) -> None:
        self.losses, self.begun = losses, 0

    @contextmanager
    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> Iterator[Arriving]:
        """Do blocks, until workers are lost."""

        def arriving() -> Arriving:
            for block in blocks:
                self.begun += 1
                if self.losses and self.begun % 4 == 0:
                    self.losses -= 1
                    raise ConnectionResetError
                done = work_on(parcel.key, lambda: parcel.content, block)
                yield done
                if self.begun % 3 == 0:
                    yield done

        yield arriving()


def square(task: int) -> int:
    """The work."""
    return task * task


def test_what_a_lost_worker_had_begun_is_done_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost and nothing counted twice, whatever is lost or arrives twice."""
    engine = LossyEngine(losses=2)
    monkeypatch.setattr(dealing, "engine_of", lambda workers: engine)
    told: list[tuple[int, int]] = []
    found = map_in_order(square, range(20), 2, lambda task, result: told.append((task, result)))
    assert found == [task * task for task in range(20)]
    assert sorted(told) == [(task, task * task) for task in range(20)]
    assert caplog.messages == ["a worker was lost: what it had begun is done again"] * 2


class DeadlyEngine(LossyEngine):
    """Loses its workers with the first block, each time."""

    @contextmanager
    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> Iterator[Arriving]:
        """Begin a block."""
        self.begun += 1
        next(blocks)
        raise ConnectionResetError
        yield iter(())


def test_deadly_work_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that kills its workers is not tried for ever."""
    engine = DeadlyEngine(0)
    monkeypatch.setattr(dealing, "engine_of", lambda workers: engine)
    with pytest.raises(ChildProcessError, match="workers died again and again"):
        map_in_order(square, range(20), 2, lambda task, result: None)
    assert engine.begun == dealing.MOST_LOSSES
