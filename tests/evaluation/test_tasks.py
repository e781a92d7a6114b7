"""Regression and regression over time, and a task of one's own."""

import contextlib
import re

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import KFold
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skmer import MFCCStatsTransformer, VGGishTransformer
from skmer.evaluation import (
    EvaluationResult,
    FixedSplit,
    evaluate,
    evaluate_dynamic_regression,
    evaluate_regression,
    tasks,
)
from skmer.evaluation.features import Feature
from skmer.evaluation.statistics.bootstrap import TotalsScore
from skmer.evaluation.statistics.scores import concordance, regression_scores
from skmer.evaluation.tasks import (
    Targets,
    Task,
    compute_moments,
    find_task,
    make_regressor,
    register_task,
)
from skmer.exceptions import InputError, InputTypeError, WeightsNotFoundError
from skmer.pooling import align_frames

N_CLIPS, N_FEATURES = 48, 5


ARTISTS = np.repeat(np.arange(12), 4)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_CLIPS, N_FEATURES))
    noise = rng.normal(scale=0.3, size=(N_CLIPS, 2))
    return X, pd.DataFrame(X[:, :2] + noise, columns=["arousal", "valence"]) + [5.0, 50.0]


def test_concordance_is_lins():
    y = np.array([1.0, 2.0, 4.0])
    assert concordance(y, y) == pytest.approx(1)
    assert concordance(y, y + 1) == pytest.approx(2 * y.var() / (2 * y.var() + 1))
    assert concordance(y, np.full(3, 2.0)) == 0
    assert concordance(np.ones(3), np.ones(3)) == 0


def test_scores_are_in_the_unit_of_the_target(data):
    _, y = data
    valence = y["valence"].to_numpy()
    scores = regression_scores(valence, valence + 2)
    assert scores["rmse"] == pytest.approx(2)


@pytest.mark.parametrize("name", ["svr", "ridge"])
def test_a_change_of_unit_changes_no_more_than_the_unit(data, name):
    X, y = data
    small = make_regressor(name).fit(X, y["valence"])
    large = make_regressor(name).fit(X, 1000 * y["valence"] - 7)
    assert large.best_params_ == small.best_params_
    # The solver of the SVR stops within a thousandth of the target's deviation.
    assert np.allclose(large.predict(X), 1000 * small.predict(X) - 7, rtol=0, atol=1)


def test_frames_and_targets(data):
    X, y = data
    result = evaluate_regression(
        {"a": X, "b": FunctionTransformer(np.tanh)},
        {"ridge": Ridge(), "mean": DummyRegressor()},
        X,
        y,
        groups=ARTISTS,
        protocol=["grouped", "shuffled"],
        n_folds=4,
        n_repeats=2,
    )
    assert len(result.scores) == 2 * 2 * 2 * 2 * (4 * 2)
    names = ["feature", "regressor", "target", "protocol", "repeat", "fold"]
    assert list(result.scores.columns[:9]) == [*names, "r2", "ccc", "rmse"]
    predictions = result.predictions
    for target in y:
        part = predictions[predictions["target"] == target]
        assert (part["y_true"] == y[target].to_numpy()[part["row"]]).all()
    summary = result.summary().set_index(["regressor", "target", "protocol", "feature"])["r2"]
    assert summary["ridge", "valence", "grouped", "a"] > 0.6
    assert summary["mean", "valence", "grouped", "a"] < 0.05
    assert "gap" in result.summary()


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (np.arange(N_CLIPS), ["target"]),
        (pd.Series(np.arange(N_CLIPS), name="tempo"), ["tempo"]),
        (np.arange(2 * N_CLIPS).reshape(-1, 2), ["arousal", "valence"]),
        ({"tension": np.arange(N_CLIPS)}, ["tension"]),
    ],
)
def test_forms_of_y(data, y, names):
    result = evaluate_regression(
        {"a": data[0]}, {"mean": DummyRegressor()}, None, y, protocol="shuffled", n_folds=2
    )
    assert list(result.scores["target"].unique()) == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.zeros((N_CLIPS, 3))}, "Got shape \\(48, 3\\)"),
        ({"y": np.where(np.arange(N_CLIPS) == 7, np.nan, 1.0)}, "no value for clip 7"),
        ({"y": np.ma.masked_equal(np.arange(N_CLIPS), 7)}, "no value for clip 7"),
        ({"y": {"a": np.ma.masked_equal(np.arange(N_CLIPS), 7)}}, "'a' has no value for clip 7"),
        ({"y": ["high"] * N_CLIPS}, "targets y must be numbers"),
        ({"y": np.ones(N_CLIPS)}, "'target' is the same for every clip"),
        ({"y": {}}, "at least one column"),
        ({"regressors": {"svc": SVC()}}, "'svc' of the 'regressors' .* must be a regressor"),
        ({"y": {"a": np.arange(3), "b": np.arange(4)}}, "at least one column, all of one length"),
        ({"y": np.arange(40)}, "48 clips in X and 40 labels"),
        ({"regressors": ["lasso"]}, "'regressors' .* 'svr', 'ridge'.* Got 'lasso'"),
        ({"protocol": "koh2021"}, "'grouped' or 'shuffled'.* Got 'koh2021'"),
        ({"groups": None}, "'grouped' protocol needs 'groups'"),
    ],
)
def test_bad_input_is_one_plain_sentence(data, changes, message):
    arguments = {
        "features": {"a": data[0]},
        "regressors": ["ridge"],
        "X": data[0],
        "y": data[1],
        "groups": ARTISTS,
    }
    with pytest.raises((InputError, InputTypeError), match=message):
        evaluate_regression(**arguments | changes)


