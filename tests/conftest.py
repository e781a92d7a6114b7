"""Fixtures for every test: shared data where they exist, and no network."""

import ipaddress
import os
import shutil
import socket
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says more about the machine than about the code. The examples are the
# same in every run; `--hypothesis-profile search` looks for new ones.
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.register_profile("skmer", deadline=None, derandomize=True)
hypothesis.settings.load_profile("skmer")

# "All cores" is one for the tests, which run side by side: a worker costs seconds to start.
os.environ["LOKY_MAX_CPU_COUNT"] = "1"

# What may differ between versions of Python and packages: CI runs these files with the oldest and
# the newest, and everything with those of its own environment.
VERSIONS = (
    "audio/test_decoding.py",
    "classifiers/test_sklearn_checks.py",
    "classifiers/test_training.py",
    "cli/test_train.py",
    "datasets/test_own.py",
    "embeddings/test_extraction.py",
    "embeddings/test_golden.py",
    "embeddings/test_sklearn_checks.py",
    "evaluation/report/test_report.py",
    "evaluation/test_evaluate.py",
    "evaluation/test_splitters.py",
    "models/test_file.py",
    "test_import.py",
    "utils/test_store.py",
)


def pytest_configure(config):
    """Give each worker a folder for generated clips, also for the examples in docstrings."""
    folder = tempfile.TemporaryDirectory(prefix="skmer-data-")
    config.add_cleanup(folder.cleanup)
    os.environ["SKMER_DATA"] = folder.name


NOT_HERE = "needs the shared development data beside the checkout"
NO_BROWSER = "needs Chromium and the packages of skmer[browser]"
BROWSER_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Mark the tests of the files in `VERSIONS`."""
    files = {Path(__file__).parent / name for name in VERSIONS}
    missing = sorted(str(file) for file in files if not file.is_file())
    if missing:
        raise pytest.UsageError(f"tests/conftest.py names files that do not exist: {missing}")
    for item in items:
        if item.path in files:
            item.add_marker("versions")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the checkout; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "golden").is_dir():
        pytest.skip(NOT_HERE)
    return folder


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None or find_spec("playwright") is None:
        # In CI a browser that is missing is a fault of CI.
        (pytest.fail if os.environ.get("SKMER_CI") else pytest.skip)(NO_BROWSER)
    playwright = import_module("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield browser
        browser.close()


def is_loopback(address) -> bool:
    """Whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0]).split("%")[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let no test reach anything but loopback."""
    connect, connect_ex, resolve = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(real):
        def call(self, address):
            if not is_loopback(address):
                raise OSError(f"the tests have no network, and something asked for {address}")
            return real(self, address)

        return call

    def guarded_resolve(host, *args, **kwargs):
        if host is not None and not is_loopback((host,)):
            raise socket.gaierror(f"the tests have no network, and something asked for {host}")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)
