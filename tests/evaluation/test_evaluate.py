"""The evaluation as a whole: rows, seeds, inputs, clips that are files, mistakes."""

from hashlib import sha256
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, StackingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import cohen_kappa_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from skmer.embeddings import MFCCStatsTransformer
from skmer.evaluation import (
    AccuracyBarsDisplay,
    EvaluationResult,
    RepeatedStratifiedGroupKFold,
    evaluate,
    evaluate_regression,
)
from skmer.evaluation.evaluate import Clips
from skmer.exceptions import FeatureLeftOutWarning, InputError, WeightsNotFoundError

N_CLIPS, N_FEATURES = 66, 5
LABELS = np.tile(["calm", "happy", "sad"], 22)
SINGERS = np.repeat(np.arange(11), 6)


@pytest.fixture(scope="module")
def feature():
    """A feature of three emotions, six clips a singer."""
    rng = np.random.default_rng(0)
    codes = np.unique(LABELS, return_inverse=True)[1]
    return rng.normal(size=(N_CLIPS, N_FEATURES)) + 0.8 * codes[:, None]


@pytest.fixture(scope="module")
def result(feature):
    return evaluate(
        {"given": feature, "abs": FunctionTransformer(np.abs)},
        {"nb": GaussianNB(), "svm": make_pipeline(StandardScaler(), SVC())},
        feature,
        LABELS,
        groups=SINGERS,
        protocol=["grouped", "koh2021"],
        n_repeats=3,
        audit=False,
    )


