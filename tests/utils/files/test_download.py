"""What one download promises, whatever the server does."""

import hashlib
import socket
import threading

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


@pytest.mark.parametrize("word", ["good", "redirect"])
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
@pytest.mark.parametrize("word", ["break", "stall", "503"])
def test_a_transfer_that_fails_is_repeated_from_the_start(server, fetch, tmp_path, word):
    server.plan = [word, word, "good"]
    assert fetch().read_bytes() == server.content
    assert len(server.requests) == 3
    server.plan = [word]
    (tmp_path / "file.bin").unlink()
    with pytest.raises(DownloadError, match=r"broke or stalled|answered 503"):
        fetch()
    assert not list(tmp_path.iterdir())


def test_a_status_that_will_not_pass_is_not_tried_again(server, fetch):
    server.plan = ["404"]
    with pytest.raises(DownloadError, match="answered 404 for"):
        fetch()
    assert len(server.requests) == 1


def test_a_server_that_is_not_there(fetch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached"):
        fetch(f"http://127.0.0.1:{port}/f")


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
    with pytest.raises(DownloadError, match=r"begin with http|cannot be read \("):
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


@pytest.mark.parametrize("word", ["corrupt", "short"])
def test_another_file_is_not_kept(server, fetch, tmp_path, word):
    server.plan = [word]
    with pytest.raises(NotPublishedError, match=r"its sha256 checksum must be .*was not kept"):
        fetch()
    assert not list(tmp_path.iterdir())


def test_waiting_for_another_process_is_logged_and_bounded(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(_download, "LOCK_NOTICE_TIME", 0.05)
    monkeypatch.setattr(_download, "LOCK_TIMEOUT", 0.2)
    with (
        FileLock(tmp_path / ".file.bin.lock"),
        pytest.raises(DownloadError, match="another process has been downloading it"),
        one_at_a_time(tmp_path / "file.bin"),
    ):
        pass
    assert "Waiting for another process that downloads" in caplog.text


def test_waiting_ends_when_the_other_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "LOCK_NOTICE_TIME", 0.05)
    lock = FileLock(tmp_path / ".file.bin.lock", thread_local=False)
    lock.acquire()
    threading.Timer(0.3, lock.release).start()
    with one_at_a_time(tmp_path / "file.bin"):
        assert not lock.is_locked
