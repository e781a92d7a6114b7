"""The README's Python runs as pasted, and its commands are the ones that exist."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


def blocks(language):
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_python_runs_as_pasted(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKMER_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    sources = blocks("python")
    assert sources
    for source in sources:
        exec(compile(source, str(README), "exec"), {"__name__": "readme"})
    assert "(2, 512)" in capsys.readouterr().out


def test_every_named_subcommand_exists():
    from typer.main import get_command

    from skmer.cli.app import app

    text = README.read_text(encoding="utf-8")
    named = set(
        re.findall(
            r"\bskmer (evaluate|train|predict|extract|reproduce|weights|datasets|cache)\b", text
        )
    )
    assert {"evaluate", "weights", "datasets"} <= named
    assert named <= set(get_command(app).commands)


def test_the_pictures_and_their_scripts_are_there():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    assert pictures
    assert all((README.parent / picture).is_file() for picture in pictures)
    scripts = set(re.findall(r"python (docs/make_\w+\.py)", README.read_text(encoding="utf-8")))
    assert len(scripts) == len(pictures)
    assert all((README.parent / script).is_file() for script in scripts)


def test_the_pages_to_read_here_are_there():
    pages = re.findall(r"\]\((docs/[^)]+\.rst)\)", README.read_text(encoding="utf-8"))
    assert len(pages) > 5
    assert all((README.parent / page).is_file() for page in pages)
