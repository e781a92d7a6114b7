"""One bar for everything that takes long, on standard error alone."""

import sys

import pytest

from skmer.utils.progress import ProgressBar, track


def test_a_bar_shows_what_was_done(capsys):
    assert list(track("abc", description="[b]spelling", unit="letters")) == list("abc")
    out, err = capsys.readouterr()
    assert out == ""
    assert "[b]spelling" in err
    assert "3/3" in err


def test_a_bar_reaches_its_end_beside_other_things(capsys):
    for _ in zip("abc", track(iter("abc"), description="pairing", total=3)):
        pass
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize("total", [10**6, None])
def test_a_download_has_bytes(capsys, total):
    with ProgressBar("clips.zip", unit="bytes") as bar:
        bar.total = total or 0
        assert bar.total == total
        bar.update(10**6)
        bar.reset()
        bar.update(10**6, description="other.zip")
    assert ("1.0/1.0 MB" if total else "1.0/? MB") in capsys.readouterr().err


def test_no_bar_prints_nothing_and_imports_nothing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with ProgressBar("quiet", enabled=False) as bar:
        bar.total = 3
        bar.update(2)
        bar.reset()
    assert list(track([1], description="quiet", enabled=False)) == [1]
    assert capsys.readouterr() == ("", "")
