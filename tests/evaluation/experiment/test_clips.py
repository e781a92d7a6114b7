"""What a result keeps of the clips: their paths, their places on maps, the name of the data."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from skmer.evaluation import evaluate, evaluate_dynamic_regression, evaluate_regression
from skmer.evaluation.evaluate import Clips
from skmer.evaluation.features import MAX_POINTS, map_clips
from skmer.exceptions import InputTypeError

LABELS = np.tile(["calm", "sad"], 10)


def run(features, X=None, **options):
    return evaluate(
        features, {"most": DummyClassifier()}, X, LABELS,
        protocol="koh2021", n_repeats=2, audit=False, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def feature():
    return np.random.default_rng(0).normal(size=(20, 4))


def test_every_prediction_has_the_path_of_its_clip(feature):
    paths = [Path("songs") / f"{row}.wav" for row in range(20)]
    predictions = run({"a": feature}, paths).predictions
    assert predictions["path"].tolist() == [str(paths[row]) for row in predictions["row"]]
    assert "path" not in run({"a": FunctionTransformer()}, feature).predictions


def test_paths_stay_with_their_clips_where_others_are_skipped(feature):
    holes = feature.copy()
    holes[[2, 7]] = np.nan
    paths = [f"{row}.wav" for row in range(20)]
    result = run({"a": holes}, paths, on_error="skip")
    assert (result.predictions["path"] == result.predictions["row"].astype(str) + ".wav").all()
    assert result.maps["row"].tolist() == [row for row in range(20) if row not in (2, 7)]


def test_what_is_no_path_has_none(feature):
    def paths(X):
        return Clips(X, None, None, None).paths

    assert paths(None) is paths([]) is paths(feature) is paths(["a", 1]) is None
    assert paths(np.array(["a", "b"])).tolist() == ["a", "b"]


def test_a_map_for_each_feature_that_tells_clips_apart(feature):
    frames = np.stack([feature - 1, feature + 1, feature], axis=1)
    maps = run(
        {
            "a": feature,
            "frames": frames,
            "one": feature[:, :1],
            "large": 1e12 * feature,
            "same": np.ones((20, 3)),
        }
    ).maps
    assert list(maps) == ["feature", "row", "x", "y"]
    assert set(maps["feature"]) == {"a", "frames", "one", "large"}
    assert maps["row"].tolist() == 4 * list(range(20))
    assert np.isfinite(maps[["x", "y"]]).all(axis=None)
    a, of_frames = (maps[maps["feature"] == name][["x", "y"]] for name in ("a", "frames"))
    # The mean over frames is the very feature.
    assert np.allclose(np.abs(a), np.abs(of_frames), atol=0.5)


def test_like_clips_are_near_each_other_whatever_the_unit():
    far = np.where(LABELS == "sad", 5, -5) + np.random.default_rng(0).normal(size=20)
    places = run({"a": np.column_stack([1e-6 * far, 1e-6 * far])}).maps[["x", "y"]].to_numpy()
    distances = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(20)
    assert (LABELS[distances.argmin(axis=1)] == LABELS).all()


def test_maps_are_the_same_again(feature):
    first, again = (run({"a": feature}, n_jobs=n_jobs).maps for n_jobs in (None, 1))
    assert first.equals(again)


def test_of_many_clips_some_are_drawn(monkeypatch):
    monkeypatch.setitem(map_clips.__globals__, "MAX_POINTS", 12)
    vectors = np.random.default_rng(0).normal(size=(30, 2))
    maps = map_clips({"a": vectors, "b": vectors}, np.arange(30) + 100, seed=0, n_jobs=None)
    rows = maps["row"].to_numpy().reshape(2, 12)
    assert (rows[0] == rows[1]).all()
    assert np.unique(rows[0]).size == 12
    assert MAX_POINTS == 2000


def test_too_few_clips_have_no_map():
    X = np.random.default_rng(0).normal(size=(4, 2))
    result = evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, X[:, 0], protocol="shuffled", n_folds=2, audit=False
    )
    assert result.maps.empty


def test_moments_are_mapped_by_the_mean_over_their_clip():
    frames = np.random.default_rng(0).normal(size=(12, 5, 3))
    result = evaluate_dynamic_regression(
        {"mine": frames}, {"ridge": Ridge()}, [f"{row}.wav" for row in range(12)],
        {"arousal": frames[..., 0]},
        times=np.arange(5) / 2, protocol="shuffled", n_folds=3, audit=False,
    )  # fmt: skip
    assert result.maps["row"].tolist() == list(range(12))
    predictions = result.predictions
    assert (predictions["path"] == predictions["row"].astype(str) + ".wav").all()


def test_the_data_have_a_name_and_a_table_its_digest(feature, tmp_path):
    table = tmp_path / "songs.csv"
    table.write_bytes(b"path,label\n")
    dataset = run({"a": feature}, dataset=table).manifest["dataset"]
    assert dataset["name"] == str(table)
    assert dataset["digest"] == sha256(b"path,label\n").hexdigest()
    assert "digest" not in run({"a": feature}, dataset="mine").manifest["dataset"]
    assert "name" not in run({"a": feature}).manifest["dataset"]
    with pytest.raises(InputTypeError, match=r"'dataset' parameter must be a name.* Got 3 "):
        run({"a": feature}, dataset=3)
