"""The appointments of a typical day, from the sheets of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("fetal", "non-fetal")
_MOST_UNKNOWN = 0.1


@dataclass(frozen=True)
class TypicalDay:
    """When patients are due.

    :param times: kind -> expected check-ins, minutes after midnight, ascending
    :param counts: sheet -> kind -> how many echoes were scheduled
    :param used: the sheets that the times come from
    :param incomplete: sheets where the scheduled echo is empty in more than a tenth of the rows; used only if asked
        for, or if there is no other
    :param left_out: rows of the used sheets left out, because kind or expected check-in are not known
    """

    times: dict[str, tuple[int, ...]]
    counts: dict[str, dict[str, int]]
    used: tuple[str, ...]
    incomplete: tuple[str, ...]
    left_out: int


def typical_day(table: pd.DataFrame, sheet: str | None = None) -> TypicalDay:
    """The appointments of one sheet, or of a day as all complete sheets have it on average.

    On average: of each kind as many as there are a day, rounded, at evenly spaced ranks of all the times together,
    so that every time is one that was used, and busy hours stay busy.

    :param table: see :func:`~echo_env.lab.calibration.rows.tidy_table`
    :param sheet: take the appointments of this one as they are
    :raises ValueError: no such sheet, or it has no scheduled echo; names those there are
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
    """So many of the times as there are a day, at evenly spaced ranks."""
    ordered, count = sorted(times), round(len(times) / days)
    return tuple(int(ordered[int((k + 0.5) * len(ordered) / count)]) for k in range(count))
