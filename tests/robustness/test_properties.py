"""Whatever is given to a public function gives a result, or an error from where it is checked."""

import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB

from skmer import ClipFunctionTransformer, MFCCStatsTransformer, exceptions
from skmer.audio import as_waveform, read_audio, stream_audio
from skmer.classifiers import make_classifier
from skmer.datasets import find_clips, load_csv, load_dataset, load_folder
from skmer.embeddings import extract, make_transformer
from skmer.evaluation import (
    EvaluationResult,
    FixedSplit,
    RepeatedStratifiedGroupKFold,
    StratifiedThreeWaySplit,
    audit,
    bayesian_correlated_ttest,
    cluster_bootstrap,
    corrected_resampled_ttest,
    evaluate,
    evaluate_regression,
    group_block_permutation_test,
    holm,
    neighbour_purity,
)
from skmer.models import load_model, predict_clips, save_model
from skmer.pooling import pad_frames, pool_frames

OWN = tuple(getattr(exceptions, name) for name in exceptions.__all__ if name.endswith("Error"))
# Where scikit-learn looks at what it is given, in sentences of its own.
CHECKS = tuple(f"sklearn/utils/{name}.py" for name in ("validation", "_param_validation", "fixes"))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**30),
    st.floats(),
    st.complex_numbers(),
    st.sampled_from(["", "a", "nan", "x" * 2000, "a\0b", "~nobody/a", "$\\frac{$", "\ud800"]),
    st.binary(max_size=4),
    st.sampled_from(
        [pd.NA, pd.NaT, np.datetime64("NaT", "s"), np.float64("nan"), np.int8(3), object()]
    ),
)
ARRAYS = st.one_of(
    hnp.arrays(
        st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?", "c8", "U2", "S2", "M8[s]"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
    ),
    st.lists(SCALARS, max_size=6).map(lambda items: pd.Series(items, dtype=object)),
    hnp.arrays("f8", 6, elements=st.floats(-1, 1)).map(
        lambda array: np.ma.masked_array(array, mask=array > 0)
    ),
)
ANYTHING = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["array", "sampling_rate", "a"]), inner, max_size=3),
        st.lists(st.integers(0, 3), max_size=3).map(set),
        st.lists(inner, max_size=3).map(iter),
    ),
    max_leaves=8,
)
# As many as there are clips, so that more than their number is looked at.
SIX = st.one_of(ANYTHING, st.lists(SCALARS, min_size=6, max_size=6))

X = np.random.default_rng(0).standard_normal((6, 4))
Y = ["a", "b"] * 3
GROUPS = [0, 0, 1, 1, 2, 2]

CALLS = {
    "as_waveform": as_waveform,
    "read_audio": read_audio,
    "read_audio, rate": lambda thing: read_audio("none.wav", sr=thing),
    "read_audio, part": lambda thing: read_audio("none.wav", offset=thing, duration=thing),
    "stream_audio": lambda thing: list(stream_audio((thing, 16000), sr=8000)),
    "stream_audio, rate": lambda thing: list(stream_audio((np.ones(9), thing), sr=8000)),
    "pool_frames": pool_frames,
    "pool_frames, statistics": lambda thing: pool_frames(np.ones((2, 3)), thing),
    "pad_frames": pad_frames,
    "pad_frames, length": lambda thing: pad_frames([np.ones((2, 3))], thing),
    "transform": lambda thing: MFCCStatsTransformer().fit_transform(thing),
    "transform, nan": lambda thing: MFCCStatsTransformer(on_error="nan").fit_transform([thing]),
    "parameters": lambda thing: MFCCStatsTransformer(sr=thing, n_fft=thing).fit(["a"]),
    "function": lambda thing: ClipFunctionTransformer(
        lambda frames: thing, target_sr=8000
    ).fit_transform([np.ones(80)]),
    "extract": lambda thing: extract(thing, MFCCStatsTransformer(), "t.npz"),
    "extract, columns": lambda thing: extract(
        ["none.wav"] * 6, MFCCStatsTransformer(), "t.npz", columns={"mood": thing}
    ),
    "make_transformer": make_transformer,
    "make_classifier": make_classifier,
    "find_clips": find_clips,
    "load_csv": load_csv,
    "load_folder": load_folder,
    "load_dataset": load_dataset,
    "grouped folds": lambda thing: list(
        RepeatedStratifiedGroupKFold(2, n_repeats=1).split(X, Y, thing)
    ),
    "grouped folds, labels": lambda thing: list(
        RepeatedStratifiedGroupKFold(2, n_repeats=1).split(X, thing, GROUPS)
    ),
    "grouped folds, number": lambda thing: RepeatedStratifiedGroupKFold(thing, n_repeats=thing),
    "three parts": lambda thing: list(StratifiedThreeWaySplit().split(X, thing)),
    "three parts, sizes": lambda thing: StratifiedThreeWaySplit(test_size=thing),
    "fixed split": FixedSplit,
    "holm": holm,
    "t-test": lambda thing: corrected_resampled_ttest(thing, X[0], n_train=9, n_test=1),
    "t-test, sizes": lambda thing: corrected_resampled_ttest(X[0], X[1], n_train=thing, n_test=1),
    "Bayesian t-test": lambda thing: bayesian_correlated_ttest(
        X[0], X[1], n_train=9, n_test=1, rope=thing
    ),
    "bootstrap": lambda thing: cluster_bootstrap(
        accuracy_score, Y, Y, groups=thing, n_resamples=9
    ),
    "bootstrap, rows": lambda thing: cluster_bootstrap(lambda rows: 0.0, thing, n_resamples=9),
    "permutation": lambda thing: group_block_permutation_test(
        lambda y: 0.0, thing, groups=GROUPS, n_permutations=9
    ),
    "permutation, groups": lambda thing: group_block_permutation_test(
        lambda y: 0.0, Y, groups=thing, n_permutations=9
    ),
    "purity": lambda thing: neighbour_purity(thing, Y, n_neighbors=2),
    "purity, labels": lambda thing: neighbour_purity(X, thing, n_neighbors=2),
    "evaluate, labels": lambda thing: evaluate(
        {"x": X}, {"nb": GaussianNB()}, None, thing, protocol="koh2021", n_repeats=1
    ),
    "evaluate, groups": lambda thing: evaluate(
        {"x": X}, {"nb": GaussianNB()}, None, Y, groups=thing, n_folds=2, n_repeats=1
    ),
    "evaluate, features": lambda thing: evaluate(thing, {"nb": GaussianNB()}, X, Y, groups=GROUPS),
    "evaluate_regression": lambda thing: evaluate_regression({"x": X}, "svr", None, thing),
    "audit": lambda thing: audit(X, Y, groups=thing),
    "audit, labels": lambda thing: audit(X, thing),
    "load": EvaluationResult.load,
    "load_model": load_model,
    "save_model": lambda thing: save_model(thing, "m.skmer"),
    "predict_clips": lambda thing: predict_clips(thing, ["a.wav"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_what_is_wrong_is_said_where_it_is_checked(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(SIX)
    def ask(thing):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                CALLS[name](thing)
                Path("t.npz").unlink(missing_ok=True)
            except Exception as error:
                if not is_sentence(error):
                    raise

    ask()
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]


def is_sentence(error):
    """Whether an error is one of skmer's, short enough to be read, or scikit-learn's checks'."""
    if isinstance(error, OWN + (FileNotFoundError,)):
        return len(str(error)) <= 500
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ValueError | TypeError) and last.endswith(CHECKS)