def test_one_r2_is_the_headline_and_the_other_says_what_it_is(data):
    X, y = data
    result = evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, y["valence"], protocol="shuffled", n_folds=16
    )
    row, part = result.summary().iloc[0], result.predictions
    assert row["r2"] == pytest.approx(r2_score(part["y_true"], part["y_pred"]))
    assert row["r2"] == pytest.approx(result.intervals()["r2"].item())
    assert row["r2_split_mean"] == pytest.approx(result.scores["r2"].mean())
    assert row["r2_std"] == pytest.approx(result.scores["r2"].std())
    assert row["r2_split_mean"] < row["r2"] - 0.1
    error = root_mean_squared_error(part["y_true"], part["y_pred"])
    assert row["rmse"] == pytest.approx(error)


def test_regression_is_audited(data):
    X, y = data
    copied = X.copy()
    copied[40] = copied[3]
    run = {"groups": ARTISTS, "protocol": ["grouped", "shuffled"], "n_folds": 4}
    result = evaluate_regression({"a": copied}, {"mean": DummyRegressor()}, None, y, **run)
    kinds = {
        name: {found["kind"] for found in audit["findings"]}
        for name, audit in result.manifest["audit"].items()
    }
    assert kinds == {
        "grouped": {"near_duplicates"}, "shuffled": {"near_duplicates", "shared_groups"}
    }  # fmt: skip
    times = np.arange(3)
    moments = {"arousal": np.repeat(y[["arousal"]].to_numpy(), 3, axis=1) + times}
    dynamic = evaluate_dynamic_regression(
        {"a": np.repeat(copied[:, None], 3, axis=1)}, {"mean": DummyRegressor()}, None, moments,
        times=times, **run,
    )  # fmt: skip
    assert dynamic.manifest["audit"]["grouped"]["findings"][0]["kind"] == "near_duplicates"


def test_weights_are_looked_for_before_any_feature_is_computed(monkeypatch):
    def refuse(self):
        raise WeightsNotFoundError("not here")

    def fail(self, *args):
        raise AssertionError("a feature was computed")

    monkeypatch.setattr(VGGishTransformer, "_fit_network", refuse)
    monkeypatch.setattr(MFCCStatsTransformer, "_embed", fail)
    clips = [np.random.default_rng(i).normal(size=2000) for i in range(12)]
    with pytest.raises(WeightsNotFoundError):
        evaluate_regression(
            ["mfcc", "vggish"], ["ridge"], clips, np.arange(12), protocol="shuffled"
        )
    y = {"arousal": np.random.default_rng(0).normal(size=(12, 2))}
    with pytest.raises(WeightsNotFoundError):
        evaluate_dynamic_regression(
            ["mfcc", "vggish"], ["ridge"], clips, y, times=[0, 0.1], protocol="shuffled"
        )


def test_two_targets_are_predicted_by_one_pipeline(data):
    X, y = data
    result = evaluate_regression({"a": X}, ["ridge"], None, y, groups=ARTISTS, n_folds=4)
    both = result.fit(feature="a", regressor="ridge").predict(X)
    one = result.fit(feature="a", regressor="ridge", target="valence").predict(X)
    assert both.shape == (N_CLIPS, 2)
    assert np.array_equal(both[:, 1], one)
    assert r2_score(y, both) > 0.8


