"""What mkdocs does besides: files of the repository to which pages link are part of the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

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


def on_files(files: Files, config: Any) -> Files:
    """Add the files."""
    for name in sorted(linked(Path(config["docs_dir"]))):
        # A page of the repository, such as benchmarks/README.md, is shown as text.
        source = File(name, str(ROOT), config["site_dir"], config["use_directory_urls"])
        source.dest_uri = f"files/{name}"
        files.append(source)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Point links to them."""

    def replaced(match: re.Match[str]) -> str:
        target = (Path(page.file.abs_src_path).parent / match[1] / match[2]).resolve()
        docs = Path(config["docs_dir"])
        return match[0] if docs in target.parents else f"]({match[1].removesuffix('../')}{target.relative_to(ROOT)}"

    return OUTSIDE.sub(replaced, markdown)
