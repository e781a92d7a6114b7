"""The two paired tests against published examples and other people's programs."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from skmer.evaluation import bayesian_correlated_ttest, corrected_resampled_ttest
from skmer.evaluation.statistics.bootstrap import ACCURACY, CCC, R2, RMSE
from skmer.evaluation.statistics.paired import (
    compare_by_group,
    compare_predictions,
    compare_totals,
    paired_moments,
)
from skmer.evaluation.statistics.scores import regression_scores

A = np.array([0.70, 0.74, 0.69, 0.73, 0.75, 0.71])
B = np.array([0.66, 0.75, 0.68, 0.70, 0.69, 0.71])


@pytest.fixture(scope="module")
def moons():
    """Scores of scikit-learn's gallery example on the comparison of models by grid search."""
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    cv = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    return [
        cross_val_score(SVC(kernel=kernel), X, y, cv=cv, scoring="roc_auc")
        for kernel in ("rbf", "linear")
    ]


def test_corrected_ttest_gives_what_the_gallery_of_scikit_learn_prints(moons):
    test = corrected_resampled_ttest(*moons, n_train=90, n_test=10, alternative="greater")
    assert round(test.statistic, 3) == 0.750
    assert round(test.pvalue, 3) == 0.227


def test_bayesian_ttest_gives_what_baycomp_gives(moons):
    # baycomp 1.0.3: two_on_single(linear, rbf, rope=0.01, runs=10).
    test = bayesian_correlated_ttest(*moons, n_train=90, n_test=10, rope=0.01)
    np.testing.assert_allclose(
        (test.p_left, test.p_rope, test.p_right),
        (0.06831754175730047, 0.4316824582427, 0.49999999999999956),
        rtol=1e-9,
    )


def test_without_test_rows_the_correction_fades_into_the_paired_ttest():
    ours = corrected_resampled_ttest(A, B, n_train=1e12, n_test=1)
    theirs = stats.ttest_rel(A, B)
    np.testing.assert_allclose((ours.statistic, ours.pvalue), theirs, rtol=1e-9)
    interval = theirs.confidence_interval(0.95)
    np.testing.assert_allclose((ours.low, ours.high), interval, rtol=1e-9)


def test_correction_multiplies_the_variance_by_the_stated_factor():
    plain = stats.ttest_rel(A, B).statistic
    ours = corrected_resampled_ttest(A, B, n_train=80, n_test=20).statistic
    assert ours == pytest.approx(plain * np.sqrt((1 / 6) / (1 / 6 + 1 / 4)))


def test_one_sided_pvalues_add_up_and_swapping_models_mirrors_both_tests():
    sizes = {"n_train": 80, "n_test": 20}
    greater = corrected_resampled_ttest(A, B, alternative="greater", **sizes)
    less = corrected_resampled_ttest(A, B, alternative="less", **sizes)
    assert greater.pvalue + less.pvalue == pytest.approx(1)
    assert less.pvalue == pytest.approx(
        corrected_resampled_ttest(B, A, alternative="greater", **sizes).pvalue
    )
    there, back = (bayesian_correlated_ttest(*pair, **sizes) for pair in ((A, B), (B, A)))
    assert (there.p_left, there.p_right) == pytest.approx((back.p_right, back.p_left))
    assert there.p_right > there.p_left


def test_no_region_of_equivalence_gives_the_one_sided_pvalue():
    bayes = bayesian_correlated_ttest(A, B, n_train=80, n_test=20, rope=0)
    frequentist = corrected_resampled_ttest(A, B, n_train=80, n_test=20, alternative="greater")
    assert bayes.p_left == pytest.approx(frequentist.pvalue)
    assert bayes.p_rope == 0