def test_moments_of_clips_that_cannot_be_read_are_left_out(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for i in range(12):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], rng.normal(scale=0.1, size=16000), 8000)
    times, y = np.arange(3) / 2, {"arousal": rng.normal(size=(12, 3))}
    run = {"times": times, "protocol": "shuffled", "n_folds": 3}
    features, mean = {"mfcc": MFCCStatsTransformer()}, {"mean": DummyRegressor()}
    kept = np.delete(np.arange(12), 5)
    whole = evaluate_dynamic_regression(
        features, mean, [paths[row] for row in kept], {"arousal": y["arousal"][kept]}, **run
    )
    paths[5].write_bytes(b"no audio")
    result = evaluate_dynamic_regression(features, mean, paths, y, on_error="skip", **run)
    assert np.array_equal(result.predictions["y_pred"], whole.predictions["y_pred"])
    assert (result.predictions["row"] == kept[whole.predictions["row"]]).all()
    assert [clip["row"] for clip in result.manifest["skipped_clips"]] == [5]
    with pytest.raises(InputError, match=r"1 of 12 clips cannot be used \(rows 5\)"):
        evaluate_dynamic_regression(features, mean, paths, y, **run)


def test_frames_are_averaged_around_each_moment_or_the_nearest_is_taken():
    frames = np.arange(8.0)[:, None]
    frame_times = np.arange(8) * 0.25
    dense = align_frames(frames, frame_times, np.array([0.5, 1.5]))
    assert dense.ravel().tolist() == [2.0, 5.5]
    sparse = align_frames(frames[::4], frame_times[::4], np.array([0.0, 0.25, 0.75, 1.0]))
    assert sparse.ravel().tolist() == [0.0, 0.0, 4.0, 4.0]


def test_moments_at_both_ends_of_a_clip_have_a_frame_and_those_beyond_have_none(tmp_path):
    rng = np.random.default_rng(0)
    # MusiCNN's first frame is centred at 1.5 s, and its last one of 10 s at 7.5 s.
    clips = [rng.normal(scale=0.1, size=160000).astype(np.float32) for _ in range(6)]
    run = {"protocol": "shuffled", "n_folds": 3, "random_state": 0, "weights": None, "audit": False}
    for times, is_there in (([0.0, 5.0, 9.9], True), ([0.0, 5.0, 15.0], False)):
        y = {"arousal": pd.DataFrame(rng.normal(size=(6, 3)), columns=times)}
        context = contextlib.nullcontext()
        if not is_there:
            context = pytest.raises(InputError, match="Clip 0 has a target at 15 s and no frame")
        with context:
            evaluate_dynamic_regression(["musicnn"], {"m": DummyRegressor()}, clips, y, **run)


@pytest.fixture(scope="module")
def moments():
    rng = np.random.default_rng(1)
    feature = rng.normal(size=(N_CLIPS, 6, 3)) + rng.normal(size=(N_CLIPS, 1, 3))
    arousal = pd.DataFrame(feature[..., 0] + 0.2, columns=15 + np.arange(6) / 2)
    arousal.iloc[5, 4:] = np.nan
    return feature, arousal


def test_moments_of_a_clip_stay_together(moments):
    feature, arousal = moments
    result = evaluate_dynamic_regression(
        {"a": feature},
        ["ridge"],
        None,
        {"arousal": arousal},
        groups=ARTISTS,
        protocol=["grouped", KFold(4, shuffle=True, random_state=0)],
        n_folds=4,
    )
    predictions = result.predictions
    for _, part in predictions.groupby(["protocol", "repeat"]):
        assert len(part[["row", "fold"]].drop_duplicates()) == N_CLIPS
        assert len(part) == 6 * N_CLIPS - 2
    grouped = predictions[predictions["protocol"] == "grouped"]
    assert len(grouped[["group", "fold"]].drop_duplicates()) == 12
    at = predictions[predictions["row"] == 3].iloc[1]
    assert at["time"] == 15.5
    assert at["y_true"] == arousal.iloc[3, 1]
    assert (result.scores["r2"] > 0.99).all()


