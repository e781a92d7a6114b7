"""One fit: seeds, groups and validation reach the parts of a model that need them."""

from functools import partial

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegressionCV, Ridge, RidgeClassifierCV, SGDClassifier
from sklearn.metrics import (
    cohen_kappa_score,
    d2_log_loss_score,
    log_loss,
    make_scorer,
    roc_auc_score,
    top_k_accuracy_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MFCCStatsTransformer
from skmer.evaluation import FixedSplit, evaluate
from skmer.evaluation import folds as _inner_folds
from skmer.evaluation.features import NetworkWeights
from skmer.evaluation.fitting import Fit, fit_and_predict, set_seed, training_rows
from skmer.evaluation.folds import Split, keep_groups_apart, shuffle_inner_folds, stops_early
from skmer.evaluation.tasks import CLASSIFICATION
from skmer.exceptions import InputError

N_CLIPS, N_FEATURES = 60, 4


SEEN = []


class Recorder(ClassifierMixin, BaseEstimator):
    """Predicts one class, and remembers the rows and groups of every fit."""

    def __init__(self, width=1, random_state=None, validation_fraction=0.0):
        self.width = width
        self.random_state = random_state
        self.validation_fraction = validation_fraction

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        rows = X[:, 0].astype(int)
        SEEN.append(
            {"rows": rows, "groups": groups, "seed": self.random_state}
            | {"validation_fraction": self.validation_fraction}
        )
        return self

    def predict(self, X):
        SEEN[-1]["scored"] = X[:, 0].astype(int)
        return np.full(len(X), self.classes_[0])


class Careless(ClassifierMixin, BaseEstimator):
    """Gives whatever it is told to."""

    def __init__(self, predict=None, predict_proba=None):
        self.predict = lambda X: predict
        self.predict_proba = lambda X: predict_proba

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def __sklearn_clone__(self):
        return self


@pytest.fixture
def data():
    """Rows whose first column is their number, so that a fit tells which rows it saw."""
    SEEN.clear()
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(N_CLIPS), rng.normal(size=(N_CLIPS, N_FEATURES - 1))])
    return X, np.tile(["calm", "sad"], N_CLIPS // 2), np.repeat(np.arange(10), 6)


def split(*, validation=()):
    validation = np.array(validation, dtype=int)
    train = np.setdiff1d(np.arange(12, N_CLIPS), validation)
    return Split("mine", 0, 0, 77, train, validation, np.arange(12))


def fit_one(model, X, y, groups, split, name="it"):
    fit = Fit(CLASSIFICATION, {"model": name}, NetworkWeights(), split, X, y, groups, model)
    return fit_and_predict(fit)


def test_only_training_rows_are_fitted_and_only_test_rows_scored(data):
    X, y, groups = data
    fitted = fit_one(Recorder(), X, y, groups, split())
    (seen,) = SEEN
    assert np.array_equal(seen["rows"], np.arange(12, N_CLIPS))
    assert np.array_equal(seen["scored"], np.arange(12))
    assert np.array_equal(seen["groups"], groups[12:])
    assert seen["seed"] == 77
    assert fitted.costs["n_train"] == 48
    assert fitted.predictions["y_pred"].tolist() == ["calm"] * 12
    assert np.isnan(fitted.predictions["proba_sad"])


def test_the_model_given_is_left_as_it_was(data):
    X, y, groups = data
    search = GridSearchCV(make_pipeline(StandardScaler(), Recorder()), {"recorder__width": [1, 2]})
    fit_one(search, X, y, groups, split())
    assert search.cv is None
    assert search.estimator[-1].random_state is None
    assert not hasattr(search, "best_params_")


def test_nested_search_keeps_groups_apart(data):
    X, y, groups = data
    search = GridSearchCV(Recorder(), {"width": [1, 2]}, cv=4)
    fit_one(search, X, y, groups, split())
    inner = [seen for seen in SEEN if seen["rows"].size < 48]
    assert len(inner) == 2 * 4
    for seen in inner:
        assert not set(groups[seen["rows"]]) & set(groups[seen["scored"]])
        assert not set(seen["scored"]) & set(range(12))
        assert np.array_equal(seen["groups"], groups[seen["rows"]])
    tested = np.concatenate([seen["scored"] for seen in inner])
    assert np.array_equal(np.unique(tested), np.arange(12, N_CLIPS))
    assert SEEN[-1]["rows"].size == 48


def test_without_groups_the_search_splits_them(data):
    X, y, groups = data
    search = GridSearchCV(Recorder(), {"width": [1]}, cv=5)
    fit_one(search, X, y, None, split())
    assert all(seen["groups"] is None for seen in SEEN)
    assert any(set(groups[seen["rows"]]) & set(groups[seen["scored"]]) for seen in SEEN[:5])


def test_models_without_groups_are_fitted_without(data):
    X, y, groups = data
    fitted = fit_one(make_pipeline(StandardScaler(), GaussianNB()), X, y, groups, split())
    direct = make_pipeline(StandardScaler(), GaussianNB()).fit(X[12:], y[12:])
    assert np.array_equal(fitted.predictions["y_pred"], direct.predict(X[:12]))
    proba = [fitted.predictions[f"proba_{label}"] for label in ("calm", "sad")]
    assert np.array_equal(np.transpose(proba), direct.predict_proba(X[:12]))


def test_every_part_that_draws_gets_the_seed():
    model = make_pipeline(StandardScaler(), RandomForestClassifier(random_state=3))
    set_seed(model, 9)
    assert model[-1].random_state == 9
    search = GridSearchCV(clone(model), {"randomforestclassifier__max_depth": [1]})
    set_seed(search, 11)
    assert search.estimator[-1].random_state == 11


def test_folds_of_a_search_get_the_seed_unless_they_have_one():
    for own, expected in ((None, 9), (4, 4)):
        folds = StratifiedGroupKFold(3, shuffle=True, random_state=own)
        search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=folds)
        model = clone(search)
        set_seed(model, 9)
        assert model.cv.random_state == expected
        assert folds.random_state == own