@pytest.mark.parametrize(
    ("difference", "rope", "expected"),
    [
        (0.25, 0.01, (0, 0, 1)),
        (-0.25, 0.01, (1, 0, 0)),
        (0.0, 0.01, (0, 1, 0)),
        # On the border they differ by no more than the region allows.
        (0.25, 0.25, (0, 1, 0)),
        (-0.25, 0.25, (0, 1, 0)),
        # Of two that never differ, neither is better.
        (0.0, 0.0, (0.5, 0, 0.5)),
        (0.25, 0.0, (0, 0, 1)),
    ],
)
def test_a_difference_that_never_varies_is_certain(difference, rope, expected):
    scores = np.array([0.25, 0.5, 0.75])
    test = bayesian_correlated_ttest(scores + difference, scores, n_train=8, n_test=2, rope=rope)
    assert (test.p_left, test.p_rope, test.p_right) == expected


def test_sizes_by_resample_enter_as_the_mean_ratio():
    by_resample = corrected_resampled_ttest(A[:2], B[:2], n_train=[80, 60], n_test=[20, 40])
    at_once = corrected_resampled_ttest(A[:2], B[:2], n_train=24, n_test=11)
    assert by_resample.statistic == pytest.approx(at_once.statistic)


def test_sizes_by_model_enter_as_the_mean_ratio_whichever_comes_first():
    sizes = {"n_train": [[80] * 6, [90] * 6], "n_test": 20}
    there, back = (corrected_resampled_ttest(*pair, **sizes) for pair in ((A, B), (B, A)))
    assert there.pvalue == back.pvalue
    ratio = (20 / 80 + 20 / 90) / 2
    at_once = corrected_resampled_ttest(A, B, n_train=1, n_test=ratio)
    assert there.statistic == pytest.approx(at_once.statistic)
    swapped = corrected_resampled_ttest(A, B, n_train=[[90] * 6, [80] * 6], n_test=20)
    assert swapped.pvalue == there.pvalue


@pytest.mark.parametrize(
    ("shift", "statistic", "pvalue", "probabilities"),
    [(0.0, 0.0, 1.0, (0, 1, 0)), (0.2, np.inf, 0.0, (0, 0, 1)), (-0.2, -np.inf, 0.0, (1, 0, 0))],
)
def test_equal_differences_give_the_limits(shift, statistic, pvalue, probabilities):
    test = corrected_resampled_ttest(A + shift, A, n_train=80, n_test=20)
    assert (test.statistic, test.pvalue) == (statistic, pvalue)
    bayes = bayesian_correlated_ttest(A + shift, A, n_train=80, n_test=20)
    assert (bayes.p_left, bayes.p_rope, bayes.p_right) == probabilities


@pytest.mark.slow
def test_corrected_ttest_keeps_its_level_where_the_plain_one_does_not():
    """Two equally good rules, tested on overlapping shuffles of one sample."""
    rng = np.random.default_rng(0)
    rejected = {"plain": 0, "corrected": 0}
    for _ in range(300):
        a, b = rng.random((2, 100)) < 0.7
        tested = [rng.permutation(100)[:30] for _ in range(20)]
        scores = np.array([(a[rows].mean(), b[rows].mean()) for rows in tested]).T
        rejected["plain"] += stats.ttest_rel(*scores).pvalue < 0.05
        rejected["corrected"] += (
            corrected_resampled_ttest(*scores, n_train=70, n_test=30).pvalue < 0.05
        )
    assert rejected["plain"] > 100
    assert rejected["corrected"] < 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_train": 0}, "'n_train' must be one positive number"),
        ({"n_test": [1, 2]}, "'n_test' must be one positive number"),
        ({"n_train": [[80] * 6] * 3}, "'n_train' must be one positive number"),
        ({"n_train": [np.inf] * 6}, "'n_train' must be one positive number"),
        ({"n_test": [0] * 6}, "'n_test' must be one positive number"),
        ({"scores_a": [0.1], "scores_b": [0.2]}, "two resamples or more. Got 1"),
        ({"scores_b": [0.1, 0.2]}, "inconsistent numbers of samples"),
        ({"scores_b": [np.nan] * 6}, "scores_b contains NaN"),
        ({"scores_a": A[:, None]}, "'scores_a' must have 1 dimension"),
    ],
)
def test_bad_input_is_named(arguments, message):
    good = {"scores_a": A, "scores_b": B, "n_train": 80, "n_test": 20}
    with pytest.raises(ValueError, match=message):
        corrected_resampled_ttest(**{**good, **arguments})


