"""Other projects' tests with our classes, commands and environments in place of theirs.

    python benchmarks/foreign_suites.py --sb3 PATH --contrib PATH --gymnasium PATH --rl-zoo PATH
    python benchmarks/foreign_suites.py --sb3 PATH --only 'SB3: DQN' -k test_run

The paths are checkouts or unpacked source distributions of the versions that are installed; nothing of theirs is kept
here. ``foreign_suites.yaml`` says which of their files are run and what stands in for what. Their tests are copied
into a temporary folder. Classes are exchanged by a pytest plug-in (``foreign_plugin.py``), and the text of the tests
stays as it is: a class that stands in is an empty subclass of ours with their name, and does not ask for masks where
an environment has none. Ids of environments and algorithms of commands are exchanged in the text. Tests that concern
neither are left out. Environments named ``AnyAction/`` play the first feasible action in place of an infeasible one.

A test passes, fails, or is not applicable: then ``foreign_suites.yaml`` has the test and the words it fails with, and
why; a test that fails in other words has failed.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.record import commit  # noqa: E402

SUITES = Path(__file__).with_name("foreign_suites.yaml")
TABLE = Path(__file__).with_name("foreign_suites.csv")
OPTIONS = ("sb3", "contrib", "gymnasium", "rl_zoo")
COMMAND = """
import pathlib, runpy, sys
sys.path.insert(0, {root!r})
arguments = sys.argv[1:]
if {name!r} == "enjoy.py":
    arguments = ["enjoy", *arguments]
else:
    # Their hyperparameters, as theirs finds them, where they have some of the environment.
    algo, env_id = (arguments[arguments.index(option) + 1] for option in ("--algo", "--env"))
    path = pathlib.Path("hyperparams") / f"{{algo}}.yml"
    if path.exists() and f"\\n{{env_id}}:" in path.read_text():
        arguments = ["--conf-file", str(path), *arguments]
sys.argv = ["train.py", *arguments]
runpy.run_path({root!r} + "/train.py", run_name="__main__")
"""
"""What stands in for their train.py and enjoy.py, which take their hyperparameters from their own folder."""
OUTCOMES = ("passed", "not applicable", "failed")
COLUMNS = ("date", "commit", "suite", "version", "file", "test", "outcome", "why")


class Excuse(NamedTuple):
    """Why a failure is none of ours.

    :param test: ``file::test``, with wildcards
    :param said: regular expression that its failure must have
    :param why: in words
    """

    test: str
    said: str
    why: str


@dataclass(frozen=True)
class Suite:
    """Tests of another project, and what stands in for what.

    :param name: for the table
    :param option: which checkout it is of
    :param files: the tests, relative to the checkout
    :param swap: dotted path of a class of theirs -> that of ours
    :param unmasked: the classes that stand in ask for no masks where an environment has none
    :param drop: keyword arguments of policies that ours do not have
    :param rename: word in the text of the tests -> what stands in for it
    :param lists: dotted paths of lists of environments, which get ours
    :param ids: environments of ours that the tests get
    :param packages: imported first
    :param commands: the tests run commands: train.py and enjoy.py are ours
    :param copies: what else of the checkout the tests need
    :param limit_s: seconds a test may take
    :param not_applicable: excuses
    """

    name: str
    option: str
    files: list[str]
    swap: dict[str, str] = field(default_factory=dict)
    unmasked: bool = False
    drop: list[str] = field(default_factory=list)
    rename: dict[str, str] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    commands: bool = False
    copies: list[str] = field(default_factory=list)
    limit_s: int = 300
    not_applicable: list[Excuse] = field(default_factory=list)


class Result(NamedTuple):
    """How a test ended, as pytest says.

    :param file: relative to the checkout
    :param test: name, with the parameters
    :param outcome: passed, skipped or failed
    :param said: the end of what it failed with, or why it was skipped
    :param details: all that it failed with
    """

    file: str
    test: str
    outcome: str
    said: str = ""
    details: str = ""


def read_suites(path: Path = SUITES) -> list[Suite]:
    """Every suite; an entry with ``each_id`` stands for one suite per environment, put in place of ``{}``."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        excuses = [Excuse(**excuse) for excuse in entry.pop("not_applicable", [])]
        for env_id in registered_ids(entry["packages"]) if entry.pop("each_id", False) else [""]:
            given = json.loads(json.dumps(entry).replace("{}", env_id))
            found.append(Suite(**given, not_applicable=excuses))
    return found


def registered_ids(packages: Sequence[str]) -> list[str]:
    """Ids of the environments that packages register."""
    program = (
        f"import gymnasium, {', '.join(packages)}\n"
        f"begins = {tuple(f'{package}.' for package in packages)}\n"
        "print(*[spec.id for spec in gymnasium.registry.values() if str(spec.entry_point).startswith(begins)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def version_of(checkout: Path) -> str:
    """The commit of a checkout, or the version of a source distribution."""
    if (checkout / "PKG-INFO").exists():
        return re.findall(r"^Version: (.*)$", (checkout / "PKG-INFO").read_text(encoding="utf-8"), re.M)[0]
    done = subprocess.run(["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def lay(suite: Suite, checkout: Path, folder: Path) -> None:
    """Copy what a suite needs into a folder, and exchange the words in its tests."""
    for name in ("tests", "pyproject.toml", *suite.copies):
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    words = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, suite.rename))})(?![\w.-])")
    for path in folder.glob("tests/**/*.py") if suite.rename else ():
        text = path.read_text(encoding="utf-8")
        path.write_text(words.sub(lambda found: suite.rename[found[1]], text), encoding="utf-8")
    for name in ("train.py", "enjoy.py") if suite.commands else ():
        (folder / name).write_text(COMMAND.format(root=str(ROOT), name=name), encoding="utf-8")


