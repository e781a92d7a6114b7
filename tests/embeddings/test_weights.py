"""Published weights: fetched from a server that misbehaves, listed, and verified."""

import errno
import gzip
import os
import re
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from filelock import FileLock

import skmer
from skmer.embeddings import fetch_weights, l3, list_weights, musicnn, verify_weights, vggish
from skmer.embeddings import weights as _store
from skmer.embeddings.readers import digest_arrays
from skmer.embeddings.registry import HUB, known_features
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.digest import file_digest

NAME = "openl3-mel128-env"
REFERENCE = files("skmer.embeddings") / "reference"
SUFFIXES = {"trained": "", "kapre": "_kapre", "librosa": "_librosa"}
ENDINGS = {"openl3-mel256-music": "", "openl3-linear-env": "_linear"}


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


def test_mirror_replaces_the_source(server, folder, entry, monkeypatch):
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url + "/mirror")
    assert replace(entry, base_url="https://nowhere.invalid/").obtain().exists()
    assert server.requests[0] == "/mirror/small-v1.bin"


def test_not_found_is_not_tried_again(server, folder, entry):
    server.plan = ["404"]
    with pytest.raises(WeightsNotFoundError, match="answered 404") as caught:
        entry.obtain()
    assert len(server.requests) == 1
    message = str(caught.value)
    for part in ("'small'", entry.base_url + entry.file, str(folder), "weights=None"):
        assert part in message


def test_no_space_left(server, folder, entry, monkeypatch):
    import pooch

    def full(self, url, stream, pup):
        stream.write(b"as far as it got")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(WeightsNotFoundError, match=r"No space left on device; .SKMER_WEIGHTS may"):
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


def row_of(name):
    return next(row for row in list_weights() if row.name == name)


@pytest.fixture
def published(server, folder, monkeypatch, tmp_path, write_h5, as_layers):
    """Let a mirror have a random network in the place of mel128_env's, and its checksum."""
    arrays = l3.WEIGHTS["mel128", "env"].load(None, 1)[0]
    plain = write_h5(tmp_path / "plain.h5", as_layers(list(arrays.values())))
    server.content = gzip.compress(plain.read_bytes(), 0)
    (tmp_path / "packed").write_bytes(server.content)
    blob = {"git-blob": file_digest(tmp_path / "packed", "git-blob")}
    file = replace(l3.WEIGHTS["mel128", "env"], checksums=blob)
    monkeypatch.setitem(l3.WEIGHTS, ("mel128", "env"), file)
    feature = replace(l3.FEATURE, weights=tuple(l3.WEIGHTS.values()))
    monkeypatch.setattr(l3, "FEATURE", feature)
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
    return arrays


def test_pretrained_is_fetched_verified_and_read(server, folder, published):
    assert (row_of(NAME).state, row_of(NAME).present) == ("missing", False)
    assert not folder.exists()
    source = l3.WEIGHTS["mel128", "env"]
    assert source.digest_of("pretrained", 0) == digest_arrays(published.values())
    np.testing.assert_array_equal(
        source.load("pretrained", 0)[0]["conv1/kernel"], published["conv1/kernel"]
    )
    assert server.requests == ["/openl3_audio_mel128_env-v0_4_0.h5.gz"]
    assert (row_of(NAME).state, row_of(NAME).present) == ("verified", True)
    report = verify_weights(NAME)
    assert report.passed
    assert [check.what for check in report.checks] == ["checksum", "arrays"]
    row_of(NAME).path.write_bytes(b"damaged")
    assert (row_of(NAME).state, row_of(NAME).size) == ("wrong", 7)
    assert not verify_weights(NAME).passed
    assert row_of(NAME).path.exists()


def test_the_list_is_complete(folder):
    rows = list_weights()
    names = [f"openl3-{a}-{b}" for a in ("linear", "mel128", "mel256") for b in ("env", "music")]
    expected = ["musicnn-msd", "musicnn-mtt", *names, "vggish", "vggish-pca"]
    assert [row.name for row in rows] == [*expected, *HUB]
    rows = rows[: len(expected)]
    lengths = {"git-blob": 40, "md5": 32, "sha256": 64}
    entries = {file.name: file for feature in known_features() for file in feature.weights}
    for row in rows:
        file = entries[row.name]
        assert row.source.startswith("https://") or row.source == "the package musicnn==0.1.0"
        assert row.licence
        assert row.citation
        assert row.path == folder / row.file
        assert file.checksums
        for kind, value in {**file.checksums, **file.installed_checksums}.items():
            assert re.fullmatch(rf"[0-9a-f]{{{lengths[kind]}}}", value)


def test_unknown_name_lists_the_names():
    for ask in (fetch_weights, verify_weights):
        with pytest.raises(ValueError, match=r"one of .*openl3-linear-env, .*Got 'l3' instead"):
            ask("l3")


def test_fetch_names_a_wrong_file(server, folder, monkeypatch):
    server.content = b"another file"
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
    with pytest.raises(WeightsIntegrityError, match="vggish_pca_params"):
        fetch_weights("vggish-pca")


