"""What evaluate takes for clips, targets and groups: by name, by order, in any form."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer.audio import Segment
from skmer.classifiers import make_classifier
from skmer.embeddings import MFCCStatsTransformer
from skmer.evaluation import (
    CalibrationDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    StratifiedThreeWaySplit,
    audit,
    corrected_resampled_ttest,
    evaluate,
    evaluate_dynamic_regression,
    neighbor_purity,
)
from skmer.exceptions import InputError
from skmer.models import load_model, predict_clips, save_model

N_CLIPS, N_FEATURES = 66, 5


def test_segments_of_files(tmp_path):
    """Their ends are in the table, and parts of one file in one group are no leak."""
    rng = np.random.default_rng(0)
    clips, y = [], ["calm", "tense"] * 4
    for i in range(4):
        soundfile.write(path := str(tmp_path / f"{i}.wav"), rng.normal(size=8000) * 0.1, 8000)
        clips += [Segment(path, 0, 0.5), Segment(path, 0.5)]
    nb = {"nb": GaussianNB()}
    triples = [(clip.path, clip.start, clip.end) for clip in clips]
    keys, groups = ["path", "start", "end"], np.repeat(np.arange(4), 2)
    forms = (clips, triples, pd.DataFrame(triples, columns=keys), pd.MultiIndex.from_tuples(triples),
             [dict(zip(keys, one)) for one in triples])  # fmt: skip
    for form in forms:
        result = evaluate(["mfcc"], nb, form, y, groups=groups, n_folds=2, n_repeats=1)
        assert result.predictions["start"].tolist().count(0.5) == 4
        assert result.predictions["path"][0].endswith(".wav")
        assert result.manifest["audit"]["grouped"]["findings"] == []
        assert "shared_files" in result.manifest["audit"]["grouped"]["checked"]
    apart = GroupKFold(2).split(clips, groups=np.tile([0, 1], 4))
    (found,) = audit(paths=clips, cv=list(apart)).findings
    assert found.message.startswith("4 files have parts on both sides of a split, such as")


def _score(features, y, groups, **options):
    options = {"n_folds": 4, "n_repeats": 1, "audit": False} | options
    return evaluate({"mine": features}, {"nb": GaussianNB()}, None, y, groups=groups, **options)


def test_rows_of_tables_in_another_order():
    rng = np.random.default_rng(0)
    y = pd.Series(np.tile(["calm", "sad"], 20), [f"clip {i}" for i in range(40)])
    X = pd.DataFrame(rng.normal(size=(40, 3)) + 6 * (y == "sad").to_numpy()[:, None], y.index)
    groups = pd.Series(np.repeat(np.arange(10), 4), y.index)
    right = _score(X, y, groups).summary()["accuracy"][0]
    for features, labels, of in ((X[::-1], y, groups), (X, y[::-1], groups), (X, y, groups[::-1])):
        with pytest.raises(InputError, match="must have their rows in one order"):
            _score(features, labels, of)
    # Other names are no order, and arrays have none.
    assert _score(X.to_numpy(), y, groups.reset_index(drop=True)).summary()["accuracy"][0] == right
    # Each was filtered by itself; y is a list, so that the others meet without it.
    for features, of in ((X[1:], groups[:-1]), (X[::-1], groups)):
        with pytest.raises(InputError, match="groups and mine must have their rows in one order"):
            _score(features, list(y[: len(features)]), of)
    with pytest.raises(InputError, match="y_test and X_test must have their rows in one order"):
        _score(X, y, groups, X_test=X[::-1], y_test=y)
    tests = partial(corrected_resampled_ttest, n_train=8, n_test=2)
    meetings = (
        (neighbor_purity, X, y), (EmbeddingMapDisplay, X, y), (tests, X[0], X[1]),
        (make_classifier("svm").fit, X, y), (lambda *pair: next(StratifiedThreeWaySplit().split(*pair)), X, y),
        (ConfusionDisplay.from_predictions, y, y),
        (CalibrationDisplay.from_predictions, (y == "sad").astype(int), X[0].clip(0, 1)),
    )  # fmt: skip
    for meet, *pair in meetings:
        with pytest.raises(InputError, match="must have their rows in one order"):
            meet(pair[0], pair[1][::-1])
    with pytest.raises(InputError, match="arousal and valence must have their rows in one order"):
        evaluate({"m": X}, ["ridge"], None, {"arousal": X[0], "valence": X[1][::-1]}, groups=groups)


def test_columns_of_moments_go_by_their_names():
    rng = np.random.default_rng(0)
    feature, seconds = rng.normal(size=(12, 5, 3)), np.arange(5) / 2 + 15
    arousal, valence = (pd.DataFrame(feature[..., i], columns=seconds) for i in range(2))
    for times in (None, seconds[::-1]):
        y = {"arousal": arousal, "valence": valence[seconds[::-1]]}
        mine = {"mine": feature if times is None else feature[:, ::-1]}
        result = evaluate_dynamic_regression(
            mine, ["ridge"], None, y, times=times, protocol="shuffled", n_folds=3, audit=False
        )
        assert result.summary()["r2"].min() > 0.9
    # An array has no seconds, so that it cannot follow columns in another order.
    with pytest.raises(InputError, match=r"array whose moments go by their place.*'times'"):
        evaluate_dynamic_regression(
            mine, ["ridge"], None, {"arousal": arousal[seconds[::-1]]}, protocol="shuffled"
        )
    with pytest.raises(InputError, match="must have the same columns"):
        y["valence"] = valence.set_axis(seconds + 100, axis=1)
        evaluate_dynamic_regression(mine, ["ridge"], None, y, protocol="shuffled", n_folds=3)


def test_names_in_two_unicode_forms_are_one():
    names = ["Bj\u00f6rk", "Bjo\u0308rk", "Ann", " Ann", "Bob", "Zo\u00e9"]
    groups, y = np.repeat(names, 4), np.tile(["m\u00fcde", "mu\u0308de", "wach", "wach"], 6)
    X = np.random.default_rng(0).normal(size=(24, 3))
    result = _score(X, y, groups)
    assert result.manifest["dataset"]["n_groups"] == 4
    assert list(result.manifest["dataset"]["classes"]) == ["m\u00fcde", "wach"]
    with pytest.warns(
        UserWarning, match="labels y have names that differ only in case.*'Wach' and"
    ):
        _score(X, np.tile(["Wach", "wach", "wach", "Wach"], 6), groups)


def test_few_groups_of_a_class():
    """Folds inside a fit that lack a class, and training sets of one, are found before work."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 8)
    y = np.where(groups < 2, "sad", "happy")
    X = rng.normal(size=(96, 5))
    splits = [(np.flatnonzero(groups != i), np.flatnonzero(groups == i)) for i in (0, 3)]
    for search in ({"grid": GridSearchCV(SVC(), {"C": [0.1, 1]})}, ["svm"]):
        with pytest.raises(InputError, match="has the class 'sad' in one group only"):
            evaluate({"m": X}, search, None, y, groups=groups, protocol=FixedFolds(splits))
    alone = [(np.flatnonzero(groups > 1), np.flatnonzero(groups < 2))]
    with pytest.raises(InputError, match="has a training set of one class, 'happy'"):
        evaluate({"m": X}, {"nb": GaussianNB()}, None, y, groups=groups, protocol=FixedFolds(alone))
    y[40:] = np.tile(["happy", "tense"], 28)
    with pytest.warns(UserWarning, match="without a class that is tested: sad in 1 of 1"):
        evaluate({"m": X}, {"nb": GaussianNB()}, None, y, groups=groups, protocol=FixedFolds(alone))


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(12), 4)])
def test_a_score_that_folds_inside_a_fit_lack(groups):
    """The search would have NaN for every value, and take the first one."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(48, 3)), np.tile(["calm", "sad"], 24)
    y[[0, 8, 16]] = "tense"
    search = {"grid": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, scoring="roc_auc_ovr")}
    options = {"protocol": StratifiedKFold(3), "groups": groups}
    with pytest.raises(InputError, match=r"score 'roc_auc_ovr', which [1-5] of 5 folds inside"):
        evaluate({"m": X}, search, None, y, **options)


class FixedFolds:
    """Splits that were made before."""

    def __init__(self, splits):
        self.splits = splits

    def split(self, X, y=None, groups=None):
        return self.splits


def test_scores_that_a_model_or_a_fold_lacks():
    rng = np.random.default_rng(0)
    y = np.repeat(["calm", "sad", "tense"], 8)
    X = rng.normal(size=(24, 3)) + (y == "sad")[:, None]
    options = {"protocol": "shuffled", "n_folds": 3, "audit": False}
    with pytest.raises(InputError, match=r"'roc_auc_ovr' .* needs predict_proba, which 'svc' does"):
        evaluate({"m": X}, {"svc": SVC()}, None, y, scoring="roc_auc_ovr", **options)
    tested = [np.arange(8), np.arange(24)[1::2], np.arange(24)[::2]]
    folds = FixedFolds([(np.setdiff1d(np.arange(24), test), test) for test in tested])
    folds.splits[0] = (np.arange(4, 24), np.arange(4))
    options = {"protocol": folds, "audit": False, "scoring": ["roc_auc_ovr"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = evaluate({"m": X}, {"nb": GaussianNB()}, None, y, **options).summary()
    assert (summary["roc_auc_ovr_n_splits"][0], summary["n_splits"][0]) == (2, 3)
    assert "accuracy_n_splits" not in summary


def test_columns_by_name_behind_an_embedding(tmp_path):
    """A ColumnTransformer goes by the names of features, of a transformer and of a table."""
    rng = np.random.default_rng(0)
    paths, y = [], ["calm", "angry"] * 8
    for i in range(16):
        soundfile.write(path := str(tmp_path / f"{i}.wav"), rng.normal(size=4000) * 0.1, 8000)
        paths.append(path)
    mfcc = MFCCStatsTransformer(n_mfcc=2).set_output(transform="pandas")
    frame = mfcc.fit_transform(paths)
    by_name = ColumnTransformer([("mean", StandardScaler(), [c for c in frame if "_mean_" in c])])
    models = {"named": make_pipeline(by_name, GaussianNB())}
    options = {"groups": np.repeat(np.arange(4), 4), "n_folds": 2, "n_repeats": 1, "audit": False}
    result = evaluate({"mfcc": mfcc, "table": frame}, models, paths, y, **options)
    assert len(set(result.summary()["accuracy"])) == 1
    model = result.fit(feature="mfcc", classifier="named")
    assert predict_clips(model, paths)["label"].tolist() == model.predict(paths).tolist()
    with config_context(transform_output="pandas"):
        again = evaluate(
            {"mfcc": clone(mfcc).set_output(transform=None)}, models, paths, y, **options
        )
    assert again.summary()["accuracy"][0] == result.summary()["accuracy"][0]
    # A pipeline of transformers has no setting of its own.
    again = evaluate({"mfcc": make_pipeline(mfcc)}, models, paths, y, **options)
    assert again.summary()["accuracy"][0] == result.summary()["accuracy"][0]
    search = GridSearchCV(make_pipeline(mfcc, by_name, GaussianNB()), {}, cv=2).fit(paths, y)
    loaded = load_model(save_model(search, tmp_path / "m.skmer"))
    for one in (search, loaded):
        assert predict_clips(one, paths)["label"].tolist() == search.predict(paths).tolist()
    for library in ("pandas", "polars"):
        with config_context(transform_output=library):
            result = evaluate({"table": frame}, ["ridge"], None, np.arange(16) + 0.5, **options)
            assert len(result.experiment.make_maps()) == 16
