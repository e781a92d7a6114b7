"""Predictions for clips: a row a clip, a moment, or a sequence."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.classifiers import KerasLSTMClassifier
from skmer.exceptions import InputError
from skmer.models import predict_clips


def loud_and_wide(frames):
    """Two numbers a frame."""
    return np.stack([np.abs(frames).mean(axis=1), np.ptp(frames, axis=1)], axis=1)


def test_a_row_a_clip(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), LogisticRegression())
    model.fit(paths[:16], y[:16])
    (tmp_path / "text.wav").write_text("no audio")
    given = [paths[17], str(tmp_path / "text.wav"), paths[20], str(tmp_path / "none.wav")]
    predicted = predict_clips(model, given, n_jobs=2)
    assert list(predicted.columns) == [
        "path",
        "label",
        "proba_happy",
        "proba_sad",
        "error",
        "notes",
    ]
    assert predicted["path"].tolist() == given
    assert predicted["error"].isna().tolist() == [True, False, True, False]
    np.testing.assert_allclose(
        predicted.loc[[0, 2], ["proba_happy", "proba_sad"]], model.predict_proba(given[::2])
    )
    assert predicted.loc[[1, 3], ["label", "proba_sad"]].isna().all(axis=None)
    assert predict_clips(model, given[1:2])["error"].notna().all()


def test_what_makes_a_prediction_doubtful_is_noted(songs, tmp_path):
    paths, y = songs
    frames = ClipFunctionTransformer(loud_and_wide, target_sr=16000, frame_size=0.25)
    model = make_pipeline(frames, LogisticRegression()).fit(paths[:8], y[:8])
    silent, short, cut = (str(tmp_path / name) for name in ("silent.wav", "short.wav", "cut.wav"))
    soundfile.write(silent, np.zeros(16000), 16000)
    soundfile.write(short, 0.1 * np.ones(160), 16000)
    Path(cut).write_bytes(Path(paths[0]).read_bytes()[:20000])
    given = [paths[9], silent, short, cut, "missing.wav"]
    predicted = predict_clips(model, given)
    assert predicted["notes"].fillna("").tolist() == ["", "silent", "short", "cut", ""]
    assert predicted["label"].notna().tolist() == [True] * 4 + [False]
    by_frame = predict_clips(model, given, frames=True)
    assert (by_frame["notes"] == "cut").sum() > 1
    for frames in (False, True):
        strict = predict_clips(model, given, frames=frames, strict=True).set_index("path")
        assert strict["error"][silent] == (
            "the clip is silent, which is an error where 'strict' is set."
        )
        assert strict["label"][[silent, short, cut, "missing.wav"]].isna().all()
        assert strict.loc[[paths[9]], "label"].notna().all()


def test_nothing_is_written(songs, tmp_path, monkeypatch):
    paths, y = songs
    union = make_union(MFCCStatsTransformer(), MFCCStatsTransformer(n_mfcc=13, deltas=0))
    model = make_pipeline(union, LogisticRegression(max_iter=10_000)).fit(paths[:8], y[:8])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    predicted = predict_clips(model, paths[:3])
    assert predicted["label"].tolist() == model.predict(paths[:3]).tolist()
    assert not list(tmp_path.iterdir())


def test_sequences(songs):
    paths, y = songs
    model = make_pipeline(
        MFCCStatsTransformer(statistics=None, n_frames=30),
        KerasLSTMClassifier(units=4, epochs=2, random_state=0),
    ).fit(paths[:8], y[:8])
    predicted = predict_clips(model, ["missing.wav", *paths[:3]])
    assert predicted["label"][1:].tolist() == list(model.predict(paths[:3]))
    assert predicted["error"].isna().tolist() == [False, True, True, True]


@pytest.mark.parametrize("pooling", ["mean", ("mean", "max")])
def test_predictions_over_time(songs, pooling):
    paths, y = songs
    frames = ClipFunctionTransformer(
        loud_and_wide, target_sr=16000, frame_size=0.25, pooling=pooling
    )
    model = make_pipeline(frames, LogisticRegression()).fit(paths[:8], y[:8])
    predicted = predict_clips(model, [paths[0], "missing.wav", paths[1]], frames=True)
    first, second = model[0].transform_frames(paths[:2])
    n_times = 1 if pooling == "mean" else 2
    expected = model[-1].predict_proba(np.hstack([first] * n_times))
    assert len(predicted) == len(first) + 1 + len(second)
    np.testing.assert_allclose(predicted["proba_sad"][: len(first)], expected[:, 1], rtol=1e-5)
    assert predicted["time"][: len(first)].tolist() == model[0].frame_times(len(first)).tolist()
    failed = predicted.iloc[len(first)]
    assert failed[["label", "time", "proba_sad"]].isna().all()
    assert failed["error"] == "the file does not exist."


def test_what_has_no_predictions_over_time(songs):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), SVC()).fit(paths[:8], y[:8])
    with pytest.raises(InputError, match="whose pooling a single frame has"):
        predict_clips(model, paths, frames=True)
    for wrong in (SVC(), "model"):
        with pytest.raises(TypeError, match="must be a pipeline that starts with a transformer"):
            predict_clips(wrong, paths)


def test_numbers(songs):
    paths, _ = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), Ridge())
    targets = np.random.default_rng(0).normal(size=(24, 2))
    predicted = predict_clips(model.fit(paths, targets), paths[:3])
    assert list(predicted.columns) == ["path", "arousal", "valence", "error", "notes"]
    np.testing.assert_allclose(
        predicted[["arousal", "valence"]].to_numpy(float), model.predict(paths[:3]), rtol=1e-6
    )
    model.fit(paths, targets[:, 0])
    assert list(predict_clips(model, paths[:1], targets=["energy"]))[1] == "energy"
    with pytest.raises(InputError, match="must name what the model predicts, 1 numbers"):
        predict_clips(model, paths[:1], targets=["a", "b"])
