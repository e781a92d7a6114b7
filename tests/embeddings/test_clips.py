"""Every form of X means the same clips; everything else is one sentence."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_union

from skmer import MFCCStatsTransformer
from skmer.exceptions import AudioDecodeError


@pytest.fixture(scope="module")
def expected(paths):
    return MFCCStatsTransformer().fit_transform(paths)


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        np.array,
        lambda paths: np.array(paths, dtype=object),
        lambda paths: [Path(path) for path in paths],
        lambda paths: pd.Series(paths, index=list("vwxyz")),
        pl.Series,
        pd.Index,
    ],
)
def test_sequences_of_paths(paths, expected, form):
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(form(paths)), expected)


def test_pairs_and_channels(waveforms, expected):
    mfcc = MFCCStatsTransformer()
    np.testing.assert_array_equal(mfcc.fit_transform(waveforms), expected)
    stereo = [(np.stack([audio, audio], axis=1), sr) for audio, sr in waveforms]
    np.testing.assert_array_equal(mfcc.fit_transform(stereo), expected)


def test_bare_waveforms_have_the_rate_of_sr(waveforms):
    audio, sr = waveforms[0]
    by_pair = MFCCStatsTransformer().fit_transform([(audio, sr)])
    np.testing.assert_array_equal(MFCCStatsTransformer(sr=sr).fit_transform([audio]), by_pair)
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform([audio]), by_pair)
    other = MFCCStatsTransformer(sr=48000).fit_transform([audio])
    assert not np.allclose(other, by_pair)


def test_a_matrix_has_one_clip_a_row(waveforms):
    matrix = np.stack([audio[:8000] for audio, _ in waveforms])
    mfcc = MFCCStatsTransformer().fit(matrix)
    assert mfcc.n_features_in_ == 8000
    np.testing.assert_array_equal(mfcc.transform(matrix), mfcc.transform(list(matrix)))
    with pytest.raises(ValueError, match="7999 features, but MFCCStatsTransformer is expecting"):
        mfcc.transform(matrix[:, 1:])


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integer_pcm(waveforms, dtype):
    audio = waveforms[0][0]
    pcm = (audio * np.iinfo(dtype).max).astype(dtype)
    mfcc = MFCCStatsTransformer()
    close = mfcc.fit_transform([pcm])
    np.testing.assert_allclose(close, mfcc.fit_transform([audio]), rtol=0.05, atol=0.5)
    np.testing.assert_array_equal(mfcc.fit_transform(pcm[None]), close)


def test_in_a_column_transformer_and_a_union(paths, expected):
    frame = pd.DataFrame({"path": paths, "year": range(5)})
    columns = make_column_transformer((MFCCStatsTransformer(), "path"), ("passthrough", ["year"]))
    out = columns.fit_transform(frame)
    np.testing.assert_allclose(out[:, :120], expected)
    assert out[:, 120].tolist() == [0, 1, 2, 3, 4]
    union = make_union(MFCCStatsTransformer(), MFCCStatsTransformer(statistics=("max",), deltas=0))
    assert union.fit_transform(paths).shape == (5, 140)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_out(paths, expected, library):
    mfcc = MFCCStatsTransformer().set_output(transform=library)
    frame = mfcc.fit_transform(paths)
    assert list(frame.columns) == list(mfcc.get_feature_names_out())
    assert frame.columns[0] == "mfcc_mean_0"
    np.testing.assert_array_equal(frame.to_numpy(), expected)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("song.wav", ValueError, r"lone str, 'song.wav'. For one clip write \[path\]"),
        (Path("song.wav"), ValueError, "lone PosixPath"),
        ([], ValueError, "0 sample"),
        (np.zeros((2, 3, 4)), ValueError, "dim 3"),
        (np.zeros(5), ValueError, "Expected 2D array, got 1D array"),
        ({"a": 1}, TypeError, "got a dict"),
        (["a.wav", None], TypeError, "Row 1 of X of MFCCStatsTransformer must be a path.*None"),
        ([(np.zeros(9), 0)], ValueError, "sr of a .* at least 1 Hz, got 0"),
        (pd.DataFrame({"path": ["a"]}), ValueError, r"for instance X\['path'\]"),
        (None, ValueError, "scalar array"),
        (3, ValueError, "scalar"),
    ],
)
def test_other_things(X, error, message):
    with pytest.raises(error, match=message):
        MFCCStatsTransformer().fit(X)


def test_nan_in_a_waveform_and_in_a_matrix():
    bad = np.array([0.0, np.nan, 0.0])
    with pytest.raises(AudioDecodeError, match="Row 1, a waveform: sample 1 is nan") as caught:
        MFCCStatsTransformer().fit_transform([np.ones(3), bad])
    assert caught.value.row == 1
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MFCCStatsTransformer().fit(np.stack([bad, bad]))
