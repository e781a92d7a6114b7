"""Downloads from a loopback server that breaks, stalls, lies, or sends the right file."""

import errno
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

import skmer
from skmer.embeddings import weights as _store
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError


def left_in(folder) -> list[str]:
    """What lies in the folder besides locks."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_good_download_is_verified_named_and_not_repeated(server, folder, entry):
    path = entry.obtain()
    assert path == folder / "small-v1.bin"
    assert path.read_bytes() == server.content
    assert entry.obtain() == path
    assert server.requests == ["/files/small-v1.bin"]
    assert left_in(folder) == ["small-v1.bin"]


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(server, folder, entry, monkeypatch, capsys, terminal):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    entry.obtain()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("small-v1.bin" in shown.err and "300" in shown.err) == terminal


def test_redirect_is_followed(server, folder, entry):
    server.plan = ["redirect", "good"]
    assert entry.obtain().read_bytes() == server.content
    assert server.requests[-1] == "/elsewhere/files/small-v1.bin"


def test_mirror_replaces_the_source(server, folder, entry, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url + "/mirror")
    assert replace(entry, base_url="https://nowhere.invalid/").obtain().exists()
    assert server.requests[0] == "/mirror/small-v1.bin"


def test_corrupt_download_is_not_kept(server, folder, entry):
    server.plan = ["corrupt"]
    with pytest.raises(WeightsIntegrityError, match="was not kept") as caught:
        entry.obtain()
    assert entry.checksums["git-blob"] in str(caught.value)
    assert left_in(folder) == []
    server.plan = ["good"]
    assert entry.obtain().read_bytes() == server.content


def test_endless_stall_is_given_up(server, folder, entry, hasty):
    server.content = server.content[:10]
    server.plan = ["stall"]
    with pytest.raises(WeightsNotFoundError, match="broke or stalled"):
        entry.obtain()
    assert left_in(folder) == []


def test_not_found_is_not_tried_again(server, folder, entry):
    server.plan = ["404"]
    with pytest.raises(WeightsNotFoundError, match="answered 404") as caught:
        entry.obtain()
    assert len(server.requests) == 1
    message = str(caught.value)
    for part in ("'small'", entry.base_url + entry.file, str(folder), "weights=None"):
        assert part in message


def test_mirror_that_is_no_address(folder, entry, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", "somewhere/else")
    with pytest.raises(WeightsNotFoundError, match="cannot be read"):
        entry.obtain()


def test_no_network_is_said_within_five_seconds(folder, entry):
    start = time.monotonic()
    with pytest.raises(WeightsNotFoundError, match=r"nowhere\.invalid cannot be reached"):
        replace(entry, base_url="https://nowhere.invalid/").obtain()
    assert time.monotonic() - start < 5


def test_nothing_listening(folder, entry, hasty):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(WeightsNotFoundError, match="cannot be reached"):
        replace(entry, base_url=f"http://127.0.0.1:{port}/").obtain()


def test_no_space_left(server, folder, entry, monkeypatch):
    import pooch

    def full(self, url, stream, pup):
        stream.write(b"as far as it got")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(WeightsNotFoundError, match=r"no space is left in .*SKMER_WEIGHTS"):
        entry.obtain()
    assert left_in(folder) == []


def test_folder_that_cannot_be_made(server, entry, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path / "file" / "weights"))
    with pytest.raises(WeightsNotFoundError, match=r"cannot be read or written .*SKMER_WEIGHTS"):
        entry.obtain()


def test_read_only_folder(server, folder, entry, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", self.lock_file)

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(WeightsNotFoundError, match="Permission denied"):
        entry.obtain()
    # what is in place there already is used all the same
    (folder / entry.file).write_bytes(server.content)
    assert entry.obtain() == folder / entry.file


def test_file_put_in_place_by_hand_needs_no_network(server, folder, entry):
    folder.mkdir(parents=True)
    (folder / entry.file).write_bytes(server.content)
    assert replace(entry, base_url="https://nowhere.invalid/").obtain() == folder / entry.file


@pytest.mark.parametrize(("size", "age"), [(0, 100), (10, 1e6), (299_999, 100)])
def test_wrong_file_in_place_is_named_and_put_aside(server, folder, entry, size, age):
    folder.mkdir(parents=True)
    (folder / entry.file).write_bytes(server.content[:size])
    if age:
        os.utime(folder / entry.file, (time.time() - age, time.time() - age))
    with pytest.raises(WeightsIntegrityError, match=rf"small-v1\.bin .*\({size} bytes\)"):
        entry.obtain()
    assert left_in(folder) == [entry.file + ".rejected"]
    assert server.requests == []
    assert entry.obtain().read_bytes() == server.content


def test_file_that_is_still_being_copied_is_left_alone(server, folder, entry):
    folder.mkdir(parents=True)
    with (folder / entry.file).open("wb") as copy:
        copy.write(server.content[:1000])
        copy.flush()
        with pytest.raises(WeightsIntegrityError, match="may still be being copied, so it stays"):
            entry.obtain()
        copy.write(server.content[1000:])
    assert entry.obtain() == folder / entry.file
    assert server.requests == []


def test_file_changed_after_it_was_verified(server, folder, entry):
    path = entry.obtain()
    path.write_bytes(server.content + b"!")
    with pytest.raises(WeightsIntegrityError):
        entry.obtain()


def test_file_inside_an_installed_openl3(server, folder, entry, tmp_path, monkeypatch):
    package = tmp_path / "site" / "openl3"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "small.bin").write_bytes(b"unpacked")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert entry.obtain() == package / "small.bin"
    wrong = replace(entry, installed_checksums={"sha256": "0" * 64})
    monkeypatch.setattr(_store, "_verified", set())
    with pytest.raises(WeightsIntegrityError, match="it was not loaded"):
        wrong.obtain()
    assert (package / "small.bin").exists()


SCRIPT = """
import os, sys, types
# bare packages: what skmer and skmer.embeddings import takes far longer than the test
for name in ("skmer", "skmer.embeddings"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [os.path.join({root!r}, *name.split("."))]
from skmer.embeddings.weights import WeightsFile

entry = WeightsFile(name="small", file={file!r}, base_url={url!r}, checksums={checksums!r},
                    licence="", citation="")
"""
TEN_AT_ONCE = """
children = []
for _ in range(10):
    child = os.fork()
    if child == 0:
        path = entry.obtain()
        os._exit(0 if path.stat().st_size == 300_000 else 1)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def script_for(entry) -> str:
    """A program that knows `entry`."""
    root = str(Path(skmer.__file__).parents[1])
    return SCRIPT.format(root=root, file=entry.file, url=entry.base_url, checksums=entry.checksums)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_ten_processes_download_once(server, folder, entry):
    program = script_for(entry) + TEN_AT_ONCE
    done = subprocess.run(
        # numpy's threads make Python warn of any fork
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.requests) == 1
    assert (folder / entry.file).read_bytes() == server.content
    assert left_in(folder) == [entry.file]


def test_killed_half_way_and_started_again(server, folder, entry):
    server.plan = ["stall", "good"]
    child = subprocess.Popen([sys.executable, "-c", script_for(entry) + "entry.obtain()"])
    try:
        deadline = time.monotonic() + 60
        while not any(path.stat().st_size for path in folder.glob(".unfinished-*")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    assert not (folder / entry.file).exists()
    assert entry.obtain().read_bytes() == server.content
