"""`verify_weights`: what it says of good, wrong and missing files, and what it compares with."""

import gzip
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import soundfile as sf

from skmer.embeddings import loading as _load
from skmer.embeddings import verify as _listing
from skmer.embeddings import verify as _verify
from skmer.embeddings.loading import load_l3_weights
from skmer.embeddings.verify import TOLERANCES, fetch_weights, verify_weights
from skmer.embeddings.weights import REGISTRY
from skmer.utils.digest import file_digest as checksum

NAME = "openl3-linear-env"
REFERENCE = files("skmer.embeddings") / "reference"
SUFFIXES = {"trained": "", "kapre": "_kapre", "librosa": "_librosa"}
ENDINGS = {"openl3-mel256-music": "", NAME: "_linear"}


@pytest.fixture(scope="module")
def published():
    """The figures that the package carries."""
    with np.load(REFERENCE / "openl3_chirp.npz") as stored:
        return dict(stored)


@pytest.fixture
def in_place(folder, monkeypatch, write_h5, as_layers, tmp_path):
    """A random network in the place of linear_env's, under a checksum of its own."""
    arrays = load_l3_weights(
        None, content_type="env", input_repr="linear", random_state_seed=1
    ).arrays
    plain = write_h5(tmp_path / "plain.h5", as_layers(arrays))
    folder.mkdir(parents=True)
    path = folder / REGISTRY[NAME].file
    path.write_bytes(gzip.compress(plain.read_bytes(), 0))
    blob = {"git-blob": checksum(path, "git-blob")}
    registry = {**REGISTRY, NAME: replace(REGISTRY[NAME], checksums=blob)}
    for module in (_load, _listing):
        monkeypatch.setattr(module, "REGISTRY", registry)
    monkeypatch.setattr("skmer.embeddings.weights.REGISTRY", registry)
    return path


def figures_of(frames, key):
    """Frames as the package carries them."""
    step = frames.shape[1] // 64
    return {
        f"{key}columns": frames[:, step // 2 :: step],
        f"{key}mean": frames.mean(axis=1),
        f"{key}std": frames.std(axis=1),
    }


def test_missing_file_gives_a_report_without_checks(folder):
    report = verify_weights(NAME)
    assert (report.state, report.checks, report.passed) == ("missing", (), False)
    assert not folder.exists()


def test_wrong_file_fails_and_stays(folder):
    folder.mkdir(parents=True)
    (folder / REGISTRY["vggish"].file).write_bytes(b"something else")
    report = verify_weights("vggish")
    assert report.state == "wrong"
    assert [check.passed for check in report.checks] == [False]
    assert report.path.exists()


def test_unknown_name():
    with pytest.raises(ValueError, match="one of openl3-linear-env"):
        verify_weights("openl3")


def test_other_weights_do_not_pass_for_the_published_ones(in_place):
    report = verify_weights(NAME)
    assert report.path == in_place
    assert [check.what for check in report.checks[:2]] == ["checksum", "arrays"]
    assert [check.passed for check in report.checks] == [True, True, False, False, False]
    assert "front-end 'kapre'" in report.checks[3].what
    assert not report.passed


def test_same_weights_pass_and_figures_are_shown(in_place):
    frames = _verify._embed_l3(NAME, "kapre", REFERENCE / "chirp_44k.flac")
    assert frames.shape == (3, 512)
    key = f"{NAME}|kapre|"
    check = _verify._compare(NAME, "kapre", frames, figures_of(frames, key))
    assert check.passed
    assert "mean cosine 1.00000 (at least 0.98)" in check.detail
    scaled = figures_of(frames * 1.06, key)
    assert not _verify._compare(NAME, "kapre", frames, scaled).passed
    short = _verify._compare(NAME, "kapre", frames[:-1], figures_of(frames, key))
    assert (short.passed, short.detail) == (False, "2 frames instead of 3")


@pytest.mark.parametrize(("one", "other"), [("trained", "kapre"), ("kapre", "librosa")])
def test_published_front_ends_do_not_pass_for_one_another(published, one, other):
    key = "openl3-mel256-music|{}|{}"
    means = [published[key.format(each, "mean")] for each in (one, other)]
    assert np.max(np.abs(means[0] / means[1] - 1)) > TOLERANCES["openl3-mel256-music"][1]


@pytest.mark.parametrize("name", ["vggish", "vggish-pca"])
@pytest.mark.parametrize("factor", [1, 1.09, 1.2])
def test_vggish_smoke_test(folder, monkeypatch, name, factor):
    _, mean, std = _verify.VGGISH_FIGURES[name]

    class Stand:
        """Gives frames of the published mean and of `factor` times the standard deviation."""

        def __init__(self, *, weights, postprocess):
            assert weights == "pretrained"
            assert (postprocess == "quantize") == (name == "vggish-pca")

        def fit(self, clips):
            return self

        def transform_frames(self, clips):
            [(tone, sr)] = clips
            assert (len(tone), sr) == (48000, 16000)
            return [np.tile([mean - factor * std, mean + factor * std], (3, 64))]

    monkeypatch.setattr("skmer.embeddings.vggish.VGGishTransformer", Stand)
    monkeypatch.setattr(_verify, "load_vggish_pca", lambda weights, *, seed: None)
    row = replace(_verify.describe_weights(name), state="verified")
    monkeypatch.setattr(_verify, "describe_weights", lambda name: row)
    report = verify_weights(name)
    assert report.passed == (factor < 1.1)
    assert f"published {mean:g} and {std:g}" in report.checks[1].detail


def test_figures_are_those_of_the_published_files(shared, published):
    source = shared / "golden" / "openl3_published"
    assert len(published) == 18
    for name, ending in ENDINGS.items():
        for frontend, suffix in SUFFIXES.items():
            frames = np.load(source / f"chirp_44k{suffix}{ending}.npz")["embedding"]
            for key, figure in figures_of(frames, f"{name}|{frontend}|").items():
                np.testing.assert_array_equal(published[key], figure)


def test_clip_is_the_published_one(shared):
    expected, sr = sf.read(shared / "golden" / "openl3_published" / "chirp_44k.wav", dtype="int16")
    got, got_sr = sf.read(REFERENCE / "chirp_44k.flac", dtype="int16")
    assert got_sr == sr == 44100
    np.testing.assert_array_equal(got, expected)


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("name", list(REGISTRY))
def test_real_weights(name):
    report = verify_weights(name)
    if report.state == "missing":
        pytest.skip(f"{name} is not in the weights folder of this machine")
    assert report.passed, report


@pytest.mark.parametrize("name", ["musicnn-msd", "musicnn-mtt"])
def test_musicnn_by_its_published_weights(name, monkeypatch):
    fetch_weights(name)
    report = verify_weights(name)
    assert report.passed, report
    assert [check.what.split()[3] for check in report.checks[2:]] == list(_verify.MUSICNN_LAYERS)

    # the figures of the other model
    other = {"musicnn-msd": "musicnn-mtt", "musicnn-mtt": "musicnn-msd"}[name]
    with np.load(REFERENCE / "musicnn.npz") as stored:
        swapped = {f"{name}|{key.partition('|')[2]}": stored[key] for key in stored if other in key}
    monkeypatch.setattr(_verify.np, "load", lambda *args, **kwargs: nullcontext(swapped))
    checks = verify_weights(name).checks[2:]
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
