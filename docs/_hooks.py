"""What mkdocs does besides: files of the repository to which pages link are part of the site, and model cards are made
of the list of agents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import griffe
import yaml
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parents[1]
# From a page to a file outside of docs: ](../benchmarks/learning.csv), with one more .. a folder further down.
OUTSIDE = re.compile(r"\]\(((?:\.\./)+)((?!\.\.)[^)#\s]+)")


def linked(folder: Path) -> set[str]:
    """Files outside of a folder to which its pages link, relative to the repository.

    :param folder: with Markdown pages
    """
    found = set()
    for page in folder.rglob("*.md"):
        for up, name in OUTSIDE.findall(page.read_text(encoding="utf8")):
            target = (page.parent / up / name).resolve()
            if folder not in target.parents and target.is_file():
                found.add(target.relative_to(ROOT).as_posix())
    return found


def model_cards() -> str:
    """A section for each agent that ships."""
    agents = yaml.safe_load((ROOT / "zoo_configs/agents/agents.yml").read_text(encoding="utf8"))
    sections = []
    for name, agent in agents.items():
        evaluated = dict(agent["evaluation"])
        days, seed = evaluated.pop("days"), evaluated.pop("seed")
        rows = [
            ("algorithm", agent["algo"]),
            ("file", f"`{agent['file']}`, SHA-256 `{agent['sha256'][:16]}...`"),
            ("trained by", f"`{agent['command']}`"),
            ("hyperparameters", f"`{agent['config_file']}`"),
            ("seed, commit, date", f"{agent['seed']}, {agent['commit']}, {agent['date']}"),
            *((key.replace("_", " "), f"{value:,.1f}") for key, value in evaluated.items()),
        ]
        table = "\n".join(f"| {what} | {value} |" for what, value in rows)
        sections.append(f"## {name}\n\nMeans of {days} days of seed {seed}.\n\n| | |\n|---|---|\n{table}\n")
    return "\n".join(sections)


def on_files(files: Files, config: Any) -> Files:
    """Add the files."""
    for name in sorted(linked(Path(config["docs_dir"]))):
        # A page of the repository, such as benchmarks/README.md, is shown as text.
        source = File(name, str(ROOT), config["site_dir"], config["use_directory_urls"])
        source.dest_uri = f"files/{name}"
        source.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(source)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links to them."""

    markdown = markdown.replace("<!-- agents -->", model_cards())

    def replaced(match: re.Match[str]) -> str:
        docs = Path(config["docs_dir"])
        # Pages that are made of notebooks have no file of their own.
        target = ((docs / page.file.src_uri).parent / match[1] / match[2]).resolve()
        return match[0] if docs in target.parents else f"]({match[1].removesuffix('../')}{target.relative_to(ROOT)}"

    return OUTSIDE.sub(replaced, markdown)


class PlainRoles(griffe.Extension):
    """Docstrings as they are written, in reStructuredText, shown as Markdown."""

    ROLE = re.compile(r":(?:class|func|meth|mod|data|attr):`~?([^`]+)`")

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Replace roles by the name that they show."""
        if obj.docstring is None:
            return
        if isinstance(obj, griffe.Class) and any("section" in str(own.value) for own in obj.decorators):
            # Dataclasses by @section have their parameters at run time only.
            obj.docstring.parser_options = {**obj.docstring.parser_options, "warnings": False}
        text = self.ROLE.sub(lambda match: f"`{match[1].rsplit('.', 1)[-1]}`", obj.docstring.value)
        obj.docstring.value = re.sub(r"``([^`]+)``", r"`\1`", text)
