"""What one download promises, whatever the server does."""

import hashlib
import threading
import time

import pytest
from filelock import FileLock

from skmer.utils import download as _download
from skmer.utils.download import (
    DownloadError,
    NotPublishedError,
    download,
    one_at_a_time,
    without_password,
)
from tests.file_server import make_hasty, run_server  # noqa: F401


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """A function that downloads what the server has; `largest` and so on may be changed."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def fetch(url=None, *, largest=None, **others):
        checksums = {"sha256": hashlib.sha256(server.content).hexdigest()}
        target = tmp_path / "file.bin"
        download(
            url or f"{server.url}/file.bin",
            target,
            checksums=others.pop("checksums", checksums),
            largest=largest or len(server.content),
            **others,
        )
        return target

    return fetch


@pytest.mark.parametrize("word", ["good", "no-number", "redirect"])
def test_whole_file(server, fetch, word):
    server.plan = [word, "good"]
    assert fetch().read_bytes() == server.content


@pytest.mark.parametrize("word", ["good", "endless"])
def test_file_larger_than_published(server, fetch, tmp_path, word):
    server.plan = [word]
    with pytest.raises(DownloadError, match="sends more than the 150000 bytes"):
        fetch(largest=150_000)
    # what was got of it does not keep the disk full
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("word", ["drip", "stall"])
def test_server_that_sends_next_to_nothing(server, fetch, word):
    server.content = server.content[:900]
    server.plan = [word]
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"next to nothing|broke or stalled"):
        fetch()
    assert time.monotonic() - start < 20
    assert len(server.requests) == 4


@pytest.mark.usefixtures("hasty")
def test_another_server_that_never_gets_further(server, fetch, monkeypatch):
    # every second try gets further than the one before
    monkeypatch.setattr(_download, "_MOST_TRIES", 6)
    server.plan = ["anew", "break"] * 10
    with pytest.raises(DownloadError, match="broke or stalled"):
        fetch()
    assert len(server.requests) <= 6


def test_no_redirect_to_another_scheme(server, fetch):
    server.plan = ["elsewhere"]
    with pytest.raises(DownloadError, match="which does not begin with http://") as caught:
        fetch()
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["http://example.org/f", "file:///etc/hostname", "ftp://example.org/f", "http://[/f", "f"],
)
def test_addresses_that_are_not_asked(fetch, url):
    with pytest.raises(DownloadError, match=r"begins? with http"):
        fetch(url)


@pytest.mark.parametrize("port", ["", ":0", ":99999", ":x"])
def test_password_is_never_shown(fetch, port):
    for url in (f"http://user:secret@nowhere.invalid{port}/f", f"ftp://user:secret@h{port}/f"):
        with pytest.raises(DownloadError) as caught:
            fetch(url, any_http=True)
        assert "secret" not in str(caught.value)
    assert (
        without_password("see http://u:p/@h/f, https://h/@f") == "see http://u:p/@h/f, https://h/@f"
    )


def test_without_a_checksum_nothing_old_is_continued(server, fetch, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"of another version")
    assert fetch(checksums={}).read_bytes() == server.content
    assert server.requests == [("/file.bin", None)]


def test_another_file_is_put_aside(server, fetch, tmp_path):
    with pytest.raises(NotPublishedError, match=r"its md5 checksum must be 0.*file\.bin\.rejected"):
        fetch(checksums={"md5": "0" * 32})
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin.rejected"]


def test_waiting_for_another_process_is_said_and_bounded(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(_download, "LOCK_WORD_TIME", 0.05)
    monkeypatch.setattr(_download, "LOCK_TIMEOUT", 0.2)
    with (
        FileLock(tmp_path / ".file.bin.lock"),
        pytest.raises(DownloadError, match="another process has been fetching it"),
        one_at_a_time(tmp_path / "file.bin"),
    ):
        pass
    assert "Waiting for another process that fetches" in caplog.text


def test_waiting_ends_when_the_other_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "LOCK_WORD_TIME", 0.05)
    lock = FileLock(tmp_path / ".file.bin.lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    with one_at_a_time(tmp_path / "file.bin"):
        assert not lock.is_locked