class Lookup(ClassifierMixin, BaseEstimator):
    """Predicts the number of the row, which the feature carries, and so shows misplaced rows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return X[:, 0].astype(int).astype(str)


def test_the_frames_are_tidy(result):
    names = ["feature", "classifier", "protocol", "repeat", "fold"]
    assert list(result.scores.columns[:9]) == [
        *names, "accuracy", "f1_macro", "f1_weighted", "balanced_accuracy"
    ]  # fmt: skip
    assert len(result.scores) == 2 * 2 * (3 * 5 + 3)
    assert not result.scores.duplicated(names).any()
    assert result.scores["weights"].isna().all()
    assert list(result.predictions.columns) == [
        *names, "row", "group", "y_true", "y_pred", "proba_calm", "proba_happy", "proba_sad"
    ]  # fmt: skip


def test_row_i_of_the_predictions_is_clip_i(result):
    predictions = result.predictions
    assert (predictions["y_true"] == LABELS[predictions["row"]]).all()
    assert (predictions["group"] == SINGERS[predictions["row"]]).all()
    grouped = predictions[predictions["protocol"] == "grouped"]
    for _, part in grouped.groupby(["feature", "classifier", "repeat"]):
        assert np.array_equal(np.sort(part["row"]), np.arange(N_CLIPS))


@pytest.mark.parametrize(
    ("evaluation", "model", "y"),
    [
        (evaluate, StackingClassifier([("nb", GaussianNB())]), LABELS),
        (evaluate_regression, StackingRegressor([("ridge", Ridge())]), np.arange(N_CLIPS)),
    ],
    ids=["classifier", "regressor"],
)
def test_models_that_cannot_predict_before_they_are_fitted(evaluation, model, y, feature):
    assert not hasattr(model, "predict")
    result = evaluation(
        {"a": feature}, {"stack": model}, None, y, groups=SINGERS, n_folds=3, audit=False
    )
    assert result.predictions["y_pred"].notna().all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_predictions_belong_to_their_rows_whatever_the_order(seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(N_CLIPS)
    feature = np.column_stack([order, rng.normal(size=N_CLIPS)])
    result = evaluate(
        {"number": FunctionTransformer()},
        {"lookup": Lookup()},
        feature,
        LABELS[order],
        groups=SINGERS[order],
        n_repeats=1,
        audit=False,
    )
    assert (result.predictions["y_pred"].astype(int) == order[result.predictions["row"]]).all()


def test_scores_are_those_of_the_predictions(result):
    keys = ["feature", "classifier", "protocol", "repeat", "fold"]
    right = result.predictions["y_true"] == result.predictions["y_pred"]
    accuracy = right.groupby([result.predictions[key] for key in keys], sort=False).mean()
    assert np.allclose(accuracy, result.scores["accuracy"])
    probabilities = result.predictions.filter(like="proba_")
    nb = result.predictions["classifier"] == "nb"
    assert np.allclose(probabilities[nb].sum(axis=1), 1)
    assert probabilities[~nb].isna().all(axis=None)


def test_extracting_before_the_folds_changes_nothing():
    """A matrix transformed once and sliced by fold gives what the whole pipeline gives."""
    rng = np.random.default_rng(0)
    y, singers = np.tile(["calm", "sad"], 12), np.repeat(np.arange(6), 4)
    clips = [rng.normal(size=4000 + 50 * i) * (1 + (y[i] == "sad")) for i in range(24)]
    transformer = MFCCStatsTransformer(sr=8000)
    classifier = make_pipeline(StandardScaler(), SVC())
    cv = RepeatedStratifiedGroupKFold(3, n_repeats=2, random_state=4)
    metrics = ["accuracy", "f1_macro", "f1_weighted", "balanced_accuracy"]
    expected = cross_validate(
        make_pipeline(transformer, classifier), np.array(clips, dtype=object), y,
        groups=singers, cv=cv, scoring=metrics,
    )  # fmt: skip
    result = evaluate(
        {"mfcc": transformer},
        {"svm": classifier},
        clips,
        y,
        groups=singers,
        protocol=cv,
        audit=False,
    )
    for metric in metrics:
        assert np.allclose(result.scores[metric], expected[f"test_{metric}"])
    assert result.scores["accuracy"].std() > 0


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_the_numbers_do_not_depend_on_n_jobs_nor_on_neighbours(feature, backend):
    forest = {"rf": RandomForestClassifier(5)}
    run = {"X": None, "y": LABELS, "groups": SINGERS, "n_repeats": 1, "audit": False}
    alone = evaluate({"a": feature}, forest, **run)
    with parallel_config(backend, n_jobs=2):
        beside = evaluate(
            {"b": feature[:, :2], "a": feature},
            {"nb": GaussianNB(), **forest},
            protocol=["koh2021", "grouped"],
            **run,
        )
    mine = beside.predictions.query("feature == 'a' and classifier == 'rf'")
    mine = mine.query("protocol == 'grouped'").reset_index(drop=True)
    assert mine.equals(alone.predictions)
    other = evaluate({"a": feature}, forest, random_state=1, **run)
    assert not other.predictions["y_pred"].equals(alone.predictions["y_pred"])


def test_the_seed_of_each_fit_is_recorded_and_used(feature):
    result = evaluate(
        {"a": feature}, {"rf": RandomForestClassifier(5)}, None, LABELS, protocol=StratifiedKFold(3)
    )
    splits = result.manifest["protocols"]["StratifiedKFold"]["splits"]
    assert [split["seed"] for split in splits] == result.scores["seed"].tolist()
    test = np.array(splits[1]["test"])
    train = np.setdiff1d(np.arange(N_CLIPS), test)
    forest = RandomForestClassifier(5, random_state=splits[1]["seed"])
    expected = forest.fit(feature[train], LABELS[train]).predict(feature[test])
    assert np.array_equal(result.predictions.query("fold == 1")["y_pred"], expected)


def test_without_a_seed_the_one_drawn_is_recorded(feature):
    run = {"y": LABELS, "protocol": "koh2021", "n_repeats": 2, "audit": False}
    first = evaluate({"a": feature}, {"nb": GaussianNB()}, None, random_state=None, **run)
    drawn = first.manifest["settings"]["random_state"]
    again = evaluate({"a": feature}, {"nb": GaussianNB()}, None, random_state=drawn, **run)
    assert again.predictions.equals(first.predictions)


def test_a_class_that_was_not_trained_on_has_probability_zero():
    y = np.array(["calm", "sad"] * 10 + ["angry"] * 2)
    feature = np.random.default_rng(0).normal(size=(22, 2))
    split = [(np.arange(20), np.arange(20, 22))]

    class Last:
        def split(self, X, y=None, groups=None):
            return iter(split)

    nb = {"nb": GaussianNB()}
    with pytest.warns(UserWarning, match="without a class that is tested: angry in 1 of 1"):
        result = evaluate({"a": feature}, nb, None, y, protocol=Last(), audit=False)
    assert (result.predictions["proba_angry"] == 0).all()
    assert result.scores["balanced_accuracy"].item() == 0


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"y": LABELS[:-1]}, ValueError, "66 clips in X and 65 labels"),
        ({"groups": SINGERS[:-1]}, ValueError, "65 groups and 66 labels"),
        ({"groups": None}, ValueError, "'grouped' protocol needs 'groups'"),
        ({"n_folds": 12}, ValueError, "12 folds from 11 groups"),
        ({"y": ["calm"] * 66}, ValueError, "at least two classes. Got \\['calm'\\]"),
        ({"y": ["calm", None] * 33}, ValueError, "The labels y have missing values: 33 of 66 clips"),
        ({"y": [0.0, np.nan] * 33}, ValueError, "missing values"),
        ({"y": ["calm", 1] * 33}, ValueError, "all text, or all numbers"),
        ({"y": pd.Series(["calm", pd.NA] * 33)}, ValueError, "missing values"),
        ({"y": np.linspace(0, 1, 66)}, TypeError, "be a regressor .* since the task is regression. Got G"),
        ({"y": np.linspace(0, 1, 66), "task": "classification"}, ValueError, "numbers with decimals"),
        ({"task": "ranking"}, ValueError, "'task' parameter .* 'regression'.* Got 'ranking'"),
        ({"groups": [None, *SINGERS[1:]]}, ValueError, "The groups have missing values: 1 of 66"),
        ({"groups": [np.nan, *SINGERS[1:]]}, ValueError, "The groups have missing values"),
        ({"groups": ["a", *SINGERS[1:]]}, ValueError, "The groups must be all text"),
        ({"features": {1: np.zeros((66, 2))}}, TypeError, "names in the 'features' .* Got 1"),
        ({"X": None}, ValueError, "feature 'a' is a transformer and needs clips"),
        (
            {"classifiers": ["svm"], "groups": SINGERS % 2, "n_folds": 2},
            ValueError,
            "CalibratedGridSearchCV splits its training set once more, .* one group only",
        ),
        (
            {"classifiers": {"mlp": MLPClassifier(early_stopping=True)}},
            ValueError,
            "cannot keep the groups apart",
        ),
        ({"y": np.zeros((66, 2))}, ValueError, "nothing to score"),
        ({"preset": "best"}, ValueError, "'preset' parameter .* Got 'best'"),
        ({"features": ["l4"]}, ValueError, "'features' .* l3, vggish, mfcc.* Got 'l4'"),
        ({"classifiers": ["nb", "nb"]}, ValueError, "'classifiers' .* Got 'nb' twice"),
        ({"features": ["mfcc", "mfcc"]}, ValueError, "has 'mfcc' twice"),
        ({"features": {}}, ValueError, "'features' .* at least one"),
        ({"features": {"a": PCA()}}, ValueError, "feature 'a' \\(PCA\\) learns"),
        ({"features": {"a": make_pipeline(MFCCStatsTransformer(), PCA())}}, ValueError, "learns"),
        ({"features": {"a": "l3"}}, TypeError, "feature 'a' must be a transformer"),
        ({"features": {"a": np.zeros((65, 2))}}, ValueError, "65 rows for 66 labels"),
        ({"features": {"a": np.full((66, 2), np.nan)}}, ValueError, "66 of 66 clips cannot be used \\(rows 0, 1"),
        ({"classifiers": ["knn"]}, ValueError, "'classifiers' .* Got 'knn'"),
        ({"classifiers": GaussianNB()}, TypeError, "a dict of your own.* of type GaussianNB"),
        ({"classifiers": {"x": object()}}, TypeError, "'x' of the 'classifiers' .* Got <object"),
        ({"classifiers": {"x": GaussianNB}}, TypeError, "'x' .* Got <class 'sklearn.naive_bayes"),
        ({"classifiers": {"x": PCA()}}, TypeError, "must be a classifier .* Got PCA"),
        ({"classifiers": {"x": SVR()}}, TypeError, "must be a classifier .* Got SVR"),
        ({"features": np.zeros((66, 2))}, TypeError, "a dict of transformers and arrays"),
        ({"classifiers": []}, ValueError, "'classifiers' .* at least one"),
        ({"protocol": "loo"}, ValueError, "Got 'loo'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_plain_sentence(feature, changes, error, message):
    arguments = {
        "features": {"a": FunctionTransformer()},
        "classifiers": {"nb": GaussianNB()},
        "X": feature,
        "y": LABELS,
        "groups": SINGERS,
    }
    with pytest.raises(error, match=message):
        evaluate(**arguments | changes)


class Shape(ClassifierMixin, BaseEstimator):
    """Predicts the first class, and notes how many dimensions it was fitted on."""

    def fit(self, X, y):
        DIMENSIONS.append(X.ndim)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


DIMENSIONS = []


@pytest.mark.parametrize("preset", ["tuned", "koh2021"])
def test_what_ones_own_classifier_is_called_changes_nothing(preset):
    DIMENSIONS.clear()
    clips = [np.random.default_rng(i).normal(size=3000) for i in range(20)]
    own = {name: Shape() for name in ("mine", "cnn", "lstm")}
    evaluate(
        {"mfcc": MFCCStatsTransformer(sr=8000)}, own, clips, np.tile(["calm", "sad"], 10),
        protocol="koh2021", n_repeats=1, preset=preset, audit=False,
    )  # fmt: skip
    assert DIMENSIONS == [2, 2, 2]


@pytest.fixture
def songs(tmp_path):
    """Twenty-four clips of six singers on disk, with their labels and singers."""
    rng = np.random.default_rng(0)
    y, singers = np.tile(["calm", "sad"], 12), np.repeat(np.arange(6), 4)
    paths = []
    for i, (label, singer) in enumerate(zip(y, singers)):
        tone = np.sin(2 * np.pi * (200 + 40 * singer) * np.arange(8000) / 8000)
        paths.append(tmp_path / f"{i}.wav")
        noise = rng.normal(scale=0.02 if label == "calm" else 0.1, size=8000)
        soundfile.write(paths[-1], 0.3 * tone + noise, 8000)
    return paths, y, singers


def findings(result, protocol="grouped"):
    """Kind and severity of what the audit found in a protocol."""
    found = result.manifest["audit"][protocol]["findings"]
    return {one["kind"]: one["severity"] for one in found}


def test_a_copy_across_a_split_is_an_error_and_one_within_a_singer_is_nothing(songs):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 6, "n_repeats": 1}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    paths[2].write_bytes(paths[0].read_bytes())
    assert findings(evaluate(features, nb, paths, y, **run)) == {}
    audio, sr = soundfile.read(paths[1])
    paths[21] = paths[21].with_suffix(".flac")
    soundfile.write(paths[21], audio, sr)
    assert findings(evaluate(features, nb, paths, y, **run)) == {"duplicate_audio": "error"}


def test_the_audit_decodes_no_clip_that_is_embedded(songs, tmp_path, monkeypatch):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    features = {"mfcc": MFCCStatsTransformer(memory=tmp_path / "cache")}
    first = evaluate(features, {"nb": GaussianNB()}, paths, y, **run)

    def fail(*args, **kwargs):
        raise AssertionError("a clip was decoded")

    monkeypatch.setattr("skmer.evaluation.auditing.copies.read_audio", fail)
    monkeypatch.setattr("skmer.embeddings.recipe.stream_audio", fail)
    again = evaluate(features, {"nb": GaussianNB()}, paths, y, **run)
    assert again.manifest["audit"] == first.manifest["audit"]
    assert "duplicate_audio" in again.manifest["audit"]["grouped"]["checked"]


def test_all_clips_that_cannot_be_read_are_told_of_at_once(songs):
    paths, y, singers = songs
    paths[3].write_bytes(b"no audio")
    paths[8].unlink()
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    with pytest.raises(InputError, match=r"2 of 24 clips cannot be used \(rows 3, 8\)") as refused:
        evaluate(features, nb, paths, y, **run)
    assert "on_error='skip'" in str(refused.value)
    assert "3.wav" in str(refused.value)
    assert len(str(refused.value)) <= 500


def test_clips_that_cannot_be_read_are_left_out(songs, tmp_path):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1, "protocol": ["grouped", "koh2021"]}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    kept = np.setdiff1d(np.arange(24), [3, 8])
    whole = evaluate(
        features, nb, [paths[row] for row in kept], y[kept], **run | {"groups": singers[kept]}
    )
    paths[3].write_bytes(b"no audio")
    paths[8].unlink()
    result = evaluate(features, nb, paths, y, on_error="skip", **run)
    assert np.allclose(result.scores["accuracy"], whole.scores["accuracy"])
    assert (result.predictions["row"] == kept[whole.predictions["row"]]).all()
    assert (result.predictions["y_true"] == y[result.predictions["row"]]).all()
    assert (result.predictions["group"] == singers[result.predictions["row"]]).all()
    assert result.manifest["dataset"]["n_clips"] == 22
    skipped = result.manifest["skipped_clips"]
    assert [clip["row"] for clip in skipped] == [3, 8]
    assert "3.wav" in skipped[0]["reason"]
    tested = result.manifest["protocols"]["koh2021"]["splits"][0]["test"]
    koh = result.predictions.query("protocol == 'koh2021'")
    assert sorted(koh["row"]) == sorted(tested)
    page = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 clips could not be used." in page
    assert "8.wav" in page
    with pytest.raises(
        InputError, match="'on_error' parameter of evaluate must be one of 'raise', 'skip'"
    ):
        evaluate(features, nb, paths, y, on_error="nan", **run)


def test_further_scores(feature, tmp_path):
    run = {"X": None, "y": LABELS, "protocol": "koh2021", "n_repeats": 2, "audit": False}
    scoring = ["roc_auc_ovr", "accuracy"]
    result = evaluate({"a": feature}, {"nb": GaussianNB()}, scoring=scoring, **run)
    assert result.metrics[-1] == "roc_auc_ovr"
    assert list(result.scores).count("accuracy") == 1
    split = result.manifest["protocols"]["koh2021"]["splits"][0]
    test, validation = np.array(split["test"]), split["validation"]
    train = np.setdiff1d(np.arange(N_CLIPS), [*test, *validation])
    nb = GaussianNB().fit(feature[train], LABELS[train])
    expected = get_scorer("roc_auc_ovr")(nb, feature[test], LABELS[test])
    assert result.scores["roc_auc_ovr"][0] == pytest.approx(expected)
    assert result.summary()["roc_auc_ovr"].item() == pytest.approx(
        result.scores["roc_auc_ovr"].mean()
    )
    loaded = EvaluationResult.load(result.save(tmp_path))
    assert loaded.metrics == result.metrics
    own = {"kappa": make_scorer(cohen_kappa_score), "loss": "neg_log_loss"}
    for further in (own, make_scorer(cohen_kappa_score), "neg_log_loss"):
        scores = evaluate({"a": feature}, {"nb": GaussianNB()}, scoring=further, **run).scores
        assert (
            scores[["kappa", "loss"] if further is own else scores.columns[9]]
            .notna()
            .all(axis=None)
        )


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("auc", r"Got \['auc'\]: "),
        ("roc_auc", r"Got \['roc_auc'\]: multi_class must be"),
        ({"fold": "accuracy"}, "a score of the name 'fold', which is a column"),
        ({"accuracy": "f1_macro"}, "a score of the name 'accuracy'"),
        ([cohen_kappa_score], "must have scores that scikit-learn has.*Non-string types"),
    ],
)
def test_scores_that_cannot_be_had_are_refused_before_any_work(feature, scoring, message):
    def fail(X):
        raise AssertionError("work was done")

    with pytest.raises(InputError, match=message):
        evaluate(
            {"a": FunctionTransformer(fail)}, {"nb": GaussianNB()}, feature, LABELS,
            protocol="koh2021", scoring=scoring,
        )  # fmt: skip


def test_features_that_nobody_named(songs, monkeypatch):
    paths, y, singers = songs

    def refuse(self):
        raise WeightsNotFoundError("Its weights are not here; fetch them.")

    for name in ("L3Transformer", "VGGishTransformer", "MusiCNNTransformer"):
        monkeypatch.setattr(f"skmer.embeddings.{name}._fit_network", refuse)
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    with pytest.warns(FeatureLeftOutWarning, match="is left out: .* fetch them"):
        result = evaluate(None, {"nb": GaussianNB()}, paths, y, **run)
    assert list(result.manifest["features"]) == ["mfcc"]
    assert set(result.manifest["left_out_features"]) == {"l3", "vggish", "musicnn"}
    with pytest.raises(WeightsNotFoundError, match="fetch them"):
        evaluate(["mfcc", "l3"], {"nb": GaussianNB()}, paths, y, **run)


class Drawn(FunctionTransformer):
    """A feature from a network that was never trained."""

    def fit(self, X, y=None):
        self.weights_are_random_ = True
        self.weights_label_ = "random weights (seed 3)"
        return super().fit(X, y)


def test_random_weights_in_a_union_are_labelled_everywhere(feature, tmp_path):
    union = make_union(Drawn(), FunctionTransformer(np.abs))
    result = evaluate(
        {"vggish": union, "abs": FunctionTransformer(np.abs)}, {"nb": GaussianNB()}, feature, LABELS,
        protocol="koh2021", n_repeats=2, audit=False,
    )  # fmt: skip
    assert result.random_features() == {"vggish": "random weights (seed 3)"}
    assert result.scores.groupby("feature")["random_weights"].all().to_dict() == {
        "abs": False, "vggish": True
    }  # fmt: skip
    for display in (
        AccuracyBarsDisplay.from_frame(result.scores),
        AccuracyBarsDisplay.from_frame(result.intervals()),
    ):
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts == ["VGGish (random weights)", "abs"]
        plt.close(display.figure_)
    assert "VGGish has random weights" in result.report(tmp_path / "report.html").read_text()


def test_a_configuration_fitted_to_all_clips(songs):
    paths, y, singers = songs
    clips = [(soundfile.read(path)[0], 8000) for path in paths]
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1, 10]})
    result = evaluate(
        {"mfcc": MFCCStatsTransformer(), "array": np.eye(24)}, {"svm": search, "nb": GaussianNB()},
        clips, y, groups=singers, n_folds=3, n_repeats=1,
    )  # fmt: skip
    model = result.fit(feature="mfcc", classifier="svm")
    assert list(model.named_steps) == ["transformer", "classifier"]
    folds = model[-1].cv.split(y, y, singers)
    assert all(not set(singers[train]) & set(singers[test]) for train, test in folds)
    expected = model[-1].best_estimator_.predict(MFCCStatsTransformer().fit_transform(paths))
    assert np.array_equal(model.predict([str(path) for path in paths]), expected)
    assert not hasattr(search, "best_params_")
    alone = result.fit(feature="array", classifier="nb")
    assert np.array_equal(
        alone.predict(np.eye(24)), GaussianNB().fit(np.eye(24), y).predict(np.eye(24))
    )
    with pytest.raises(InputError, match=r"'feature' parameter of fit must be one of 'mfcc', 'ar"):
        result.fit(feature="l3", classifier="nb")
    read = EvaluationResult(result.scores, result.predictions, result.manifest)
    with pytest.raises(InputError, match="read from files, which hold no clips"):
        read.fit(feature="mfcc", classifier="nb")


def test_numpy_numbers_are_numbers(feature, tmp_path):
    result = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS,
        n_folds=np.int64(3), n_repeats=np.int64(1), random_state=np.int64(3),
    )  # fmt: skip
    assert EvaluationResult.load(result.save(tmp_path)).manifest == result.manifest


@pytest.mark.slow
def test_real_singers_are_told_apart_by_the_baseline(shared):
    """On real clips: about 0.8 with singers on both sides, far less with singers held out."""
    clips = sorted((shared / "data" / "ravdess_song").glob("Actor_*/*.flac"))
    if not clips:
        pytest.skip("needs the shared development data beside the checkout")
    names = [clip.stem.split("-") for clip in clips]
    result = evaluate(
        {"mfcc": MFCCStatsTransformer()},
        {"svm": make_pipeline(StandardScaler(), SVC(C=10))},
        [str(clip) for clip in clips],
        [name[2] for name in names],
        groups=[name[6] for name in names],
        protocol=["koh2021", "grouped"],
    )
    random, grouped = result.summary()["accuracy"]
    assert random == pytest.approx(0.80, abs=0.04)
    assert 0.40 < grouped < 0.58
    assert result.manifest["audit"]["grouped"]["findings"] == []
    found = {found["kind"] for found in result.manifest["audit"]["koh2021"]["findings"]}
    assert found == {"shared_groups", "identity_probe"}


def test_every_prediction_has_the_path_of_its_clip(feature):
    paths = [Path("songs") / f"{row}.wav" for row in range(N_CLIPS)]
    holes = feature.copy()
    holes[[2, 7]] = np.nan
    run = {"protocol": "koh2021", "n_repeats": 2, "audit": False}
    result = evaluate({"a": holes}, {"nb": GaussianNB()}, paths, LABELS, on_error="skip", **run)
    predictions = result.predictions
    assert predictions["path"].tolist() == [str(paths[row]) for row in predictions["row"]]
    assert result.maps["row"].tolist() == [row for row in range(N_CLIPS) if row not in (2, 7)]


def test_what_is_no_path_has_none(feature):
    def paths(X):
        return Clips(X, None, None, None).paths

    assert paths(None) is paths([]) is paths(feature) is paths(["a", 1]) is None
    assert paths(np.array(["a", "b"])).tolist() == ["a", "b"]


def test_the_data_have_a_name_and_a_table_its_digest(feature, tmp_path):
    table = tmp_path / "songs.csv"
    table.write_bytes(b"path,label\n")

    def described(**options):
        run = {"protocol": "koh2021", "n_repeats": 1, "audit": False}
        result = evaluate({"a": feature}, {"nb": GaussianNB()}, None, LABELS, **run, **options)
        return result.manifest["dataset"]

    dataset = described(dataset=table)
    assert dataset["name"] == str(table)
    assert dataset["digest"] == sha256(b"path,label\n").hexdigest()
    assert "digest" not in described(dataset="mine")
    assert "name" not in described()
    with pytest.raises(TypeError, match="expected str, bytes or os"):
        described(dataset=3)
