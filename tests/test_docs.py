"""The pages of the documentation whose examples run do run, and their commands exist."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(
    path.relative_to(DOCS).as_posix()
    for path in [*DOCS.glob("*.rst"), *(DOCS / "guide").glob("*.rst")]
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_there_are_pages_that_run():
    assert "quickstart.rst" in PAGES


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder for all pages, so that the generated clips are made once."""
    return tmp_path_factory.mktemp("data")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_runs(page, data, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMER_DATA", str(data))
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    done = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=flags)
    assert done.attempted
    assert not done.failed


def command_lines():
    """Yield page and words of every call of the command on the pages and in README."""
    for path in [*DOCS.glob("*.rst"), *(DOCS / "guide").glob("*.rst"), DOCS.parent / "README.md"]:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        if path.suffix == ".md":
            text = "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
        for line in re.findall(r"^ *(?:\$ |.*/bin/)?skmer ([a-z].*)$", text, re.MULTILINE):
            if path.suffix == ".md" or re.search(rf"(\$|bin/) ?skmer {re.escape(line)}", text):
                yield path.name, shlex.split(line.split(" | ")[0])


@pytest.mark.parametrize(("page", "words"), list(command_lines()), ids=str)
def test_commands_of_the_pages_have_options_that_exist(page, words):
    from typer.main import get_command

    from skmer.cli.app import app

    command = get_command(app)
    words = [word for word in words if word not in ("--quiet", "--debug")]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    # It parses, and raises for what is wrong.
    command.make_context("skmer", words)