def test_without_a_network_the_sentence_comes_within_five_seconds(folder):
    start = time.monotonic()
    with pytest.raises(WeightsNotFoundError) as caught:
        l3.WEIGHTS["mel128", "env"].load("pretrained", 0)
    assert time.monotonic() - start < 5
    address = "https://github.com/marl/openl3/raw/models/"
    for part in ("openl3_audio_mel128_env-v0_4_0.h5.gz", address, str(folder), "weights=None"):
        assert part in str(caught.value)


def test_missing_file_gives_a_report_without_checks(folder):
    report = verify_weights(NAME)
    assert (report.state, report.checks, report.passed) == ("missing", (), False)
    assert not folder.exists()


@pytest.fixture(scope="module")
def figures():
    """The figures that the package carries."""
    with np.load(REFERENCE / "openl3_chirp.npz") as stored:
        return dict(stored)


def figures_of(frames):
    """Frames as the package carries them."""
    step = frames.shape[1] // 64
    columns = frames[:, step // 2 :: step]
    return {"columns": columns, "mean": frames.mean(axis=1), "std": frames.std(axis=1)}


@pytest.mark.parametrize("name", ENDINGS)
def test_comparison_with_published_figures(name):
    rng = np.random.default_rng(0)
    frames = rng.gamma(1, size=(5, 6144)).astype(np.float32)
    published = figures_of(frames)
    assert l3.compare(name, "kapre", frames, published).passed
    noise = rng.normal(0, 0.5, frames.shape).astype(np.float32)
    for wrong in (frames[:3], 1.2 * frames, frames + noise, frames[:, ::-1]):
        assert not l3.compare(name, "kapre", wrong, published).passed


def test_figures_are_those_of_the_published_files(shared, figures):
    source = shared / "golden" / "openl3_published"
    assert len(figures) == 18
    for name, ending in ENDINGS.items():
        for frontend, suffix in SUFFIXES.items():
            frames = np.load(source / f"chirp_44k{suffix}{ending}.npz")["embedding"]
            for key, figure in figures_of(frames).items():
                np.testing.assert_array_equal(figures[f"{name}|{frontend}|{key}"], figure)


def test_clip_is_the_published_one(shared):
    expected, sr = sf.read(shared / "golden" / "openl3_published" / "chirp_44k.wav", dtype="int16")
    got, got_sr = sf.read(REFERENCE / "chirp_44k.flac", dtype="int16")
    assert got_sr == sr == 44100
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["vggish", "vggish-pca"])
@pytest.mark.parametrize("factor", [1, 1.09, 1.2])
def test_vggish_smoke_test(monkeypatch, tmp_path, name, factor):
    _, mean, std = vggish.FIGURES[name]

    class Stand:
        """Gives frames of the published mean and of `factor` times the standard deviation."""

        def __init__(self, *, postprocess):
            assert (postprocess == "quantize") == (name == "vggish-pca")

        def fit(self, clips):
            return self

        def transform_frames(self, clips):
            [(tone, sr)] = clips
            assert (len(tone), sr) == (48000, 16000)
            return [np.tile([mean - factor * std, mean + factor * std], (3, 64))]

    monkeypatch.setattr(vggish, "VGGishTransformer", Stand)
    monkeypatch.setattr(vggish, "load_pca", lambda weights, seed: None)
    monkeypatch.setattr(vggish.WeightsFile, "find", lambda self: tmp_path)
    files = {file.name: file for file in vggish.FEATURE.weights}
    (check,) = vggish.verify(files[name])
    assert check.passed == (factor < 1.1)
    assert f"published {mean:g} and {std:g}" in check.detail


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in list_weights()])
def test_real_weights(name):
    report = verify_weights(name)
    if report.state == "missing":
        pytest.skip(f"{name} is not in the weights folder of this machine")
    assert report.passed, report


def test_musicnn_by_its_published_weights(monkeypatch):
    fetch_weights("musicnn-msd")
    report = verify_weights("musicnn-msd")
    assert report.passed, report
    assert [check.what.split()[3] for check in report.checks[2:]] == list(musicnn.LAYERS)
    # The figures of the other model.
    with np.load(REFERENCE / "musicnn.npz") as stored:
        swapped = {key.replace("mtt", "msd"): stored[key] for key in stored if "mtt" in key}
    load = np.load
    monkeypatch.setattr(
        musicnn.np,
        "load",
        lambda path, **given: (
            load(path, **given)
            if "converted" in str(path) or "weights" in str(path) or hasattr(path, "read")
            else nullcontext(swapped)
        ),
    )
    checks = verify_weights("musicnn-msd").checks[2:]
    assert not any(check.passed for check in checks), checks


def test_musicnn_figures_are_those_of_the_published_code(shared):
    with (
        np.load(shared / "golden" / "musicnn" / "expected.npz") as expected,
        np.load(REFERENCE / "musicnn.npz") as stored,
    ):
        assert len(stored.files) == 8
        for key in stored.files:
            name, layer = key.split("|")
            model = f"{name.removeprefix('musicnn-').upper()}_musicnn"
            np.testing.assert_array_equal(
                stored[key], expected[f"exact_16k|{model}|hop187|{layer}"]
            )
    clips = (shared / "golden" / "musicnn" / "exact_16k.wav", REFERENCE / "musicnn_16k.flac")
    np.testing.assert_array_equal(*(sf.read(clip)[0] for clip in clips))
