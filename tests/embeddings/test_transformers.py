"""What the transformers promise beside their numbers."""

import pickle

import numpy as np
import pytest
import resampy
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skmer import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.embeddings.settings import recipe_key
from skmer.exceptions import (
    ShortClipWarning,
    SilentClipWarning,
    WeightsIntegrityError,
    WeightsNotFoundError,
)

RANDOM_L3 = L3Transformer(weights=None, random_state=0, input_repr="mel128", center=False)
RANDOM_VGGISH = VGGishTransformer(weights=None, random_state=0)


@pytest.fixture(scope="module")
def clips():
    """Eight one-second clips of two kinds, by four singers."""
    rng = np.random.default_rng(0)
    t = np.arange(16000) / 16000
    tones = [np.sin(2 * np.pi * f * t) for f in (200, 210, 220, 230)]
    noises = [rng.standard_normal(16000) for _ in range(4)]
    X = [((0.3 * audio).astype(np.float32), 16000) for audio in tones + noises]
    return X, np.repeat(["tone", "noise"], 4), np.tile([0, 1, 2, 3], 2)


@pytest.mark.parametrize(
    "transformer", [RANDOM_L3, RANDOM_VGGISH, MFCCStatsTransformer()], ids=lambda t: t._name
)
def test_in_scikit_learns_machinery(clips, transformer, tmp_path):
    X, y, groups = clips
    transformer = clone(transformer).set_params(memory=tmp_path)
    pipeline = make_pipeline(transformer, SVC())
    pooling = "statistics" if transformer._name == "mfcc" else "pooling"
    grid = GridSearchCV(
        pipeline,
        {
            f"{type(transformer).__name__.lower()}__{pooling}": [("mean",), ("mean", "std")],
            "svc__C": [0.1, 10],
        },
        cv=2,
    ).fit(X, y)
    assert grid.best_score_ == 1
    assert len(list(tmp_path.rglob("*.clip"))) == len(X)
    scores = cross_validate(pipeline, X, y, groups=groups, cv=GroupKFold(4), error_score="raise")
    assert len(scores["test_score"]) == 4
    fitted = clone(pipeline).fit(X, y)
    data = pickle.dumps(fitted)
    assert len(data) < 100_000
    np.testing.assert_array_equal(pickle.loads(data).predict(X), fitted.predict(X))


@pytest.mark.parametrize("size", [512, 6144])
def test_shapes_names_and_times_of_l3(clips, size):
    l3 = clone(RANDOM_L3).set_params(embedding_size=size, hop_size=0.25, center=True)
    frames = l3.fit(clips[0][:2]).transform_frames(clips[0][:2])
    assert [f.shape for f in frames] == [(3, size), (3, size)]
    assert frames[0].dtype == np.float32
    assert l3.frame_times(3).tolist() == [0, 0.25, 0.5]
    l3.set_params(pooling=("max", "mean"))
    out = l3.transform(clips[0][:2])
    names = l3.get_feature_names_out()
    assert out.shape == (2, 2 * size) == (2, len(names))
    assert names[0] == "l3_max_0"
    assert names[size] == "l3_mean_0"
    np.testing.assert_array_equal(out[0, :size], frames[0].max(axis=0))


def test_the_small_embedding_is_the_maximum_over_the_large_ones_cells(clips):
    small = clone(RANDOM_L3).fit(clips[0]).transform_frames(clips[0][:1])[0]
    large = clone(RANDOM_L3).set_params(embedding_size=6144).fit(clips[0])
    cells = large.transform_frames(clips[0][:1])[0].reshape(-1, 12, 512)
    np.testing.assert_array_equal(small, cells.max(axis=1))


def test_sequences_are_padded_at_the_end(waveforms):
    vggish = clone(RANDOM_VGGISH).set_params(pooling=None, hop_size=0.48)
    out = vggish.fit_transform([waveforms[2], waveforms[1]])
    frames = vggish.transform_frames([waveforms[2], waveforms[1]])
    assert [len(f) for f in frames] == [3, 1]
    assert out.shape == (2, 3, 128)
    assert (out[1, 1:] == 0).all()
    np.testing.assert_array_equal(out[1, :1], frames[1])
    assert len(vggish.get_feature_names_out()) == 128
    # No data frame holds it.
    with config_context(transform_output="pandas"):
        assert vggish.transform([waveforms[2]]).shape == (1, 3, 128)


def test_the_matrix_of_koh_and_dubnov(paths):
    mfcc = MFCCStatsTransformer(statistics=None, n_frames=1500, hop_length=441)
    matrix = mfcc.fit_transform(paths)
    assert matrix.shape == (5, 1500, 20)
    lengths = [len(f) for f in mfcc.transform_frames(paths)]
    assert lengths[2] == 1 + int(2.1 * 22050) // 441
    assert (matrix[2, lengths[2] :] == 0).all()
    assert np.abs(matrix[2, lengths[2] - 1]).sum() > 0
    cut = MFCCStatsTransformer(statistics=None, n_frames=4, hop_length=441).fit_transform(paths)
    np.testing.assert_array_equal(cut, matrix[:, :4])