def test_scores_of_songs(moments):
    feature, arousal = moments
    result = evaluate_dynamic_regression(
        {"a": feature}, {"mean": DummyRegressor()}, None, {"arousal": arousal},
        protocol="shuffled", n_folds=4,
    )  # fmt: skip
    songs = result.song_scores()
    assert len(songs) == N_CLIPS
    means = songs.groupby("fold")[["ccc", "rmse", "pearson", "spearman"]].mean()
    for metric in means:
        assert np.allclose(means[metric], result.scores[f"{metric}_song"])
    assert (songs["r2"] <= 0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.zeros((3, 6))}, "must be a dict of name .* Got ndarray"),
        ({"y": {"a": np.zeros((N_CLIPS, 6))}, "times": None}, "no column names for 'a'"),
        ({"y": {"a": np.zeros((N_CLIPS, 5))}}, "shape \\(48, 6\\).* Got \\(48, 5\\)"),
        ({"y": {"a": np.full((N_CLIPS, 6), np.nan)}}, "Clip 0 has no target"),
        ({"y": {"a": np.ma.masked_all((N_CLIPS, 6))}}, "Clip 0 has no target"),
        ({"y": {"a": [["high"] * 6] * N_CLIPS}}, "'a' must be numbers"),
        ({"times": ["start"] * 6}, "'times' parameter must be numbers"),
        ({"times": [0, 1, 2, 3, 4, np.nan]}, "'times' parameter must be a list of seconds"),
        ({"times": np.zeros((6, 6))}, "'times' parameter must be a list of seconds"),
        ({"features": {"a": np.zeros((N_CLIPS, 4, 2))}}, "feature 'a' must have the shape"),
    ],
)
def test_bad_moments_are_one_plain_sentence(moments, changes, message):
    arguments = {
        "features": {"a": moments[0]},
        "regressors": ["ridge"],
        "X": None,
        "y": {"arousal": moments[1].fillna(0).to_numpy()},
        "times": np.arange(6),
        "protocol": "shuffled",
    }
    with pytest.raises(InputError, match=message):
        evaluate_dynamic_regression(**arguments | changes)


@pytest.fixture(scope="module")
def emomusic(shared):
    """Published features of 744 songs, their labels, their artists, and the published test set."""
    choi, annotations = shared / "data" / "choi2017", shared / "data" / "emomusic"
    if not choi.is_dir():
        pytest.skip("needs the shared development data beside the checkout")
    X = np.hstack([np.load(choi / f"emoMusic_layer_{layer}.npy") for layer in range(5)])
    labels = pd.read_csv(choi / "emoMusic.csv")
    songs = pd.read_csv(annotations / "songs_info.csv").set_index("song_id").loc[labels["id"]]
    targets = {"static": labels[["label_arousal", "label_valence"]].to_numpy() * 9}
    curves = [
        pd.read_csv(annotations / f"{axis}_cont_average.csv").set_index("song_id")
        for axis in ("arousal", "valence")
    ]
    targets["dynamic"] = np.column_stack([one.loc[labels["id"]].mean(axis=1) for one in curves])
    is_test = songs["Mediaeval 2013 set"].str.strip() == "evaluation"
    artists = songs["Artist"].str.strip().str.lower().to_numpy()
    return X, targets, artists, np.where(is_test, "test", "train")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("targets", "protocol", "arousal", "valence"),
    [
        ("static", "shuffled", 0.682, 0.523),
        ("static", "fixed", 0.644, 0.438),
        ("dynamic", "shuffled", 0.723, 0.544),
        ("dynamic", "grouped", 0.702, 0.536),
    ],
)
def test_figures_of_published_features(emomusic, targets, protocol, arousal, valence):
    X, y, artists, parts = emomusic
    result = evaluate_regression(
        {"choi": X},
        ["svr"],
        None,
        y[targets],
        groups=artists,
        protocol=FixedSplit(parts) if protocol == "fixed" else protocol,
        n_jobs=2,
    )
    r2 = result.summary().set_index("target")["r2_split_mean"]
    assert r2["arousal"] == pytest.approx(arousal, abs=0.02)
    assert r2["valence"] == pytest.approx(valence, abs=0.02)


def test_moments_are_found_where_they_are_in_the_clip_whatever_the_offset():
    sr = 22050
    audio = np.zeros(16 * sr, np.float32)
    audio[5 * sr : 10 * sr] = np.random.default_rng(0).standard_normal(5 * sr)
    times = np.arange(5.0, 10, 0.5)
    targets = Targets(np.zeros(times.size, int), {}, {"time": times})
    clips = [(audio, sr)]
    feature = Feature("mfcc", MFCCStatsTransformer(offset=5), {"vector"}, clips)
    computed = compute_moments(feature, clips, targets)
    # The first coefficient is the loudness: every moment is one of noise.
    loudness = computed.inputs["vector"][:, 0]
    assert loudness.min() > loudness.max() - 20


