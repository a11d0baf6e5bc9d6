"""The notebooks of the documentation: executed when the site is built, and committed without what they show."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("nbconvert")

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SHOWN = {"analyst": "waited from check-in:", "researcher": "minus policy_2:", "your_own": "MaskableDQN:"}
"""Notebook -> what its page must have in its output."""


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """What mkdocs runs."""
    spec = importlib.util.spec_from_file_location("docs_notebooks", ROOT / "docs" / "_notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_notebook_is_known() -> None:
    """Each has a page in the navigation, and a line below that it must show."""
    assert [path.stem for path in NOTEBOOKS] == sorted(SHOWN)
    navigation = (ROOT / ".mkdocs.yml").read_text(encoding="utf8")
    assert all(f"notebooks/{path.stem}.md" in navigation for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_output(path: Path) -> None:
    """A notebook is valid, has neither outputs nor counts, and begins with a title."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_a_page_shows_text_pictures_in_words_and_the_notebook(hook: ModuleType, tmp_path: Path) -> None:
    """Output is a block of plain text, a picture has the words that the cell gives, and an error stops the build."""
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("print('first')\nprint('second')"),
        nbformat.v4.new_code_cell(
            "from matplotlib import pyplot as plt\nfigure, axes = plt.subplots(figsize=(1, 1))\nplt.close(figure)\n"
            "display(figure, metadata={'image/png': {'alt': 'Nothing to see.'}})"
        ),
    ]
    path = tmp_path / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    files = hook.as_page(hook.executed(path), "small")
    text = files["small.md"].decode()
    assert 'title="Output" }\nfirst\nsecond\n```' in text
    picture = next(name for name in files if name.endswith(".png"))
    assert f"![Nothing to see.]({picture})" in text
    assert files[picture].startswith(b"\x89PNG")
    assert "[small.ipynb](small.ipynb)" in text
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), path)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        hook.executed(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path: Path, hook: ModuleType) -> None:
    """Every cell runs, nothing is written to standard error, and the page ends with the answer that it promises."""
    notebook = hook.executed(path)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    text = hook.as_page(notebook, path.stem)[f"{path.stem}.md"].decode()
    assert SHOWN[path.stem] in text


def test_the_site_executes_them() -> None:
    """The hook is one of those of the site, which CI builds."""
    text = (ROOT / ".mkdocs.yml").read_text(encoding="utf8")
    assert "docs/_notebooks.py" in yaml.safe_load(text)["hooks"]
    assert "mkdocs build" in (ROOT / ".ci" / "run").read_text(encoding="utf8")
