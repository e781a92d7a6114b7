"""Odd things in place of arrays, seeds, splits and numbers: they work, or one sentence says why."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import MFCCStatsTransformer
from skmer.audio import Framing, stream_audio
from skmer.cli import main
from skmer.datasets import AffectScale, find_clips, validate_dataset
from skmer.embeddings import extract
from skmer.evaluation import (
    AccuracyBarsDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    FixedSplit,
    PairedComparisonDisplay,
    PerClassReportDisplay,
    RepeatedStratifiedGroupKFold,
    SpectrogramDisplay,
    StratifiedThreeWaySplit,
    TagImportanceDisplay,
    TagsDisplay,
    audit,
    cluster_bootstrap,
    evaluate,
    evaluate_dynamic_regression,
    evaluate_regression,
    group_block_permutation_test,
    neighbour_purity,
    tsne_purity,
)
from skmer.exceptions import InputError, InputTypeError
from skmer.models import predict_clips, save_model
from skmer.pooling import pad_frames, pool_frames
from skmer.studies import check_report_consistency, consistent_sizes
from skmer.utils.estimators import InvalidParameterError
from skmer.utils.floats import check_floats
from skmer.utils.labels import check_labels

X = np.random.default_rng(0).normal(size=(12, 3))
Y = np.array(["a", "a", "b", "b"] * 3)
NOISE = 0.1 * np.random.default_rng(0).standard_normal(4000)
GROUPS = np.repeat(np.arange(6), 2)
CURVES = np.random.default_rng(1).normal(size=(12, 3))


class Splitter:
    """A splitter of the user's own, with the parts it is given."""

    def __init__(self, *parts):
        self.parts = parts

    def split(self, X, y=None, groups=None):
        return iter(self.parts)


def classify(**changes):
    arguments = {"features": {"x": X}, "classifiers": {"nb": GaussianNB()}, "X": None, "y": Y}
    return evaluate(**arguments | {"groups": GROUPS, "n_folds": 2, "audit": False} | changes)


def regress(y, **changes):
    return evaluate_regression({"x": X}, ["ridge"], None, y, groups=GROUPS, n_folds=2, **changes)


def follow(y, times=(0, 1, 2)):
    feature = {"x": CURVES[..., None]}
    return evaluate_dynamic_regression(
        feature, ["ridge"], None, y, times=times, groups=GROUPS, n_folds=2
    )