def test_post_processing_of_vggish(waveforms):
    clip = [waveforms[2]]
    by = {
        kind: clone(RANDOM_VGGISH).set_params(postprocess=kind).fit(clip).transform_frames(clip)[0]
        for kind in (None, "pca", "quantize")
    }
    assert np.abs(by["pca"]).max() <= 2
    np.testing.assert_array_equal(by["quantize"], np.floor((by["pca"] + 2) * 63.75))
    assert by["quantize"].min() >= 0
    assert by["quantize"].max() <= 255
    assert not np.allclose(by[None], by["pca"])


def test_what_is_short_and_what_is_silent_is_said(waveforms):
    with pytest.warns(ShortClipWarning, match=r"Row 1, a waveform\.$"):
        clone(RANDOM_VGGISH).fit_transform([waveforms[2], waveforms[3]])
    with pytest.warns(SilentClipWarning, match="nothing but zeros: Row 0"):
        MFCCStatsTransformer().fit_transform([np.zeros(3000)])
    for transformer in (MFCCStatsTransformer(), clone(RANDOM_L3)):
        with pytest.warns(ShortClipWarning, match=r"Row 0, a waveform\.$"):
            transformer.fit_transform([(waveforms[2][0][:300], 16000), waveforms[2]])


def test_mel_bands_without_a_bin_are_reported_by_every_fit(waveforms, tmp_path):
    mfcc = MFCCStatsTransformer(n_fft=256, memory=tmp_path)
    for _ in range(2):
        with pytest.warns(UserWarning, match="20 of 128 mel bands hold no bin") as caught:
            mfcc.fit(waveforms[:2])
        assert [caught[0].filename] == [__file__]
    mfcc.transform(waveforms[:2])


def test_weights_from_a_seed(clips):
    X = clips[0][:2]
    one = clone(RANDOM_L3).fit(X)
    np.testing.assert_array_equal(one.transform(X), clone(RANDOM_L3).fit(X).transform(X))
    other = clone(RANDOM_L3).set_params(random_state=1).fit(X)
    assert not np.allclose(one.transform(X), other.transform(X))
    assert one.weights_label_.startswith("random weights (seed ")
    assert one.weights_digest_.startswith("random-")
    assert one.weights_digest_ != other.weights_digest_


@pytest.mark.parametrize(
    ("transformer", "changes", "message"),
    [
        (L3Transformer, {"pooling": "avg"}, "'pooling' parameter of L3Transformer.*'avg'"),
        (L3Transformer, {"pooling": ("mean", "avg")}, r"'pooling'.*\('mean', 'avg'\)"),
        (L3Transformer, {"sr": 0}, "'sr' parameter of L3Transformer.*Got 0"),
        (L3Transformer, {"hop_size": 0}, "'hop_size'"),
        (L3Transformer, {"hop_size": 1e-6}, "'hop_size'.*in the range"),
        (L3Transformer, {"embedding_size": 128}, "'embedding_size'"),
        (L3Transformer, {"frontend": "torch"}, "'frontend'"),
        (L3Transformer, {"content_type": "speech"}, "'content_type'"),
        (L3Transformer, {"offset": -1}, "'offset'"),
        (L3Transformer, {"duration": 0}, "'duration'"),
        (L3Transformer, {"on_error": "ignore"}, "'on_error'"),
        (L3Transformer, {"memory": 3}, "'memory'"),
        (L3Transformer, {"engine": "torch"}, "'engine'"),
        (L3Transformer, {"engine": "tensorflow", "precision": "int8"}, "precision='int8'"),
        (VGGishTransformer, {"postprocess": "pca128"}, "'postprocess'"),
        (VGGishTransformer, {"hop_size": 0.001}, "'hop_size'"),
        (MFCCStatsTransformer, {"n_mfcc": 0}, "'n_mfcc'"),
        (MFCCStatsTransformer, {"n_mfcc": 129}, "at most n_mels=128"),
        (MFCCStatsTransformer, {"statistics": ("median",)}, "'statistics'"),
        (MFCCStatsTransformer, {"n_frames": 10}, "for statistics=None alone"),
        (MFCCStatsTransformer, {"deltas": 3}, "'deltas'"),
    ],
)
def test_parameters_out_of_range(transformer, changes, message):
    if transformer is not MFCCStatsTransformer:
        changes = {"weights": None, **changes}
    with pytest.raises(ValueError, match=message):
        transformer(**changes).fit(["a.wav"])