def test_equal_differences_are_equal_at_any_scale():
    for scale in (1e-6, 1.0, 1e6):
        a = scale * np.array([0.1, 0.7, 0.3, 0.9])
        assert paired_moments(a, a - scale / 3, 9, 1)[1] == 0
        assert paired_moments(a, a - scale * np.arange(4) * 1e-9, 9, 1)[1] > 0


def right_of_ten(n_groups, *shares):
    """Totals of accuracy for each share: so many right of ten in every group, one pair, one model."""
    rng = np.random.default_rng(0)
    for share in shares:
        n_right = rng.binomial(10, share, size=n_groups)
        yield np.stack([n_right, np.full(n_groups, 10)], axis=-1)[:, None, None].astype(float)


def test_few_groups_are_exchanged_in_all_ways():
    first, second = right_of_ten(9, 0.7, 0.5)
    test = compare_by_group(ACCURACY.from_totals, first, second, random_state=0)
    differences = (first - second)[:, 0, 0, 0] / 10
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert test.difference[0] == pytest.approx(differences.mean())
    assert test.pvalue[0] == expected.pvalue
    # The interval is as wide as Student's, which percentiles of few groups are not.
    t = stats.ttest_1samp(differences, 0).confidence_interval()
    assert [test.low[0], test.high[0]] == pytest.approx([t.low, t.high], abs=0.02)


def test_many_groups_are_exchanged_at_random():
    first, second = right_of_ten(30, 0.62, 0.55)
    test = compare_by_group(ACCURACY.from_totals, first, second, random_state=0)
    swapped = compare_by_group(ACCURACY.from_totals, second, first, random_state=0)
    expected = stats.permutation_test(
        ((first - second)[:, 0, 0, 0],), np.mean, permutation_type="samples", n_resamples=50_000,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert test.pvalue[0] == pytest.approx(expected.pvalue, abs=0.01)
    assert swapped.pvalue == test.pvalue
    assert -swapped.low[0] == pytest.approx(test.high[0], abs=0.01)


def test_one_group_is_no_evidence_and_two_have_an_interval():
    test = compare_by_group(ACCURACY.from_totals, *right_of_ten(1, 0.9, 0.1), random_state=0)
    assert test.pvalue[0] == 1
    assert np.isnan(test.low[0])
    test = compare_by_group(ACCURACY.from_totals, *right_of_ten(2, 0.9, 0.1), random_state=0)
    assert test.low[0] < test.difference[0] < test.high[0]


def test_every_split_weighs_the_same_and_protocols_keep_their_order():
    rows = {"row": range(10), "group": range(10), "repeat": 0, "fold": [0] * 2 + [1] * 8}
    right = {"a": [1, 0] + [1] * 8, "b": [0, 0] + [1, 1] + [0] * 6}
    predictions = pd.concat(
        pd.DataFrame(rows | {"protocol": protocol, "feature": feature, "y_true": 1, "y_pred": y})
        for protocol in ("shuffled", "grouped")
        for feature, y in right.items()
    )
    options = {"keys": ["feature"], "over": [], "random_state": 0}
    score = partial(compare_totals, ACCURACY)
    by_split = compare_predictions(predictions, score, equal_splits=True, **options)
    assert by_split["protocol"].tolist() == ["shuffled", "grouped"]
    assert by_split.index.tolist() == [0, 1]
    assert by_split["difference"].tolist() == pytest.approx([(0.5 + 0.75) / 2] * 2)
    by_clip = compare_predictions(predictions, score, equal_splits=False, **options)
    assert by_clip["difference"].tolist() == pytest.approx([0.7] * 2)


def test_scores_from_totals_are_those_of_the_predictions():
    rng = np.random.default_rng(0)
    y_true = 5 + rng.normal(size=50)
    y_pred = y_true + 0.3 * rng.normal(size=50) + 0.1
    expected = regression_scores(y_true, y_pred)
    for name, score in {"r2": R2, "ccc": CCC, "rmse": RMSE}.items():
        totals = score.summands(y_true, y_pred).sum(axis=0)
        assert score.from_totals(totals) == pytest.approx(expected[name])
