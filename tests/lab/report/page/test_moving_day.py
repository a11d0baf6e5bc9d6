"""The video of a page: inside the file, still until somebody starts it, and told in words."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

pytest.importorskip("altair")
pytest.importorskip("vl_convert")
pytest.importorskip("jinja2")
pytest.importorskip("imageio_ffmpeg")

from echo_env.lab import evaluate, load_lab, make_policy
from echo_env.lab.report.page.comparison import comparison_page
from echo_env.lab.report.page.page import Page
from echo_env.lab.report.page.render import _policy, render

LARGEST = 3_000_000


@pytest.fixture(scope="module")
def page() -> Page:
    """Two rules on a few days of the scarce lab, with the video."""
    config = load_lab("scarce")
    policies = [make_policy(name, config) for name in ("policy_2", "fetal_first")]
    comparison = evaluate(config, policies, 4, 7)
    return comparison_page(comparison, config, policies, "evaluate", "EchoLabScarce-v0", animation=True)


@pytest.fixture(scope="module")
def text(page: Page) -> str:
    """The file's text."""
    return render(page)


def test_the_video_is_in_the_page(text: str, tmp_path: Path) -> None:
    """The page holds the film and its still, asks for nothing, and stays below 3 MB; the film can be read back."""
    from imageio_ffmpeg import count_frames_and_secs

    assert len(text.encode()) < LARGEST
    (tag,) = re.findall(r"<video[^>]*>", text)
    assert set(re.findall(r'(?:src|poster)="(data:[a-z0-9/]+);base64,', tag)) == {"data:video/mp4", "data:image/png"}
    assert not re.search(r'(?:src|poster)="(?!data:)', tag)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert "media-src data:;" in policy
    assert policy.startswith("default-src &#39;none&#39;;")
    film = tmp_path / "day.mp4"
    film.write_bytes(base64.b64decode(re.findall(r"video/mp4;base64,([^\"]+)", tag)[0]))
    frames, seconds = count_frames_and_secs(str(film))
    assert (frames, round(seconds)) == (331, 28)


def test_nobody_is_made_to_watch_it(text: str) -> None:
    """The browser's own controls pause it, it neither starts nor repeats by itself, and its label tells it."""
    (tag,) = re.findall(r"<video[^>]*>", text)
    assert " controls" in tag
    assert " autoplay" not in tag
    assert " loop" not in tag
    assert 'aria-label="Floor plan of the same simulated day under policy 2 and fetal first' in tag


def test_only_a_page_with_a_video_allows_one() -> None:
    """Where nothing moves, the policy of the page has no place for media."""
    assert "media-src data:; base-uri 'none'" in _policy([], True)
    assert "media-src" not in _policy([], False)
