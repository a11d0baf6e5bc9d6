"""The command that serves the app."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("streamlit")
pytest.importorskip("numba")
from echo_env.commands.app import main
from echo_env.commands.showing.serve import HOST

ROOT = Path(__file__).parents[2]


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Before a folder is made."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["app", "--no-browser", "--port", str(port), "--folder", str(tmp_path / "work")]) == 2
    assert capsys.readouterr().err == f"error: --port {port} is taken, perhaps by another app: give another number\n"
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_this_computer_until_it_is_stopped(number: signal.Signals) -> None:
    """Then its folder is gone, and the exit status is 0."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "echo_env", "app", "--no-browser", "--port", str(port)]
    serving = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    said = re.search(r"files are in (\S+)\. Ctrl-C", serving.stdout.readline())
    assert said is not None
    assert Path(said[1]).is_dir()
    for line in serving.stdout:
        if "URL" in line:
            break
    with urllib.request.urlopen(f"http://{HOST}:{port}", timeout=60) as answer:
        assert answer.status == 200
    serving.send_signal(number)
    assert serving.wait(60) == 0
    assert not Path(said[1]).exists()
