"""A video of one episode that names who plays."""

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecVideoRecorder
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

_STRIP = 30
"""Height of the name's strip in pixels, an even number, as videos need."""


class EpisodeRecorder(VecVideoRecorder):
    """
    SB3's recorder, which ends with the first episode and writes the player's name above every picture.

    A vectorized environment resets within the step that ends an episode, so that the recorder would go on with the
    next one. Steps in which no time passes add no picture: the video runs at the same speed throughout.

    :param venv: The environments
    :param args: Further arguments of the recorder
    :param player: Name of who plays
    :param elapsed: Entry of ``info`` with the time that a step took; without it every step is a picture
    :param kwargs: Keyword arguments of the recorder
    """

    def __init__(self, venv: VecEnv, *args: Any, player: str, elapsed: str | None = None, **kwargs: Any) -> None:
        super().__init__(venv, *args, **kwargs)
        self.player = player
        self.elapsed = elapsed
        self._strip: np.ndarray | None = None

    def step_wait(self) -> VecEnvStepReturn:
        """
        Step, and add a picture.

        :raises KeyboardInterrupt: the episode is over and the video written, which ends rl_zoo3's script
        """
        observations, rewards, dones, infos = self.venv.step_wait()
        self.step_id += 1
        if not self.recording:
            return observations, rewards, dones, infos
        if not dones[0]:
            if self.elapsed is not None and infos[0].get(self.elapsed) == 0 and self.recorded_frames:
                # The minute's picture is the one after its last decision.
                self.recorded_frames.pop()
            self._capture_frame()
        if dones[0] or len(self.recorded_frames) > self.video_length:
            print(f"Saving video to {self.video_path}")
            self._stop_recording()
            raise KeyboardInterrupt
        return observations, rewards, dones, infos

    def _capture_frame(self) -> None:
        super()._capture_frame()
        if self.recorded_frames:
            frame = self.recorded_frames[-1]
            if self._strip is None:
                self._strip = named_strip(self.player, frame.shape[1])
            self.recorded_frames[-1] = np.concatenate([self._strip, frame])


def named_strip(name: str, width: int) -> np.ndarray:
    """
    A white strip with a name on it.

    :param name: The name; what does not fit is left out at its beginning
    :param width: Pixels
    :return: (30, width, 3) uint8
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (width, _STRIP), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=16)
    text = name
    while draw.textlength(text, font=font) > width - 16 and len(text) > 4:
        text = "..." + text[4:]
    draw.text((8, 5), text, fill="black", font=font)
    return np.asarray(image)
