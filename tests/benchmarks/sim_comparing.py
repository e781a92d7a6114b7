"""Size and power of the comparison of features, beside that of pairs of configurations.

Two features of the same songs, three classifiers that agree mostly, artists held out: every score is
of models that were trained. Without a difference both features are equally good in the world that the
songs are drawn from, and any p below .05 is wrong. Beside it stands the same test of models that were
fitted to many other artists, which has no share in the choice of the training clips. Run as

    python -m tests.benchmarks.sim_comparing --simulations 500
"""

import argparse
from functools import cache
from itertools import product

import numpy as np
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skmer.evaluation.statistics.bootstrap import ACCURACY
from skmer.evaluation.statistics.paired import compare_by_group, corrected_resampled_ttest, holm

N_CLIPS = 8
MODELS = (GaussianNB(), LinearDiscriminantAnalysis(), KNeighborsClassifier(5))


def draw(rng, n_groups: int, better: float):
    """Return two features, labels and groups; an artist has a voice of their own in each feature."""
    groups, y = np.repeat(np.arange(n_groups), N_CLIPS), np.tile([0, 1], n_groups * N_CLIPS // 2)
    # What is odd about a clip, such as a wrong label, is odd in both features.
    odd = rng.normal(size=(y.size, 4))
    features = []
    for strength in (0.45 + better, 0.45):
        voices = rng.normal(size=(n_groups, 4))[groups]
        own = rng.normal(size=(y.size, 4))
        features.append(strength * (2 * y - 1)[:, None] + 0.7 * odd + 0.5 * voices + 0.7 * own)
    return features, y, groups


@cache
def fitted_elsewhere():
    """Return the models of each feature without a difference, fitted to 250 other artists."""
    features, y, _ = draw(np.random.default_rng(99), 250, 0.0)
    return [[clone(model).fit(X, y) for model in MODELS] for X in features]


def compare(right):
    """Return the test by groups of which answers are right, by feature, model, group and clip."""
    n_right, n = right.sum(axis=-1), right.shape[-1]
    totals = np.stack([n_right, np.full(n_right.shape, n)], axis=-1)
    first, second = (one.transpose(1, 0, 2)[:, None].astype(float) for one in totals)
    return compare_by_group(ACCURACY.from_totals, first, second, random_state=0)


def simulate(rng, n_groups: int, better: float, n_repeats: int = 2):
    """Return p of features, whether its interval holds 0, and p of the best two configurations."""
    features, y, groups = draw(rng, n_groups, better)
    folds = min(5, n_groups)
    right = np.zeros((2, len(MODELS), n_repeats, y.size))
    scores = np.zeros((2, len(MODELS), n_repeats, folds))
    for repeat in range(n_repeats):
        cv = StratifiedGroupKFold(folds, shuffle=True, random_state=rng.integers(2**31))
        for fold, (train, test) in enumerate(cv.split(y, y, groups)):
            for (f, X), (m, model) in product(enumerate(features), enumerate(MODELS)):
                answers = model.fit(X[train], y[train]).predict(X[test]) == y[test]
                right[f, m, repeat, test] = answers
                scores[f, m, repeat, fold] = answers.mean()
    shape = (2, len(MODELS), n_groups, -1)
    test = compare(right.transpose(0, 1, 3, 2).reshape(shape))
    elsewhere = [
        [model.predict(X) == y for model in models]
        for models, X in zip(fitted_elsewhere(), features)
    ]
    fixed = compare(np.reshape(elsewhere, shape))
    of_configurations = scores.reshape(2 * len(MODELS), -1)
    sizes = {"n_train": y.size * (1 - 1 / folds), "n_test": y.size / folds}
    pairs = [(i, j) for j in range(len(of_configurations)) for i in range(j)]
    pvalues = holm(
        [
            corrected_resampled_ttest(*of_configurations[list(pair)], **sizes).pvalue
            for pair in pairs
        ]
    )
    # What the headline said before: the best configuration of all, and the best of the other.
    means = of_configurations.mean(axis=1).reshape(2, -1)
    best = tuple(sorted((means[0].argmax(), len(MODELS) + means[1].argmax())))
    averaged = corrected_resampled_ttest(*scores.mean(axis=1).reshape(2, -1), **sizes).pvalue
    excludes = test.low[0] > 0 or test.high[0] < 0
    found = test.pvalue[0], fixed.pvalue[0], excludes, pvalues[pairs.index(best)], averaged
    return *found, test.difference[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--groups", type=int, nargs="*", default=[6, 8, 10, 20, 40])
    parser.add_argument("--better", type=float, nargs="*", default=[0.0, 0.3])
    options = parser.parse_args()
    print("groups,better,difference,features,fixed,interval,configurations,averaged")
    for n_groups, better in product(options.groups, options.better):
        rng = np.random.default_rng([n_groups, int(100 * better)])
        found = np.array([simulate(rng, n_groups, better) for _ in range(options.simulations)])
        p, fixed, excludes, pairs, averaged, difference = found.T
        rates = [p <= 0.05, fixed <= 0.05, excludes, pairs <= 0.05, averaged <= 0.05]
        numbers = ",".join(f"{rate.mean():.3f}" for rate in rates)
        print(f"{n_groups},{better},{difference.mean():.3f},{numbers}", flush=True)


if __name__ == "__main__":
    main()