TRAIN, TEST = np.arange(6), np.arange(6, 12)
DATES = np.arange(12).astype("datetime64[D]")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *((lambda seed=seed: classify(random_state=seed), "'random_state'")
          for seed in (-1, 1.5, "1", [1], np.random.default_rng(0))),
        (lambda: list(RepeatedStratifiedGroupKFold(2, random_state=0.5).split(X, Y, GROUPS)),
         "'random_state'"),
        *((lambda n=n: classify(n_jobs=n), "'n_jobs'") for n in (0, "2", 1.5, True)),
        (lambda: classify(scoring=1), "'scoring'"),
        (lambda: classify(protocol=KFold), "'protocol'"),
        (lambda: classify(protocol=b"grouped"), "'protocol'"),
        (lambda: classify(protocol=Splitter()), "makes no split"),
        (lambda: classify(protocol=Splitter((TRAIN, -TEST))), "names clip -"),
        (lambda: classify(protocol=Splitter((np.arange(11), [-1]))), "names clip -1"),
        (lambda: classify(protocol=Splitter((TRAIN / 2, TEST))), "row numbers"),
        (lambda: classify(protocol=Splitter((TRAIN[:, None], TEST))), "row numbers"),
        (lambda: classify(protocol=Splitter((["a"], ["b"]))), "row numbers"),
        (lambda: classify(y=[10**30, 1] * 6), "64 bits"),
        (lambda: classify(y=range(12)), "no class has so many clips"),
        (lambda: classify(groups=pd.NaT), "must be a sequence"),
        (lambda: RepeatedStratifiedGroupKFold(2, n_repeats=10**9), "'n_repeats'"),
        (lambda: StratifiedThreeWaySplit(10**9), "'n_splits'"),
        (lambda: next(StratifiedThreeWaySplit(test_size=0.4, validation_size=0.5).split(X, Y)),
         "training part of 1 of 12"),
        *((lambda changes=changes: classify(**changes), "text that UTF-8 can write")
          for changes in (
              {"features": {"\ud800": X}}, {"classifiers": {"\ud800": GaussianNB()}},
              {"y": ["\ud800", "b"] * 6}, {"groups": np.array(["\ud800", "b"] * 6)},
              {"protocol": {"\ud800": "grouped"}}, {"scoring": {"\ud800": "accuracy"}},
          )),
        (lambda: regress({"\ud800": X[:, 0]}), "text that UTF-8 can write"),
        (lambda: regress(X[:, 0] + 1j), "must be numbers"),
        (lambda: regress((X[:, 0] + 1j).astype(object)), "must be numbers"),
        (lambda: regress(np.ma.masked_equal(X[:, 0] + 1j, 0)), "must be numbers"),
        (lambda: regress(DATES), "must be numbers"),
        (lambda: regress({"a": DATES - DATES[0]}), "must be numbers"),
        (lambda: regress({1: X[:, 0], "1": X[:, 1]}), "'1' twice"),
        (lambda: follow({"a": CURVES + 1j}), "must be numbers"),
        (lambda: follow({"a": CURVES}, pd.to_timedelta([0, 1, 2], unit="s")), "must be numbers"),
        (lambda: follow({"a": CURVES, b"a": CURVES, "b'a'": CURVES}), "twice"),
        (lambda: follow({"a": CURVES[:0]}), "(0, 3)"),
        (lambda: follow({"a": None}), "must have the shape"),
        *((lambda value=value: cluster_bootstrap(lambda rows: value, [1, 2]), "return a number")
          for value in (None, "", [1], 1j, pd.NA)),
        *((lambda value=value: group_block_permutation_test(lambda y: value, Y, groups=GROUPS),
           "return a number") for value in (None, "", [1], 1j, pd.NA)),
        (lambda: neighbour_purity(X * 1e300, Y, n_neighbors=2), "overflow"),
        (lambda: tsne_purity(X * 1e300, {"y": Y}, [2], n_neighbors=2), "overflow"),
        # The process would end in a fault of the memory.
        (lambda: tsne_purity(np.ones((12, 3)), {"y": Y}, [2], n_neighbors=2), "All are the same"),
        (lambda: EmbeddingMapDisplay.from_features(np.ones((12, 3)), Y, perplexity=2),
         "All are the same"),
        (lambda: EmbeddingMapDisplay.from_features(X.astype(str), Y, perplexity=2), "numbers"),
        (lambda: check_floats(pd.DataFrame({"a": [1, pd.NA]}, dtype="Float64"), "X"),
         "contains NaN"),
    ],
)  # fmt: skip
def test_refused_in_a_sentence(call, said):
    with pytest.raises((InputError, InputTypeError)) as caught:
        call()
    assert said in str(caught.value)


@pytest.mark.parametrize("clips", [3, iter([1]), np.array(1.0)])
def test_clips_that_cannot_be_counted(clips):
    with pytest.raises(TypeError, match=r"array-like|at least 1 dimension"):
        classify(X=clips)


def test_a_model_without_scikit_learns_tags():
    class Own:
        def fit(self, X, y):
            return self

        def predict(self, X):
            return X

    with pytest.raises(TypeError, match="'own' of the 'classifiers' parameter must be a class"):
        classify(classifiers={"own": Own()})


@pytest.mark.parametrize("value", [np.eye(9), sparse.eye_array(9), pd.DataFrame(np.eye(9))])
def test_sentences_are_one_line(value):
    with pytest.raises(InputError) as caught:
        check_labels([value] * 2, "The labels")
    assert "\n" not in str(caught.value)


def test_lists_of_rows_are_a_split():
    split = Splitter((TRAIN.tolist(), TEST.tolist()))
    listed, arrays = (classify(protocol=one) for one in (split, Splitter((TRAIN, TEST))))
    pd.testing.assert_frame_equal(listed.predictions, arrays.predictions)


def test_labels_of_other_libraries():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    for make in (polars.Series, pyarrow.array):
        assert check_labels(make(Y.tolist()), "They").tolist() == Y.tolist()
        assert check_labels(make([1, 2]), "They").tolist() == [1, 2]
        with pytest.raises(InputError, match="missing values: 1 of 2"):
            check_labels(make(["a", None]), "They")


def test_missing_numbers_of_pandas_are_missing_targets():
    gap = CURVES.copy()
    gap[0, 1] = np.nan
    nullable = pd.DataFrame(gap).astype("Float64")
    pd.testing.assert_frame_equal(
        follow({"a": nullable}).predictions, follow({"a": gap}).predictions
    )


