"""Memory of replay buffers with observations by key, beside SB3's DictReplayBuffer of the same size.

Every buffer is made and filled to the last transition in a process of its own, whose peak of resident memory, minus
what it had before the buffer was made, is what the system had to give. Bytes allocated are those of all arrays that the
buffer holds. Observations are 24 numbers (float32), a ``Discrete``, 8 flags and a grey picture of 8 x 8; there are 18
actions, so that a packed mask takes 3 bytes.

    python benchmarks/replay_memory.py --transitions 1000000

Rows are appended to ``replay_memory.csv`` beside this file.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.buffers import DictReplayBuffer

from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer

N_ACTIONS, N_ENVS = 18, 100
SPACE = gym.spaces.Dict(
    {
        "numbers": gym.spaces.Box(-1.0, 1.0, (24,), np.float32),
        "kind": gym.spaces.Discrete(12),
        "flags": gym.spaces.MultiBinary(8),
        "picture": gym.spaces.Box(0, 255, (1, 8, 8), np.uint8),
    }
)
SAVING: dict[str, Any] = {"optimize_memory_usage": True, "handle_timeout_termination": False}
BUFFERS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "SB3 DictReplayBuffer": (DictReplayBuffer, {}),
    "MaskableReplayBuffer": (MaskableReplayBuffer, {}),
    "PrioritizedReplayBuffer": (PrioritizedReplayBuffer, {}),
    "MaskableReplayBuffer, optimize_memory_usage": (MaskableReplayBuffer, SAVING),
    "PrioritizedReplayBuffer, optimize_memory_usage": (PrioritizedReplayBuffer, SAVING),
}


def arrays_of(holder: Any) -> list[np.ndarray]:
    """All arrays that an object holds, those of its dictionaries, lists and trees included, by the memory they own."""
    if isinstance(holder, np.ndarray):
        return [holder]
    if isinstance(holder, dict):
        return [array for value in holder.values() for array in arrays_of(value)]
    if isinstance(holder, list):
        return [array for value in holder for array in arrays_of(value)]
    kept = type(holder).__module__.startswith("sb3_ext.replay") or isinstance(holder, DictReplayBuffer)
    return arrays_of(vars(holder)) if kept else []


def bytes_of(buffer: Any) -> int:
    """Bytes of all arrays of a buffer, views counted once, as what they are views of."""
    owners = {id(owner): owner.nbytes for owner in map(owner_of, arrays_of(buffer))}
    return sum(owners.values())


def owner_of(array: np.ndarray) -> np.ndarray:
    """The array whose memory an array is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def memory(what: str) -> int:
    """
    Memory of this process, as Linux tells it; ``getrusage`` counts the peak of the parent process in.

    :param what: VmRSS, now, or VmHWM, at its peak
    :return: bytes
    """
    lines = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what + ":"))


def filled(name: str, transitions: int) -> Any:
    """A full buffer, from which a batch was drawn; see :func:`fill`."""
    buffer_class, options = BUFFERS[name]
    space, rng = gym.spaces.Dict(SPACE.spaces), np.random.default_rng(0)
    space.seed(0)
    samples = [space.sample() for _ in range(N_ENVS)]
    observations = {key: np.stack([sample[key] for sample in samples]) for key in space}
    infos = [{"action_mask": rng.random(N_ACTIONS) < 0.5} for _ in range(N_ENVS)]
    for info in infos:
        info["action_mask"][0] = True
    buffer = buffer_class(transitions, space, gym.spaces.Discrete(N_ACTIONS), "cpu", N_ENVS, **options)
    numbers, none = np.zeros(N_ENVS, dtype=np.int64), np.zeros(N_ENVS, dtype=bool)
    for _ in range(buffer.buffer_size):
        buffer.add(dict(observations), dict(observations), numbers, numbers, none, infos)
    buffer.sample(32)
    return buffer


def fill(name: str, transitions: int) -> dict[str, int]:
    """
    Make a buffer, fill it, and draw from it.

    :param name: Which of ``BUFFERS``
    :param transitions: Its size
    :return: bytes by what they are
    """
    # What code and libraries take, Numba's 120 MB among them, is no buffer's.
    filled(name, 2 * N_ENVS)
    before = memory("VmRSS")
    buffer = filled(name, transitions)
    return {"allocated": bytes_of(buffer), "resident": memory("VmHWM") - before}


def measure(name: str, transitions: int) -> dict[str, int]:
    """:func:`fill` in a process of its own."""
    command = [sys.executable, __file__, "--only", name, "--transitions", str(transitions)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, int] = json.loads(done.stdout)
    return result


def main() -> None:
    """Read the command line and measure."""
    from record import append_row

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transitions", type=int, default=1_000_000, help=f"of each buffer, a multiple of {N_ENVS}")
    parser.add_argument("--only", choices=list(BUFFERS), help="print the bytes of one buffer, in this process")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    if args.only is not None:
        print(json.dumps(fill(args.only, args.transitions)))
        return
    reference: dict[str, int] | None = None
    for name in BUFFERS:
        found = measure(name, args.transitions)
        reference = reference or found
        row = {
            "buffer": name,
            "transitions": args.transitions,
            "allocated_mb": found["allocated"] / 1e6,
            "bytes_a_transition": found["allocated"] / args.transitions,
            "allocated_ratio_to_sb3": found["allocated"] / reference["allocated"],
            "resident_mb": found["resident"] / 1e6,
            "resident_ratio_to_sb3": found["resident"] / reference["resident"],
        }
        print(*(f"{value:.4g}" if isinstance(value, float) else value for value in row.values()), sep="; ", flush=True)
        if not args.no_csv:
            append_row("replay_memory", row)


if __name__ == "__main__":
    main()
