"""sb3_ext without the other package of this distribution."""

import subprocess
import sys
from pathlib import Path

import sb3_ext

ROOT = Path(sb3_ext.__file__).parents[1]

PROGRAM = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "echo_env":
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import sb3_ext, sb3_ext.zoo
modules = [module.name for module in pkgutil.walk_packages(sb3_ext.__path__, "sb3_ext.")]
for module in modules:
    importlib.import_module(module)
assert len(modules) > 50, modules

from masked_envs import CountingEnv
from sb3_contrib.common.maskable.evaluation import evaluate_policy

path = sys.argv[1]
for cls, settings in (
    (sb3_ext.MaskableDQN, {"learning_starts": 32}),
    (sb3_ext.MaskablePPO, {"n_steps": 64, "n_epochs": 1}),
):
    model = cls("MlpPolicy", CountingEnv(), seed=0, **settings).learn(128)
    assert model.num_timesteps == 128
    model.save(path)
    loaded = cls.load(path)
    first, second = (evaluate_policy(one, CountingEnv(), n_eval_episodes=2, warn=False) for one in (model, loaded))
    assert first == second
assert not any(name.split(".")[0] == "echo_env" for name in sys.modules)
"""


def test_every_module_imports_and_both_algorithms_train_without_the_environments(tmp_path: Path) -> None:
    """With echo_env unimportable all of sb3_ext imports, and both algorithms train, save, load and are evaluated."""
    folders = [str(ROOT), str(ROOT / "tests" / "sb3_ext")]
    program = f"import sys; sys.path[:0] = {folders!r}\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "model")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
