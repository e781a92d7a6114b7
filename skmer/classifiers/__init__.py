"""Keras classifiers as scikit-learn citizens, and the table of the study's six."""

from skmer.classifiers.networks import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier
from skmer.classifiers.scalers import FeatureScaler, SequenceScaler
from skmer.classifiers.table import CLASSIFIERS, make_classifier, takes_sequences
from skmer.classifiers.tags import TagClassifier

__all__ = [
    "CLASSIFIERS",
    "FeatureScaler",
    "KerasCNNClassifier",
    "KerasLSTMClassifier",
    "KerasMLPClassifier",
    "SequenceScaler",
    "TagClassifier",
    "make_classifier",
    "takes_sequences",
]
