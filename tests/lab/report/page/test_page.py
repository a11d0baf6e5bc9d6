"""Pages for people: one file, nothing from the network, readable with a keyboard and by a screen reader."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("altair")
pytest.importorskip("vl_convert")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

from echo_env.common.stats import Estimate
from echo_env.lab import evaluate, load_lab, make_policy
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.report.page.assumptions import assumptions
from echo_env.lab.report.page.charts import Mark, without_far
from echo_env.lab.report.page.comparison import best_of, comparison_page
from echo_env.lab.report.page.page import Page, is_page
from echo_env.lab.report.page.provenance import lab_yaml
from echo_env.lab.report.page.render import render
from echo_env.lab.report.page.words import changed, with_interval

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LARGEST = 3_000_000


class Tags(HTMLParser):
    """All tags with their attributes, and headings in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page() -> Page:
    """Two rules on ten days of the scarce lab."""
    config = load_lab("scarce")
    policies = [make_policy(name, config) for name in ("policy_2", "fetal_first")]
    comparison = evaluate(config, policies, 10, 7)
    return comparison_page(comparison, config, policies, "evaluate <b>--report</b>", "EchoLabScarce-v0")


@pytest.fixture(scope="module")
def text(page: Page) -> str:
    """The file's text."""
    return render(page)


@pytest.fixture(scope="module")
def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Its tags."""
    parser = Tags()
    parser.feed(text)
    return parser.tags


def test_nothing_is_loaded(text: str, tags: list[tuple[str, dict[str, str | None]]]) -> None:
    """No tag names anything outside the file, and the policy of the page allows nothing."""
    for tag, given in tags:
        assert not {"src", "srcset", "data", "action"} & set(given), tag
        if "href" in given:
            assert tag == "a"
            assert str(given["href"]).startswith("#")
    rules = next(given["content"] for tag, given in tags if given.get("http-equiv") == "Content-Security-Policy")
    assert str(rules).startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in str(rules)
    assert "connect-src" not in str(rules)
    assert len(text.encode()) < LARGEST


def test_what_is_typed_is_escaped(text: str) -> None:
    """A command line cannot put tags on the page."""
    assert "evaluate &lt;b&gt;--report&lt;/b&gt;" in text
    assert "<b>--report" not in text


def test_headings_go_down_one_at_a_time(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    """One h1, and no heading skips a level."""
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_chart_is_told_in_words_and_numbers(
    page: Page, text: str, tags: list[tuple[str, dict[str, str | None]]]
) -> None:
    """Each chart has a text in place of the picture, a table, and what scripts draw."""
    charts = [page.picture, *(chart for section in page.sections for chart in section.charts)]
    labels = [given["aria-label"] for _, given in tags if given.get("role") == "img"]
    assert labels == [chart.alt for chart in charts if chart is not None]
    assert text.count("The numbers of this chart") == len(charts)
    specs = re.findall(r'<script type="application/json" id="chart-\d+">(.*?)</script>', text)
    assert len(specs) == len(charts)
    assert all(json.loads(spec)["$schema"].startswith("https://vega.github.io/schema/vega-lite/") for spec in specs)
    assert ("html", {"lang": "en"}) in tags


def test_links_lead_somewhere(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    """Every link within the page has its target."""
    ids = [given["id"] for _, given in tags if "id" in given]
    assert len(ids) == len(set(ids))
    anchors = set(ids)
    assert {str(given["href"])[1:] for _, given in tags if "href" in given} <= anchors


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_browser_without_network_draws_every_chart(text: str, tmp_path: Path) -> None:
    """Chromium, whose every look-up of a host fails, puts charts that can be pointed at in place of the pictures."""
    (tmp_path / "page.html").write_text(text, encoding="utf8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
    blocked = "--host-resolver-rules=MAP * ~NOTFOUND"
    command = [str(CHROMIUM), *options, blocked, f"--user-data-dir={tmp_path}/profile", f"file://{tmp_path}/page.html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    charts = text.count('type="application/json"')
    assert 'data-charts="drawn"' in done.stdout
    assert len(re.findall(r'<div class="[^"]*vega-embed[^"]*drawn[^"]*"', done.stdout)) == charts
    assert "Refused to" not in done.stderr


@pytest.mark.parametrize(
    "name", ["baseline", "scarce", "abundant", "authors_code", "echo_week", "mri_unit", "walk_in_clinic"]
)
def test_the_lab_on_the_page_reads_back(name: str, tmp_path: Path) -> None:
    """The file on the page is the lab that was played."""
    config = load_lab(name)
    file = tmp_path / "lab.yaml"
    file.write_text(lab_yaml(config))
    assert load_lab(str(file)) == config


@pytest.mark.parametrize("name", ["scarce", "echo_week", "mri_unit", "walk_in_clinic"])
def test_the_checklist_is_filled_in(name: str, page: Page) -> None:
    """Each item of the checklist has an answer, and none is left with Python's own names."""
    section = assumptions(load_lab(name), page.experiment)
    (grid,) = section.folded
    assert [row[0] for row in grid.rows][:3] == ["1.1", "1.2", "1.3"]
    assert len(grid.rows) == 24
    assert all(row[2].strip() for row in grid.rows)
    assert not any(re.search(r"\bNone\b|\bnan\b|<|_", row[2]) for row in grid.rows if row[0] not in ("5.1", "5.4"))


