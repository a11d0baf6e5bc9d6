"""What is sent to workers: shared content once, the user's own modules along, each thread with its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import pytest

from echo_env.common.parallel import SentOnce, carry_along
from echo_env.common.parallel.sending import Parcel, packed, work_on


def unpacked(parcel: Parcel) -> list[object]:
    """The results of a parcel's tasks."""
    block = list(enumerate(parcel.tasks))
    return [result for _, result in work_on(parcel.key, lambda: parcel.content, block).results]


def length(task: tuple[int, SentOnce]) -> int:
    """Number and length of the content."""
    return task[0] + len(task[1].content)


def test_shared_content_is_sent_once() -> None:
    """Tasks that hold the same content are small, and workers find it in them."""
    model = SentOnce(b"x" * 100_000)
    parcel = packed(length, [(number, model) for number in range(50)], elsewhere=True)
    assert len(parcel.content) < 101_000
    assert max(map(len, parcel.tasks)) < 500
    assert unpacked(parcel) == [100_000 + number for number in range(50)]


def test_content_survives_any_other_pickling() -> None:
    """Outside of parcels such content is pickled as it is."""
    assert pickle.loads(pickle.dumps(SentOnce(b"model"))).content == b"model"


class Counting:
    """Work that remembers how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, task: int) -> int:
        """How often, this time included."""
        self.done += 1
        return self.done


def test_each_thread_has_its_own_work() -> None:
    """Threads of one worker do not share what work remembers."""
    parcel = packed(Counting(), [0, 1], elsewhere=True)
    found: list[list[object]] = []
    threads = [threading.Thread(target=lambda: found.append(unpacked(parcel))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1, 2]] * 3


def test_modules_of_the_users_own_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster's workers need no file of a module that was said to be carried along."""
    (tmp_path / "my_rules.py").write_text("FACTOR = 3\n\ndef times(task):\n    return FACTOR * task\n")
    monkeypatch.syspath_prepend(tmp_path)
    times = import_module("my_rules").times
    carry_along("my_rules")
    parcel = packed(times, [14], elsewhere=True)
    (tmp_path / "parcel").write_bytes(pickle.dumps(parcel))
    script = (
        "import pickle, sys; from echo_env.common.parallel.sending import work_on;"
        "parcel = pickle.loads(open('parcel', 'rb').read());"
        "print(work_on(parcel.key, lambda: parcel.content, [(0, parcel.tasks[0])]).results)"
    )
    (tmp_path / "my_rules.py").unlink()
    root = str(Path(__file__).parents[3])
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[(0, 42)]"
