"""Scores of one test part."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, recall_score

METRICS = ("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy")


def classification_scores(y_true: np.ndarray, y_pred: np.ndarray) -> dict[str, float]:
    """Compute each of METRICS; F1 as scikit-learn's scorers do, over labels true or predicted.

    Balanced accuracy is the mean recall of the classes that are in the test part.
    """
    return {
        "accuracy": float(accuracy_score(y_true, y_pred)),
        "f1_macro": float(f1_score(y_true, y_pred, average="macro", zero_division=0)),
        "f1_weighted": float(f1_score(y_true, y_pred, average="weighted", zero_division=0)),
        "balanced_accuracy": float(
            recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro")
        ),
    }
