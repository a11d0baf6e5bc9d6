"""Optional dependencies: which extra installs a missing package, said in one sentence."""

from __future__ import annotations

import importlib.util

EXTRAS = {
    "rl": (
        "sb3_contrib",
        "sb3_ext",
        "stable_baselines3",
        "tensorboard",
        "torch",
        "rl_zoo3",
        "optuna",
        "requests",
        "tqdm",
    ),
    "fast": ("llvmlite", "numba"),
    "plots": ("PIL", "matplotlib", "pandas", "seaborn"),
    "calibrate": ("openpyxl", "python_calamine", "pandas", "matplotlib"),
    "video": ("moviepy", "imageio_ffmpeg"),
    "app": ("streamlit",),
    "dask": ("dask", "distributed"),
    "ray": ("ray",),
    "parquet": ("pyarrow",),
    "report": ("altair", "jinja2", "vl_convert", "matplotlib", "pandas"),
}
"""Extra of the distribution -> the packages to import that it installs."""


def missing(error: ModuleNotFoundError, preferred: str = "") -> str:
    """How to install what an import did not find.

    >>> missing(ModuleNotFoundError("No module named 'numba'", name="numba"))
    "numba is missing: pip install 'echo-lab-rl[fast]'"

    :param error: what the import raised
    :param preferred: extra to name, if it installs the package
    """
    package = (error.name or "").partition(".")[0]
    extras = [extra for extra, packages in EXTRAS.items() if package in packages]
    extra = preferred if preferred in extras else (*extras, "all")[0]
    return f"{package or 'a package'} is missing: pip install 'echo-lab-rl[{extra}]'"


def require(package: str) -> None:
    """Check that an optional package is installed.

    :param package: name to import
    :raises ModuleNotFoundError: it is not; says how to install it
    """
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(missing(ModuleNotFoundError(name=package)), name=package)