def comparison_of(**waits: tuple[float, float]) -> Comparison:
    """Policies by (mean minutes, points for waiting), on four days."""
    spread = np.array([-1.0, 1.0, -1.0, 1.0])
    config = load_lab("scarce")
    known = evaluate(config, ["policy_2"], 4, 1)
    values = {
        name: {
            **known.values["policy_2"],
            "overall_wait_min": wait + spread,
            "waiting_penalty": points + spread + np.array([0.1, 0, -0.1, 0]) * (name != "policy_2"),
        }
        for name, (wait, points) in waits.items()
    }
    return Comparison("scarce", 1, values, dict.fromkeys(values, "simpy"), "", known.metrics)


def test_the_best_is_better_beyond_chance() -> None:
    """A rule is called best for points of waiting that fall beyond chance, and for nothing else."""
    assert best_of(comparison_of(policy_2=(40, 600), policy_1=(39, 500), random=(60, 900))) == "policy_1"
    assert best_of(comparison_of(policy_2=(40, 600), policy_1=(30, 600))) == "policy_2"


def test_differences_are_told_with_their_sign_in_words() -> None:
    """Less is said of a fall beyond chance, more of a rise, and neither of what may be chance."""
    assert changed(Estimate(-0.41, -0.58, -0.24, 9), "minutes") == "0.41 minutes less (0.24 to 0.58)"
    assert changed(Estimate(2.0, 1.0, 3.0, 9), "minutes") == "2.0 minutes more (1.0 to 3.0)"
    told = changed(Estimate(0.1, -0.2, 0.4, 9), "minutes")
    assert told == "no change that can be told from chance (+0.10 (-0.20 to +0.40) minutes)"
    assert changed(Estimate(0.0, 0.0, 0.0, 9), "minutes") == "no change on any day"
    assert with_interval(Estimate(0.0, 0.0, 0.0, 9), "", "+") == "0"
    assert with_interval(Estimate(0.123, 0.1, 0.146, 9), "share") == "12.3 % (10.0 to 14.6)"


def test_bad_marks_far_out_squash_nobody() -> None:
    """What is many times as bad as all else is left out and named, if there is something to see among the rest."""
    marks = [Mark(name, Estimate(mean, mean, mean, 9)) for name, mean in (("a", -0.5), ("b", 0.4), ("c", 40.0))]
    drawn, far = without_far(marks)
    assert [mark.row for mark in drawn] == ["a", "b"]
    assert [mark.row for mark in far] == ["c"]
    good = [Mark("d", Estimate(-40.0, -41.0, -39.0, 9)), *marks[:2]]
    assert without_far(good) == (good, [])
    nothing = [Mark("e", Estimate(0.0, 0.0, 0.0, 9)), marks[2]]
    assert without_far(nothing) == (nothing, [])


@pytest.mark.parametrize(("path", "expected"), [("a.html", True), ("A.HTML", True), ("report", False), (None, False)])
def test_a_page_is_known_by_its_name(path: str | None, expected: bool) -> None:
    """The suffix tells a page from a folder."""
    assert is_page(path) is expected
