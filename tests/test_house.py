"""The layers of the house hold: the contracts of import-linter, in pyproject.toml, are kept."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_layers_and_circles():
    pytest.importorskip("importlinter")
    # In a process of its own, since import-linter sets logging up anew.
    code = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    root = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
