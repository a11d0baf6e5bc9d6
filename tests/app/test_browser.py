"""The app in a real browser that can look up no host: from a sheet to a better book, and the pages for everybody."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_pages import CLINIC

from echo_env.commands.showing.serve import HOST

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]

ROOT = Path(__file__).parents[2]
WEEK = ROOT.parent / "shared" / "data" / "whiteboard_week.xlsx"
LONG = 900_000
"""Milliseconds: on a new machine the compiled engine is made first."""
BLOCKED = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The app, served from a folder of its own."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "echo_env", "app", "--no-browser", "--port", str(port)]
    serving = subprocess.Popen([*command, "--folder", str(tmp_path / "work")], cwd=ROOT, stdout=subprocess.PIPE)
    address = f"http://{HOST}:{port}"
    try:
        assert serving.stdout is not None
        serving.stdout.readline()
        for _ in range(100):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.3)
        yield address
    finally:
        serving.terminate()
        assert serving.wait(30) == 0


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """A tab on it."""
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", BLOCKED]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        yield page
        own = (address, address.replace("http", "ws"), "data:", "blob:", "about:")
        assert [url for url in asked if not url.startswith(own)] == []
        browser.close()


def finished(page: Any) -> None:
    """Wait until what runs has ended in a report."""
    page.get_by_test_id("stIFrame").first.wait_for(timeout=LONG)


def downloaded(page: Any, label: str, folder: Path) -> Path:
    """What a button downloads."""
    with page.expect_download() as coming:
        page.get_by_role("button", name=label).first.click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def search(page: Any, folder: Path) -> None:
    """Five seconds of it, with the slider moved by keys; its report and lab are downloaded."""
    page.get_by_role("link", name="What would be better?").click()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.get_by_text("Search", exact=True).click()
    finished(page)
    assert downloaded(page, "Download the report", folder).stat().st_size < 3_000_000
    assert downloaded(page, "Download the better lab", folder).read_text().startswith("# A lab with the changes")


def test_a_foreign_sheet_becomes_a_lab_and_a_better_one(page: Any, tmp_path: Path) -> None:
    """Upload, map, fit, compare, search, download; no other address is asked for anything."""
    sheet = tmp_path / "praxis.csv"
    sheet.write_text(CLINIC, encoding="utf8")
    page.set_input_files("input[type=file]", str(sheet))
    page.get_by_role("button", name="Use these columns").click()
    page.get_by_text("60 visits on 5 days.").wait_for()
    page.get_by_role("button", name="Fit the lab").click()
    finished(page)
    assert "name: praxis" in downloaded(page, "Download the lab file", tmp_path).read_text(encoding="utf8")
    page.get_by_role("link", name="Who first?").click()
    page.get_by_role("button", name="Compare").click()
    finished(page)
    assert b"praxis" in downloaded(page, "Download the report", tmp_path).read_bytes()
    search(page, tmp_path)


@pytest.mark.skipif(not WEEK.exists(), reason="the paper's week is not here")
def test_the_week_of_the_paper(page: Any, tmp_path: Path) -> None:
    """Its headers are known; what contradicts the fitted lab has to be accepted."""
    page.set_input_files("input[type=file]", str(WEEK))
    page.get_by_text("184 visits on 5 days.").wait_for(timeout=LONG)
    page.get_by_role("button", name="Fit the lab").click()
    page.get_by_role("button", name="It is so: fit the lab all the same").click(timeout=LONG)
    finished(page)
    report = downloaded(page, "Download the report", tmp_path)
    assert b"80 patients wait" in report.read_bytes()


def test_a_search_can_be_stopped(page: Any, tmp_path: Path) -> None:
    """What it has found until then is measured all the same."""
    page.get_by_role("link", name="What would be better?").click()
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.get_by_text("Search", exact=True).click()
    # Before it has begun there is nothing to measure.
    page.get_by_text("search, selection, comparison: 1 of 3").wait_for(timeout=LONG)
    page.get_by_role("button", name="Stop the search").click()
    finished(page)
    assert b"What" in downloaded(page, "Download the report", tmp_path).read_bytes()