def run(suite: Suite, folder: Path, arguments: Sequence[str] = ()) -> list[Result]:
    """Run a suite that was laid into a folder.

    :param arguments: for pytest
    """
    report = folder / "report.xml"
    settings = {key: value for key, value in asdict(suite).items() if key != "not_applicable"}
    env = {**os.environ, "FOREIGN_SUITE": json.dumps(settings)}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    env |= {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"}
    line = [sys.executable, "-m", "pytest", *suite.files, "-q", "-p", "benchmarks.foreign_plugin", *arguments]
    line += ["-p", "no:cacheprovider", "--continue-on-collection-errors", "--tb=short"]
    line += ["-o", "junit_logging=all", f"--junitxml={report}", f"--basetemp={folder / 'tmp'}"]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode not in (0, 1) or not report.exists():
        said = (done.stdout + done.stderr)[-2000:].strip()
        return [Result("", "", "failed", f"pytest ended with {done.returncode}: {said[-300:]}", said)]
    return list(read_report(report))


def read_report(report: Path) -> Iterator[Result]:
    """The tests of a JUnit report that used what is ours."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "")
        # A file that cannot be imported has no class name.
        file = (case.get("classname") or name).replace(".", "/") + ".py"
        noted = {entry.get("name"): entry.get("value") for entry in case.iter("property")}
        bad = [entry for entry in case if entry.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if noted.get("ours") == "False" and skipped is None:
            continue
        if bad:
            printed = "\n".join(entry.text or "" for entry in case if entry.tag.startswith("system-"))
            details = "\n".join(f"{entry.get('message')}\n{entry.text}" for entry in bad)
            lines = [line[1:].strip() for line in details.splitlines() if line.startswith("E  ")]
            lines += re.findall(r"^train\.py: .*", printed, re.M)
            details = f"{printed}\n{details}"
            yield Result(file, name, "failed", " ".join(lines or details.split())[-300:], details)
        elif skipped is not None:
            yield Result(file, name, "skipped", skipped.get("message", ""))
        else:
            yield Result(file, name, "passed")


def judge(result: Result, excuses: Sequence[Excuse]) -> tuple[str, str]:
    """One of :data:`OUTCOMES`, and why."""
    if result.outcome == "skipped":
        return "not applicable", f"left out by the suite itself: {result.said}"
    if result.outcome == "passed":
        return "passed", ""
    for excuse in excuses:
        named = fnmatch.fnmatchcase(f"{result.file}::{result.test}", excuse.test)
        if named and re.search(excuse.said, result.details, re.S):
            return "not applicable", excuse.why
    return "failed", " ".join(result.said.split())


def run_suite(suite: Suite, checkout: Path, arguments: Sequence[str]) -> list[dict[str, str]]:
    """Run a suite, printing what fails; the rows for the table."""
    rows = []
    head = {"date": datetime.date.today().isoformat(), "commit": commit(), "suite": suite.name}
    head["version"] = version_of(checkout)
    with tempfile.TemporaryDirectory() as folder:
        lay(suite, checkout, Path(folder))
        for result in run(suite, Path(folder), arguments):
            outcome, why = judge(result, suite.not_applicable)
            rows.append({**head, "file": result.file, "test": result.test, "outcome": outcome, "why": why})
            if outcome == "failed":
                print(
                    f"failed: {suite.name}: {result.file}::{result.test}: {why}\n{result.details[-1500:]}", flush=True
                )
    print(f"{suite.name}: {len(rows)} tests done", flush=True)
    return rows


def write_rows(rows: Sequence[dict[str, str]], path: Path = TABLE) -> None:
    """Put rows in place of those of the same suites."""
    suites = {row["suite"] for row in rows}
    kept = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["suite"] not in suites]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *rows])


def table(rows: Sequence[dict[str, str]]) -> str:
    """Suites by outcome, and why tests are not applicable, as Markdown."""
    lines = [["suite", "version", *OUTCOMES, "not applicable because"], ["---"] * (len(OUTCOMES) + 3)]
    for suite, version in dict.fromkeys((row["suite"], row["version"]) for row in rows):
        own = [row for row in rows if row["suite"] == suite]
        counts = Counter(row["outcome"] for row in own)
        why = Counter(row["why"] for row in own if row["outcome"] == "not applicable")
        told = "; ".join(f"{reason} ({number})" for reason, number in why.most_common())
        lines.append([suite, version, *(str(counts[outcome]) for outcome in OUTCOMES), told])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Run the suites; exit status 1 where a test failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in OPTIONS:
        parser.add_argument(
            f"--{option.replace('_', '-')}", type=Path, help="checkout; without it, its suites are not run"
        )
    parser.add_argument("--only", nargs="+", default=[""], help="suites, by how they begin")
    parser.add_argument("-k", help="tests, as pytest has it; no row is written then")
    arguments = parser.parse_args()
    rows: list[dict[str, str]] = []
    for suite in read_suites():
        checkout = getattr(arguments, suite.option)
        if checkout is None or not suite.name.startswith(tuple(arguments.only)):
            continue
        done = run_suite(suite, checkout.resolve(), ["-k", arguments.k] if arguments.k else [])
        if not arguments.k:
            write_rows(done)
        rows += done
    print(table(rows))
    return int(any(row["outcome"] == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
