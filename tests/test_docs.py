"""The pages of the documentation whose examples run do run."""

import doctest
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
