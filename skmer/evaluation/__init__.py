"""Honest evaluation: protocols, scores, statistics, audit, displays and report."""

# Protocols, evaluation, results, report, regression.

# Statistics, audit, consistency, displays.
from skmer.evaluation._statistics_bayesian import BayesianTTest, bayesian_correlated_ttest
from skmer.evaluation._statistics_bootstrap import BootstrapInterval, cluster_bootstrap
from skmer.evaluation._statistics_holm import holm
from skmer.evaluation._statistics_ttest import CorrectedTTest, corrected_resampled_ttest

__all__ = [
    # Statistics, audit, consistency, displays.
    "BayesianTTest",
    "BootstrapInterval",
    "CorrectedTTest",
    "bayesian_correlated_ttest",
    "cluster_bootstrap",
    "corrected_resampled_ttest",
    "holm",
]
