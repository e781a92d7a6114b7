"""Scores, intervals and tests: arrays in, a small result out."""

from skmer.evaluation.statistics.bootstrap import BootstrapInterval, cluster_bootstrap
from skmer.evaluation.statistics.paired import (
    BayesianTTest,
    CorrectedTTest,
    bayesian_correlated_ttest,
    corrected_resampled_ttest,
    holm,
)
from skmer.evaluation.statistics.permutation import (
    GroupPermutationTest,
    group_block_permutation_test,
)
from skmer.evaluation.statistics.purity import neighbor_purity, tsne_map, tsne_purity

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
    "neighbor_purity",
    "tsne_map",
    "tsne_purity",
]