def test_not_fitted():
    with pytest.raises(NotFittedError):
        MFCCStatsTransformer().transform(["a.wav"])


def test_weights_that_are_not_there(tmp_path):
    with pytest.raises(WeightsNotFoundError, match=r"no\.h5.*does not exist"):
        L3Transformer(weights=tmp_path / "no.h5").fit(["a.wav"])


@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
@pytest.mark.parametrize("offset", [0, 1.5])
@pytest.mark.parametrize(
    "transformer",
    [
        L3Transformer(weights=None, random_state=0, input_repr="mel128", hop_size=0.25),
        clone(RANDOM_VGGISH).set_params(hop_size=0.2),
        MFCCStatsTransformer(),
    ],
    ids=["l3-centred", "vggish", "mfcc"],
)
def test_frame_times_are_the_centres_of_what_the_frames_heard(transformer, offset):
    click, sr = 4.3, 16000
    audio = np.zeros(8 * sr, np.float32)
    audio[int(click * sr)] = 1
    transformer = clone(transformer).set_params(offset=offset)
    (frames,) = transformer.fit([(audio, sr)]).transform_frames([(audio, sr)])
    times = transformer.frame_times(len(frames))
    heard = np.abs(frames - frames[0]).max(axis=1) > 1e-3 * np.abs(frames).max()
    assert 3 <= heard.sum() < len(frames) / 2
    # The frames that heard it lie evenly about it.
    assert abs(times[heard].mean() - click) <= 0.55 * np.diff(times).max()


def test_times_are_those_of_whole_samples():
    l3 = L3Transformer(hop_size=0.01001)
    assert l3.frame_times(10**6)[-1] == pytest.approx((10**6 - 1) * 480 / 48000, abs=1e-9)


def test_whether_weights_are_random_is_no_matter_of_their_name(tmp_path, monkeypatch):
    monkeypatch.setattr("skmer.embeddings.weights.WeightsFile.digest_of", lambda *args: "abc")
    l3 = L3Transformer(weights=tmp_path / "random_crop.h5").fit(["a.wav"])
    assert l3.weights_label_ == "random_crop.h5"
    assert l3.weights_are_random_ is False
    assert L3Transformer(weights=None).fit(["a.wav"]).weights_are_random_ is True
    assert clone(RANDOM_VGGISH).fit(["a.wav"]).weights_are_random_ is True


def test_another_pca_is_another_embedding(waveforms, monkeypatch):
    def pca(seed):
        rng = np.random.default_rng(seed)
        return rng.standard_normal((128, 128)), rng.standard_normal((128, 1))

    def use(number):
        monkeypatch.setattr("skmer.embeddings.vggish.load_pca", lambda weights, seed: pca(number))

    X = [waveforms[2]]
    vggish = clone(RANDOM_VGGISH).set_params(postprocess="pca")
    use(1)
    first = vggish.fit(X)
    rows = first.transform(X)
    use(2)
    second = clone(vggish).fit(X)
    assert not np.allclose(second.transform(X), rows)
    keys = {recipe_key([one._recipe(pooled=True)], ["a"]) for one in (first, second)}
    assert len(keys) == 2
    # A worker that reads the file later does not take one that `fit` did not see.
    use(3)
    third = clone(vggish).fit(X)
    use(4)
    with pytest.raises(WeightsIntegrityError, match="has changed since fit"):
        third.transform(X)


def test_the_resampler_that_openl3_and_vggish_have(waveforms):
    audio, sr = waveforms[3]
    here = MFCCStatsTransformer(target_sr=16000, resampler="kaiser_best").fit_transform(
        [(audio, sr)]
    )
    done = resampy.resample(audio.astype(float), sr, 16000, filter="kaiser_best")
    plain = MFCCStatsTransformer(target_sr=16000)
    expected = plain.fit_transform([(done.astype(np.float32), 16000)])
    np.testing.assert_allclose(here, expected, rtol=1e-4, atol=1e-3)
    assert not np.allclose(here, plain.transform([(audio, sr)]), rtol=1e-4, atol=1e-3)
    with pytest.raises(ValueError, match="'resampler' parameter of MFCCStats"):
        plain.set_params(resampler="linear").fit([audio])


@pytest.mark.parametrize(
    ("frames", "valid"),
    [
        (np.zeros((3, 128), np.float32), True),
        (np.zeros((0, 128), np.float32), False),
        (np.zeros((3, 127), np.float32), False),
        (np.zeros((3, 128)), False),
        (np.zeros(128, np.float32), False),
    ],
)
def test_what_a_cache_may_give_for_frames(frames, valid):
    vggish = VGGishTransformer(weights=None, random_state=0).fit([np.zeros(16000)])
    recipe = vggish._recipe(pooled=False)
    assert recipe.is_valid(frames) is valid
