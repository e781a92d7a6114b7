"""Figures in scikit-learn's manner: arrays stored, ``from_*`` to make, ``plot`` to draw."""

from skmer.evaluation.displays.bars import AccuracyBarsDisplay, GapDisplay
from skmer.evaluation.displays.clips import EmbeddingMapDisplay, SpectrogramDisplay, TagsDisplay
from skmer.evaluation.displays.comparison import PairedComparisonDisplay
from skmer.evaluation.displays.confusion import ConfusionDisplay, PerClassReportDisplay
from skmer.evaluation.displays.quadrant import QuadrantDisplay
from skmer.evaluation.displays.style import CLASSIFIER_NAMES, FEATURE_NAMES, PALETTE
from skmer.evaluation.displays.tag_importance import TagImportanceDisplay

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