def apart(model, groups=(0, 1, 2, 2)):
    """Prepare a copy of a model for groups."""
    model, groups = clone(model), np.array(groups)
    y = np.arange(groups.size) % 2
    with config_context(enable_metadata_routing=True):
        return model, keep_groups_apart(model, np.zeros((y.size, 1)), y, groups, seed=1)


def test_inner_folds():
    search, takes_groups = apart(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}))
    assert takes_groups
    assert isinstance(search.cv, StratifiedGroupKFold)
    assert search.cv.n_splits == 3

    explicit, _ = apart(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=KFold(2)))
    assert isinstance(explicit.cv, KFold)

    with pytest.raises(InputError, match="in one group only"):
        apart(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}), groups=(0, 1, 0, 1))

    regressor = GridSearchCV(Ridge(), {"alpha": [1]}, cv=4)
    shuffle_inner_folds(regressor, seed=1)
    assert regressor.cv.shuffle
    assert regressor.cv.n_splits == 4


FOREST = RandomForestClassifier(3)


@pytest.mark.parametrize(
    "model",
    [
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}),
        CalibratedClassifierCV(GaussianNB(), cv=3),
        make_pipeline(StandardScaler(), CalibratedClassifierCV(GaussianNB(), ensemble=False)),
        LogisticRegressionCV(Cs=[0.1, 1.0]),
        RidgeClassifierCV(),
        TunedThresholdClassifierCV(GaussianNB()),
        RFECV(FOREST),
        make_pipeline(RFECV(FOREST), GaussianNB()),
        make_pipeline(
            SequentialFeatureSelector(GaussianNB(), n_features_to_select=1), GaussianNB()
        ),
        StackingClassifier([("nb", GaussianNB())], GaussianNB()),
        make_pipeline(StandardScaler(), StackingClassifier([("nb", GaussianNB())], GaussianNB())),
        OneVsRestClassifier(LogisticRegressionCV(Cs=[0.1, 1.0])),
        VotingClassifier([("one", GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}))]),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")
def test_whatever_splits_inside_keeps_groups_apart(data, monkeypatch, model):
    X, y, groups = data
    splits = []

    class Spy:
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                splits.append((groups, train, test))
                yield train, test

    for folds in (StratifiedGroupKFold, GroupKFold):
        spy = type(folds.__name__, (Spy, folds), {})
        monkeypatch.setattr(_inner_folds.model_selection, folds.__name__, spy)
    fit_one(model, X, y, groups, split())
    assert len(splits) >= 2
    for seen, train, test in splits:
        assert set(seen) <= set(groups[12:])
        assert not set(seen[train]) & set(seen[test])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLPClassifier(early_stopping=True), "MLPClassifier in MLPClassifier holds clips out"),
        (make_pipeline(StandardScaler(), SGDClassifier(early_stopping=True)), "SGDClassifier in"),
        (GradientBoostingClassifier(n_iter_no_change=3), "switch its early stopping off"),
        (AdaBoostClassifier(LogisticRegressionCV()), "LogisticRegressionCV in AdaBoostClassifier"),
        (
            BaggingClassifier(StackingClassifier([("nb", GaussianNB())])),
            "StackingClassifier in BaggingClassifier",
        ),
        (SVC(probability=True), r"SVC\(probability=True\) makes its probabilities"),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")
