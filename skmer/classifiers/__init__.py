"""Keras classifiers as scikit-learn citizens, and the table of the study's six."""

from skmer.classifiers._cnn import KerasCNNClassifier
from skmer.classifiers._lstm import KerasLSTMClassifier
from skmer.classifiers._mlp import KerasMLPClassifier
from skmer.classifiers._sequence_scaler import SequenceScaler
from skmer.classifiers._table import CLASSIFIERS, make_classifier, takes_sequences

__all__ = [
    "CLASSIFIERS",
    "KerasCNNClassifier",
    "KerasLSTMClassifier",
    "KerasMLPClassifier",
    "SequenceScaler",
    "make_classifier",
    "takes_sequences",
]
