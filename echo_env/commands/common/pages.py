"""The option ``--report FILE.html`` of commands: what is refused before the work begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from echo_env.common.files import check_file


def check_page(path: str, others: Mapping[str, Sequence[str]]) -> None:
    """Refuse a page that could not be written, before the work begins.

    :param path: of ``--report``
    :param others: option -> files or folders that the command reads or writes besides
    :raises ValueError: a name that does not end in .html, or one of the others
    :raises OSError: something is in the way
    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    from echo_env.lab.report.page.page import SUFFIX, is_page
    from echo_env.lab.report.page.render import check_page_possible

    if not is_page(path):
        raise ValueError(f"--report is {path!r}, but must be the name of a page, which ends in {SUFFIX}")
    check_file("--report", path, others)
    check_page_possible()