def test_what_cannot_keep_groups_apart_is_refused(model, message):
    with pytest.raises(InputError, match=message) as refused:
        apart(model)
    assert len(str(refused.value)) <= 500


def test_models_that_hand_nothing_on_are_fitted_without_groups(data):
    X, y, groups = data
    fit_one(AdaBoostClassifier(n_estimators=2), X, y, groups, split())


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Recorder(), False),
        (Recorder(validation_fraction=0.2), True),
        (MLPClassifier(), False),
        (MLPClassifier(early_stopping=True), True),
        (GradientBoostingClassifier(), False),
        (GradientBoostingClassifier(n_iter_no_change=5), True),
        (HistGradientBoostingClassifier(early_stopping=True), True),
        (HistGradientBoostingClassifier(), False),
        (GaussianNB(), False),
    ],
)
def test_who_stops_early(model, expected):
    assert stops_early(model, 100) is expected


def test_validation_set_goes_to_models_that_stop_early_and_to_no_other():
    three_way = split(validation=range(12, 18))
    early = make_pipeline(StandardScaler(), Recorder(validation_fraction=0.5))
    assert np.array_equal(training_rows(early, three_way), np.arange(12, N_CLIPS))
    assert early[-1].validation_fraction == 6 / 48
    assert np.array_equal(training_rows(Recorder(), three_way), np.arange(18, N_CLIPS))


def test_an_error_says_where_it_happened(data):
    X, y, groups = data
    with pytest.raises(ValueError, match="NaN") as caught:
        fit_one(GaussianNB(), X * np.nan, y, groups, split(), "mfcc + nb")
    assert "while fitting mfcc + nb" in caught.value.__notes__[0]


SURE = np.tile([1.0, 0.0], (12, 1))


@pytest.mark.parametrize(
    "y_pred, proba, message",
    [
        (["sad"] * 11, SURE, r"Careless.predict must return .* shape \(12,\) .* Got shape \(11,\)"),
        ([["sad"]] * 12, SURE, r"predict must return .* Got shape \(12, 1\)"),
        ("sad", SURE, r"predict must return .* Got shape \(\)"),
        (["sad"] * 12, SURE[:, 0], r"predict_proba .* shape \(12, 2\) .* Got shape \(12,\)"),
        (["sad"] * 12, SURE[:, :1], r"predict_proba must .* Got shape \(12, 1\)"),
        (
            ["sad"] * 12,
            np.where(SURE, SURE, np.nan),
            r"predict_proba .* finite .* for 12 of 12 clips",
        ),
    ],
)
def test_what_a_model_gives_in_another_shape_is_refused(data, y_pred, proba, message):
    X, y, _ = data
    with pytest.raises(InputError, match=message):
        fit_one(Careless(y_pred, proba), X, y, None, split())


def test_what_numpy_was_set_to_raise_is_not_raised_by_what_vanishes():
    rng, y = np.random.default_rng(0), np.tile(["calm", "sad"], 12)
    faint = [10.0**-i * rng.normal(size=4000) for i in range(24)]
    far = rng.normal(size=(24, 2)) + 1e4 * (y == "sad")[:, None]

    def run():
        rows = MFCCStatsTransformer(n_mfcc=2).fit_transform(faint)
        result = evaluate({"far": far}, {"nb": GaussianNB()}, None, y, protocol="shuffled")
        return rows, result.predictions

    with np.errstate(all="raise"):
        rows, predictions = run()
    np.testing.assert_array_equal(rows, run()[0])
    assert_frame_equal(predictions, run()[1])


