"""What docs/guide/house.rst states of the house holds: its layers, and files of their own."""

import runpy
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


def test_modules_with_a_single_importer_are_stated_with_a_reason():
    root = Path(__file__).parents[1]
    page = (root / "docs" / "guide" / "house.rst").read_text(encoding="utf-8")
    rooms = runpy.run_path(str(root / ".ci" / "rooms.py"))
    found = rooms["find_single_importers"](root / "skmer")
    assert "skmer.classifiers.training" in found
    for name, importer in found.items():
        assert f"``{name.removeprefix('skmer.')}``" in page, (
            f"{name} is imported by {importer} alone"
        )
