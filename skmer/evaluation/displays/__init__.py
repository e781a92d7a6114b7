"""Figures in scikit-learn's manner: arrays stored, ``from_*`` to make, ``plot`` to draw."""

from skmer.evaluation.displays._accuracy_bars import AccuracyBarsDisplay
from skmer.evaluation.displays._confusion import ConfusionDisplay
from skmer.evaluation.displays._gap import GapDisplay
from skmer.evaluation.displays._paired_comparison import PairedComparisonDisplay
from skmer.evaluation.displays._per_class_report import PerClassReportDisplay
from skmer.evaluation.displays._quadrant import QuadrantDisplay
from skmer.evaluation.displays._style import CLASSIFIER_NAMES, FEATURE_NAMES, PALETTE
from skmer.evaluation.displays._tag_importance import TagImportanceDisplay
from skmer.evaluation.displays.clips._embedding_map import EmbeddingMapDisplay
from skmer.evaluation.displays.clips._spectrogram import SpectrogramDisplay
from skmer.evaluation.displays.clips._tags import TagsDisplay

__all__ = [
    "CLASSIFIER_NAMES",
    "FEATURE_NAMES",
    "PALETTE",
    "AccuracyBarsDisplay",
    "ConfusionDisplay",
    "EmbeddingMapDisplay",
    "GapDisplay",
    "PairedComparisonDisplay",
    "PerClassReportDisplay",
    "QuadrantDisplay",
    "SpectrogramDisplay",
    "TagImportanceDisplay",
    "TagsDisplay",
]
