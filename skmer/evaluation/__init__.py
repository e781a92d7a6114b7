"""Protocols, scores, statistics and reports of an honest evaluation."""

from skmer.evaluation.auditing.audit import audit
from skmer.evaluation.auditing.findings import AuditFinding, AuditReport
from skmer.evaluation.displays.classes import (
    CalibrationDisplay,
    ConfusionDisplay,
    PerClassReportDisplay,
)
from skmer.evaluation.displays.clips import EmbeddingMapDisplay, SpectrogramDisplay, TagsDisplay
from skmer.evaluation.displays.numbers import CurveDisplay, QuadrantDisplay
from skmer.evaluation.displays.scores import (
    AccuracyBarsDisplay,
    GapDisplay,
    PairedComparisonDisplay,
)
from skmer.evaluation.displays.tag_importance import TagImportanceDisplay
from skmer.evaluation.evaluate import evaluate, evaluate_dynamic_regression, evaluate_regression
from skmer.evaluation.regression import DynamicRegressionResult, RegressionResult
from skmer.evaluation.result import EvaluationResult
from skmer.evaluation.splitters import (
    FixedSplit,
    IterativeStratifiedGroupKFold,
    RepeatedStratifiedGroupKFold,
    StratifiedThreeWaySplit,
)
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
from skmer.evaluation.statistics.purity import neighbor_purity, tsne_purity
from skmer.evaluation.tags import TagsResult
from skmer.evaluation.tasks import REGRESSORS
from skmer.utils.messages import deprecated_names

__all__ = [
    "REGRESSORS",
    "AccuracyBarsDisplay",
    "AuditFinding",
    "AuditReport",
    "BayesianTTest",
    "BootstrapInterval",
    "CalibrationDisplay",
    "ConfusionDisplay",
    "CorrectedTTest",
    "CurveDisplay",
    "DynamicRegressionResult",
    "EmbeddingMapDisplay",
    "EvaluationResult",
    "FixedSplit",
    "GapDisplay",
    "GroupPermutationTest",
    "IterativeStratifiedGroupKFold",
    "PairedComparisonDisplay",
    "PerClassReportDisplay",
    "QuadrantDisplay",
    "RegressionResult",
    "RepeatedStratifiedGroupKFold",
    "SpectrogramDisplay",
    "StratifiedThreeWaySplit",
    "TagImportanceDisplay",
    "TagsDisplay",
    "TagsResult",
    "audit",
    "bayesian_correlated_ttest",
    "cluster_bootstrap",
    "corrected_resampled_ttest",
    "evaluate",
    "evaluate_dynamic_regression",
    "evaluate_regression",
    "group_block_permutation_test",
    "holm",
    "neighbor_purity",
    "tsne_purity",
]

__getattr__ = deprecated_names(
    __name__, {"neighbour_purity": "skmer.evaluation.statistics.purity:neighbor_purity"}
)
