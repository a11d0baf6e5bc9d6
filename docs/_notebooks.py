"""Notebooks as pages: executed when the site is built, and written as Markdown, so that they look, search, and are
checked like any other page.

What a notebook showed is kept in ``build/notebooks`` for as long as neither it nor the packages change.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.preprocessors import TagRemovePreprocessor

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = "notebooks"
KEPT = ROOT / "build" / NOTEBOOKS
TIMEOUT_S = 1200
"""Of a cell; the first one that needs the compiled engine compiles it, which takes minutes."""
# Pictures have the text in place of them that the cell gives to display, and output is marked as such.
TEMPLATE = """
{% extends 'markdown/index.md.j2' %}
{% block data_png %}
![{{ output.metadata['image/png'].alt }}]({{ output.metadata.filenames['image/png'] | path2url }})
{% endblock data_png %}
{% block stream %}
``` { .text .no-copy title="Output" }
{{ output.text | strip_ansi | trim }}
```
{% endblock stream %}
"""


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook with its output, run from the first cell to the last in an empty folder.

    :param path: the notebook
    :raises nbclient.exceptions.CellExecutionError: a cell that fails
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=TIMEOUT_S, resources=resources, coalesce_streams=True,
                                extra_arguments=["--log-level=ERROR"])  # fmt: skip
        # Whatever backend is set outside: pictures are part of the page.
        client.execute(env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"})
    return notebook


def as_page(notebook: nbformat.NotebookNode, name: str) -> dict[str, bytes]:
    """A notebook that was executed as Markdown: file name -> content, of the page and of its pictures.

    :param notebook: with its output
    :param name: of the page, without an ending
    """
    exporter = MarkdownExporter(raw_template=TEMPLATE)
    exporter.register_preprocessor(TagRemovePreprocessor(remove_cell_tags={"hidden"}), enabled=True)
    resources = {"unique_key": name, "output_files_dir": f"{name}_files"}
    text, found = exporter.from_notebook_node(notebook, resources)
    where = f"The notebook: [{name}.ipynb]({name}.ipynb), to run and to change."
    return {f"{name}.md": f"{text.rstrip()}\n\n{where}\n".encode(), **found["outputs"]}


def digest(path: Path) -> str:
    """Changes when a notebook may show something else: with it, with the packages, and with this file.

    :param path: the notebook
    """
    parts = hashlib.sha256()
    sources = [*(ROOT / "echo_env").rglob("*.*"), *(ROOT / "sb3_ext").rglob("*.py"), Path(__file__), path]
    for source in sorted(one for one in sources if one.suffix in (".py", ".yaml", ".ipynb")):
        parts.update(source.read_bytes())
    return parts.hexdigest()


def page_files(path: Path) -> dict[str, bytes]:
    """The files of a notebook's page, kept or new.

    :param path: the notebook
    """
    kept, now = KEPT / f"{path.stem}.json", digest(path)
    if kept.exists():
        content = json.loads(kept.read_text(encoding="utf8"))
        if content["digest"] == now:
            return {name: base64.b64decode(text) for name, text in content["files"].items()}
    files = as_page(executed(path), path.stem)
    KEPT.mkdir(parents=True, exist_ok=True)
    texts = {name: base64.b64encode(content).decode() for name, content in files.items()}
    kept.write_text(json.dumps({"digest": now, "files": texts}), encoding="utf8")
    return files


def on_files(files: Files, config: Any) -> Files:
    """Add the pages; the notebooks themselves are there to be downloaded."""
    for path in sorted((Path(config["docs_dir"]) / NOTEBOOKS).glob("*.ipynb")):
        for name, content in page_files(path).items():
            files.append(File.generated(config, f"{NOTEBOOKS}/{name}", content=content))
    return files