def test_rows_of_a_sparse_matrix_are_counted():
    matrix = sparse.csr_array(X)
    ((_, test),) = FixedSplit(["train"] * 6 + ["test"] * 6).split(matrix)
    assert test.tolist() == TEST.tolist()
    of_dense = cluster_bootstrap(lambda rows: rows.mean(), X, n_resamples=9, random_state=0)
    of_sparse = cluster_bootstrap(lambda rows: rows.mean(), matrix, n_resamples=9, random_state=0)
    assert of_sparse.low == pytest.approx(of_dense.low)


@pytest.fixture(scope="module")
def result():
    return classify()


@pytest.mark.parametrize("path", ["", "folder", "x" * 250, "a\0b", 3, None])
def test_a_report_that_cannot_be_written_is_told_of_before_it_is_made(
    result, path, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("skmer.evaluation.report.page.render_report", None)
    pipeline = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    pipeline.fit([NOISE, -NOISE, NOISE / 2, NOISE / 3], ["a", "b"] * 2)
    for call in (result.report, lambda path: save_model(pipeline, path)):
        with pytest.raises((InputError, InputTypeError, OSError), match=r"path|written"):
            call(path)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        *((lambda result, n=n: result.intervals(n_resamples=n), "'n_resamples'")
          for n in (None, 1, 10**30, "9", 2.5)),
        (lambda result: result.fit(feature=None, classifier="nb"), "'feature'"),
        (lambda result: result.fit(feature="x", classifier=None), "'classifier'"),
        (lambda result: result.figure(["paper"]), "'size'"),
    ],
)  # fmt: skip
def test_methods_of_a_result(result, call, said):
    with pytest.raises(InputError, match=said):
        call(result)


def test_a_dataset_may_have_any_name():
    named = classify(dataset="x" * 10_000)
    assert len(named.manifest["dataset"]["name"]) == 10_000


@pytest.mark.parametrize("rows", [[-1], [0.5], ["a"], [12], [[None]]])
def test_splits_that_an_audit_is_given(rows):
    with pytest.raises(InputError, match="'cv' must hold numbers of rows"):
        audit(X, Y, cv=[(TRAIN, rows)], n_permutations=9)


def test_scales_and_cards():
    scale = AffectScale("x", 0, 1)
    for values in ([1j], np.array([0.5 + 1j]), DATES, [{}]):
        with pytest.raises(InputError, match="labels must be numbers"):
            scale.check(values)
    with pytest.raises(InputError, match="nan"):
        scale.check(np.ma.masked_equal([0.0, 0.5], 0.5))
    with pytest.raises(InputTypeError, match="'to' of convert"):
        scale.convert([0.5], "static")
    pipeline = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit([NOISE, -NOISE], ["a", "b"])
    with pytest.raises(InputTypeError, match="'card' must be a dict"):
        save_model(pipeline, "never.skmer", card=[1])


def test_a_command_whose_output_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    status = main(["datasets", "list"])
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    assert status == 0


def test_decimals_of_numpy():
    table = [(0.5, 0.5, 0.5)] * 2
    plain = check_report_consistency(table, 4, decimals=2)
    assert check_report_consistency(table, 4, decimals=np.int8(2)) == plain


# What cannot be compared, has no truth value, or only looks like something to go through.
ODD = [pd.NA, np.ones(3), np.array(2), None, [[]], object()]


