"""The day that a page replays as a moving floor plan, which a reader starts (needs the extra ``video``)."""

from __future__ import annotations

from collections.abc import Mapping

from echo_env.common.extras import require
from echo_env.lab.report.page.page import Video
from echo_env.lab.report.page.words import listed
from echo_env.lab.simulation.trace import Trace

FPS = 12
_POSTER = 0.4
"""The share of the day after which it stands still until somebody starts it."""


def check_video_possible() -> None:
    """Refuse to begin long work for a video that could not be written.

    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    require("PIL")
    require("imageio_ffmpeg")


def moving_day(named: Mapping[str, Trace]) -> Video:
    """The video.

    MP4 with the controls of the browser, and no GIF: what moves for more than five seconds must be possible to pause
    (WCAG 2.2.2).

    :param named: what the day was played under -> the day, one or two of the same lab, side by side
    :raises ModuleNotFoundError: a package is missing; says how to install it
    """
    from echo_env.lab.animation import Film, mp4_of, png_of

    film = Film(named)
    names, first = listed(list(named)), next(iter(named.values()))
    height, width = film.frame(0).shape[:2]
    clock, last = first.config.hours.clock, film.minutes[-1]
    return Video(
        title=f"The day as a moving floor plan, under {names}",
        alt=f"Floor plan of the same simulated day under {names}: patients walk from the waiting room into rooms, and "
        "members of staff with them. The timetables above have the same in bars and numbers.",
        mp4=mp4_of(film, FPS),
        poster=png_of(film, film.minutes[int(len(film) * _POSTER)]),
        size=(width, height),
        note=f"From {clock(0)} to {clock(last)} in {len(film) / FPS:.0f} seconds, without sound; it begins when you "
        "start it. Below each floor plan: patients waiting, and the penalty so far.",
    )
