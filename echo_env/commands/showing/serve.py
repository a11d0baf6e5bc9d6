"""The app: your record, the lab, comparisons, what if, better books and the whiteboard, in a browser.

echo-lab app
echo-lab app --folder my_work

It runs on this computer alone: it answers no other one, and sends nothing
anywhere. All files are in one folder, which --folder names and keeps; without
it they are removed when the app ends. Ctrl-C ends it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from echo_env.commands.common.running import Flag, Whole, exit_status, parse
from echo_env.common.extras import require

HOST = "127.0.0.1"
SCRIPT = Path(__file__).parents[2] / "app" / "main.py"
FOLDER = "ECHO_LAB_APP_FOLDER"
"""Environment variable: the folder in which the app works."""


@dataclass(frozen=True, kw_only=True)
class AppOptions:
    """Options as typed.

    :param folder: where files are kept; without it, in a folder that is removed in the end
    :param port: of this computer
    :param no_browser: do not open a browser
    """

    folder: str | None = None
    port: Whole = 8501
    no_browser: Flag = False


def check(options: AppOptions) -> None:
    """Refuse what cannot be.

    :param options: as typed
    :raises ValueError: names the option, its value and what is allowed
    :raises OSError: the folder is a file, or the port is taken
    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    if not 1024 <= options.port <= 65535:
        raise ValueError(f"--port is {options.port}, but must be from 1024 to 65535")
    if options.folder == "":
        raise ValueError("--folder is '', but must be a folder")
    if options.folder is not None and Path(options.folder).exists() and not Path(options.folder).is_dir():
        raise NotADirectoryError(f"--folder {options.folder} is a file")
    for package in ("streamlit", "pandas", "openpyxl", "altair", "numba"):
        require(package)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, options.port))
        except OSError:
            raise OSError(f"--port {options.port} is taken, perhaps by another app: give another number") from None


def server(port: int, browser: bool) -> list[str]:
    """The command that serves the app, to this computer alone.

    :param port: of it
    :param browser: whether to open one
    """
    settings = {
        "server.address": HOST,
        "server.port": port,
        "server.headless": not browser,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "runner.magicEnabled": False,
        "browser.serverAddress": HOST,
        "client.toolbarMode": "minimal",
        "theme.primaryColor": "#00558c",
        "client.showErrorDetails": "none",
    }
    flags = [f"--{name}={str(value).lower()}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *flags]


@contextmanager
def _folder(kept: str | None) -> Iterator[Path]:
    if kept is not None:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="echo-lab-") as folder:
        yield Path(folder)


def run(options: AppOptions) -> None:
    """Serve until Ctrl-C."""
    check(options)
    # In the background of a shell Ctrl-C is ignored, and would be in all that this process starts: nothing could stop.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with _folder(options.folder) as folder:
        address = f"http://{HOST}:{options.port}"
        print(f"{address} on this computer alone; files are in {folder}. Ctrl-C ends it.", flush=True)
        environment = {**os.environ, FOLDER: str(folder)}
        serving = subprocess.Popen(server(options.port, not options.no_browser), env=environment)
        try:
            status = serving.wait()
        except KeyboardInterrupt:
            status = 0
        finally:
            serving.terminate()
            serving.wait()
    if status:
        raise OSError(f"the server ended with status {status}")


def main(tokens: Sequence[str], program: str = "echo-lab app") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence
    """

    def work() -> None:
        options = parse(AppOptions, tokens, program, __doc__)
        if options is not None:
            run(options)

    return exit_status(work, extra="app")
