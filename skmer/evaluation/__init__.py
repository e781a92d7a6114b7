"""Protocols, scores, statistics and reports of an honest evaluation."""

from skmer.evaluation._audit import audit
from skmer.evaluation._audit_finding import AuditFinding
from skmer.evaluation._audit_report import AuditReport
from skmer.evaluation._consistency import check_report_consistency, consistent_sizes
from skmer.evaluation._consistency_result import ReportConsistency
from skmer.evaluation._displays import (
    AccuracyBarsDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    GapDisplay,
    PairedComparisonDisplay,
    PerClassReportDisplay,
)
from skmer.evaluation._dynamic import evaluate_dynamic_regression
from skmer.evaluation._dynamic_result import DynamicRegressionResult
from skmer.evaluation._evaluate import evaluate
from skmer.evaluation._files import check_output_folder
from skmer.evaluation._fixed_split import FixedSplit
from skmer.evaluation._group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation._regression import evaluate_regression
from skmer.evaluation._regression_result import RegressionResult
from skmer.evaluation._reproduction import Reproduction, reproduce_koh2021
from skmer.evaluation._result import EvaluationResult
from skmer.evaluation._statistics_bayesian import BayesianTTest, bayesian_correlated_ttest
from skmer.evaluation._statistics_bootstrap import BootstrapInterval, cluster_bootstrap
from skmer.evaluation._statistics_holm import holm
from skmer.evaluation._statistics_permutation import (
    GroupPermutationTest,
    group_block_permutation_test,
)
from skmer.evaluation._statistics_purity import neighbour_purity, tsne_purity
from skmer.evaluation._statistics_ttest import CorrectedTTest, corrected_resampled_ttest
from skmer.evaluation._summary_table import format_summary
from skmer.evaluation._three_way import StratifiedThreeWaySplit

__all__ = [
    "AccuracyBarsDisplay",
    "AuditFinding",
    "AuditReport",
    "BayesianTTest",
    "BootstrapInterval",
    "ConfusionDisplay",
    "CorrectedTTest",
    "DynamicRegressionResult",
    "EmbeddingMapDisplay",
    "EvaluationResult",
    "FixedSplit",
    "GapDisplay",
    "GroupPermutationTest",
    "PairedComparisonDisplay",
    "PerClassReportDisplay",
    "RegressionResult",
    "RepeatedStratifiedGroupKFold",
    "ReportConsistency",
    "Reproduction",
    "StratifiedThreeWaySplit",
    "audit",
    "bayesian_correlated_ttest",
    "check_output_folder",
    "check_report_consistency",
    "cluster_bootstrap",
    "consistent_sizes",
    "corrected_resampled_ttest",
    "evaluate",
    "evaluate_dynamic_regression",
    "evaluate_regression",
    "format_summary",
    "group_block_permutation_test",
    "holm",
    "neighbour_purity",
    "reproduce_koh2021",
    "tsne_purity",
]