@pytest.mark.parametrize(
    "value", ODD, ids=[type(one).__name__ + str(i) for i, one in enumerate(ODD)]
)
def test_things_in_place_of_names_and_flags(result, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pipeline = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    pipeline.fit([NOISE, -NOISE, NOISE / 2, NOISE / 3], ["a", "b"] * 2)
    mfcc = MFCCStatsTransformer()
    calls = [
        lambda: classify(audit=value),
        lambda: classify(verbose=value),
        lambda: classify(on_error=value),
        lambda: classify(preset=value),
        lambda: result.fit(feature=value, classifier="nb"),
        lambda: classify(protocol=Splitter(value)),
        lambda: AffectScale("x", value, 1),
        lambda: extract(["a.wav"], mfcc, "t.csv", verbose=value),
        lambda: extract(["a.wav"], mfcc, "t.csv", columns={"mood": value}),
        lambda: predict_clips(pipeline, ["a.wav"], frames=value),
        lambda: extract(["a.wav"], mfcc, "t.csv", frames=value),
        lambda: extract(value, mfcc, "t.csv"),
        lambda: find_clips(value),
        lambda: validate_dataset(value),
        lambda: Framing(4, 2, keep_tail=value),
        lambda: check_report_consistency([(0.5, 0.5, 0.5)] * 2, 4, supports=[value, 2]),
        lambda: consistent_sizes([(0.5, 0.5, 0.5)] * 2, value),
    ]
    if value is not None:
        calls += [
            lambda: result.compare(metric=value),
            lambda: result.compare(protocol=value),
            lambda: ConfusionDisplay.from_frame(result.predictions, feature=value),
            lambda: audit(X, Y, cv=value, n_permutations=9),
        ]
    for call in calls:
        with pytest.raises((InputError, InputTypeError, InvalidParameterError)) as caught:
            call()
        assert len(str(caught.value)) <= 500
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check_report_consistency([(0.5, 0.5, 0.5)] * 2, 10**9), "[1, 20000]"),
        (lambda: consistent_sizes([(0.5, 0.5, 0.5)] * 2, range(10**9)), "from 1 to 20000"),
        (lambda: check_report_consistency([(0.5, 0.5, 0.5)] * 4, 900, decimals=1), "Too many"),
        (lambda: check_report_consistency([(0.5, "0.5_0", 0.5)] * 2, 4), "'per_class'"),
        (lambda: Framing(10**30, 2), "from 1 to 268435456"),
        (lambda: Framing(4, 2, left_padding=10**9), "from 0 to 268435456"),
        (lambda: next(stream_audio((NOISE, 16000), sr=10**9)), "from 1 to 768000 Hz"),
        (lambda: next(stream_audio((NOISE,), sr=8000)), "(waveform, sr) pair"),
        (lambda: pad_frames([X], 10**9), "from 1 to 1000000"),
        (lambda: MFCCStatsTransformer(offset=1e300).fit([NOISE]), "'offset'"),
        (lambda: audit(X * 1e300, Y, n_permutations=9), "between -1e+15 and 1e+15"),
        (lambda: classify(features={"x": X * 1e300}), "not finite, or beyond 1e+15"),
        (lambda: pool_frames(X * 1e300), "between -1e+15 and 1e+15"),
    ],
)
def test_absurd_sizes_and_numbers(call, said):
    with pytest.raises((InputError, InputTypeError, InvalidParameterError)) as caught:
        call()
    assert said in str(caught.value)


def test_rows_of_numbers_that_overflow_can_be_left_out():
    huge = X.copy()
    huge[3, 1] = 1e300
    left_out = classify(features={"x": huge}, on_error="skip")
    assert left_out.manifest["skipped_clips"]
    assert 3 not in set(left_out.predictions["row"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: PerClassReportDisplay.from_predictions(["a", None], ["a", "b"]),
        lambda: PerClassReportDisplay.from_predictions(["a", "b"], ["a", pd.NA]),
        lambda: PerClassReportDisplay.from_predictions(["a", "b"], ["a", "b"], labels=["c"]),
        lambda: PerClassReportDisplay.from_predictions(["a", "b"], ["a", "b"], labels=3),
        lambda: EmbeddingMapDisplay(X.astype(str), Y),
        lambda: EmbeddingMapDisplay(X, Y[:3]),
        lambda: EmbeddingMapDisplay.from_features(X, Y, perplexity=10**9),
        lambda: PairedComparisonDisplay([0.5], [0.5], ["a"]),
        lambda: PairedComparisonDisplay([0.5], ["x"], ["a", "b"]),
        lambda: SpectrogramDisplay([1.0, 2.0], 3.0),
        lambda: SpectrogramDisplay.from_clip((NOISE, 16000), np.array("l3")),
        lambda: TagsDisplay(X + 1j, range(12), ["a", "b", "c"]),
        lambda: TagImportanceDisplay.from_estimator(None, X, Y, tags=["a", "b", "c"]),
        lambda: TagImportanceDisplay.from_estimator(
            GaussianNB(), X, Y, tags=["a", "b", "c"], random_state=-1
        ),
        lambda: TagImportanceDisplay.from_estimator(
            GaussianNB(), X, Y, tags=["a", "b", "c"], cv=[(1,)]
        ),
        lambda: AccuracyBarsDisplay([["x"]], ["mine"], ["nb"]),
        lambda: AccuracyBarsDisplay([[0.5]], ["mine"], ["nb"]).plot(chance=pd.NA),
    ],
)
def test_displays_of_odd_things(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert isinstance(caught.value, InputError | InputTypeError) or "consistent" in str(
        caught.value
    )
