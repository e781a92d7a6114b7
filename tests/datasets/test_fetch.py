"""Archives from a server on loopback: whole and verified, or nothing and one sentence."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from skmer.datasets import fetch as _fetch
from skmer.datasets.fetch import Archive, download_and_unpack
from skmer.exceptions import DatasetNotFoundError, InputError


@pytest.fixture(autouse=True)
def no_retries(monkeypatch):
    monkeypatch.setattr("skmer.utils.download.PAUSES", ())


def pack_zip(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pack_tar(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def archive_on(server, content, *, filename="a.zip", sha256="right"):
    server.files[f"/{filename}"] = content
    if sha256 == "right":
        sha256 = hashlib.sha256(content).hexdigest()
    return Archive(filename, f"{server.url}/{filename}", sha256)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new" / "dataset"


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_good(server, folder):
    archive = archive_on(server, pack_zip({"x/one.wav": b"1", "two.txt": b"2"}))
    download_and_unpack(archive, folder)
    assert names(folder) == ["x"]
    assert (folder / "x" / "one.wav").read_bytes() == b"1"


def test_what_is_in_place_stays(server, folder):
    folder.mkdir(parents=True)
    (folder / "one.wav").write_bytes(b"mine")
    (folder / "half" / "deep").mkdir(parents=True)
    (folder / "half" / "deep" / "two.wav").write_bytes(b"mine")
    files = {"one.wav": b"1", "half/deep/two.wav": b"2", "half/deep/three.wav": b"3"}
    archive = archive_on(server, pack_zip(files))
    download_and_unpack(archive, folder)
    assert (folder / "one.wav").read_bytes() == b"mine"
    assert (folder / "half" / "deep" / "two.wav").read_bytes() == b"mine"
    assert (folder / "half" / "deep" / "three.wav").read_bytes() == b"3"


def test_bad_checksum(server, folder):
    archive = archive_on(server, pack_zip({"one.wav": b"1"}), sha256="0" * 64)
    with pytest.raises(ValueError, match=r"a.zip from http.* is not the published file"):
        download_and_unpack(archive, folder)
    assert names(folder) == []


def test_not_on_the_server(server, folder):
    archive = Archive("a.zip", f"{server.url}/a.zip", None)
    with pytest.raises(DatasetNotFoundError, match=r"could not be downloaded .* 404") as caught:
        download_and_unpack(archive, folder)
    assert "\n" not in str(caught.value)
    assert names(folder) == []


def test_no_server(folder):
    archive = Archive("a.zip", "http://127.0.0.1:9/a.zip", None)
    with pytest.raises(DatasetNotFoundError, match=f"by hand and unpack it in {folder}"):
        download_and_unpack(archive, folder)


@pytest.mark.parametrize("filename", ["a.zip", "a.tar.gz"])
def test_not_an_archive(server, folder, filename):
    archive = archive_on(server, b"<html>Sorry</html>", filename=filename)
    with pytest.raises(ValueError, match="must be a whole zip or tar archive"):
        download_and_unpack(archive, folder)
    assert names(folder) == []


@pytest.mark.parametrize(
    "name", ["../a.wav", "/a.wav", "x/../../a.wav", "..\\a.wav", "C:\\a.wav", "C:a.wav"]
)
def test_no_file_outside_the_folder(server, folder, name):
    archive = archive_on(server, pack_zip({name: b"1"}))
    with pytest.raises(ValueError, match="must not hold files outside"):
        download_and_unpack(archive, folder)
    assert list(folder.parent.parent.rglob("*.wav")) == []


def test_links_are_passed_over(server, folder, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("link.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
        member = tarfile.TarInfo("./one.wav")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"1"))
    download_and_unpack(archive_on(server, buffer.getvalue(), filename="a.tar.gz"), folder)
    assert names(folder) == ["one.wav"]


def test_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").touch()
    archive = archive_on(server, pack_zip({"one.wav": b"1"}))
    with pytest.raises(OSError, match=r"cannot be written to .* Choose another folder"):
        download_and_unpack(archive, tmp_path / "file" / "x")


def test_progress_bar_on_a_terminal(server, folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    archive = archive_on(server, pack_zip({"one.wav": bytes(300_000)}))
    download_and_unpack(archive, folder)
    assert "a.zip" in capsys.readouterr().err


def encrypted_zip():
    """An archive that asks for a password: bit 0 of both flag fields of its member is set."""
    content = bytearray(pack_zip({"one.wav": b"1"}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def oddly_compressed_zip():
    """An archive whose member states a compression that does not exist."""
    content = bytearray(pack_zip({"one.wav": b"1"}))
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 77
    return bytes(content)


def zip_with_two_members_in_one_place():
    return pack_zip({"one.wav": b"1", "one.wav/two.wav": b"2"})


@pytest.mark.parametrize(
    "make", [encrypted_zip, oddly_compressed_zip, zip_with_two_members_in_one_place]
)
def test_odd_archives_are_one_sentence(server, folder, make):
    with pytest.raises(
        InputError, match=r"a\.zip must be a whole zip or tar archive\. Got: "
    ) as got:
        download_and_unpack(archive_on(server, make()), folder)
    assert len(str(got.value)) <= 500
    assert names(folder) == []


@pytest.mark.parametrize("filename", ["a.zip", "a.tar.gz"])
def test_what_unpacks_to_too_much_is_not_kept(server, folder, monkeypatch, filename):
    monkeypatch.setattr(_fetch, "SMALLEST_LIMIT", 999)
    monkeypatch.setattr(_fetch, "LARGEST_RATIO", 0)
    files = {f"{number}.wav": bytes(250) for number in range(4)}
    content = pack_zip(files) if filename == "a.zip" else pack_tar(files)
    archive = archive_on(server, content, filename=filename)
    with pytest.raises(InputError, match="unpacks to far more than a published archive does"):
        download_and_unpack(archive, folder)
    assert names(folder) == []
    monkeypatch.setattr(_fetch, "SMALLEST_LIMIT", 1000)
    download_and_unpack(archive, folder)
    assert len(names(folder)) == 4


def test_what_is_wrong_is_not_moved(server, folder):
    def check(unpacked):
        raise InputError((unpacked / "one.wav").read_text() + " is no clip.")

    archive = archive_on(server, pack_zip({"one.wav": b"this"}))
    with pytest.raises(InputError, match="this is no clip"):
        download_and_unpack(archive, folder, check=check)
    assert names(folder) == []


def test_what_a_killed_process_left_is_removed(server, folder):
    stale = folder / ".unpacking-a.zip-killed" / "unpacked"
    stale.mkdir(parents=True)
    (stale / "half.wav").write_bytes(b"half")
    other = folder / ".unpacking-b.zip-running"
    other.mkdir()
    download_and_unpack(archive_on(server, pack_zip({"one.wav": b"1"})), folder)
    assert names(folder) == [other.name, "one.wav"]


def test_plain_http_is_not_asked(folder):
    archive = Archive("a.zip", "http://example.org/a.zip", None)
    with pytest.raises(DatasetNotFoundError, match="does not begin with https://"):
        download_and_unpack(archive, folder)
