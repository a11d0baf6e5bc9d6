"""Every block of the README and of the documentation, as a reader would run it, with fewer days and less training."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
#: Blocks that another test runs, or that are commands of an installation.
ELSEWHERE = {"docs/sb3_ext.md": "tests/sb3_ext/test_documented.py"}
INSTALLS = re.compile(r"pip install|pytest ")
SHORTER = [
    (r"--days \d+", "--days 6"),
    (r"--draws \d+ --trials \d+", "--draws 2 --trials 1"),
    (r"--n-trials \d+", "--n-trials 1 --n-startup-trials 1"),
    (r"--save-freq \d+", "--save-freq 256"),
    (r"rl_model_\d+_steps", "rl_model_512_steps"),
    (r"--seconds \d+", ""),
    (r"-n \d+ -params", "-params"),
    (r"^(echo-lab optimise .*)$", r"\1 --seconds 2 --days 200"),
    (r"^(echo-lab (?:validate|calibrate) .*)$", r"\1 --accept rooms_seen staff_seen unread"),
    (r"^python train.py$", "python train.py --env EchoLabScarce-v0"),
    (r"^(python train.py(?! record_video).*)$", r"\1 -n 600 --eval-freq 600 --eval-episodes 2"),
]
"""Patterns of commands, and what makes them short."""


def blocks(page: str) -> list[tuple[str, str]]:
    """The blocks of a page: language and text."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf8"))


def name_of(text: str) -> str | None:
    """The file that a block is, by its first line."""
    found = re.match(r"# (\S+\.(?:py|ya?ml))\n", text)
    return found[1] if found else None


def commands(text: str) -> list[str]:
    """The lines of a block to be run, shortened."""
    lines = []
    for line in text.splitlines():
        line = line.split("  #")[0].strip()
        if line and not line.startswith("#") and not INSTALLS.search(line):
            for pattern, shorter in SHORTER:
                line = re.sub(pattern, shorter, line)
            lines.append(line)
    return lines


def run(line: list[str], folder: Path) -> None:
    """Run a command in a folder; it must succeed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(line)}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"


def run_line(line: str, folder: Path) -> None:
    """Run a line of a shell block."""
    line = re.sub(r"^echo-lab ", f"{sys.executable} -m echo_env ", line)
    line = re.sub(r"^python (train|evaluate)\.py", rf"{sys.executable} {ROOT}/\1.py", line)
    run(["bash", "-c", line], folder)


def test_every_block_has_a_language_that_is_checked() -> None:
    """Blocks are Python, shell, YAML or plain text, and YAML can be read."""
    for page in PAGES:
        for language, text in blocks(page):
            assert language in ("python", "bash", "yaml", "text", "bibtex"), f"{page}: {language!r}: {text[:60]}"
            if language == "yaml":
                yaml.safe_load(text)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page not in ELSEWHERE])
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path) -> None:
    """The programs and commands of a page succeed, one after another, in one folder."""
    own = blocks(page)
    # Readers run commands from the root of the repository.
    for folder in ("zoo_configs", "benchmarks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for source in ("README.md", page):
        for _, text in blocks(source):
            if name_of(text):
                (tmp_path / str(name_of(text))).write_text(text, encoding="utf8")
    if any("week.xlsx" in text for _, text in own):
        for name in ("week.xlsx", "another_week.xlsx"):
            run_line(f"echo-lab template {name} --example echo_week --days 6", tmp_path)
    for number, (language, text) in enumerate(own):
        if language == "python" and name_of(text) is None:
            program = tmp_path / f"block_{number}.py"
            program.write_text(re.sub(r"learn\([\d_]+\)", "learn(300)", text), encoding="utf8")
            run([sys.executable, program.name], tmp_path)
        for line in commands(text) if language == "bash" else []:
            run_line(line, tmp_path)
