"""Scores, intervals and tests: arrays in, a small result out."""

from skmer.evaluation.statistics._bayesian import BayesianTTest, bayesian_correlated_ttest
from skmer.evaluation.statistics._bootstrap import BootstrapInterval, cluster_bootstrap
from skmer.evaluation.statistics._holm import holm
from skmer.evaluation.statistics._permutation import (
    GroupPermutationTest,
    group_block_permutation_test,
)
from skmer.evaluation.statistics._purity import neighbour_purity, tsne_map, tsne_purity
from skmer.evaluation.statistics._ttest import CorrectedTTest, corrected_resampled_ttest

__all__ = [
    "BayesianTTest",
    "BootstrapInterval",
    "CorrectedTTest",
    "GroupPermutationTest",
    "bayesian_correlated_ttest",
    "cluster_bootstrap",
    "corrected_resampled_ttest",
    "group_block_permutation_test",
    "holm",
    "neighbour_purity",
    "tsne_map",
    "tsne_purity",
]
