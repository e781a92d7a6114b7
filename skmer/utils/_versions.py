"""Which versions of which packages made the numbers."""

import platform
from importlib.metadata import PackageNotFoundError, version

from skmer._version import __version__

PACKAGES = (
    "numpy", "scipy", "scikit-learn", "pandas", "joblib", "soundfile", "soxr", "librosa",
    "tensorflow", "tensorflow-cpu", "keras", "scikeras", "ncnn", "onnxruntime",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that make the numbers."""
    found = {"python": platform.python_version(), "skmer": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
