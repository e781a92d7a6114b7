"""One bar for everything that takes long, on standard error alone."""

import logging
import sys

import pytest

from skmer.utils import progress
from skmer.utils.progress import make_bar, track


@pytest.fixture
def terminal(monkeypatch):
    """Standard error is a terminal, as far as rich asks."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")


def test_without_a_terminal_a_bar_is_lines_of_the_log(capsys, caplog, monkeypatch):
    monkeypatch.setattr(progress, "_LOG_SECONDS", -1)
    with caplog.at_level(logging.INFO, "skmer"):
        assert list(track("ab", description="spelling", unit="letters")) == list("ab")
    assert capsys.readouterr() == ("", "")
    assert caplog.messages == ["spelling: 1 of 2 letters", "spelling: 2 of 2 letters"]


@pytest.mark.usefixtures("terminal")
def test_a_bar_shows_what_was_done(capsys):
    assert list(track("abc", description="[b]spelling", unit="letters")) == list("abc")
    out, err = capsys.readouterr()
    assert out == ""
    assert "[b]spelling" in err
    assert "3/3" in err


@pytest.mark.usefixtures("terminal")
def test_a_bar_reaches_its_end_beside_other_things(capsys):
    for _ in zip("abc", track(iter("abc"), description="pairing", total=3)):
        pass
    assert "3/3" in capsys.readouterr().err


@pytest.mark.usefixtures("terminal")
def test_a_download_has_bytes(capsys):
    with make_bar(is_download=True) as bar:
        bar.update(bar.add_task("clips.zip", total=10**6), advance=10**6)
    assert "1.0/1.0 MB" in capsys.readouterr().err


def test_no_bar_prints_nothing_and_imports_nothing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert list(track([1], description="quiet", enabled=False)) == [1]
    assert capsys.readouterr() == ("", "")
