"""The list of weights, `fetch_weights` from a mirror on loopback, and what `verify_weights` finds."""

import gzip
import re
import time
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import soundfile as sf

from skmer.embeddings import fetch_weights, l3, list_weights, musicnn, verify_weights, vggish
from skmer.embeddings.readers import digest_arrays
from skmer.embeddings.registry import known_features
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.digest import file_digest

NAME = "openl3-mel128-env"
REFERENCE = files("skmer.embeddings") / "reference"
SUFFIXES = {"trained": "", "kapre": "_kapre", "librosa": "_librosa"}
ENDINGS = {"openl3-mel256-music": "", "openl3-linear-env": "_linear"}


def row_of(name):
    return next(row for row in list_weights() if row.name == name)


@pytest.fixture
def published(server, folder, monkeypatch, tmp_path, write_h5, as_layers):
    """Let a mirror have a random network in the place of mel128_env's, and its checksum."""
    arrays = l3.source("mel128", "env").load(None, 1)[0]
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
    source = l3.source("mel128", "env")
    assert source.digest("pretrained", 0) == digest_arrays(published.values())
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
    assert [row.name for row in rows] == expected
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
        l3.source("mel128", "env").load("pretrained", 0)
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
