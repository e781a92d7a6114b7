"""The evaluation as a whole: rows, seeds, views, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, StackingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from skmer.embeddings import MFCCStatsTransformer
from skmer.evaluation import RepeatedStratifiedGroupKFold, evaluate, evaluate_regression

from .conftest import LABELS, N_CLIPS, SINGERS


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

    result = evaluate({"a": feature}, {"nb": GaussianNB()}, None, y, protocol=Last(), audit=False)
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
        ({"y": ["calm", 1] * 33}, ValueError, "all text or all numbers. Got 'calm' in row 0 and 1"),
        ({"y": pd.Series(["calm", pd.NA] * 33)}, ValueError, "missing values"),
        ({"y": np.linspace(0, 1, 66)}, TypeError, "be a regressor .* since the task is regression. Got G"),
        ({"y": np.linspace(0, 1, 66), "task": "classification"}, ValueError, "numbers with decimals"),
        ({"task": "tags"}, ValueError, "'task' parameter .* 'regression'.* Got 'tags'"),
        ({"groups": [None, *SINGERS[1:]]}, ValueError, "The groups have missing values: 1 of 66"),
        ({"groups": [np.nan, *SINGERS[1:]]}, ValueError, "The groups have missing values"),
        ({"groups": ["a", *SINGERS[1:]]}, ValueError, "The groups must be all text"),
        ({"features": {1: np.zeros((66, 2))}}, TypeError, "names in the 'features' .* Got 1"),
        ({"X": None}, ValueError, "feature 'a' is a transformer and needs clips"),
        (
            {"classifiers": ["svm"], "groups": SINGERS % 2, "n_folds": 2},
            ValueError,
            "CalibratedGridSearchCV splits its training part once more, .* one group only",
        ),
        (
            {"classifiers": {"mlp": MLPClassifier(early_stopping=True)}},
            ValueError,
            "cannot keep the groups apart",
        ),
        ({"y": np.zeros((66, 2))}, ValueError, "Got shape \\(66, 2\\)"),
        ({"preset": "best"}, ValueError, "'preset' parameter .* Got 'best'"),
        ({"features": ["l4"]}, ValueError, "'features' .* l3, vggish, mfcc.* Got 'l4'"),
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