class Ranks(Task):
    """A toy task: how often the order of two clips is right, of targets that are ranks."""

    name = "ranks"
    model_kind = "ranker"
    configuration = ("feature", "ranker")
    metrics = ("concordance",)
    headline_score = TotalsScore(
        lambda y_true, y_pred: np.column_stack([np.abs(y_true - y_pred) < 10, y_true == y_true]),
        lambda totals: totals[..., 0] / totals[..., 1],
    )
    models = ("ridge",)
    dummy = DummyRegressor()
    charts = ("map",)
    headline_words = {"": "puts {whose} near its place in {hundred} of 100 cases"}
    n_repeats = 1

    def takes(self, y):
        return isinstance(y, range)

    def check(self, y):
        return Targets.of_clips({"rank": np.array(y, dtype=float)})

    def splitters(self, n_folds, n_repeats):
        return {"blocks": lambda seed: KFold(n_folds, shuffle=True, random_state=seed)}

    def make_model(self, name, preset):
        return Ridge()

    def fits(self, model):
        return hasattr(model, "predict")

    def score(self, predictions, clips):
        y_true, y_pred = (np.asarray(predictions[name]) for name in ("y_true", "y_pred"))
        return {"concordance": float(np.mean(np.abs(y_true - y_pred) < 10))}

    def guess(self, dataset, score, predictions):
        return 0.25


def test_a_task_of_ones_own_is_one_class(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "TASKS", dict(tasks.TASKS))
    monkeypatch.setattr("skmer.evaluation.result.TASKS", tasks.TASKS)
    register_task(Ranks())
    y = range(N_CLIPS)
    X = np.random.default_rng(0).normal(size=(N_CLIPS, 3)) + np.array(y)[:, None]
    result = evaluate({"a": X}, ["ridge"], None, y, protocol="blocks")
    assert list(result.scores)[:6] == [
        "feature", "ranker", "protocol", "repeat", "fold", "concordance"
    ]  # fmt: skip
    assert result.summary()["concordance"].item() > 0.9
    assert result.intervals()["concordance"].item() > 0.9
    assert result.fit(feature="a", ranker="ridge").predict(X).shape == (N_CLIPS,)
    loaded = EvaluationResult.load(result.save(tmp_path))
    assert loaded.task is tasks.TASKS["ranks"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(r"The best, a \+ Ridge, puts a clip near its place in \d+ of 100 cases", page)
    assert "guessing gives 0.25" in page
    assert 'id="confusion"' not in page
    with pytest.raises(InputError, match=r"'rankers' parameter .* 'ridge'.* Got 'svm'"):
        evaluate({"a": X}, ["svm"], None, y, protocol="blocks")
    with pytest.raises(InputError, match="fit needs the parameters 'feature' and 'ranker'"):
        result.fit(feature="a", classifier="ridge")


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (["calm", "sad"], "classification"),
        ([1, 2, 3], "classification"),
        ([0.0, np.nan], "classification"),
        ([0.5, 1.0], "regression"),
        (pd.DataFrame({"a": [0.5, 1], "b": [1, 2.5]}), "regression"),
        ({"a": [1, 2]}, "regression"),
        ({"a": [[1, 2], [3, 4]]}, "dynamic_regression"),
        ({"a": pd.DataFrame([[1.0, 2]])}, "dynamic_regression"),
    ],
)
def test_the_task_follows_from_the_target(y, task):
    assert find_task(None, y).name == task


def test_evaluate_is_the_same_for_numbers(data):
    X, y = data
    run = {"groups": ARTISTS, "n_folds": 4, "audit": False}
    named = evaluate_regression({"a": X}, {"ridge": Ridge()}, None, y, **run)
    found = evaluate({"a": X}, {"ridge": Ridge()}, None, y, **run)
    assert type(found) is type(named)
    assert found.predictions.equals(named.predictions)
    whole = np.arange(N_CLIPS)
    asked = evaluate({"a": X}, {"ridge": Ridge()}, None, whole, task="regression", **run)
    assert asked.configuration == ("feature", "regressor", "target")
