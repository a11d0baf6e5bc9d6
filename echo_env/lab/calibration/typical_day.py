"""The appointment book of a typical day, averaged over the day sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("fetal", "non-fetal")
_MOST_UNKNOWN = 0.1
"""Share of rows with an unknown scheduled echo beyond which a sheet is incomplete."""


@dataclass(frozen=True)
class TypicalDay:
    """An appointment book.

    :param times: kind -> expected check-ins, minutes after midnight, ascending
    :param counts: sheet -> kind -> number of scheduled echoes
    :param used: the sheets that the times come from
    :param incomplete: sheets where the scheduled echo is empty in more than a tenth of the rows; used only if
        requested, or if there is no other
    :param left_out: number of rows of the used sheets left out because kind or expected check-in is unknown
    """

    times: dict[str, tuple[int, ...]]
    counts: dict[str, dict[str, int]]
    used: tuple[str, ...]
    incomplete: tuple[str, ...]
    left_out: int


def typical_day(table: pd.DataFrame, sheet: str | None = None) -> TypicalDay:
    """The appointments of one sheet, or those of an average day over all complete sheets.

    The average day has, of each kind, the rounded mean number of appointments, at evenly spaced ranks of the pooled
    times: every time was in use, and busy hours stay busy.

    :param table: from :func:`~echo_env.lab.calibration.calibration.tidy_table`
    :param sheet: use the appointments of this sheet unchanged
    :raises ValueError: no such sheet, or it has no scheduled echo; lists the sheets
    """
    scheduled = table[table["has_echo"] == "yes"]
    sheets = tuple(table["sheet"].unique())
    if sheet is not None and sheet not in set(scheduled["sheet"]):
        raise ValueError(f"day is {sheet!r}, but must be a sheet with scheduled echoes: {', '.join(sheets)}")
    unknown = (table["has_echo"] == "unknown").groupby(table["sheet"]).mean()
    incomplete = tuple(name for name in sheets if unknown[name] > _MOST_UNKNOWN)
    used = (sheet,) if sheet is not None else tuple(name for name in sheets if name not in incomplete) or sheets
    rows = scheduled[scheduled["sheet"].isin(used)]
    known = rows[rows["expected"].notna() & rows["kind"].isin(KINDS)]
    times = {kind: _spread(known.loc[known["kind"] == kind, "expected"].tolist(), len(used)) for kind in KINDS}
    count = scheduled.groupby(["sheet", "kind"]).size()
    counts = {name: {kind: int(count.get((name, kind), 0)) for kind in KINDS} for name in sheets}
    return TypicalDay(times, counts, used, incomplete, len(rows) - len(known))


def _spread(times: Sequence[int], days: int) -> tuple[int, ...]:
    """The times at evenly spaced ranks, as many as the rounded mean number a day."""
    ordered, count = sorted(times), round(len(times) / days)
    return tuple(int(ordered[int((k + 0.5) * len(ordered) / count)]) for k in range(count))
