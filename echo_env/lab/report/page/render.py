"""A page as the text of one HTML file: nothing is loaded from anywhere, and scripts are allowed by their digest."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib import resources
from typing import Any

from echo_env.common.extras import require
from echo_env.lab.report.page import glossary, provenance
from echo_env.lab.report.page.assumptions import assumptions
from echo_env.lab.report.page.page import Chart, Page

_PACKAGES = ("jinja2", "altair", "vl_convert", "matplotlib", "pandas")
_TEMPLATES = "templates"


def check_page_possible() -> None:
    """Refuse to begin long work for a page that could not be written.

    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    for package in _PACKAGES:
        require(package)


def render(page: Page) -> str:
    """The text of the file.

    :param page: what is on it
    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    check_page_possible()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__, _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [_library(), _own("charts.js")]
    sections = [assumptions(page.config, page.experiment), page.likeness, *page.sections]
    charts = [page.picture] if page.picture is not None else []
    charts += [chart for section in sections for chart in section.charts]
    pictures = {id(chart): _drawn(chart, number) for number, chart in enumerate(charts)}
    return environment.get_template("page.html.j2").render(
        page=page,
        sections=sections,
        drawn=lambda chart: pictures[id(chart)],
        terms=glossary.terms(page.rules),
        facts=provenance.facts(page.experiment),
        lab_yaml=provenance.lab_yaml(page.config),
        style=_own("page.css"),
        scripts=scripts,
        policy=_policy(scripts, any(section.video is not None for section in sections)),
        inlined=_inlined,
    )


def _drawn(chart: Chart, number: int) -> dict[str, Any]:
    """A chart as a picture for whoever runs no scripts, and as what scripts draw."""
    import vl_convert

    from echo_env.lab.report.page.charts import specification

    spec = {**specification(chart.figure), "description": chart.alt}
    version = _vega_lite()
    picture = str(vl_convert.vegalite_to_svg(spec, vl_version=version))
    # Every picture numbers its clips from 0, but they share one page.
    picture = picture.replace('id="clip', f'id="chart-{number}-clip').replace("url(#clip", f"url(#chart-{number}-clip")
    return {"id": f"chart-{number}", "svg": picture, "spec": spec}


def _vega_lite() -> str:
    """The version that Altair writes, as in ``6.4``."""
    import altair

    return ".".join(str(altair.SCHEMA_VERSION).removeprefix("v").split(".")[:2])


@lru_cache(maxsize=1)
def _library() -> str:
    """What draws charts, as one script."""
    import vl_convert

    # Its stubs demand a snippet, without which the library itself is bundled.
    bundle: Any = vl_convert.javascript_bundle
    return str(bundle(vl_version=_vega_lite())).replace("</script", "<\\/script")


def _own(name: str) -> str:
    return (resources.files(__package__) / _TEMPLATES / name).read_text(encoding="utf8")


def _inlined(content: bytes, kind: str) -> str:
    """A file as an address that holds it.

    :param content: of the file
    :param kind: its media type
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _policy(scripts: list[str], has_video: bool) -> str:
    """A content security policy under which the page can load and send nothing."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data:; "
        f"{'media-src data:; ' if has_video else ''}base-uri 'none'; "
        "form-action 'none'"
    )
