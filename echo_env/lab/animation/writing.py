"""Frames as a file: GIF with pillow, MP4 with the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from echo_env.common.extras import require
from echo_env.common.files import written_whole
from echo_env.lab.animation.frames import Film

ENDINGS = (".gif", ".mp4")
_COLOURS, _SAMPLES = 200, 16
_HOLD_S = 2.0
"""The last frame stays so long before a GIF begins anew."""


def write_animation(film: Film, path: str | Path, fps: int = 12) -> None:
    """Write a film; the file appears whole or not at all.

    :param film: the frames
    :param path: a file that ends in one of :data:`ENDINGS`
    :param fps: frames a second
    :raises ValueError: another ending
    :raises ModuleNotFoundError: an MP4 without imageio-ffmpeg; says how to install it
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"{path} ends in {ending!r}, but an animation's file must end in {' or '.join(ENDINGS)}")
    content = _gif(film, fps) if ending == ".gif" else mp4_of(film, fps)
    with written_whole(path) as file:
        file.buffer.write(content)  # type: ignore[attr-defined]


def _gif(film: Film, fps: int) -> bytes:
    """All frames in the colours of some of them; of each frame only what has changed, the rest is
    transparent."""
    seen = film.minutes[:: max(len(film) // _SAMPLES, 1)]
    colours = _Colours(np.concatenate([film.frame(minute) for minute in seen]))
    frames, before = [], None
    for frame in film:
        now = colours.numbers(frame)
        image = Image.fromarray(now if before is None else np.where(now == before, np.uint8(_COLOURS), now))
        image.putpalette(colours.flat)
        frames.append(image)
        before = now
    # GIFs count in hundredths of a second.
    each = round(100 / fps) * 10
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], loop=0, optimize=False, disposal=1,
                   duration=[each] * (len(frames) - 1) + [round(1000 * _HOLD_S)], transparency=_COLOURS)  # fmt: skip
    return content.getvalue()


class _Colours:
    """The most frequent colours as they are, so that white stays white, and one more that is never seen.

    Pillow's own way to a given palette is off by a few shades.

    :param samples: (height, width, 3) uint8, in which colours are counted
    """

    def __init__(self, samples: NDArray[np.uint8]) -> None:
        colours, times = np.unique(_codes(samples), return_counts=True)
        self._codes = colours[np.argsort(-times, kind="stable")[:_COLOURS]]
        self._nearest = np.full(1 << 24, -1, dtype=np.int16)

    @property
    def flat(self) -> list[int]:
        """Red, green and blue of each; what is left of the palette repeats the first colour."""
        often: list[int] = _parts(self._codes).ravel().tolist()
        return often + often[:3] * (_COLOURS + 1 - len(self._codes))

    def numbers(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width) uint8, the number of the colour nearest to each.

        :param frame: (height, width, 3) uint8
        """
        codes = _codes(frame)
        new = np.unique(codes[self._nearest[codes] < 0])
        far = np.abs(_parts(new)[:, None] - _parts(self._codes)[None]).sum(axis=2)
        self._nearest[new] = far.argmin(axis=1)
        return self._nearest[codes].astype(np.uint8)


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(...,) int64 of (..., 3) uint8: each colour as one number."""
    return pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])


def _parts(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(..., 3) int64 of (...,): red, green and blue."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)


def png_of(film: Film, minute: int) -> bytes:
    """A frame as a PNG.

    :param film: the frames
    :param minute: since opening
    """
    content = io.BytesIO()
    Image.fromarray(film.frame(minute)).save(content, "PNG", optimize=True)
    return content.getvalue()


def mp4_of(film: Film, fps: int = 12) -> bytes:
    """A film as MP4.

    :param film: the frames
    :param fps: frames a second
    :raises ModuleNotFoundError: no imageio-ffmpeg; says how to install it
    """
    require("imageio_ffmpeg")
    from imageio_ffmpeg import write_frames

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.mp4"
        height, width = film.frame(0).shape[:2]
        # Colours at half the resolution, which every player can show.
        writer = write_frames(str(path), (width, height), fps=fps, codec="libx264", quality=8, macro_block_size=2,
                              pix_fmt_out="yuv420p", ffmpeg_log_level="error")  # fmt: skip
        writer.send(None)
        for frame in film:
            writer.send(np.ascontiguousarray(frame))
        writer.close()
        return path.read_bytes()