class Codes(ClassifierMixin, BaseEstimator):
    """Takes 0, 1, 2, ... only, as the classifiers of xgboost do."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, groups=None):
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError(f"Invalid classes inferred from unique values of `y`: {np.unique(y)}")
        self.nb_ = GaussianNB().fit(X, y)
        self.classes_ = self.nb_.classes_
        return self

    def predict(self, X):
        return self.nb_.predict(X)

    def predict_proba(self, X):
        return self.nb_.predict_proba(X)


@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda model: GridSearchCV(model, {"random_state": [1]}, cv=2)]
)
@pytest.mark.parametrize("values", [("calm", "sad"), (1, 2), (-1.0, 1.0)])
def test_labels_are_encoded_for_a_classifier_that_takes_codes_only(data, wrap, values):
    X, y, groups = data
    y = np.where(y == "sad", *values[::-1])
    X = np.column_stack([X, y == values[1]])
    models = {"codes": wrap(Codes()), "plain": GaussianNB()}
    result = evaluate({"a": X}, models, None, y, groups=groups, n_repeats=1, audit=False)
    predictions = result.predictions.set_index("classifier")
    columns = ["row", "y_true", "y_pred", *(f"proba_{value}" for value in values)]
    both = [predictions.loc[name, columns].reset_index(drop=True) for name in models]
    assert_frame_equal(*both)
    assert result.fit(feature="a", classifier="codes").predict(X).dtype == y.dtype


def test_an_error_of_a_fit_stays_what_it_is(data):
    class Fails(Codes):
        def fit(self, X, y, groups=None):
            raise ValueError("this one")

    X, y, groups = data
    with pytest.raises(ValueError, match="this one"):
        evaluate({"a": X}, {"f": Fails()}, None, y, groups=groups, audit=False)


@pytest.mark.filterwarnings("ignore:The 'fixed' protocol has training sets without a class")
def test_a_score_of_a_class_that_was_not_trained_on_is_undefined(data):
    X, y, _ = data
    y = np.where(np.arange(N_CLIPS) < 6, "angry", y)
    parts = np.where(np.arange(N_CLIPS) < 12, "test", "train")
    result = evaluate(
        {"a": X}, {"nb": GaussianNB()}, None, y, protocol=FixedSplit(parts), audit=False,
        scoring=["roc_auc_ovr", "jaccard_macro"],
    )  # fmt: skip
    row = result.summary().iloc[0]
    assert np.isnan(row["roc_auc_ovr"])
    assert (row["roc_auc_ovr_n_splits"], row["n_splits"]) == (0, 1)
    assert row["jaccard_macro"] >= 0


def test_a_score_of_a_class_that_is_not_tested_is_undefined(data):
    X, y, _ = data
    y = np.where(np.arange(N_CLIPS) < 6, "angry", y)
    parts = np.where((np.arange(N_CLIPS) < 15) & (y == "sad"), "test", "train")
    result = evaluate(
        {"a": X}, {"nb": GaussianNB()}, None, y, protocol=FixedSplit(parts), audit=False,
        scoring=["average_precision"],
    )  # fmt: skip
    assert np.isnan(result.summary()["average_precision"][0])


@pytest.mark.parametrize(
    "scoring", ["neg_log_loss", "d2_log_loss_score", "top_k_accuracy", "roc_auc_ovo", "kappa"]
)
def test_scores_name_the_classes_that_a_test_part_lacks(data, scoring):
    X, _, _ = data
    y = np.repeat(["a", "b", "c", "d"], N_CLIPS // 4)
    # No "b" in the test part.
    test = np.r_[0:5, 30:35, 45:50]
    parts = np.full(N_CLIPS, "train")
    parts[test] = "test"
    kappa = partial(cohen_kappa_score, weights="quadratic")
    scorer = make_scorer(kappa) if scoring == "kappa" else scoring
    result = evaluate(
        {"a": X}, {"nb": GaussianNB()}, None, y, protocol=FixedSplit(parts), audit=False,
        scoring={"score": scorer},
    )  # fmt: skip
    model = GaussianNB().fit(X[parts == "train"], y[parts == "train"])
    proba, labels = model.predict_proba(X[test]), ["a", "b", "c", "d"]
    expected = {
        "neg_log_loss": lambda: -log_loss(y[test], proba, labels=labels),
        "d2_log_loss_score": lambda: d2_log_loss_score(y[test], proba, labels=labels),
        "top_k_accuracy": lambda: top_k_accuracy_score(y[test], proba, labels=labels),
        "roc_auc_ovo": lambda: roc_auc_score(y[test], proba, labels=labels, multi_class="ovo"),
        "kappa": lambda: kappa(y[test], model.predict(X[test]), labels=labels),
    }[scoring]()
    assert result.scores["score"].tolist() == [expected]
